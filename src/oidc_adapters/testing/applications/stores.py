"""Stores of records in memory that a machine can take away and give back."""

from attrs import define

from oidc_adapters.stores.records import Found, MemoryRecords, Times
from oidc_core.model.pending import SingleUse


class StoreIsDownError(Exception):
    """The store of a world is down, as a machine decided."""


@define
class Outage:
    """Whether the stores of a world are down.

    Attributes:
        down: set it, and each call fails until it is reset.
    """

    down: bool = False

    def check(self) -> None:
        """Fail while the stores are down.

        Raises:
            StoreIsDownError: they are.
        """
        if self.down:
            raise StoreIsDownError


class WorldRecords:
    """A store of records for an application that waits.

    Args:
        records: where the records are.
        outage: says whether it is down.
    """

    def __init__(self, records: MemoryRecords, outage: Outage) -> None:
        self._records = records
        self._outage = outage

    @property
    def single_use(self) -> SingleUse:
        """All processes of a world share it."""
        return "shared"

    def times(self) -> Times:
        """Return the times of the store."""
        self._outage.check()
        return self._records.times()

    def read(self, key: str, /) -> Found | None:
        """Return the record under a key."""
        self._outage.check()
        return self._records.read(key)

    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        """Put a record under a key that has no record."""
        self._outage.check()
        return self._records.create(key, version, value, until)

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        """Put a record in the place of another."""
        self._outage.check()
        return self._records.replace(key, expected, version, value, until)

    def remove(self, key: str, expected: str, /) -> bool:
        """Remove a record."""
        self._outage.check()
        return self._records.remove(key, expected)

    def clean(self, most: int = 1_000, /) -> int:
        """Remove expired records."""
        self._outage.check()
        return self._records.clean(most)

    def close(self) -> None:
        """Keep everything: the records end with their world."""
