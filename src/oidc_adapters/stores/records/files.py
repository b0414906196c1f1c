"""Records in the files of a folder, for command lines."""

from typing import ClassVar

from oidc_adapters.runtime.private_folder import OpenFolder
from oidc_adapters.stores.records.folder import Entry, FolderRecords


class FileRecords(FolderRecords):
    """Keeps each record in a separate file, for the command lines of one machine.

    It is meant for up to a hundred records, on a local disk: a record is written in some
    milliseconds, after which not even a power failure loses it.  A crash at any moment leaves the
    old record or the new one.

    The folder belongs to this user alone.  Its files have mode 0600, and this user can read their
    values: the callers of this store seal them.

    Args:
        folder: where the files are; if it is missing, the first call makes it with mode 0700.
        patience: for how many seconds a writer waits for other processes.
        clock: tells ``times.utc``.
        boot: tells the running start of the machine.

    Raises:
        UsageError: ``config_invalid``, also for a folder that another user owns or can write to,
            and for a symbolic link.
    """

    __slots__ = ()

    _ending: ClassVar[str] = ".record"

    def _value(self, kept: str) -> str:
        return kept

    def _put(self, folder: OpenFolder, entry: Entry) -> None:
        self._write(folder, entry)

    def _drop(self, folder: OpenFolder, entry: Entry) -> None:
        self._unlink(folder, entry)
