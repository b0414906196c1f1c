"""One store for both kinds of callers: code that waits, and code that awaits."""

from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from os import urandom
from threading import Event
from typing import Final, NamedTuple, NoReturn

from oidc_adapters.runtime.concurrency import settled_within
from oidc_adapters.stores.records.both import for_awaiting, for_waiting, is_awaited
from oidc_adapters.stores.records.ports import AsyncRecords, Records
from oidc_core.model.pending import SingleUse
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.settings import as_setting

_VERSION: Final = 12


class Side(NamedTuple):
    """A store, for one kind of callers.

    Attributes:
        records: the store; for callers who wait, no call of it suspends.
        pause: passes some seconds, in the same way.
    """

    records: AsyncRecords
    pause: Callable[[float], Awaitable[None]]


class Callers:
    """A store, and the two kinds of callers that it may have.

    Args:
        records: the store.

    Raises:
        UsageError: ``config_invalid`` for anything else.
    """

    __slots__ = ("_records", "_waiting", "awaiting")

    def __init__(self, records: Records | AsyncRecords) -> None:
        self._records = as_setting(records, Records | AsyncRecords, "records")
        self.awaiting = Side(for_awaiting(records), _pause)
        self._waiting = None if is_awaited(records) else Side(for_waiting(records), _sleep)

    @property
    def single_use(self) -> SingleUse:
        """How far the store reaches."""
        return self._records.single_use

    @property
    def waiting(self) -> Side:
        """The store, for code that waits.

        Raises:
            UsageError: ``config_invalid`` for a store that is awaited.
        """
        return self._waiting or Side(for_waiting(self._records), _sleep)

    def __reduce__(self) -> NoReturn:
        message = "a store is not pickled: each process opens its own"
        raise TypeError(message)


def new_version() -> str:
    """Return a name for one write of a record, which nobody else has given."""
    return b64url_encode(urandom(_VERSION))


async def _sleep(seconds: float) -> None:
    Event().wait(seconds)


async def _pause(seconds: float) -> None:
    await settled_within(Future[None](), seconds)
