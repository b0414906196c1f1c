"""Lines to providers, which can be cut."""

from __future__ import annotations

import asyncio

from oidc_adapters.testing.applications import Routes, World
from oidc_adapters.testing.applications.lines import Lines
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest


def asked(url: str) -> WireRequest:
    return WireRequest(
        method="GET", url=url, headers=(), body=None, resend="safe", max_body=65_536,
        deadline=10,
    )  # fmt: skip


def test_each_provider_is_found_by_its_urls() -> None:
    world = World(Routes(), 2)
    first, second = world.providers

    assert world.lines.provider_at("https://op.example/token") is first
    assert world.lines.provider_at("https://op.example") is first
    assert world.lines.provider_at("https://second.example/token") is second
    assert world.lines.provider_at("https://op.example.evil.example/") is None


def test_a_line_can_be_cut() -> None:
    world = World(Routes())
    request = asked("https://op.example/jwks")

    assert isinstance(world.transport.send(request, world.clock), HttpResponse)
    world.lines.keys_withheld.add("https://op.example")
    found = world.transport.send(request, world.clock)
    assert isinstance(found, NoAnswer)
    assert found.cause == "timeout"
    metadata = asked("https://op.example/.well-known/openid-configuration")
    assert isinstance(world.transport.send(metadata, world.clock), HttpResponse)
    world.lines.down.add("https://op.example")
    found = asyncio.run(world.async_transport.send(metadata, world.clock))
    assert isinstance(found, NoAnswer)
    assert found.cause == "refused"
    assert [request.url for request, _ in world.lines.exchanges] == [
        request.url, request.url, metadata.url, metadata.url,
    ]  # fmt: skip


def test_there_is_nothing_else_in_this_world() -> None:
    answer = Lines(()).exchange(asked("https://elsewhere.example/"), 1)

    assert isinstance(answer, NoAnswer)
    assert answer.sent == "no"
