"""Several clients side by side: each callback, and each return, finds the client it is of."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, cast

import pytest
from attrs import evolve

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.connections import AsyncConnections, Connections
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.events import Event, LogoutFinished, LogoutRefused
from oidc_adapters.stores.pending import (
    CookiePendingLogins,
    MemoryPendingLogins,
    PendingLogins,
)
from oidc_core.operations.logout import LoggedOut
from oidc_core.wire.errors import CallbackError, OidcError, UsageError
from oidc_core.wire.incoming import Incoming
from tests.flows.mixing import BASE, HONEST, Cell, Scene, Side, settled
from tests.flows.rig import NOW, SEALING_SECRET, Browser, returning

OWN_PATHS = Cell(
    layout="own path", declared="neither", honest="announces", hostile="announces", store="memory"
)
SHARED = evolve(OWN_PATHS, layout="shared path", declared="both")


def own_cookies() -> tuple[PendingLogins, PendingLogins]:
    """Two stores that cannot open each other's cookies."""
    other = b"another sealing secret of 32 octets or more"
    return CookiePendingLogins(SEALING_SECRET), CookiePendingLogins(other)


def one(make: Callable[[], PendingLogins]) -> Callable[[], tuple[PendingLogins, PendingLogins]]:
    def both() -> tuple[PendingLogins, PendingLogins]:
        store = make()
        return store, store

    return both


KEPT: Final[dict[str, Callable[[], tuple[PendingLogins, PendingLogins]]]] = {
    "shared memory": one(MemoryPendingLogins),
    "shared cookies": one(lambda: CookiePendingLogins(SEALING_SECRET)),
    "their own memory": lambda: (MemoryPendingLogins(), MemoryPendingLogins()),
    "their own cookies": own_cookies,
}
ELSEWHERE: Final = {
    "shared memory": "connection_mismatch",
    "shared cookies": "connection_mismatch",
    "their own memory": "state_unknown",
    "their own cookies": "cookie_key_unknown",
}
"""The answer of a client about a login of another one."""

WAYS_TO_CALL = pytest.mark.parametrize("awaits", [False, True], ids=["sync", "async"])
STORES = pytest.mark.parametrize("kept", KEPT)


def scene_of(kept: str, cell: Cell = OWN_PATHS, *, awaits: bool = False) -> Scene:
    scene = Scene.of(evolve(cell, awaits=awaits))
    stores = KEPT[kept]()
    for at, store in zip((scene.honest, scene.hostile), stores, strict=True):
        at.client.pending = store
    return scene


def refused(call: Callable[[], object]) -> OidcError:
    with pytest.raises(OidcError) as caught:
        settled(call())
    return caught.value


def arriving(scene: Scene, at: Side) -> Incoming:
    response = at.provider.authorize(scene.start(at), NOW)
    return response.incoming(scene.browser.header)


# --- which clients -------------------------------------------------------------------------------


def test_both_have_the_same_calls() -> None:
    def public(kind: type) -> list[str]:
        return [name for name in vars(kind) if not name.startswith("_")]

    assert public(Connections) == public(AsyncConnections)
    for name in ("finish_login", "finish_logout", "backchannel_logout", "frontchannel_logout"):
        assert inspect.iscoroutinefunction(getattr(AsyncConnections, name))
        assert not inspect.iscoroutinefunction(getattr(Connections, name))


def test_the_clients_are_those_that_were_given() -> None:
    scene = scene_of("shared memory")
    assert scene.connections.clients == (scene.honest.client, scene.hostile.client)


@pytest.mark.parametrize("kind", [Connections, AsyncConnections])
def test_there_is_a_client_at_least_and_each_is_of_the_kind(kind: Any) -> None:
    waits = scene_of("shared memory").honest.client
    other = scene_of("shared memory", awaits=True).hostile.client
    expected = OidcClient if kind is Connections else AsyncOidcClient
    made: Callable[..., object] = kind
    wrong: tuple[tuple[Any, ...], ...] = (
        (),
        (waits, other),
        (other, waits),
        ("a client",),
        ([waits],),
        (None,),
    )
    for clients in wrong:
        with pytest.raises(UsageError) as caught:
            cast("Any", made)(*clients)
        error = caught.value
        assert (error.code, error.about, error.expected) == (
            "config_invalid",
            "clients",
            expected.__name__,
        )


def changed(client: OidcClient, **changes: Any) -> OidcClient:
    rp = evolve(client.rp, client=evolve(client.rp.client, **changes))
    return OidcClient.of(rp, client.shell, client.pending)


def test_two_clients_of_one_issuer_and_client_id_need_a_name_each() -> None:
    client = scene_of("shared memory").honest.client
    assert isinstance(client, OidcClient)
    for twin in (client, changed(client), changed(client, redirect_uris=(f"{BASE}/another",))):
        with pytest.raises(UsageError) as caught:
            Connections(client, twin)
        assert (caught.value.code, caught.value.about) == ("config_invalid", "connection_id")
    Connections(client, changed(client, connection_id="tenant-2"))
    Connections(client, changed(client, client_id="another"))


def test_a_redirect_uri_that_two_providers_share_is_refused_here() -> None:
    scene = scene_of("shared memory")
    honest, hostile = scene.connections.clients
    with pytest.raises(UsageError) as caught:
        Connections(honest, changed(hostile, redirect_uris=(f"{BASE}/honest/",)))
    assert caught.value.code == "redirect_uri_shared"


def test_three_hundred_clients_are_put_together() -> None:
    client = scene_of("shared cookies").honest.client
    assert isinstance(client, OidcClient)
    many = [
        changed(client, connection_id=f"c{n}", redirect_uris=(f"{BASE}/{n}", BASE))
        for n in range(300)
    ]
    connections, browser = Connections(*many), Browser()
    page = many[299].start_login()
    browser.receive(page.cookies)
    state = page.url.partition("state=")[2].partition("&")[0]
    incoming = returning(f"{BASE}?error=access_denied&state={state}", browser.header)
    assert refused(lambda: connections.finish_login(incoming)).code == "redirect_uri_mismatch"


# --- logins --------------------------------------------------------------------------------------


@STORES
@WAYS_TO_CALL
@pytest.mark.parametrize("cell", [OWN_PATHS, SHARED], ids=["own paths", "shared path"])
def test_a_callback_finds_its_client(kept: str, awaits: bool, cell: Cell) -> None:
    scene = scene_of(kept, cell, awaits=awaits)
    pages = [(at, arriving(scene, at)) for at in (scene.honest, scene.hostile, scene.honest)]

    for at, incoming in reversed(pages):
        brought = evolve(incoming, cookie=scene.browser.header)
        result = settled(scene.connections.finish_login(brought))
        scene.browser.receive(result.cookies)
        assert result.connection == at.client.rp.connection
        assert result.logged_in.identity.issuer == at.provider.issuer
    assert scene.browser.cookies == {}


@STORES
@WAYS_TO_CALL
@pytest.mark.parametrize("first", ["honest", "hostile"])
def test_a_callback_at_the_wrong_client_consumes_nothing(
    kept: str, awaits: bool, first: str
) -> None:
    """With every answer, the login finishes at the right client afterwards."""
    scene = scene_of(kept, awaits=awaits)
    at = getattr(scene, first)
    other = scene.hostile if at is scene.honest else scene.honest
    incoming = arriving(scene, at)
    sent = (at.requests, other.requests)

    error = refused(lambda: scene.connections.finish_login(evolve(incoming, url=other.uri)))
    scene.browser.receive(error.cookies)

    assert isinstance(error, CallbackError)
    assert error.code == ELSEWHERE[kept]
    assert (error.cookies, error.return_to) == ((), "")
    assert (at.requests, other.requests) == sent
    brought = evolve(incoming, cookie=scene.browser.header)
    assert settled(scene.connections.finish_login(brought)).connection.issuer == at.provider.issuer


@STORES
@WAYS_TO_CALL
@pytest.mark.parametrize("url", [f"{BASE}/nobody", "http://internal/callback/honest", "/callback"])
def test_a_callback_at_no_client_consumes_nothing(kept: str, awaits: bool, url: str) -> None:
    scene = scene_of(kept, awaits=awaits)
    incoming = arriving(scene, scene.honest)

    error = refused(lambda: scene.connections.finish_login(evolve(incoming, url=url)))

    assert (error.code, error.cookies, error.found) == ("redirect_uri_mismatch", (), url)
    assert "built from Host" in error.hint
    assert settled(scene.connections.finish_login(incoming)).connection.issuer == HONEST


@STORES
@WAYS_TO_CALL
def test_a_callback_whose_url_is_not_told_is_refused_where_it_decides(
    kept: str, awaits: bool
) -> None:
    scene = scene_of(kept, awaits=awaits)
    incoming = arriving(scene, scene.honest)

    error = refused(lambda: scene.connections.finish_login(evolve(incoming, url=None)))

    assert isinstance(error, UsageError)
    assert (error.code, error.cookies) == ("redirect_uri_unknown", ())
    assert settled(scene.connections.finish_login(incoming)).connection.issuer == HONEST


@STORES
@WAYS_TO_CALL
@pytest.mark.parametrize("layout", ["own path", "shared path"])
def test_a_callback_whose_url_is_not_told_finds_its_client_among_declared_ones(
    kept: str, awaits: bool, layout: str
) -> None:
    scene = scene_of(kept, evolve(SHARED, layout=layout), awaits=awaits)
    for at in (scene.hostile, scene.honest):
        incoming = evolve(arriving(scene, at), url=None)
        result = settled(scene.connections.finish_login(incoming))
        assert result.connection == at.client.rp.connection
    response = scene.mixed_up()
    mixed = evolve(response.incoming(scene.browser.header), url=None)
    sent = len(scene.hostile.requests)
    assert refused(lambda: scene.connections.finish_login(mixed)).code == "response_iss_mismatch"
    assert len(scene.hostile.requests) == sent


@STORES
@WAYS_TO_CALL
@pytest.mark.parametrize("cell", [OWN_PATHS, SHARED], ids=["own paths", "shared path"])
def test_a_login_of_nobody_is_refused_and_its_cookie_forgotten(
    kept: str, awaits: bool, cell: Cell
) -> None:
    scene = scene_of(kept, cell, awaits=awaits)
    incoming = arriving(scene, scene.honest)
    settled(scene.connections.finish_login(incoming))

    error = refused(lambda: scene.connections.finish_login(incoming))

    assert error.code in {"state_unknown", "state_used"}
    assert [cookie.max_age for cookie in error.cookies] == [0, 600]  # a new login may be started
    scene.browser.receive(error.cookies)
    assert scene.browser.cookies == {"__Host-oidc-again": "1"}


@WAYS_TO_CALL
def test_a_link_is_finished_by_the_account_that_is_signed_in(awaits: bool) -> None:
    scene = scene_of("shared cookies", SHARED, awaits=awaits)
    incoming = arriving(scene, scene.honest)
    result = settled(scene.connections.finish_login(incoming, account="account-1"))
    assert result.logged_in.identity.subject == "alice"


@pytest.mark.parametrize(
    ("query", "code"),
    [("code=x", "state_missing"), ("state=a&state=b&code=x", "parameter_duplicated"),
     ("state=%FF", "parameter_malformed")],
)  # fmt: skip
@WAYS_TO_CALL
def test_what_is_no_callback_is_of_no_client(query: str, code: str, awaits: bool) -> None:
    scene = scene_of("shared memory", awaits=awaits)
    incoming = Incoming(method="GET", url=f"{BASE}/honest", query=query)
    assert refused(lambda: scene.connections.finish_login(incoming)).code == code


# --- logouts -------------------------------------------------------------------------------------


def leaving(scene: Scene, at: Side) -> Incoming:
    page = settled(at.client.start_logout(cookie=scene.browser.header))
    scene.browser.receive(page.cookies)
    state = page.url.partition("state=")[2].partition("&")[0]
    return returning(f"{BASE}/bye?state={state}", scene.browser.header)


@STORES
@WAYS_TO_CALL
def test_a_return_finds_its_client(kept: str, awaits: bool) -> None:
    scene = scene_of(kept, awaits=awaits)
    for at in (scene.hostile, scene.honest, scene.hostile):
        result = settled(scene.connections.finish_logout(leaving(scene, at)))
        assert result.logged_out == LoggedOut(f"{BASE}/bye")
        scene.browser.receive(result.cookies)
    assert scene.browser.cookies == {}


@STORES
@WAYS_TO_CALL
@pytest.mark.parametrize("whose", ["honest", "hostile"])
def test_only_the_client_that_a_return_is_of_reports_it(
    kept: str, awaits: bool, whose: str
) -> None:
    scene, heard = scene_of(kept, awaits=awaits), list[Event]()
    sides = {"honest": scene.honest, "hostile": scene.hostile}
    for name, side in sides.items():
        old: Any = side.client
        made: Any = AsyncOidcClient if awaits else OidcClient
        client = made.of(old.rp, old.shell, old.pending, on_event=heard.append)
        sides[name] = evolve(side, client=client)
    kind: Any = AsyncConnections if awaits else Connections
    connections = kind(*[side.client for side in sides.values()])
    at = sides[whose]
    incoming = leaving(scene, at)
    heard.clear()

    settled(connections.finish_logout(incoming))

    whom = at.client.rp.client.client_id
    assert [(type(event), event.client_id) for event in heard] == [(LogoutFinished, whom)]
    nobodys = returning(f"{BASE}/bye?state=unknown")
    assert refused(lambda: connections.finish_logout(nobodys)).code == "logout_state_mismatch"
    assert [type(event) for event in heard] == [LogoutFinished, LogoutRefused]


@STORES
@WAYS_TO_CALL
@pytest.mark.parametrize("whose", ["honest", "hostile"])
def test_a_return_that_is_late_is_refused_by_the_client_that_it_is_of(
    kept: str, awaits: bool, whose: str
) -> None:
    scene = scene_of(kept, awaits=awaits)
    incoming = leaving(scene, getattr(scene, whose))
    for at in (scene.honest, scene.hostile):
        at.client.shell.clock = FrozenClock(NOW + 601)

    error = refused(lambda: scene.connections.finish_logout(incoming))

    late = "logout_state_mismatch" if "memory" in kept else "logout_expired"
    assert error.code == late
    assert [cookie.max_age for cookie in error.cookies] == [0]


@WAYS_TO_CALL
def test_a_return_of_nobody_is_refused(awaits: bool) -> None:
    scene = scene_of("shared memory", awaits=awaits)
    incoming = returning(f"{BASE}/bye?state=unknown")
    error = refused(lambda: scene.connections.finish_logout(incoming))
    assert (error.code, error.cookies) == ("logout_state_mismatch", ())
