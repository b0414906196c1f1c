"""A folder of this user alone, with small files that are there whole or not at all."""

import errno
import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from oidc_core.wire.errors import StoreFailure, UsageError

_TEMPORARY: Final = "new"
_WRITABLE: Final = stat.S_IWGRP | stat.S_IWOTH
_NO_FOLDER: Final = (errno.ENOTDIR, errno.ELOOP)
_IN_FOLDERS: Final = os.open in os.supports_dir_fd

# Windows has neither of the first two; the last is its own.
_PLAIN: Final[int] = (
    getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)
_FOLDER: Final[int] = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_DIRECTORY", 0)


class PrivateFolder:
    """A folder of one user.  If it is missing, the first call that opens it makes it, mode 0700.

    Args:
        path: of the folder; its last part must not be a symbolic link.

    Raises:
        UsageError: ``config_invalid`` for a folder of another user, for one that others can write
            to, and for a path that leads to no folder.
    """

    __slots__ = ("_path",)

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()  # not resolved: that would follow a symbolic link
        with suppress(FileNotFoundError):
            self._close(self._open())

    @contextmanager
    def opened(self) -> Generator["OpenFolder"]:
        """Open it, and judge it again: it may have been changed since.

        Raises:
            UsageError: ``config_invalid``, as above.
            OSError: it can be neither made nor opened.
        """
        try:
            file = self._open()
        except FileNotFoundError:
            self._make()
            file = self._open()
        try:
            yield OpenFolder(self._path, file)
        finally:
            self._close(file)

    def _open(self) -> int | None:
        """Open the folder; ``None`` where files are opened by their whole path only."""
        if not _IN_FOLDERS:
            self._path.stat()
            return None
        try:
            file = os.open(self._path, _FOLDER)
        except OSError as fault:
            if fault.errno not in _NO_FOLDER:
                raise
            raise _refused("a link, or no folder") from fault
        try:
            _judge(os.fstat(file))
        except BaseException:
            os.close(file)
            raise
        return file

    @staticmethod
    def _close(file: int | None) -> None:
        if file is not None:
            os.close(file)

    def _make(self) -> None:
        parent = self._path.parent
        parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            self._path.mkdir(0o700)
            _settle(parent)


class OpenFolder:
    """A folder while it is open: its names lead nowhere else."""

    __slots__ = ("_file", "_path")

    def __init__(self, path: Path, file: int | None) -> None:
        self._path = path
        self._file = file

    def _at(self, name: str) -> str | Path:
        return name if self._file is not None else self._path / name

    def lock_file(self, name: str) -> int:
        """Open a file for a lock, and create it if it is missing."""
        return os.open(self._at(name), os.O_RDWR | os.O_CREAT | _PLAIN, 0o600, dir_fd=self._file)

    def is_current(self, name: str, file: int) -> bool:
        """Return whether a name still means this open file."""
        try:
            found = os.stat(self._at(name), dir_fd=self._file, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(file))

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or ``None`` if it is missing.

        Raises:
            StoreFailure: ``record_invalid`` if it is not a plain file of this user alone.
            OSError: it cannot be read, or is a symbolic link.
        """
        try:
            file = os.open(self._at(name), os.O_RDONLY | _PLAIN, dir_fd=self._file)
        except FileNotFoundError:
            return None
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode) or _shared(found):
                raise StoreFailure("record_invalid", about="file", found=_kind(found))
            with os.fdopen(file, "rb", closefd=False) as stream:
                return stream.read()
        finally:
            os.close(file)

    def write(self, name: str, octets: bytes) -> None:
        """Put a file in the place of another, so that even a crash leaves either of them.

        Only one caller may do so at a time: each first removes what a crash left of another.

        Raises:
            OSError: it cannot be written; it may have been.
        """
        with suppress(FileNotFoundError):
            os.unlink(self._at(_TEMPORARY), dir_fd=self._file)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN
        file = os.open(self._at(_TEMPORARY), flags, 0o600, dir_fd=self._file)
        with os.fdopen(file, "wb") as stream:
            stream.write(octets)
            stream.flush()
            os.fsync(file)
        source, target = self._at(_TEMPORARY), self._at(name)
        os.replace(source, target, src_dir_fd=self._file, dst_dir_fd=self._file)
        self._settle()

    def remove(self, name: str) -> None:
        """Remove a file.

        Raises:
            OSError: it cannot be removed; it may have been.
        """
        os.unlink(self._at(name), dir_fd=self._file)
        self._settle()

    def names(self) -> list[str]:
        """Return the names of its files."""
        with os.scandir(self._path if self._file is None else self._file) as found:
            return sorted(each.name for each in found)

    def _settle(self) -> None:
        """Wait until its names are on the disk."""
        if self._file is not None:
            os.fsync(self._file)


def _settle(path: Path) -> None:
    """Wait until the names of a folder are on the disk, where that can be told."""
    if _IN_FOLDERS:
        with suppress(PermissionError):  # a folder that we may write to and not read
            file = os.open(path, os.O_RDONLY)
            try:
                os.fsync(file)
            finally:
                os.close(file)


def _judge(found: os.stat_result) -> None:
    if _shared(found):
        raise _refused(_kind(found))


def _shared(found: os.stat_result) -> bool:
    """Return whether another user owns it or can write to it; Windows does not tell."""
    if sys.platform == "win32":
        return False
    return found.st_uid != os.geteuid() or bool(found.st_mode & _WRITABLE)


def _kind(found: os.stat_result) -> str:
    return f"mode {stat.filemode(found.st_mode)} of user {found.st_uid}"


def _refused(found: str) -> UsageError:
    expected = "a folder of this user that no one else can write to"
    return UsageError("config_invalid", about="folder", found=found, expected=expected)
