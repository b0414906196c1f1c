"""Records of a folder: what the stores of command lines have in common.

Each record has a separate file, and its name is a digest of the key, so that no key leads out of
the folder.  A writer holds the folder's lock, and only while it reads, compares and writes.  A
reader needs no lock: a file is there whole or not at all.
"""

import json
import sys
from abc import abstractmethod
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import ClassVar, Final, Literal, NamedTuple, cast

from oidc_adapters.runtime.boot_clock import Anchor, Boot, anchor_of, anchored, this_boot
from oidc_adapters.runtime.clock import Clock, SystemClock
from oidc_adapters.runtime.file_lock import file_lock
from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.runtime.private_folder import OpenFolder, PrivateFolder
from oidc_adapters.stores.records.ports import SLACK, Found, Times
from oidc_core.wire.errors import StoreFailure, UsageError
from oidc_core.wire.settings import as_count, as_setting

PATIENCE: Final = 10
"""For how many seconds a writer waits for the lock."""

_LOCK: Final = "lock"
_CLOCK: Final = "clock"
_SCHEMA: Final = 1
_BETWEEN_CLEANINGS: Final = 20
_CLEANED: Final = 100
# Windows replaces no file that another process has open.
_READS_UNLOCKED: Final = sys.platform != "win32"


class Entry(NamedTuple):
    """The content of the file of a record.

    Attributes:
        key: of the record.
        version: which write it comes from.
        until: when it expires, in seconds since the epoch.
        at: when it was written, by ``times.now``.
        value: its text, or where that is; ``None`` where there is no record, only ``stale`` values.
        stale: other places that may have old values, which the store must remove.
    """

    key: str
    version: str
    until: int
    at: int
    value: str | None
    stale: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Entry(version={self.version!r}, until={self.until})"


class FolderRecords:
    """The calls of a store, over two that a class of its own supplies: put, and drop.

    Args:
        folder: where it is; if it is missing, the first call makes it.
        patience: for how many seconds a writer waits for others.
        clock: tells ``times.utc``.
        boot: tells the running start of the machine.

    Raises:
        UsageError: ``config_invalid``, also for a folder that others can write to.
    """

    __slots__ = ("_boot", "_clock", "_created", "_folder", "_patience", "_process")

    _ending: ClassVar[str]

    def __init__(
        self,
        folder: str | Path,
        *,
        patience: int = PATIENCE,
        clock: Clock | None = None,
        boot: Callable[[], Boot] = this_boot,
    ) -> None:
        place = as_setting(folder, str | Path, "folder")
        if not f"{place}" or "\0" in f"{place}":
            raise UsageError("config_invalid", about="folder", found=f"{place}", expected="a path")
        self._patience = as_count(patience, "patience")
        self._clock = as_setting(clock, Clock | None, "clock") or SystemClock()
        self._boot = as_setting(boot, Callable[[], Boot], "boot")
        self._folder = PrivateFolder(place)
        self._process = ProcessLock()
        self._created = 0

    @property
    def single_use(self) -> Literal["shared"]:
        """All processes of this machine share the folder."""
        return "shared"

    def times(self) -> Times:
        """Return the times of this machine."""
        with self._reading() as folder:
            return self._times(folder)

    def read(self, key: str, /) -> Found | None:
        """Return a record.

        Raises:
            StoreFailure: ``record_invalid``, ``record_version_unknown`` for a file that is not
                understood; it stays there.
        """
        with self._reading() as folder:
            return self._read(folder, key)

    def _read(self, folder: OpenFolder, key: str) -> Found | None:
        entry = self._entry(folder, key)
        if entry is None or entry.value is None:
            return None
        value = self._value(entry.value)
        return Found(value, entry.version, self._times(folder))

    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        """Put a record under a key that has no record.

        Raises:
            StoreFailure: like :meth:`read`; ``store_unavailable`` if another holds the lock.
        """
        with self._locked() as folder:
            if self._created % _BETWEEN_CLEANINGS == 0:
                self._clean(folder, _CLEANED)
            self._created += 1
            entry = self._entry(folder, key)
            if entry is not None and entry.value is not None:
                return False
            self._put(folder, Entry(key, version, until, self._times(folder).now, value))
            return True

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        """Put a record in the place of one that has the expected version.

        Raises:
            StoreFailure: with the codes of :meth:`create`.
        """
        with self._locked() as folder:
            entry = self._entry(folder, key)
            if entry is None or entry.value is None or entry.version != expected:
                return False
            self._put(folder, Entry(key, version, until, self._times(folder).now, value))
            return True

    def remove(self, key: str, expected: str, /) -> bool:
        """Remove a record that has the expected version.

        Raises:
            StoreFailure: with the codes of :meth:`create`.
        """
        with self._locked() as folder:
            entry = self._entry(folder, key)
            if entry is None or entry.value is None or entry.version != expected:
                return False
            self._drop(folder, entry)
            return True

    def clean(self, most: int = 1_000, /) -> int:
        """Remove records that expired more than an hour ago; one that is not understood stays.

        Raises:
            StoreFailure: ``store_unavailable`` if another holds the lock.
        """
        with self._locked() as folder:
            return self._clean(folder, most)

    def close(self) -> None:
        """Do nothing: each call closes what it opens."""

    # --- supplied by each store ------------------------------------------------------------------

    @abstractmethod
    def _value(self, kept: str) -> str:
        """Return the value that an entry keeps."""

    @abstractmethod
    def _put(self, folder: OpenFolder, entry: Entry) -> None:
        """Write an entry that holds its value itself; a crash leaves it or the one before."""

    @abstractmethod
    def _drop(self, folder: OpenFolder, entry: Entry) -> None:
        """Remove an entry and its value."""

    # --- files -----------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Generator[OpenFolder]:
        """Open the folder to read, without the lock where the system allows it."""
        with self._folder.opened() if _READS_UNLOCKED else self._locked() as folder:
            yield folder

    @contextmanager
    def _locked(self) -> Generator[OpenFolder]:
        """Hold the lock: first among the threads of this process, who wait for it in their turn."""
        began, threads = monotonic(), self._process.lock
        if not threads.acquire(timeout=self._patience):
            raise StoreFailure("store_unavailable", about="lock", found="held by another thread")
        try:
            left = max(0.0, began + self._patience - monotonic())
            with (
                self._folder.opened() as folder,
                file_lock(
                    partial(folder.lock_file, _LOCK),
                    partial(folder.is_current, _LOCK),
                    patience=left,
                ),
            ):
                if self._now(folder) is None:
                    self._anchor(folder)
                yield folder
        finally:
            threads.release()

    # --- the clock -------------------------------------------------------------------------------

    def _times(self, folder: OpenFolder) -> Times:
        """Return the times; within the lock an anchor is always there."""
        now = self._now(folder)
        if now is None:
            with self._locked() as same:
                return self._times(same)
        return Times(now, self._clock.now())

    def _now(self, folder: OpenFolder) -> int | None:
        """Return the time by the anchor that is kept, or ``None`` if a new one is due."""
        kept, boot = _kept_anchor(folder), self._boot()
        if kept is None or anchored(kept, boot, self._clock.now(), 0) is not kept:
            return None
        return kept.now(boot)

    def _anchor(self, folder: OpenFolder) -> None:
        """Anchor the clock after a start of the machine, no earlier than anything written."""
        entries = [self._listed(folder, name) for name in folder.names()]
        kept = _kept_anchor(folder)
        last = max([entry.at for entry in entries if entry is not None], default=0)
        new = anchored(kept, self._boot(), self._clock.now(), last)
        folder.write(_CLOCK, new.text().encode())

    def _name(self, key: str) -> str:
        return sha256(key.encode("utf-8", "surrogatepass")).hexdigest() + self._ending

    def _entry(self, folder: OpenFolder, key: str) -> Entry | None:
        octets = folder.read(self._name(key))
        if octets is None:
            return None
        entry = _understood(octets)
        if entry.key != key:
            raise StoreFailure("record_invalid", about="file", found="the record of another key")
        return entry

    def _write(self, folder: OpenFolder, entry: Entry) -> None:
        members = {"schema": _SCHEMA, **entry._asdict(), "stale": " ".join(entry.stale)}
        folder.write(self._name(entry.key), json.dumps(members).encode("ascii"))

    def _unlink(self, folder: OpenFolder, entry: Entry) -> None:
        folder.remove(self._name(entry.key))

    def _clean(self, folder: OpenFolder, most: int) -> int:
        before, removed = self._clock.now() - SLACK, 0
        for name in folder.names():
            if removed >= most:
                break
            entry = self._listed(folder, name)
            if entry is None or (entry.value is not None and entry.until >= before):
                continue
            self._drop(folder, entry)
            removed += entry.value is not None
        return removed

    def _listed(self, folder: OpenFolder, name: str) -> Entry | None:
        """Return the entry of a file, or ``None`` if this release cannot read the file."""
        if not name.endswith(self._ending):
            return None
        try:
            octets = folder.read(name)
            entry = None if octets is None else _understood(octets)
        except (StoreFailure, OSError):
            return None
        return entry if entry is not None and self._name(entry.key) == name else None


def _kept_anchor(folder: OpenFolder) -> Anchor | None:
    octets = folder.read(_CLOCK)
    return None if octets is None else anchor_of(octets.decode("utf-8", "replace"))


def _understood(octets: bytes) -> Entry:
    """Read the file of a record.

    Raises:
        StoreFailure: ``record_invalid``, ``record_version_unknown``.
    """
    with suppress(ValueError, RecursionError):
        match cast("object", json.loads(octets)):
            case {
                "schema": 1,
                "key": str() as key,
                "version": str() as version,
                "until": int() as until,
                "at": int() as at,
                "value": str() | None as value,
                "stale": str() as stale,
            }:
                return Entry(key, version, until, at, value, tuple(stale.split()))
            case {"schema": int() as schema} if schema != _SCHEMA:
                raise StoreFailure("record_version_unknown", about="file", found=schema)
            case _:
                pass
    raise StoreFailure("record_invalid", about="file")
