"""The parts of a client that the exchange of refresh tokens uses: the client waits or awaits."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.runtime.events import RefreshRefused, TokensRefreshed
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.records import AsyncRecords
from oidc_core.machine.steps import Step
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import OidcError

T = TypeVar("T")


class Operation(Protocol):
    """The parts that one operation runs with, to its end."""

    @property
    def rp(self) -> RelyingParty:
        """The relying party, with metadata."""
        ...

    async def run(self, step: Step[T], /) -> T:
        """Drive an operation to its end."""
        ...


class Doors(Protocol):
    """The parts of a client that the loop uses: the client waits or awaits."""

    @property
    def records(self) -> AsyncRecords:
        """The store."""
        ...

    @property
    def grants(self) -> Grants:
        """How grants are kept in it."""
        ...

    @property
    def rp(self) -> RelyingParty:
        """The relying party as it is known now."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock of the client."""
        ...

    @property
    def entropy(self) -> Entropy:
        """Where random names come from."""
        ...

    async def ready(self) -> Operation:
        """Return the parts of an operation; the client first reads metadata if that is due."""
        ...

    async def pause(self, seconds: float, /) -> None:
        """Let time pass."""
        ...

    async def detached(self, work: Callable[[], Awaitable[None]], seconds: float, /) -> bool:
        """Begin work that nobody breaks off; wait for it so long, and return whether it ended."""
        ...

    def tell(self, kind: type[TokensRefreshed], /) -> None:
        """Report a refresh."""
        ...

    def refused(self, kind: type[RefreshRefused], error: OidcError, /) -> None:
        """Report a refusal."""
        ...

    async def close(self, seconds: float, /) -> None:
        """Wait until the work that has started ends, but no longer than these seconds."""
        ...
