"""The used names in a store that several processes share: each is created there once."""

from hashlib import sha256
from typing import Final

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.stores.records.both import at_once
from oidc_adapters.stores.records.callers import Callers, new_version
from oidc_adapters.stores.records.ports import AsyncRecords, Records
from oidc_core.model.pending import SingleUse
from oidc_core.wire.encoding import b64url_encode

SPENT: Final = "spent logins"
"""The name of the memory of used logins in errors."""

_STORE: Final = FailsClosed(SPENT)
_CLOCK: Final = SystemClock()
SPENT_VALUE: Final = "spent"
"""What is kept under a used name."""


class RecordSpent:
    """Remembers used names in a store of records, for all who share it.

    The store learns a digest of each name.  It forgets one an hour after its time at the earliest.

    Args:
        records: the store; one that waits serves waiting and awaiting clients, one that is awaited
            serves awaiting clients.

    Raises:
        UsageError: ``config_invalid``.
    """

    __slots__ = ("_callers",)

    def __init__(self, records: Records | AsyncRecords) -> None:
        self._callers = Callers(records)

    @property
    def single_use(self) -> SingleUse:
        """How far the store reaches."""
        return self._callers.single_use

    def check_waiting(self) -> None:
        """Refuse a store that code which waits cannot call.

        Raises:
            UsageError: ``config_invalid`` for one that is awaited.
        """
        _ = self._callers.waiting

    def seen_once(self, name: str, until: int, now: int) -> bool:
        """Return whether this is the first time for ``name``.

        Raises:
            StoreFailure: ``store_unavailable`` for every exception of the store: the name may be
                there now, and then counts as used.
            UsageError: ``config_invalid`` for a store that is awaited.
        """
        return at_once(_created(self._callers.waiting.records, name, until - now, now))

    async def seen_once_async(self, name: str, until: int, now: int) -> bool:
        """Return whether this is the first time for ``name``, like :meth:`seen_once`."""
        return await _created(self._callers.awaiting.records, name, until - now, now)


def spent_key(name: str) -> str:
    """Return the key of a used name: a digest of it."""
    digest = sha256(name.encode("utf-8", "surrogatepass")).digest()
    return f"spent:{b64url_encode(digest)}"


async def _created(records: AsyncRecords, name: str, lifetime: int, now: int) -> bool:
    until = max(now, _CLOCK.now()) + lifetime  # a client's own clock must not be too early
    with _STORE:
        return await records.create(spent_key(name), new_version(), SPENT_VALUE, until)
