"""The port of a store of records: four calls over text, each whole in itself.

It keeps everything that several processes share: grants, logins in flight, used names, metadata
and key sets.  A store cannot read its values: its callers seal them before they come here.
It only has to keep one promise: of several writers that read the same version, one succeeds.
"""

from typing import NamedTuple, Protocol

from oidc_core.model.pending import SingleUse


class Times(NamedTuple):
    """Two times of a store, both in seconds.

    Attributes:
        now: by a clock that all callers of the store share and nobody sets: differences count.  A
            database server has one; on one machine it is the time since boot.
        utc: since the epoch: when something was received, and when it expires.
    """

    now: int
    utc: int


class Found(NamedTuple):
    """A record as it was read.

    Attributes:
        value: its text.
        version: which write it comes from.
        times: of the store, at the read.
    """

    value: str
    version: str
    times: Times

    def __repr__(self) -> str:
        return f"Found(version={self.version!r}, times={self.times!r})"


class Records(Protocol):
    """A store of records, for code that waits.

    Every exception of a call means that nobody knows whether it was applied: the caller reads
    again and compares versions.  Keys, versions and values are text without NUL; a key has at most
    255 ASCII characters.
    """

    @property
    def single_use(self) -> SingleUse:
        """How far it reaches: ``shared`` by processes, or this ``process`` alone."""
        ...

    def times(self) -> Times:
        """Return the times of the store."""
        ...

    def read(self, key: str, /) -> Found | None:
        """Return the newest record under a key, never one of a replica or a cache.

        One that has expired may be there until it is cleaned away.
        """
        ...

    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        """Put a record under a key that has no record; return ``False`` if the key has one.

        Args:
            key: its name.
            version: random, chosen by the writer.
            value: its text.
            until: when it expires, in seconds since the epoch.  It is cleaned away an hour later
                at the earliest (:data:`SLACK`): the clocks of hosts differ.
        """
        ...

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        """Put a record in the place of one that still has the expected version.

        It returns ``True`` only when the write is as durable as the store is configured to be.  It
        returns ``False`` if the write was certainly not applied: another version is there, or no
        record.
        """
        ...

    def remove(self, key: str, expected: str, /) -> bool:
        """Remove a record that still has the expected version; only one caller succeeds."""
        ...

    def clean(self, most: int = 1_000, /) -> int:
        """Remove records that expired more than :data:`SLACK` ago; return how many, up to ``most``.

        A store does so itself now and then when it creates a record; this is for a regular job.
        """
        ...

    def close(self) -> None:
        """Give back what the store opened itself; a second time is fine."""
        ...


class AsyncRecords(Protocol):
    """A store of records, for code that awaits; it has the calls of :class:`Records`."""

    @property
    def single_use(self) -> SingleUse:
        """How far it reaches, like :attr:`Records.single_use`."""
        ...

    async def times(self) -> Times:
        """Return the times of the store."""
        ...

    async def read(self, key: str, /) -> Found | None:
        """Return the newest record under a key, like :meth:`Records.read`."""
        ...

    async def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        """Put a record under a key that has no record, like :meth:`Records.create`."""
        ...

    async def replace(
        self, key: str, expected: str, version: str, value: str, until: int, /
    ) -> bool:
        """Put a record in the place of another, like :meth:`Records.replace`."""
        ...

    async def remove(self, key: str, expected: str, /) -> bool:
        """Remove a record, like :meth:`Records.remove`."""
        ...

    async def clean(self, most: int = 1_000, /) -> int:
        """Remove expired records, like :meth:`Records.clean`."""
        ...

    async def close(self) -> None:
        """Give back what the store opened itself."""
        ...


SLACK = 3_600
"""Seconds for which a record is kept after it has expired."""
