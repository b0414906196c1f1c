"""What the exchange of refresh tokens needs of a client, whether that waits or awaits."""

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
    """What the loop needs of a client, whether it waits or awaits."""

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
        """What time it is."""
        ...

    @property
    def entropy(self) -> Entropy:
        """Where random names come from."""
        ...

    async def ready(self) -> Operation:
        """Return what an operation runs with; metadata is read first if that is due."""
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
        """Wait for work that is under way, but no longer."""
        ...
