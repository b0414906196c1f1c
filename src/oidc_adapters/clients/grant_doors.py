"""The doors of the exchange of refresh tokens, for clients that wait and for those that await."""

from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from threading import Event
from typing import Generic, TypeVar, cast

from oidc_adapters.clients.life import Life
from oidc_adapters.clients.metadata_memory import S
from oidc_adapters.clients.shell import AsyncShell, Shell
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.concurrency import settled_within
from oidc_adapters.runtime.detached import DetachedTasks, DetachedThreads
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.runtime.events import RefreshRefused, TokensRefreshed
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.records import AsyncRecords, at_once, for_awaiting, for_waiting
from oidc_core.machine.steps import Step
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import OidcError

T = TypeVar("T")


class WaitingOperation:
    """The parts of an operation that waits."""

    __slots__ = ("_shell", "rp")

    def __init__(self, rp: RelyingParty, shell: Shell) -> None:
        self.rp = rp
        self._shell = shell

    async def run(self, step: Step[T], /) -> T:
        """Drive an operation to its end, blocking meanwhile."""
        return self._shell.run(self.rp, step)


class AwaitingOperation:
    """The parts of an operation that awaits."""

    __slots__ = ("_shell", "rp")

    def __init__(self, rp: RelyingParty, shell: AsyncShell) -> None:
        self.rp = rp
        self._shell = shell

    async def run(self, step: Step[T], /) -> T:
        """Drive an operation to its end."""
        return await self._shell.run(self.rp, step)


class _Parts(Generic[S]):
    """What a client knows, whether it waits or awaits."""

    __slots__ = ("_life",)

    def __init__(self, life: Life[S]) -> None:
        self._life: Life[S] = life

    @property
    def rp(self) -> RelyingParty:
        """The relying party as it is known now."""
        return self._life.known.rp

    @property
    def clock(self) -> Clock:
        """The clock of the client."""
        return self._life.known.shell.clock

    @property
    def entropy(self) -> Entropy:
        """Where random names come from."""
        return self._life.known.shell.entropy


class WaitingParts(_Parts[Shell]):
    """The parts of a client that waits."""

    __slots__ = ()

    async def ready(self) -> WaitingOperation:
        """Return the parts of an operation."""
        rp, shell = self._life.ready()
        return WaitingOperation(rp, shell)


class AwaitingParts(_Parts[AsyncShell]):
    """The parts of a client that awaits."""

    __slots__ = ()

    async def ready(self) -> AwaitingOperation:
        """Return the parts of an operation."""
        rp, shell = await self._life.ready_async()
        return AwaitingOperation(rp, shell)


class WaitingDoors(WaitingParts):
    """A client that waits: each of these coroutines blocks until it is done.

    Raises:
        UsageError: ``config_invalid`` for a store that is awaited.
    """

    __slots__ = ("_threads", "grants", "records")

    def __init__(self, life: Life[Shell], grants: Grants) -> None:
        super().__init__(life)
        self._threads = DetachedThreads()
        self.grants = grants
        self.records: AsyncRecords = for_waiting(grants.records)

    async def pause(self, seconds: float, /) -> None:
        """Let time pass."""
        Event().wait(seconds)

    async def detached(self, work: Callable[[], Awaitable[None]], seconds: float, /) -> bool:
        """Begin work in a separate thread."""

        def call() -> None:
            at_once(cast("Coroutine[object, None, None]", work()))

        return self._threads.run(call, seconds)

    def tell(self, kind: type[TokensRefreshed], /) -> None:
        """Report a refresh."""
        self._life.tell(kind)

    def refused(self, kind: type[RefreshRefused], error: OidcError, /) -> None:
        """Report a refusal."""
        self._life.refused(kind, error)

    async def close(self, seconds: float, /) -> None:
        """Wait for exchanges that have started."""
        self._threads.close(seconds)


class AwaitingDoors(AwaitingParts):
    """A client that awaits."""

    __slots__ = ("_tasks", "grants", "records")

    def __init__(self, life: Life[AsyncShell], grants: Grants) -> None:
        super().__init__(life)
        self._tasks = DetachedTasks()
        self.grants = grants
        self.records: AsyncRecords = for_awaiting(grants.records)

    async def pause(self, seconds: float, /) -> None:
        """Let time pass, without blocking a thread."""
        await settled_within(Future[None](), seconds)

    async def detached(self, work: Callable[[], Awaitable[None]], seconds: float, /) -> bool:
        """Begin work in a separate task."""
        return await self._tasks.run(work, seconds)

    def tell(self, kind: type[TokensRefreshed], /) -> None:
        """Report a refresh."""
        self._life.tell(kind)

    def refused(self, kind: type[RefreshRefused], error: OidcError, /) -> None:
        """Report a refusal."""
        self._life.refused(kind, error)

    async def close(self, seconds: float, /) -> None:
        """Wait for exchanges that have started."""
        await self._tasks.close(seconds)
