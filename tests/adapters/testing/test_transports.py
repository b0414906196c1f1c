"""Transports that reach the fake provider in memory."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve, frozen

from oidc_adapters.testing import AsyncInMemoryTransport, FakeProvider, InMemoryTransport
from oidc_core.wire.http import NoAnswer, WireRequest

from .raw_client import NOW, responded, wire


@frozen
class Stopped:
    """A clock that does not move."""

    def now(self) -> int:
        return NOW


def metadata_request(provider: FakeProvider) -> WireRequest:
    return wire("GET", f"{provider.issuer}/.well-known/openid-configuration")


def test_an_answer_is_stamped_and_recorded() -> None:
    transport = InMemoryTransport(FakeProvider())
    request = metadata_request(transport.provider)

    answer = transport.send(request, Stopped())

    assert (responded(answer).status, responded(answer).received_at) == (200, NOW)
    assert transport.exchanges == ((request, answer),)


def test_the_asynchronous_twin_answers_alike() -> None:
    transport = AsyncInMemoryTransport(FakeProvider())
    request = metadata_request(transport.provider)

    answer = asyncio.run(transport.send(request, Stopped()))

    assert answer == InMemoryTransport(FakeProvider()).send(request, Stopped())
    assert transport.exchanges == ((request, answer),)


@pytest.mark.parametrize(
    ("misbehave", "code"),
    [("metadata_encoded", "content_encoding_unexpected"), ("metadata_dropped", "http_malformed")],
)
def test_what_no_transport_lets_through_is_no_answer(misbehave: str, code: str) -> None:
    transport = InMemoryTransport(FakeProvider(misbehave=misbehave))

    answer = transport.send(metadata_request(transport.provider), Stopped())

    assert answer == NoAnswer("maybe", code, NOW)


def test_a_provider_may_be_down_for_a_while() -> None:
    waiting, awaiting = InMemoryTransport(FakeProvider()), AsyncInMemoryTransport(FakeProvider())
    request = metadata_request(waiting.provider)

    waiting.down = awaiting.down = True
    answers = waiting.send(request, Stopped()), asyncio.run(awaiting.send(request, Stopped()))
    assert (waiting.down, awaiting.down) == (True, True)
    waiting.down = awaiting.down = False

    assert answers == 2 * (NoAnswer("no", "http_connect_failed", NOW, "refused"),)
    assert waiting.exchanges == awaiting.exchanges == ((request, answers[0]),)
    assert responded(waiting.send(request, Stopped())).status == 200
    assert responded(asyncio.run(awaiting.send(request, Stopped()))).status == 200


@pytest.mark.parametrize("less", [0, 1])
def test_a_body_beyond_the_limit_is_no_answer(less: int) -> None:
    transport = InMemoryTransport(FakeProvider())
    request = metadata_request(transport.provider)
    size = len(responded(transport.send(request, Stopped())).body)

    answer = transport.send(evolve(request, max_body=size - less), Stopped())

    if less:
        assert answer == NoAnswer("maybe", "http_too_large", NOW)
    else:
        assert len(responded(answer).body) == size


def test_threads_may_share_it() -> None:
    transport = InMemoryTransport(FakeProvider())
    request = metadata_request(transport.provider)

    with ThreadPoolExecutor(4) as threads:
        sent = [threads.submit(transport.send, request, Stopped()) for _ in range(40)]
        answers = {one.result() for one in sent}

    assert len(transport.exchanges) == 40
    assert len(answers) == 1
