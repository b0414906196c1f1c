"""The parts of a client that the end of a session needs: the client waits or awaits."""

from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError
from inspect import isawaitable, iscoroutine
from typing import Final, Protocol, cast

from oidc_adapters.clients.doors import Operation
from oidc_adapters.clients.grant_doors import AwaitingParts, WaitingParts
from oidc_adapters.clients.life import Life
from oidc_adapters.clients.shell import AsyncShell, Shell
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.events import Event
from oidc_adapters.runtime.single_flight import SingleFlight
from oidc_adapters.stores.records import at_once
from oidc_adapters.stores.sessions import EndSession
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import OidcError, StoreFailure, UsageError

PATIENCE: Final = 30.0
"""Seconds for which the answer to a provider waits for all sessions to end."""


class EndDoors(Protocol):
    """The parts of a client, whether it waits or awaits."""

    @property
    def rp(self) -> RelyingParty:
        """The relying party as it is known now."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock of the client."""
        ...

    async def ready(self) -> Operation:
        """Return the parts of an operation; metadata is read first if that is due."""
        ...

    async def together(self, key: str, work: Callable[[], Awaitable[None]], /) -> None:
        """Do work, or wait for the caller of this process that does it already.

        Raises:
            StoreFailure: ``store_unavailable``: it takes long, and goes on.
        """
        ...

    async def call(self, end_session: EndSession, session_id: str, /) -> None:
        """Have the application end a session."""
        ...

    def tell(self, kind: type[Event], /, **facts: object) -> None:
        """Report an event."""
        ...

    def refused(self, kind: type[Event], error: OidcError, /) -> None:
        """Report a refusal."""
        ...


class WaitingEndDoors(WaitingParts):
    """A client that waits: each of these coroutines blocks until it is done."""

    __slots__ = ("_flights",)

    def __init__(self, life: Life[Shell]) -> None:
        super().__init__(life)
        self._flights = SingleFlight[None]()

    async def together(self, key: str, work: Callable[[], Awaitable[None]], /) -> None:
        """Do work in this thread, or wait for the one that does it already."""

        def perform() -> None:
            at_once(cast("Coroutine[object, None, None]", work()))

        try:
            self._flights.run(key, perform, seconds=PATIENCE)
        except (TimeoutError, CancelledError):
            raise _unfinished() from None

    async def call(self, end_session: EndSession, session_id: str, /) -> None:
        """Have the application end a session.

        Raises:
            UsageError: ``config_invalid`` for a function that is awaited.
        """
        result = end_session(session_id)
        if isawaitable(result):
            if iscoroutine(result):
                result.close()
            expected = "a function that is not awaited"
            raise UsageError("config_invalid", about="end_session", expected=expected)

    def tell(self, kind: type[Event], /, **facts: object) -> None:
        """Report an event."""
        self._life.tell(kind, **facts)

    def refused(self, kind: type[Event], error: OidcError, /) -> None:
        """Report a refusal."""
        self._life.report(kind, error)


class AwaitingEndDoors(AwaitingParts):
    """A client that awaits."""

    __slots__ = ("_flights",)

    def __init__(self, life: Life[AsyncShell]) -> None:
        super().__init__(life)
        self._flights = SingleFlight[None]()

    async def together(self, key: str, work: Callable[[], Awaitable[None]], /) -> None:
        """Do work in a task that nobody cancels, or wait for the one that does it already."""
        try:
            await self._flights.run_async(key, work, seconds=PATIENCE)
        except (TimeoutError, CancelledError):
            raise _unfinished() from None

    async def call(self, end_session: EndSession, session_id: str, /) -> None:
        """Have the application end a session; its function may be awaited."""
        result = end_session(session_id)
        if isawaitable(result):
            await result

    def tell(self, kind: type[Event], /, **facts: object) -> None:
        """Report an event."""
        self._life.tell(kind, **facts)

    def refused(self, kind: type[Event], error: OidcError, /) -> None:
        """Report a refusal."""
        self._life.report(kind, error)


def _unfinished() -> StoreFailure:
    return StoreFailure("store_unavailable", about="sessions", cause="unfinished")
