"""Records whose values are in the keyring of the user's desktop, for command lines.

A keyring can only set, read and delete, and some of them replace a value by deleting it first.  So
each value gets its own name, and a small file says which value counts: the store writes that file
under the lock, whole or not at all.  The file also names the values that the store must remove,
because a keyring cannot list its values.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import ClassVar, Final, Protocol

from oidc_adapters.runtime.boot_clock import Boot, this_boot
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.runtime.private_folder import OpenFolder
from oidc_adapters.stores.records.folder import PATIENCE, Entry, FolderRecords
from oidc_adapters.stores.records.ports import Found
from oidc_core.wire.errors import StoreFailure, UsageError
from oidc_core.wire.settings import as_count, as_setting, check_kind

_OF_WINDOWS: Final = 2_560
"""Octets of UTF-16 that the Credential Manager keeps (``CRED_MAX_CREDENTIAL_BLOB_SIZE``)."""

_KEYRING: Final = FailsClosed("keyring")


class Keyring(Protocol):
    """The calls of a backend of the package ``keyring`` that are used."""

    def get_password(self, service: str, username: str, /) -> str | None:
        """Return a value, or ``None`` if the name has no value."""
        ...

    def set_password(self, service: str, username: str, password: str, /) -> None:
        """Keep a value."""
        ...

    def delete_password(self, service: str, username: str, /) -> None:
        """Remove a value that is there."""
        ...


class KeyringRecords(FolderRecords):
    """Keeps the value of each record in the keyring, and what else it needs in a folder.

    The package ``keyring`` is an extra: ``oidc-core[keyring]``.

    Args:
        service: under which name the keyring shows the values: that of your program.
        folder: of this user alone, like the folder of
            :class:`~oidc_adapters.stores.records.files.FileRecords`; processes that share records
            share the service and the folder.
        keyring: a backend; by default the one that the package ``keyring`` chooses.
        most: octets of UTF-16 that a value may have; by default as many as the system takes: 2,560
            on Windows.
        patience: for how many seconds a writer waits for other processes.
        clock: tells ``times.utc``.
        boot: tells the running start of the machine.

    Raises:
        UsageError: ``config_invalid``, also without a keyring that keeps anything.
    """

    __slots__ = ("_keyring", "_most", "_service")

    _ending: ClassVar[str] = ".entry"

    def __init__(
        self,
        service: str,
        folder: str | Path,
        *,
        keyring: Keyring | None = None,
        most: int | None = None,
        patience: int = PATIENCE,
        clock: Clock | None = None,
        boot: Callable[[], Boot] = this_boot,
    ) -> None:
        check_kind(service, str, about="service", code="config_invalid")
        if not service:
            raise UsageError("config_invalid", about="service", found=service, expected="a name")
        given = as_setting(keyring, Keyring | None, "keyring")
        limit = as_setting(most, int | None, "most")
        if limit is None and sys.platform == "win32":
            limit = _OF_WINDOWS
        self._service = service
        self._most = None if limit is None else as_count(limit, "most")
        super().__init__(folder, patience=patience, clock=clock, boot=boot)
        self._keyring = _chosen() if given is None else given

    def read(self, key: str, /) -> Found | None:
        """Return a record; a value that was replaced meanwhile is looked up again, with the lock.

        Raises:
            StoreFailure: ``record_invalid``, also for a value that somebody has removed from the
                keyring; ``record_version_unknown``, ``store_unavailable``.
        """
        try:
            return super().read(key)
        except StoreFailure as failure:
            if failure.code != "record_invalid":
                raise
            with self._locked() as folder:
                return self._read(folder, key)

    def _value(self, kept: str) -> str:
        value = self._kept(kept)
        if value is None:
            raise StoreFailure("record_invalid", about="keyring", found="no value")
        return value

    def _put(self, folder: OpenFolder, entry: Entry) -> None:
        value, name = entry.value or "", token_hex(16)
        self._check_size(value)
        old = self._entry(folder, entry.key) or entry._replace(version="", value=None)
        self._forget(old.stale)
        self._write(folder, old._replace(stale=(name,)))
        self._keep(name, value)
        stale = () if old.value is None else (old.value,)
        self._write(folder, entry._replace(value=name, stale=stale))
        with suppress(StoreFailure):  # the next one to write tries again
            self._forget(stale)

    def _drop(self, folder: OpenFolder, entry: Entry) -> None:
        stale = entry.stale if entry.value is None else (*entry.stale, entry.value)
        self._write(folder, entry._replace(value=None, stale=stale))
        self._forget(stale)
        self._unlink(folder, entry)

    def _check_size(self, value: str) -> None:
        octets = len(value.encode("utf-16-le", "surrogatepass"))
        if self._most is not None and octets > self._most:
            expected = f"{self._most} octets of UTF-16 at most"
            raise StoreFailure("store_full", about="keyring", found=octets, expected=expected)

    # --- the keyring -----------------------------------------------------------------------------

    def _kept(self, name: str) -> str | None:
        with _KEYRING:
            return self._keyring.get_password(self._service, name)

    def _keep(self, name: str, value: str) -> None:
        """Keep a value, and read it again: some backends keep nothing, or a part."""
        with _KEYRING:
            self._keyring.set_password(self._service, name, value)
        if self._kept(name) != value:
            found = "a value that differs from the one that was set"
            raise StoreFailure("store_unavailable", about="keyring", found=found)

    def _forget(self, names: tuple[str, ...]) -> None:
        for name in names:
            if self._kept(name) is not None:
                with _KEYRING:
                    self._keyring.delete_password(self._service, name)


def _chosen() -> Keyring:
    """Return the backend that the package ``keyring`` chooses.

    Raises:
        UsageError: ``config_invalid`` without the package, and for a backend that keeps nothing.
    """
    try:
        from keyring import get_keyring
        from keyring.backends import fail, null
    except ImportError as fault:
        expected = "the package keyring, as with oidc-core[keyring]"
        raise UsageError("config_invalid", about="keyring", expected=expected) from fault
    backend = get_keyring()
    if isinstance(backend, fail.Keyring | null.Keyring):
        found, expected = type(backend).__module__, "a backend that keeps values"
        raise UsageError("config_invalid", about="keyring", found=found, expected=expected)
    return backend
