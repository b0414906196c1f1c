"""oidc-provider tells an application about logouts, by its own tokens and requests."""

import asyncio
import json
from collections.abc import Generator
from functools import partial
from typing import Any, Final

import pytest
from attrs import field, frozen

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.transport import Transport
from oidc_adapters.transport.in_threads import InThreads
from oidc_core.wire.errors import OidcError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.replies import Reply
from tests.flows.rig import run_asyncio
from tests.interop.application import (
    SEALING_SECRET,
    CookieBox,
    Kind,
    cookie_pending,
    incoming_of,
    setup_at,
)
from tests.interop.back_channel import BackChannel, nobody, served
from tests.interop.browser import Browser
from tests.interop.oidc_provider import Happened, Provider
from tests.interop.table import RecordRow

KIND: Final = Kind(id_token_alg="ES256")
PATIENCE: Final = 10.0
"""Seconds that the route waits for the loop of a client."""


@frozen(kw_only=True)
class Person:
    """A browser with a session of the application, by the name of its grant."""

    browser: Browser
    jar: CookieBox
    session: str


@frozen(kw_only=True)
class Site:
    """The application, its client at the provider, and what its users see."""

    op: Provider
    client: OidcClient
    route: BackChannel
    ended: list[str] = field(factory=list[str])

    def log_in(self, user: str) -> Person:
        """Log a user in, in a new browser."""
        browser, jar = Browser(self.op.issuer), CookieBox()
        redirect = self.client.start_login()
        jar.take(redirect.cookies)
        arrival = browser.authorize(redirect.url, login=user)
        result = self.client.finish_login(incoming_of(arrival, jar.header))
        jar.take(result.cookies)
        return Person(browser=browser, jar=jar, session=result.grant_id)

    def log_out_at_provider(self, person: Person) -> None:
        """Log out as another application of this browser would: this one learns nothing of it."""
        tokens = self.client.tokens(person.session).fresh()
        person.browser.end_session(self.client.start_logout(tokens).url)

    def is_alive(self, person: Person) -> bool:
        """Whether a session still gets tokens."""
        try:
            self.client.tokens(person.session).fresh()
        except OidcError as error:
            if error.code != "grant_ended":
                raise
            return False
        return True

    def told(self) -> list[str]:
        """How the provider says that its logout tokens were taken."""
        rp = self.client.rp.client.client_id
        events: list[Happened] = [each for each in self.op.events() if each.client_id == rp]
        return [each.event for each in events if each.event.startswith("backchannel")]


def refusal_in(reply: Reply) -> str:
    """Why a logout token was refused: the code, and the member."""
    assert reply.status == 400
    told: str = json.loads(reply.body)["error_description"]
    return told


@pytest.fixture
def route() -> Generator[BackChannel]:
    with served() as running:
        yield running


def site_at(op: Provider, route: BackChannel, transport: Transport, **members: Any) -> Site:
    """An application whose sessions the provider ends."""
    ended = list[str]()
    client = OidcClient(
        setup_at(op, KIND, backchannel_logout_uri=route.uri, **members),
        cookie_pending(),
        transport=transport,
        grants=Grants(MemoryRecords(), SEALING_SECRET, trusted=0),
        sessions=SessionIndex(MemoryRecords(), SEALING_SECRET, end_session=ended.append),
    )
    route.answer = client.backchannel_logout
    return Site(op=op, client=client, route=route, ended=ended)


def test_a_logout_ends_the_sessions_of_that_browser_and_no_others(
    op: Provider, transport: Transport, interop_row: RecordRow, route: BackChannel
) -> None:
    interop_row(*KIND.row, "back-channel logout by sid")
    site = site_at(op, route, transport, backchannel_logout_session_required=True)
    here, elsewhere, other = site.log_in("alice"), site.log_in("alice"), site.log_in("bob")

    site.log_out_at_provider(here)

    assert [reply.status for reply in route.replies] == [200]
    assert site.told() == ["backchannel.success"]
    assert site.ended == [here.session]
    assert [site.is_alive(each) for each in (here, elsewhere, other)] == [False, True, True]


def test_a_logout_without_a_sid_ends_all_sessions_of_the_user(
    op: Provider, transport: Transport, interop_row: RecordRow, route: BackChannel
) -> None:
    interop_row(*KIND.row, "back-channel logout by sub")
    site = site_at(op, route, transport)
    here, elsewhere, other = site.log_in("alice"), site.log_in("alice"), site.log_in("bob")

    site.log_out_at_provider(here)

    assert site.told() == ["backchannel.success"]
    assert {*site.ended} == {here.session, elsewhere.session}
    assert [site.is_alive(each) for each in (here, elsewhere, other)] == [False, False, True]


def test_a_token_that_the_provider_sent_counts_once(
    op: Provider, transport: Transport, interop_row: RecordRow, route: BackChannel
) -> None:
    interop_row(*KIND.row, "back-channel logout again: logout_token_used")
    site = site_at(op, route, transport, backchannel_logout_session_required=True)
    site.log_out_at_provider(site.log_in("alice"))
    (first,) = route.requests
    later = site.log_in("alice")

    again = site.client.backchannel_logout(first)

    assert refusal_in(again) == "logout_token_used (jti of logout_token)"
    assert site.is_alive(later)


def test_a_token_for_another_client_is_refused(
    op: Provider, transport: Transport, interop_row: RecordRow, route: BackChannel
) -> None:
    interop_row(*KIND.row, "back-channel logout for another client: aud_mismatch")
    site = site_at(op, route, transport, backchannel_logout_session_required=True)
    site.log_out_at_provider(site.log_in("alice"))
    stranger = site_at(op, route, transport, client_name="stranger")
    person = stranger.log_in("alice")

    refusal = refusal_in(stranger.client.backchannel_logout(route.requests[0]))

    assert refusal == "aud_mismatch (aud of logout_token)"
    assert stranger.is_alive(person)


def test_a_token_that_was_not_taken_is_taken_when_it_comes_again(
    op: Provider, transport: Transport, interop_row: RecordRow, route: BackChannel
) -> None:
    interop_row(*KIND.row, "back-channel logout, 503 and once more")
    site = site_at(
        op, route, transport, backchannel_logout_session_required=True, client_name="503"
    )
    person = site.log_in("alice")
    route.answer = nobody
    site.log_out_at_provider(person)
    (token,) = route.requests
    assert site.told() == ["backchannel.error"]
    assert site.is_alive(person)

    assert site.client.backchannel_logout(token).status == 200

    assert site.ended == [person.session]
    assert not site.is_alive(person)


def test_a_client_that_awaits_takes_what_the_provider_sends(
    op: Provider, transport: Transport, interop_row: RecordRow, route: BackChannel
) -> None:
    interop_row(*KIND.row, "back-channel logout, asyncio")
    members: Any = {"backchannel_logout_session_required": True, "client_name": "awaiting"}
    setup = setup_at(op, KIND, backchannel_logout_uri=route.uri, **members)
    ended = list[str]()

    async def end_session(session_id: str) -> None:
        ended.append(session_id)

    async def whole_way() -> None:
        async with InThreads(transport, threads=2) as sender:
            client = AsyncOidcClient(
                setup,
                cookie_pending(),
                transport=sender,
                grants=Grants(MemoryRecords(), SEALING_SECRET, trusted=0),
                sessions=SessionIndex(MemoryRecords(), SEALING_SECRET, end_session=end_session),
            )
            route.answer = partial(in_loop, asyncio.get_running_loop(), client)
            browsers = [Browser(op.issuer) for _ in range(2)]
            here, elsewhere = [await logged_in(client, each) for each in browsers]
            tokens = await client.tokens(here).fresh()
            logout = (await client.start_logout(tokens)).url
            await asyncio.to_thread(browsers[0].end_session, logout)

            with pytest.raises(OidcError) as caught:
                await client.tokens(here).fresh()
            assert caught.value.code == "grant_ended"
            assert (await client.tokens(elsewhere).fresh()).subject == "alice"
            assert ended == [here]
            await client.close()

    run_asyncio(whole_way)
    assert [reply.status for reply in route.replies] == [200]


def in_loop(loop: asyncio.AbstractEventLoop, client: AsyncOidcClient, incoming: Incoming) -> Reply:
    """Let a client that awaits take a request, from the thread of the route."""
    taken = asyncio.run_coroutine_threadsafe(client.backchannel_logout(incoming), loop)
    return taken.result(PATIENCE)


async def logged_in(client: AsyncOidcClient, browser: Browser) -> str:
    """Log alice in, and return the name of her session."""
    jar = CookieBox()
    redirect = await client.start_login()
    jar.take(redirect.cookies)
    arrival = await asyncio.to_thread(browser.authorize, redirect.url)
    return (await client.finish_login(incoming_of(arrival, jar.header))).grant_id
