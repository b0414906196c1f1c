"""The web routes of an application with several providers."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.connections import AsyncConnections, Connections
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import CookiePendingLogins
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing import AsyncInMemoryTransport, FakeProvider, InMemoryTransport
from oidc_adapters.web import (
    AsyncRecordSessions,
    AsyncWebLogin,
    RecordSessions,
    WebLogin,
    WebSetup,
)
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords
from tests.adapters.web.visiting import BASE, CLIENT, KINDS, House, Visitor
from tests.flows.mixing import settled
from tests.flows.rig import NOW, SEALING_SECRET, honest_provider, setup_for

COLOURS: Final = ("blue", "green")


def houses(*, awaits: bool = False) -> dict[str, House]:
    """Return one application as the browsers of each provider see it."""
    clock = FrozenClock(NOW)
    memory = PluggedRecords(MemoryRecords(clock=clock, elapsed=lambda: float(clock.now())))
    records: Any = AwaitedRecords(memory) if awaits else memory
    kept: Any = (AsyncRecordSessions if awaits else RecordSessions)(records, SEALING_SECRET)
    clients: list[Any] = []
    providers: dict[str, FakeProvider] = {}
    for colour in COLOURS:
        known = evolve(
            CLIENT,
            redirect_uris=(f"{BASE}/callback/{colour}",),
            backchannel_logout_uri=f"{BASE}/backchannel-logout/{colour}",
        )
        provider = honest_provider(issuer=f"https://{colour}.example", clients=(known,))
        setup: Any = setup_for(provider, connection_id=colour if colour == "blue" else "")
        kind: Any = AsyncOidcClient if awaits else OidcClient
        clients.append(
            kind(
                setup,
                CookiePendingLogins(SEALING_SECRET),
                transport=(AsyncInMemoryTransport if awaits else InMemoryTransport)(provider),
                clock=clock,
                grants=Grants(records, SEALING_SECRET, trusted=0),
                sessions=SessionIndex(records, SEALING_SECRET, end_session=kept.end),
            )
        )
        providers[colour] = provider
    whole: Any = (AsyncConnections if awaits else Connections)(*clients)
    web: Any = (AsyncWebLogin if awaits else WebLogin)(whole, kept, WebSetup(login_by_get=True))
    return {
        colour: House(
            provider=provider,
            transport=None,
            clock=clock,
            records=memory,
            client=whole,
            sessions=kept,
            web=web,
        )
        for colour, provider in providers.items()
    }


@KINDS
def test_a_user_chooses_among_several_providers(awaits: bool) -> None:
    at = houses(awaits=awaits)
    browser = Visitor(at=at["blue"])

    page = browser.ask("/login?return_to=/orders")
    linked = browser.ask("/login?provider=blue")
    form = [("provider", "https://green.example"), ("return_to", "/")]
    posted = browser.ask("/login", form=form)
    unknown = browser.ask("/login", form=[("provider", "red")])

    assert page.status == unknown.status == 200
    assert b"Log in with blue" in page.body
    assert b"Log in with green.example" in page.body
    assert (linked.header("location") or "").startswith("https://blue.example/authorize?")
    assert (posted.header("location") or "").startswith("https://green.example/authorize?")


def logged_in(at: dict[str, House], colour: str, name: str) -> Visitor:
    """Return a browser that has logged in with one of them."""
    browser = Visitor(at=at[colour])
    started = browser.ask(f"/login?provider={name}&return_to=/orders")
    assert browser.bring(browser.at_provider(started)).header("location") == "/orders"
    return browser


@KINDS
def test_a_session_is_of_the_provider_that_the_user_chose(awaits: bool) -> None:
    at = houses(awaits=awaits)

    browser = logged_in(at, "green", "https://green.example")
    session = browser.session
    assert session is not None
    tokens = settled(at["green"].web.tokens(session).fresh())

    assert session.identity.issuer == tokens.issuer == "https://green.example"


@KINDS
def test_a_logout_goes_to_the_provider_of_the_session(awaits: bool) -> None:
    at = houses(awaits=awaits)
    browser = logged_in(at, "green", "https://green.example")

    left = browser.ask("/logout", form=[])
    back = at["green"].provider.end_session(left.header("location") or "", now=NOW)
    assert back is not None
    came = browser.ask(back.removeprefix(BASE))

    assert (left.header("location") or "").startswith("https://green.example/")
    assert came.header("location") == "/"
    assert browser.session is None


@KINDS
def test_a_provider_ends_its_own_sessions_only(awaits: bool) -> None:
    at = houses(awaits=awaits)
    blue = logged_in(at, "blue", "blue")
    green = logged_in(at, "green", "https://green.example")

    told = at["blue"].provider.backchannel_logout(NOW, sub="alice")
    request = green.request("/backchannel-logout/blue", form=[("logout_token", told.logout_token)])
    ended = settled(at["blue"].web.backchannel_logout(request))

    assert ended.status == 200
    assert blue.session is None
    assert green.session is not None


@KINDS
@pytest.mark.parametrize("swapped", ["answer", "path"])
def test_an_answer_of_another_provider_begins_no_session(awaits: bool, swapped: str) -> None:
    """One provider cannot bring its code to the login that waits for the other (mix-up)."""
    at = houses(awaits=awaits)
    browser = Visitor(at=at["blue"])
    started = browser.ask("/login?provider=blue")
    honest = browser.at_provider(started)
    sent = honest.parameters
    codes = {"answer": b"response_iss_mismatch", "path": b"connection_mismatch"}
    green = ("iss", "https://green.example")
    changed: dict[str, dict[str, Any]] = {
        "answer": {
            "parameters": tuple(green if name == "iss" else (name, value) for name, value in sent)
        },
        "path": {"redirect_uri": f"{BASE}/callback/green"},
    }

    reply = browser.bring(evolve(honest, **changed[swapped]))

    assert reply.header("location") is None
    assert reply.status == 400
    assert codes[swapped] in reply.body
    assert browser.session is None
