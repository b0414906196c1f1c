"""The world of an example: settings, providers, and times of trouble."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_adapters.testing.applications import Routes, World
from oidc_adapters.testing.applications.world import LASTS, PATIENCE
from oidc_core.wire.errors import UsageError


def test_settings_lead_to_the_provider_of_their_place() -> None:
    world = World(Routes(callback="/auth/callback", backchannel_logout=""), 2)
    first, second = world.settings(), world.settings(awaits=True, place=1)

    assert first["OIDC_ISSUER"] == "https://op.example"
    assert first["OIDC_REDIRECT_URI"] == "https://app.example/auth/callback"
    assert second["OIDC_REDIRECT_URI"] == "https://app.example/auth/callback/second"
    assert first["OIDC_POST_LOGOUT_REDIRECT_URI"] == "https://app.example/logged-out"
    assert (first["OIDC_TRANSPORT"], first["OIDC_RECORDS"]) == (world.transport, world.records)
    assert second["OIDC_TRANSPORT"] is world.async_transport
    assert second["OIDC_RECORDS"] is world.async_records
    assert world.providers[0].clients[0].backchannel_logout_uri is None
    assert world.django_settings()["ISSUER"] == "https://op.example"


def test_providers_have_keys_and_secrets_of_their_own() -> None:
    first, second = World(Routes(), 2).providers

    assert first.seed != second.seed
    assert first.clients[0].client_secret != second.clients[0].client_secret


@pytest.mark.parametrize(("routes", "connections"), [(None, 1), (Routes(), "2")])
def test_a_world_is_made_of_routes_and_a_number(routes: Any, connections: Any) -> None:
    with pytest.raises(UsageError) as refused:
        World(routes, connections)
    assert refused.value.code == "config_invalid"


def test_trouble_lasts_some_minutes_longer_than_its_cause() -> None:
    world = World(Routes())
    assert not world.troubled
    first = world.providers[0]
    for trouble in ("down", "keys", "store", "hostile", "change"):
        if trouble == "down":
            world.lines.down.add(first.issuer)
        elif trouble == "keys":
            world.lines.keys_withheld.add(first.issuer)
        elif trouble == "change":
            world.disturb()
        world.outage.down = trouble == "store"
        first.misbehave = "wrong_nonce" if trouble == "hostile" else None
        assert world.troubled
        world.lines.down.clear()
        world.lines.keys_withheld.clear()
        world.outage.down, first.misbehave = False, None
        world.clock.advance(PATIENCE - 1)
        assert world.troubled
        world.clock.advance(1)
        assert not world.troubled


def test_a_trouble_is_over_after_some_moves() -> None:
    world = World(Routes())
    world.outage.down = True
    world.begin_trouble()
    for _ in range(LASTS):
        world.pass_move()
        assert world.outage.down
    world.pass_move()
    assert not world.outage.down
    assert world.troubled


def test_a_calm_world_is_calm_at_once() -> None:
    world = World(Routes())
    world.disturb()
    world.calm()

    assert not world.troubled
