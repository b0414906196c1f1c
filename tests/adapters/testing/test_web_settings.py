"""The settings of an application under test."""

from __future__ import annotations

from typing import Any, cast

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing import FakeProvider, web_settings
from oidc_adapters.testing.transports import AsyncInMemoryTransport, InMemoryTransport
from oidc_core.wire.errors import UsageError
from tests.parties import refused

CLOCK = FrozenClock(1_700_000_000)


@pytest.mark.parametrize("awaits", [False, True])
def test_an_application_finds_its_provider(awaits: bool) -> None:
    provider = FakeProvider()

    found = web_settings(provider, CLOCK, awaits=awaits)

    kind = AsyncInMemoryTransport if awaits else InMemoryTransport
    assert isinstance(found["OIDC_TRANSPORT"], kind)
    assert found["OIDC_REDIRECT_URI"] in provider.clients[0].redirect_uris
    assert found["OIDC_POST_LOGOUT_REDIRECT_URI"] in provider.clients[0].post_logout_redirect_uris
    assert found["OIDC_CLOCK"] is CLOCK


def test_the_store_goes_by_the_same_clock() -> None:
    clock = FrozenClock(1_700_000_000)
    records = web_settings(FakeProvider(), clock)["OIDC_RECORDS"]

    clock.advance(60)

    assert records.times().utc == 1_700_000_060


@pytest.mark.parametrize(
    ("given", "about"),
    [
        ((None, CLOCK, False), "provider"),
        ((FakeProvider(), 1_700_000_000, False), "clock"),
        ((FakeProvider(), CLOCK, 1), "awaits"),
    ],
)
def test_a_mistake_is_named(given: tuple[Any, Any, Any], about: str) -> None:
    provider, clock, awaits = given

    error = refused(
        UsageError,
        "parameter_invalid",
        lambda: web_settings(provider, clock, awaits=cast("bool", awaits)),
    )

    assert error.about == about
