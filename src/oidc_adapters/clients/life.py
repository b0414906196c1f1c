"""A client's life: made without a network, ready at its first use, up to date, closed in the end.

An operation runs to its end with the relying party and the shell it began with, even if metadata is
read meanwhile.
"""

from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, TypedDict

from oidc_adapters.clients.calls import OF_ANOTHER, check_profile
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.metadata_memory import METADATA, PATIENCE, MetadataMemory, Ready, S
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
    OnEvent,
    RefreshRefused,
    TokensRefreshed,
    Told,
    UserInfoRead,
    UserInfoRefused,
)
from oidc_adapters.stores.metadata_in_records import RecordMetadata
from oidc_adapters.stores.pending import PendingLogins
from oidc_adapters.stores.provider_keys import ProviderKeys
from oidc_adapters.transport import AsyncTransport, Transport
from oidc_core.machine.metadata_fetching import after
from oidc_core.model.relying_party import RelyingParty
from oidc_core.model.routes import Routes
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.settings import as_setting, check_text

if TYPE_CHECKING:
    from oidc_adapters.clients.doors import Doors
    from oidc_adapters.clients.session_ends import SessionEnds
    from oidc_adapters.clients.session_tokens import Copies
    from oidc_adapters.stores.grants import Grants, Key
    from oidc_adapters.stores.sessions import SessionIndex

_COPIES: Final = 2


class Life(MetadataMemory[S]):
    """The knowledge of a client about its provider, its callable for events, and its parts.

    Args:
        rp: the relying party; without metadata, where that is discovered.
        shell: the world.
        setup: the settings, where metadata is discovered: its age, and the credentials for it.
        metadata: a store of metadata that processes share.
        on_event: is told what happens.
        close: closes what the client made itself.
    """

    __slots__ = (
        "_close", "_open", "arriving", "finishing", "finishing_logout", "reading_userinfo",
        "refreshing", "starting", "starting_logout", "trying_logout",
    )  # fmt: skip

    def __init__(
        self,
        rp: RelyingParty,
        shell: S,
        *,
        setup: ClientSetup | None = None,
        metadata: RecordMetadata | None = None,
        on_event: OnEvent | None = None,
        close: Callable[[], None] | None = None,
    ) -> None:
        as_setting(metadata, RecordMetadata | None, "metadata")
        events = None if on_event is None else Events(on_event, rp)
        self._remember(rp, shell, setup, metadata, events)
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
                self._flights.run(METADATA, work, seconds=PATIENCE)
        return self._outcome(ready)

    async def ready_async(self: "Life[AsyncShell]") -> Ready[AsyncShell]:
        """Return the parts that an operation runs with, like :meth:`ready`."""
        ready, setup = self.opened(), self._setup
        if setup is None:
            return ready
        if self._has_to_wait(setup, ready):
            work = partial(self._read_async, setup, ready)
            with suppress(TimeoutError, CancelledError):
                await self._flights.run_async(METADATA, work, seconds=PATIENCE)
        return self._outcome(ready)

    def tell(self, kind: type[Event], **facts: object) -> None:
        """Report a success."""
        if self._events is not None:
            self._events.tell(kind, **facts)

    def refused(self, kind: type[Event], error: OidcError) -> None:
        """Tell of a refusal, and learn from it whether the metadata may be out of date.

        Every token that a client takes comes over the direct channel.
        """
        if self._setup is not None:
            with self._process.lock:
                self._kept = self._kept._replace(record=after(self._kept.record, _original(error)))
        self.report(kind, error)

    def report(self, kind: type[Event], error: OidcError) -> None:
        """Tell of a refusal that says nothing about the metadata, since a stranger may cause it."""
        if self._events is not None:
            self._events.refused(kind, error)


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
    metadata: RecordMetadata | None = None,
) -> Life[S]:
    """Return the life of a client that is made of settings."""
    as_setting(setup, ClientSetup, "setup")
    rp = setup.relying_party()
    if setup.metadata is None:
        return Life(rp, shell, setup=setup, metadata=metadata, on_event=on_event, close=close)
    shell.credentials = setup.credentials(rp)
    return Life(rp, shell, on_event=on_event, close=close)


class _Beside(TypedDict, total=False):
    grants: "Grants | None"
    sessions: "SessionIndex | None"
    keys: ProviderKeys | None
    metadata: RecordMetadata | None
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

    __slots__ = ("_copies", "_doors", "_ends", "_life", "_routes", "pending")

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
        self._ends: SessionEnds | None = None

    @property
    def rp(self) -> RelyingParty:
        """The relying party as it is now: before the first use, without the provider's metadata."""
        return self._life.known.rp

    @property
    def shell(self) -> S:
        """The world, with the credentials for the provider as it is known now."""
        return self._life.known.shell

    @property
    def names_sessions(self) -> bool:
        """Whether the client has a session index, so that the provider can end sessions."""
        return self._ends is not None and self._ends.names_sessions

    @property
    def session_ends(self) -> "SessionEnds":
        """The part of the client that ends sessions.

        Raises:
            UsageError: ``config_invalid`` for a client without ``sessions`` and ``grants``.
        """
        if self._ends is None:
            expected = "SessionIndex(records, secret), which names the sessions of users"
            raise UsageError("config_invalid", about="sessions", expected=expected)
        return self._ends

    def _check_name(self, session_id: str) -> None:
        check_text(session_id, "session_id")
        if self._ends is not None:
            self._ends.check_name(session_id)

    def _leaving_of(self, session: str, tokens: object) -> "Key | None":
        """Return the key of the session that ends, if it is given by its name."""
        check_text(session, "session")
        if not session:
            return None
        if tokens is not None:
            raise UsageError("parameter_invalid", about="session", expected="either it or tokens")
        self._shared()
        return self._key_of(session)

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
