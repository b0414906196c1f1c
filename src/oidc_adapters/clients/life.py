"""A client's life: made without a network, ready at its first use, up to date, closed in the end.

The policy :mod:`oidc_core.machine.metadata_fetching` decides when metadata is read; here is its
memory. An operation runs to its end with the relying party and the shell it began with, even if
metadata is read meanwhile.
"""

from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, nullcontext, suppress
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypedDict, TypeVar

from attrs import evolve

from oidc_adapters.clients.calls import OF_ANOTHER, check_profile
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.shell import AsyncShell, Shell, check_transport
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.runtime.events import (
    Event,
    Events,
    LoginBegan,
    LoginFinished,
    LoginRefused,
    LogoutBegan,
    LogoutFinished,
    LogoutRefused,
    MetadataRead,
    MetadataRefused,
    MetadataReplaced,
    OnEvent,
    RefreshRefused,
    TokensRefreshed,
    Told,
    UserInfoRead,
    UserInfoRefused,
)
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.runtime.single_flight import SingleFlight
from oidc_adapters.stores.pending import PendingLogins
from oidc_adapters.stores.provider_keys import ProviderKeys
from oidc_adapters.transport import AsyncTransport, Transport
from oidc_core.machine.metadata_fetching import (
    RENEWAL_DEADLINE,
    MetadataRecord,
    after,
    has_failed,
    has_read,
    is_due,
    last_failure,
)
from oidc_core.machine.steps import Exchange, Step
from oidc_core.model.relying_party import RelyingParty
from oidc_core.model.routes import Routes
from oidc_core.operations import discovery
from oidc_core.wire.errors import OidcError, TransportFailure, UsageError
from oidc_core.wire.http import DEADLINE
from oidc_core.wire.settings import as_setting, check_text

if TYPE_CHECKING:
    from oidc_adapters.clients.doors import Doors
    from oidc_adapters.clients.session_tokens import Copies
    from oidc_adapters.stores.grants import Grants, Key

_COPIES: Final = 2

S = TypeVar("S", Shell, AsyncShell)

_METADATA: Final = "metadata"
_READING: Final = FailsClosed(_METADATA)
_PATIENCE: Final = DEADLINE + 1
"""Seconds that are waited for somebody else's reading."""


class Ready(NamedTuple, Generic[S]):
    """The parts that an operation runs with, to its end."""

    rp: RelyingParty
    shell: S


class _Kept(NamedTuple, Generic[S]):
    """The metadata that was read, and the values made from it; replaced as one."""

    record: MetadataRecord
    ready: Ready[S]


class Life(Generic[S]):
    """The knowledge of a client about its provider, its callable for events, and its parts.

    Args:
        rp: the relying party; without metadata, where that is discovered.
        shell: the world.
        setup: the settings, where metadata is discovered: its age, and the credentials for it.
        on_event: is told what happens.
        close: closes what the client made itself.
    """

    __slots__ = (
        "_close", "_events", "_flights", "_kept", "_open", "_process", "_setup", "_unknown",
        "arriving", "finishing", "finishing_logout", "reading_userinfo", "refreshing", "starting",
        "starting_logout", "trying_logout",
    )  # fmt: skip

    def __init__(
        self,
        rp: RelyingParty,
        shell: S,
        *,
        setup: ClientSetup | None = None,
        on_event: OnEvent | None = None,
        close: Callable[[], None] | None = None,
    ) -> None:
        self._events = None if on_event is None else Events(on_event, rp)
        self._setup = setup
        if setup is not None:
            discovery.discover(rp)  # refuses settings with which there is nothing to ask
        if self._events is not None:
            shell = copy(shell)  # several clients may be given one
            shell.events = self._events
        self._unknown = rp
        self._kept: _Kept[S] = _Kept(MetadataRecord(), Ready(rp, shell))
        self._flights = SingleFlight[None]()
        self._process = ProcessLock()
        self._open = True
        self._close = close
        tell, refuse = self.tell, self.refused
        self.arriving = Told(tell, refuse, None, LoginRefused)
        self.starting = Told(tell, refuse, LoginBegan, LoginRefused)
        self.finishing = Told(tell, refuse, LoginFinished, LoginRefused)
        self.refreshing = Told(tell, refuse, TokensRefreshed, RefreshRefused)
        self.reading_userinfo = Told(tell, refuse, UserInfoRead, UserInfoRefused)
        self.starting_logout = Told(tell, refuse, LogoutBegan, LogoutRefused)
        self.finishing_logout = Told(tell, refuse, LogoutFinished, LogoutRefused)
        self.trying_logout = Told(tell, refuse, LogoutFinished, LogoutRefused, but=OF_ANOTHER)

    @property
    def known(self) -> Ready[S]:
        """The current relying party, without a request; before the first use it has no metadata."""
        return self._kept.ready

    def opened(self) -> Ready[S]:
        """Return what is known now, unless the client is closed.

        Raises:
            UsageError: ``config_invalid``.
        """
        if not self._open:
            hint = "make another client: this one was closed"
            raise UsageError("config_invalid", about="client", found="closed", hint=hint)
        return self._kept.ready

    def shut(self) -> None:
        """Take no further call."""
        self._open = False

    def close(self) -> None:
        """Take no further call, and close what the client made itself; a second time is fine."""
        self.shut()
        if self._close is not None:
            self._close()

    def ready(self: "Life[Shell]") -> Ready[Shell]:
        """Return the parts that an operation runs with; the metadata is read first if that is due.

        Raises:
            OidcError: there is no metadata, and the client cannot fetch or believe it;
                ``retry_after`` has the seconds after which it tries again.
        """
        ready, setup = self.opened(), self._setup
        if setup is None:
            return ready
        if self._has_to_wait(setup, ready):
            work = partial(self._read, setup, ready)
            with suppress(TimeoutError, CancelledError):
                self._flights.run(_METADATA, work, seconds=_PATIENCE)
        return self._outcome(ready)

    async def ready_async(self: "Life[AsyncShell]") -> Ready[AsyncShell]:
        """Return the parts that an operation runs with, like :meth:`ready`."""
        ready, setup = self.opened(), self._setup
        if setup is None:
            return ready
        if self._has_to_wait(setup, ready):
            work = partial(self._read_async, setup, ready)
            with suppress(TimeoutError, CancelledError):
                await self._flights.run_async(_METADATA, work, seconds=_PATIENCE)
        return self._outcome(ready)

    def tell(self, kind: type[Event]) -> None:
        """Report a success."""
        if self._events is not None:
            self._events.tell(kind)

    def refused(self, kind: type[Event], error: OidcError) -> None:
        """Tell of a refusal, and learn from it whether the metadata may be out of date.

        Every token that a client takes comes over the direct channel.
        """
        if self._setup is not None:
            with self._process.lock:
                self._kept = self._kept._replace(record=after(self._kept.record, _original(error)))
        if self._events is not None:
            self._events.refused(kind, error)

    def _has_to_wait(self, setup: ClientSetup, ready: Ready[S]) -> bool:
        """Return whether there is metadata to read, or to wait for before the first use."""
        under_way = _METADATA in self._flights
        record = self._kept.record  # after the flights: one that just ended has written it
        if under_way:
            return record.rp is None
        return is_due(record, setup.metadata_max_age, ready.shell.clock.now())

    def _outcome(self, ready: Ready[S]) -> Ready[S]:
        """Return the result of a reading, the caller's own or somebody else's."""
        record, now_ready = self._kept
        if record.rp is not None:
            return now_ready
        failure = last_failure(record, ready.shell.clock.now())
        raise TransportFailure("http_timeout", about=_METADATA) if failure is None else failure

    def _read(self: "Life[Shell]", setup: ClientSetup, ready: Ready[Shell]) -> None:
        step = self._step(setup, ready)
        if step is not None:
            try:
                with self._shielded():
                    self._has_read(setup, ready.shell.run(self._unknown, step))
            except OidcError as error:
                self._has_failed(error)

    async def _read_async(
        self: "Life[AsyncShell]", setup: ClientSetup, ready: Ready[AsyncShell]
    ) -> None:
        step = self._step(setup, ready)
        if step is not None:
            try:
                with self._shielded():
                    self._has_read(setup, await ready.shell.run(self._unknown, step))
            except OidcError as error:
                self._has_failed(error)

    def _shielded(self) -> AbstractContextManager[None]:
        """Shield logins from exceptions of a transport, while older metadata is there."""
        return nullcontext() if self._kept.record.rp is None else _READING

    def _step(self, setup: ClientSetup, ready: Ready[S]) -> Step[RelyingParty] | None:
        """Return how to begin, unless somebody was quicker, or failed just now."""
        record = self._kept.record
        if not is_due(record, setup.metadata_max_age, ready.shell.clock.now()):
            return None
        step = discovery.discover(self._unknown, again=record.rp is not None)
        if record.rp is None or not isinstance(step, Exchange):
            return step
        return evolve(step, request=evolve(step.request, deadline=RENEWAL_DEADLINE))

    def _has_read(self, setup: ClientSetup, rp: RelyingParty) -> None:
        """Take metadata that was believed; a document that says the same replaces nothing.

        Raises:
            UsageError: it contradicts the client's settings.
        """
        shell = copy(self._kept.ready.shell)
        shell.credentials = setup.credentials(rp)
        with self._process.lock:
            before, ready = self._kept
            record = has_read(before, rp, shell.clock.now())
            self._unknown = evolve(self._unknown, auth_method_before=rp.auth_method)
            if record.rp is not before.rp:
                ready = Ready(rp, shell)
            self._kept = _Kept(record, ready)
        if self._events is None or record.rp is before.rp:
            return
        if before.rp is None:
            self._events.tell(MetadataRead)
        else:
            moved = rp.connection.endpoints_digest != before.rp.connection.endpoints_digest
            self._events.tell(MetadataReplaced, endpoints_moved=moved)

    def _has_failed(self, error: OidcError) -> None:
        with self._process.lock:
            before, ready = self._kept
            record = has_failed(before, error, ready.shell.clock.now())
            self._kept = _Kept(record, ready)
        if self._events is not None:
            self._events.refused(MetadataRefused, error, older_kept=record.rp is not None)


def _original(error: OidcError) -> OidcError:
    """Return the error that a copy was made of, whose verdict nobody has changed since.

    A failed login is copied twice.  Causes that an application sets may go round in circles.
    """
    for _ in range(_COPIES):
        if isinstance(error.__cause__, OidcError) and error.__cause__.code == error.code:
            error = error.__cause__
    return error


def life_of(
    setup: ClientSetup,
    shell: S,
    on_event: OnEvent | None,
    close: Callable[[], None] | None,
) -> Life[S]:
    """Return the life of a client that is made of settings."""
    as_setting(setup, ClientSetup, "setup")
    rp = setup.relying_party()
    if setup.metadata is None:
        return Life(rp, shell, setup=setup, on_event=on_event, close=close)
    shell.credentials = setup.credentials(rp)
    return Life(rp, shell, on_event=on_event, close=close)


class _Beside(TypedDict, total=False):
    grants: "Grants | None"
    keys: ProviderKeys | None
    clock: Clock | None
    entropy: Entropy | None
    on_event: OnEvent | None


class World(_Beside, total=False):
    """The parts of the world that a waiting client may be given."""

    transport: Transport | None


class AsyncWorld(_Beside, total=False):
    """The parts of the world that an awaiting client may be given."""

    transport: AsyncTransport | None


class Client(Generic[S]):
    """The common part of both kinds of clients.

    Attributes:
        pending: where logins wait for their browser.
    """

    __slots__ = ("_copies", "_doors", "_life", "_routes", "pending")

    def __init__(self, life: Life[S], pending: PendingLogins, doors: "Doors | None" = None) -> None:
        rp, shell = life.known
        self._routes = Routes((rp,))
        as_setting(pending, PendingLogins, "pending")
        check_profile(rp, pending)
        if rp.network.judged:
            check_transport(shell.transport)
        self._life: Life[S] = life
        self.pending = pending
        self._doors = doors
        self._copies = None if doors is None else _copies(doors)

    @property
    def rp(self) -> RelyingParty:
        """The relying party as it is now: before the first use, without the provider's metadata."""
        return self._life.known.rp

    @property
    def shell(self) -> S:
        """The world, with the credentials for the provider as it is known now."""
        return self._life.known.shell

    def _shared(self) -> "Copies":
        """Return what this process knows of the grants of sessions.

        Raises:
            UsageError: ``config_invalid`` for a client without ``grants``.
        """
        self._life.opened()
        if self._copies is None:
            expected = "Grants(records, secret), where the tokens of sessions are kept"
            raise UsageError("config_invalid", about="grants", expected=expected)
        return self._copies

    def _key_of(self, grant_id: str) -> "Key":
        from oidc_adapters.stores.grants import Key

        check_text(grant_id, "grant_id")
        return Key.of(grant_id, self.rp.connection)


def _copies(doors: "Doors") -> "Copies":
    from oidc_adapters.clients.exchanges import Exchanges
    from oidc_adapters.clients.session_tokens import Copies

    return Copies(Exchanges(doors))
