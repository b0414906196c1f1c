"""A client's life: no network when made, ready at first use, up to date, closed in the end."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import partial
from time import monotonic
from typing import Any, Final, cast

import pytest
import trio
import trio.lowlevel
from attrs import evolve

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.connections import AsyncConnections, Connections
from oidc_adapters.clients.life import Life
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.shell import AsyncShell, Shell
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import Clock, FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.runtime.events import (
    Event,
    LoginBegan,
    LoginRefused,
    MetadataRead,
    MetadataRefused,
    MetadataReplaced,
    RequestSent,
    Told,
)
from oidc_adapters.stores.pending import CookiePendingLogins, MemoryPendingLogins
from oidc_adapters.testing import InMemoryTransport
from oidc_core.machine.metadata_fetching import REREAD
from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.jsontypes import JsonObject, parse_object, render
from tests.flows.mixing import settled
from tests.flows.rig import (
    NOW,
    SEALING_SECRET,
    Browser,
    honest_provider,
    run_asyncio,
    run_trio,
    setup_for,
)

DAY: Final = 86_400
MINUTE: Final = 60
DOWN: Final = NoAnswer("no", "http_connect_failed", NOW)
LONG: Final = 30
KINDS = pytest.mark.parametrize("awaits", [False, True], ids=["sync", "async"])


def honest(answer: Answer) -> Answer:
    return answer


def says(**members: Any) -> Callable[[Answer], Answer]:
    """Another document: ``None`` takes a member out."""

    def change(answer: Answer) -> Answer:
        assert isinstance(answer, HttpResponse)
        found = {**parse_object(answer.body).members, **members}
        kept = {name: value for name, value in found.items() if value is not None}
        return evolve(answer, body=render(JsonObject(kept)).encode())

    return change


def shown(answer: Answer, **changes: Any) -> HttpResponse:
    """An answer with changes."""
    assert isinstance(answer, HttpResponse)
    return evolve(answer, **changes)


class World:
    """A provider that may publish anything, and all requests for its metadata."""

    judges_addresses = True

    def __init__(self) -> None:
        self.inner = InMemoryTransport(honest_provider())
        self.published: Callable[[Answer], Answer] = honest
        self.reads: list[WireRequest] = []
        self.others: Callable[[WireRequest, Answer], Answer] = lambda _, answer: answer

    def answer(self, request: WireRequest, clock: Clock) -> Answer:
        answer: Answer = self.inner.send(request, clock)
        if "/.well-known/" not in request.url:
            return self.others(request, answer)
        self.reads.append(request)
        return self.published(answer)


class SyncWorld(World):
    """For code that waits."""

    def send(self, request: WireRequest, clock: Clock) -> Answer:
        return self.answer(request, clock)


class AsyncWorld(World):
    """For code that awaits."""

    async def send(self, request: WireRequest, clock: Clock) -> Answer:
        return self.answer(request, clock)


class Scene:
    """A client in this world, with a browser and all its events."""

    def __init__(self, *, awaits: bool = False, pending: Any = None, **changed: Any) -> None:
        self.world: World = AsyncWorld() if awaits else SyncWorld()
        self.provider = self.world.inner.provider
        self.clock, self.browser = FrozenClock(NOW), Browser()
        self.setup = setup_for(self.provider, **changed)
        self.pending = MemoryPendingLogins() if pending is None else pending
        self.awaits = awaits
        self.heard: list[Event] = []
        self.client = self.another()

    def another(self, **named: Any) -> Any:
        """Another process of the same application, so to speak."""
        kind: Any = AsyncOidcClient if self.awaits else OidcClient
        return kind(
            self.setup,
            self.pending,
            transport=self.world,
            clock=self.clock,
            entropy=FixedEntropy(1),
            on_event=self.heard.append,
            **named,
        )

    def begin(self) -> str:
        """Start a login; return where the browser is sent."""
        page = settled(self.client.start_login(cookie=self.browser.header))
        self.browser.receive(page.cookies)
        return str(page.url)

    def visit(self, url: str) -> Incoming:
        """Let the browser go to the provider and come back."""
        response = self.provider.authorize(url, self.clock.now())
        return response.incoming(self.browser.header)

    def start(self) -> Incoming:
        return self.visit(self.begin())

    def finish(self, incoming: Incoming) -> str:
        """Finish a login; return who is logged in."""
        result = settled(self.client.finish_login(incoming))
        return str(result.logged_in.identity.subject)

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.heard]


def refused(call: Callable[[], object]) -> OidcError:
    with pytest.raises(OidcError) as caught:
        settled(call())
    return caught.value


# --- at first use --------------------------------------------------------------------------------


@KINDS
def test_making_a_client_touches_no_network_and_its_first_use_discovers(awaits: bool) -> None:
    scene = Scene(awaits=awaits)
    assert scene.world.inner.exchanges == ()
    assert scene.client.rp.provider.token_endpoint is None

    assert scene.finish(scene.start()) == "alice"
    assert scene.finish(scene.start()) == "alice"

    assert len(scene.world.reads) == 1
    assert scene.client.rp.discovered
    assert [type(event) for event in scene.heard].count(MetadataRead) == 1
    (read,) = scene.world.reads
    assert dict(read.headers).get("cache-control") is None


@KINDS
def test_metadata_that_is_given_is_never_read(awaits: bool) -> None:
    known = Scene(awaits=awaits)
    known.start()
    scene = Scene(awaits=awaits, metadata=known.client.rp.provider)
    for _ in range(2):
        assert scene.finish(scene.start()) == "alice"
        scene.clock.advance(40 * DAY)

    assert scene.world.reads == []


@KINDS
def test_a_callback_may_be_the_first_use(awaits: bool) -> None:
    """As in another worker, where logins wait in cookies."""
    scene = Scene(awaits=awaits, pending=CookiePendingLogins(SEALING_SECRET))
    incoming = scene.start()
    scene.client = scene.another()

    assert scene.finish(incoming) == "alice"
    assert len(scene.world.reads) == 2


@KINDS
def test_a_login_waits_on_where_its_callback_finds_no_metadata(awaits: bool) -> None:
    scene = Scene(awaits=awaits, pending=CookiePendingLogins(SEALING_SECRET))
    incoming = scene.start()
    scene.client = scene.another()
    scene.world.published = lambda _: DOWN

    error = refused(lambda: scene.client.finish_login(incoming))
    scene.world.published = honest
    scene.clock.advance(2)

    assert (error.code, error.retryable, error.retry_after) == ("http_connect_failed", "later", 2)
    assert error.cookies == ()
    assert scene.finish(incoming) == "alice"


@KINDS
def test_several_clients_are_put_together_before_any_is_discovered(awaits: bool) -> None:
    scene = Scene(awaits=awaits, pending=CookiePendingLogins(SEALING_SECRET))
    incoming = scene.start()
    kind: Any = AsyncConnections if awaits else Connections
    one = scene.another()
    scene.setup = evolve(scene.setup, connection_id="other")
    connections = kind(scene.another(), one)

    assert settled(connections.finish_login(incoming)).connection.connection_id == ""
    entered = run_asyncio(lambda: leave(connections)) if awaits else leave_at_once(connections)
    assert entered is connections
    assert refused(one.start_login).found == "closed"


async def leave(connections: AsyncConnections) -> object:
    async with connections as entered:
        return entered


def leave_at_once(connections: Connections) -> object:
    with connections as entered:
        return entered


@KINDS
def test_a_provider_that_is_down_is_not_asked_by_everybody(awaits: bool) -> None:
    scene = Scene(awaits=awaits)
    scene.world.published = lambda _: DOWN

    errors = [refused(scene.client.start_login) for _ in range(5)]
    scene.clock.advance(1)
    later = refused(scene.client.start_login)

    assert {(error.code, error.kind) for error in errors} == {("http_connect_failed", "later")}
    assert {error.retry_after for error in errors} == {2}
    assert later.retry_after == 1
    assert later.place is not None
    assert later.place.purpose == "discovery"
    assert len({id(error) for error in errors}) == 5
    assert len(scene.world.reads) == 1
    scene.clock.advance(1)
    scene.world.published = honest
    assert scene.finish(scene.start()) == "alice"
    assert len(scene.world.reads) == 2


@KINDS
def test_a_return_from_a_logout_needs_no_metadata(awaits: bool) -> None:
    scene = Scene(awaits=awaits)
    incoming = Incoming(method="GET", url="https://rp.example/", query="state=x")

    assert refused(lambda: scene.client.finish_logout(incoming)).code == "logout_state_mismatch"
    assert scene.world.reads == []


def test_threads_that_come_at_once_wait_for_one_reading() -> None:
    scene, gate, reading = Scene(), threading.Event(), threading.Event()

    def slow(answer: Answer) -> Answer:
        reading.set()
        assert gate.wait(LONG)
        return answer

    scene.world.published = slow
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(scene.client.start_login)
        assert reading.wait(LONG)
        others = [threads.submit(scene.client.start_login) for _ in range(7)]
        gate.set()
        urls = {login.result(LONG).url for login in (first, *others)}

    assert len(urls) == 8
    assert len(scene.world.reads) == 1


@pytest.mark.parametrize("url", ["/.well-known/", "/jwks"])
def test_a_callable_that_uses_the_client_does_not_wait_for_itself(url: str) -> None:
    """It is called while the metadata or the keys are being read."""
    scene = Scene()
    inner: list[OidcError] = []

    def uses(event: Event) -> None:
        if isinstance(event, RequestSent) and url in event.url and not inner:
            inner.append(refused(lambda: scene.finish(scene.start())))

    scene.heard = cast("Any", Calling(uses))
    scene.client = scene.another()
    before = monotonic()

    assert scene.finish(scene.start()) == "alice"

    assert monotonic() - before < LONG / 10
    assert [error.retryable for error in inner] == ["later"]


class Calling:
    """In place of a list of events."""

    def __init__(self, call: Callable[[Event], None]) -> None:
        self.append = call


class Gated(AsyncWorld):
    """Gives the metadata when it is told to."""

    def __init__(self, pause: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self.pause = pause
        self.begun = self.open = False

    async def send(self, request: WireRequest, clock: Clock) -> Answer:
        self.begun = True
        while not self.open:
            await self.pause()
        return self.answer(request, clock)

    async def until_begun(self) -> None:
        while not self.begun:
            await self.pause()


async def cancelled_under_asyncio(scene: Scene, world: Gated) -> list[str]:
    first = asyncio.ensure_future(scene.client.start_login())
    await world.until_begun()
    second = asyncio.ensure_future(scene.client.start_login())
    await world.pause()
    first.cancel()
    await world.pause()
    world.open = True
    assert first.cancelled()
    return [(await second).url]


async def cancelled_under_trio(scene: Scene, world: Gated) -> list[str]:
    urls: list[str] = []

    async def login() -> None:
        urls.append((await scene.client.start_login()).url)

    async with trio.open_nursery() as others:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(login)
            await world.until_begun()
            others.start_soon(login)
            await world.pause()
            nursery.cancel_scope.cancel()
        world.open = True
    return urls


@pytest.mark.parametrize(
    ("run", "pause", "cancelled"),
    [
        (run_asyncio, partial(asyncio.sleep, 0), cancelled_under_asyncio),
        (run_trio, trio.lowlevel.checkpoint, cancelled_under_trio),
    ],
)
def test_a_caller_who_is_cancelled_leaves_the_reading_to_the_others(
    run: Callable[[Callable[[], Awaitable[Any]]], list[str]],
    pause: Callable[[], Awaitable[None]],
    cancelled: Callable[[Scene, Gated], Awaitable[list[str]]],
) -> None:
    scene, world = Scene(awaits=True), Gated(pause)
    scene.world = world
    scene.client = scene.another()

    (url,) = run(lambda: cancelled(scene, world))

    assert url.startswith("https://op.example/authorize?")
    assert len(world.reads) == 1


class BrokenOff(AsyncWorld):
    """Ends the task that reads, as a loop does when it ends."""

    async def send(self, request: WireRequest, clock: Clock) -> Answer:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)
        raise AssertionError


def test_a_reading_that_was_broken_off_is_a_failure_and_costs_no_wait() -> None:
    scene = Scene(awaits=True)
    good, scene.world = scene.world, BrokenOff()
    broken = scene.another()

    error = refused(broken.start_login)
    broken.shell.transport = good
    again = settled(broken.start_login())

    assert (error.code, error.retryable, error.about) == ("http_timeout", "later", "metadata")
    assert again.url


@KINDS
def test_a_transport_that_breaks_is_not_silenced(awaits: bool) -> None:
    scene = Scene(awaits=awaits)

    def breaks(_: Answer) -> Answer:
        raise ZeroDivisionError

    scene.world.published = breaks
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            settled(scene.client.start_login())
    scene.world.published = honest
    assert scene.begin()
    scene.world.published = breaks
    scene.clock.advance(DAY)
    assert scene.begin()  # with older metadata there, it costs nobody a login
    (kept,) = [event for event in scene.heard if isinstance(event, MetadataRefused)]
    assert (kept.code, kept.older_kept) == ("store_unavailable", True)


def test_who_comes_when_it_was_read_just_now_does_not_read_again() -> None:
    scene = Scene()
    scene.start()
    life = scene.client._life

    life._read(scene.setup, life.known)

    assert len(scene.world.reads) == 1


# --- up to date ----------------------------------------------------------------------------------


@KINDS
def test_metadata_is_read_again_after_its_age_past_every_cache(awaits: bool) -> None:
    scene = Scene(awaits=awaits, metadata_max_age=3_600)
    scene.start()
    before = scene.client.rp
    scene.clock.advance(3_599)
    scene.start()
    assert len(scene.world.reads) == 1
    scene.clock.advance(1)

    scene.start()

    _, again = scene.world.reads
    assert dict(again.headers)["cache-control"] == "no-cache"
    assert again.deadline <= 3
    assert scene.client.rp is before  # it says the same
    assert "MetadataReplaced" not in scene.kinds


NONSENSE: Final[dict[str, tuple[Callable[[Answer], Answer], str]]] = {
    "down": (lambda _: DOWN, "http_connect_failed"),
    "no JSON": (lambda answer: shown(answer, body=b"<html>"), "json_malformed"),
    "another issuer": (says(issuer="https://evil.example"), "metadata_issuer_mismatch"),
    "an endpoint in the clear": (
        says(token_endpoint="http://op.example/token"),
        "metadata_endpoint_invalid",
    ),
    "no keys": (says(jwks_uri=None), "unsupported_by_provider"),
    "no page to log in": (says(authorization_endpoint=None), "unsupported_by_provider"),
    "another method": (
        says(token_endpoint_auth_methods_supported=["private_key_jwt"]),
        "unsupported_by_provider",
    ),
    "no PKCE beside a quirk": (
        says(code_challenge_methods_supported=None),
        "pkce_or_nonce_required",
    ),
    "an error": (lambda answer: shown(answer, status=500), "http_status_unexpected"),
}


@KINDS
@pytest.mark.parametrize("what", NONSENSE)
def test_what_cannot_be_believed_never_replaces_what_was(what: str, awaits: bool) -> None:
    change, code = NONSENSE[what]
    setup = Scene().setup
    policy = evolve(setup.policy, quirks=frozenset({"nonce_not_echoed"}))
    scene = Scene(awaits=awaits, policy=policy)
    in_flight = scene.start()
    before = scene.client.rp
    scene.world.published = change
    scene.clock.advance(DAY)

    incoming = scene.start()
    scene.clock.advance(1)
    scene.start()

    assert scene.client.rp is before
    assert len(scene.world.reads) == 2
    (kept,) = [event for event in scene.heard if isinstance(event, MetadataRefused)]
    assert (kept.code, kept.older_kept) == (code, True)
    assert scene.finish(incoming) == "alice"
    assert refused(lambda: scene.client.finish_login(in_flight)).code == "state_unknown"


@KINDS
def test_how_the_secret_is_sent_stays_as_it_was_chosen_while_that_is_listed(awaits: bool) -> None:
    member = "token_endpoint_auth_methods_supported"
    scene = Scene(awaits=awaits)
    for listed, method in (
        (["client_secret_post"], "client_secret_post"),
        (["client_secret_basic", "client_secret_post"], "client_secret_post"),
        (None, "client_secret_post"),
        (["client_secret_basic"], "client_secret_basic"),
        (["client_secret_post", "client_secret_basic"], "client_secret_basic"),
    ):
        scene.world.published = says(**{member: listed})
        scene.clock.advance(DAY)
        scene.start()
        assert scene.client.rp.auth_method == method


@KINDS
def test_a_login_in_flight_goes_on_where_its_endpoints_did_not_move(awaits: bool) -> None:
    scene = Scene(awaits=awaits, metadata_max_age=MINUTE)
    url = scene.begin()
    scene.world.published = says(end_session_endpoint="https://op.example/bye")
    replace(scene)

    page = settled(scene.client.start_logout())

    assert page.url.startswith("https://op.example/bye?")
    assert scene.finish(scene.visit(url)) == "alice"
    (replaced,) = [event for event in scene.heard if isinstance(event, MetadataReplaced)]
    assert not replaced.endpoints_moved


def replace(scene: Scene) -> None:
    """Read metadata again, a minute later."""
    scene.clock.advance(MINUTE)
    settled(scene.client.start_login())


@KINDS
def test_a_login_in_flight_ends_where_its_own_endpoint_moved(awaits: bool) -> None:
    scene = Scene(awaits=awaits, metadata_max_age=MINUTE)
    incoming = scene.start()
    scene.world.published = says(token_endpoint="https://op.example/moved")
    replace(scene)

    error = refused(lambda: scene.client.finish_login(incoming))

    assert (error.code, error.retryable) == ("metadata_changed", "restart")
    replaced = [event for event in scene.heard if isinstance(event, MetadataReplaced)]
    assert [event.endpoints_moved for event in replaced] == [True]


@KINDS
def test_credentials_go_to_the_endpoint_that_moved(awaits: bool) -> None:
    scene = Scene(awaits=awaits, metadata_max_age=MINUTE)
    scene.start()
    scene.world.published = says(token_endpoint="https://op.example/moved")
    replace(scene)

    error = refused(lambda: scene.finish(scene.start()))

    assert error.code == "http_status_unexpected"  # this world has no such page
    assert error.place is not None
    assert error.place.url == "https://op.example/moved"


def test_an_operation_runs_to_its_end_with_what_it_began_with() -> None:
    scene = Scene()
    incoming = scene.start()
    before = scene.client.rp

    def meanwhile(request: WireRequest, answer: Answer) -> Answer:
        if request.url.endswith("/token"):  # metadata is replaced while the code is exchanged
            scene.world.published = says(userinfo_endpoint="https://op.example/elsewhere")
            scene.clock.advance(DAY)
            scene.client.start_login()
            scene.clock.advance(-DAY)
        return answer

    scene.world.others = meanwhile

    assert scene.finish(incoming) == "alice"
    asked = [request.url for request, _ in scene.world.inner.exchanges]
    assert "https://op.example/userinfo" in asked
    assert scene.client.rp is not before


def test_others_go_on_with_older_metadata_while_one_reads() -> None:
    scene, gate, reading = Scene(), threading.Event(), threading.Event()
    scene.start()

    def slow(answer: Answer) -> Answer:
        reading.set()
        assert gate.wait(LONG)
        return answer

    scene.world.published = slow
    scene.clock.advance(DAY)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(scene.client.start_login)
        assert reading.wait(LONG)
        assert scene.client.start_login().url  # while the other one waits
        gate.set()
        assert first.result(LONG).url

    assert len(scene.world.reads) == 2


def test_a_reading_whose_loop_was_closed_keeps_nobody_from_another() -> None:
    """An application may give each request its own loop, and a deadline."""
    scene, world = Scene(awaits=True), Gated(partial(asyncio.sleep, 0))
    scene.world, world.open = world, True
    scene.client = scene.another()
    scene.begin()
    scene.clock.advance(DAY)
    world.begun = world.open = False
    loop = asyncio.new_event_loop()

    async def until_begun() -> None:
        login = asyncio.ensure_future(scene.client.start_login())
        await world.until_begun()
        login.cancel()

    loop.run_until_complete(until_begun())
    loop.close()
    world.open = True
    scene.begin()

    assert len(world.reads) == 2


@KINDS
@pytest.mark.parametrize("copies", [0, 1, 2])
def test_an_algorithm_that_is_not_listed_has_metadata_read_again(copies: int, awaits: bool) -> None:
    """Also where the browser is told ``no``, since the same failed before."""
    scene = Scene(awaits=awaits)
    scene.begin()
    error: OidcError = ProtocolViolation("alg_not_allowed", retryable="restart")
    for _ in range(copies):
        own = copy(error)
        own.retryable, own.__cause__ = "no", error
        error = own

    scene.client._life.refused(LoginRefused, error)
    scene.clock.advance(REREAD - 1)
    scene.begin()
    assert len(scene.world.reads) == 1
    scene.clock.advance(1)
    scene.begin()

    assert len(scene.world.reads) == 2


@KINDS
def test_an_endpoint_that_is_gone_has_metadata_read_again_within_the_wait(awaits: bool) -> None:
    scene = Scene(awaits=awaits)

    def gone(request: WireRequest, answer: Answer) -> Answer:
        assert isinstance(answer, HttpResponse)
        return evolve(answer, status=404) if request.url.endswith("/token") else answer

    scene.world.others = gone
    for _ in range(3):
        assert refused(lambda: scene.finish(scene.start())).code == "http_status_unexpected"
    assert len(scene.world.reads) == 1
    scene.clock.advance(REREAD)

    for _ in range(3):
        scene.start()

    assert len(scene.world.reads) == 2


@KINDS
@pytest.mark.parametrize("answer", [(404, ()), (302, (("location", "https://op.example/keys"),))])
def test_a_key_set_that_is_elsewhere_now_has_metadata_read_again_within_the_wait(
    answer: tuple[int, tuple[tuple[str, str], ...]], awaits: bool
) -> None:
    scene, (status, headers) = Scene(awaits=awaits), answer
    scene.begin()

    def gone(request: WireRequest, answer: Answer) -> Answer:
        if not request.url.endswith("/jwks"):
            return answer
        return shown(answer, status=status, headers=headers, body=b"")

    scene.world.others = gone
    assert refused(lambda: scene.finish(scene.start())).code == "keys_unavailable"
    assert len(scene.world.reads) == 1
    scene.clock.advance(REREAD)

    scene.begin()

    assert len(scene.world.reads) == 2


@KINDS
@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_metadata_with_which_no_login_can_end_is_read_again_within_the_wait(
    name: str, awaits: bool
) -> None:
    """A provider that has just started may publish half a document; that must not cost a day."""
    scene = Scene(awaits=awaits)
    scene.world.published = says(**{name: None})
    for _ in range(2):
        error = refused(scene.client.start_login)
        assert (error.code, error.about) == ("unsupported_by_provider", name)
    scene.world.published = honest
    scene.clock.advance(REREAD - 1)
    refused(scene.client.start_login)
    assert len(scene.world.reads) == 1
    scene.clock.advance(1)

    assert scene.finish(scene.start()) == "alice"
    scene.clock.advance(REREAD)
    scene.start()

    assert len(scene.world.reads) == 2


# --- made by hand, closed ------------------------------------------------------------------------


@KINDS
def test_a_client_may_be_discovered_at_start(awaits: bool) -> None:
    scene = Scene(awaits=awaits)
    kind: Any = AsyncOidcClient if awaits else OidcClient

    def discover() -> Any:
        return kind.discover(scene.setup, scene.pending, transport=scene.world, clock=scene.clock)

    client = settled(discover())
    scene.world.published = lambda _: DOWN
    error = refused(discover)

    assert client.rp.discovered
    assert (error.code, error.retryable) == ("http_connect_failed", "later")


@KINDS
def test_a_client_of_a_relying_party_reads_no_metadata(awaits: bool) -> None:
    scene = Scene(awaits=awaits)
    scene.start()
    kind: Any = AsyncOidcClient if awaits else OidcClient
    world, setup = scene.world, scene.setup
    shells: dict[bool, Any] = {True: AsyncShell, False: Shell}
    shell = shells[awaits](world, setup.credentials(scene.client.rp), clock=scene.clock)
    scene.client = kind.of(scene.client.rp, shell, scene.pending, on_event=scene.heard.append)
    scene.clock.advance(40 * DAY)

    assert scene.finish(scene.start()) == "alice"
    assert len(world.reads) == 1
    assert scene.client.shell.credentials is shell.credentials


@KINDS
def test_clients_that_are_given_one_shell_hear_of_their_own_requests_only(awaits: bool) -> None:
    scene = Scene(awaits=awaits)
    scene.start()
    kind: Any = AsyncOidcClient if awaits else OidcClient
    shells: dict[bool, Any] = {True: AsyncShell, False: Shell}
    rp = scene.client.rp
    shell = shells[awaits](scene.world, scene.setup.credentials(rp), clock=scene.clock)
    heard: list[Event] = []
    scene.client = kind.of(rp, shell, scene.pending, on_event=heard.append)
    others = evolve(rp, client=evolve(rp.client, connection_id="other"))
    scene.heard.clear()
    kind.of(others, shell, scene.pending, on_event=scene.heard.append)
    kind.of(others, shell, scene.pending)

    assert scene.finish(scene.start()) == "alice"

    assert scene.heard == []
    assert {event.connection_id for event in heard} == {""}
    assert "RequestSent" in [type(event).__name__ for event in heard]


CALLS: Final[dict[str, Callable[[Any], Any]]] = {
    "start_login": lambda client: client.start_login(),
    "finish_login": lambda client: client.finish_login(
        Incoming(method="GET", url="https://rp.example/callback", query="code=c&state=s")
    ),
    "keep": lambda client: client.keep(None),
    "userinfo": lambda client: client.userinfo(None),
    "start_logout": lambda client: client.start_logout(),
    "finish_logout": lambda client: client.finish_logout(
        Incoming(method="GET", url="https://rp.example/", query="state=s")
    ),
}


@KINDS
@pytest.mark.parametrize("name", CALLS)
def test_a_closed_client_takes_no_call(name: str, awaits: bool) -> None:
    scene = Scene(awaits=awaits)
    scene.start()
    settled(scene.client.close())
    settled(scene.client.close())

    error = refused(lambda: CALLS[name](scene.client))

    assert isinstance(error, UsageError)
    assert (error.code, error.about, error.found) == ("config_invalid", "client", "closed")
    assert "make another client" in str(error)


def test_settings_with_which_there_is_nothing_to_ask_are_refused_when_made() -> None:
    scene = Scene()
    life: Any = Life
    rp = scene.setup.relying_party()

    with pytest.raises(UsageError) as caught:
        life(
            evolve(rp, issuer_rule=evolve(rp.issuer_rule, pattern="https://{tenant}.example")),
            Shell(SyncWorld(), Credentials()),
            setup=scene.setup,
        )

    assert caught.value.code in {"config_invalid", "issuer_invalid"}


def test_what_is_told_may_be_nothing() -> None:
    heard: list[Any] = []
    told = Told(heard.append, lambda kind, error: heard.append((kind, error)), None, LoginRefused)
    begun = Told(heard.append, lambda kind, error: heard.append((kind, error)), LoginBegan, Event)
    with told:
        pass
    with pytest.raises(ZeroDivisionError), told:
        raise ZeroDivisionError
    assert heard == []
    error = UsageError("config_invalid")
    with pytest.raises(UsageError), told:
        raise error
    with begun:
        pass
    assert heard == [(LoginRefused, error), LoginBegan]
