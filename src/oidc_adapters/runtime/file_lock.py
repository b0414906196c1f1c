"""A lock among the processes of one machine, on a file that is never replaced.

The operating system releases it when its holder ends, also after a crash: no process ever has to
take it from another.  It belongs to the open file.  A forked process has a copy of that file and
would keep the lock after its parent has died: so it closes the files that it finds open here.
"""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from random import SystemRandom
from threading import RLock
from time import monotonic, sleep

from oidc_core.wire.errors import StoreFailure

_SHORTEST = 0.001
_LONGEST = 0.032
_CHANCE = SystemRandom()

if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:  # another has it
            return False
        return True

    def _give_back(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another has it
            return False
        return True

    def _give_back(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


class _OpenFiles:
    """The lock files that this process has open, so that a forked process can close them."""

    __slots__ = ("files", "lock")

    def __init__(self) -> None:
        self.files: set[int] = set()
        self.lock = RLock()

    def add(self, opened: Callable[[], int]) -> int:
        """Open a file; no fork comes between that and its being known here."""
        with self.lock:
            file = opened()
            self.files.add(file)
            return file

    def remove(self, file: int) -> None:
        """Give a lock back and close its file, unless a fork has closed it already."""
        with self.lock:
            if file not in self.files:
                return
            self.files.discard(file)
            with suppress(OSError):  # closing gives it back, too
                _give_back(file)
            os.close(file)

    def hold(self) -> None:
        """Let a fork wait while a file is being opened or closed."""
        self.lock.acquire()

    def release(self) -> None:
        """Go on after a fork, in the parent."""
        self.lock.release()

    def forget(self) -> None:
        """Close what a fork has copied."""
        self.lock = RLock()
        for file in self.files:
            with suppress(OSError):
                os.close(file)
        self.files.clear()


_OPEN = _OpenFiles()

with suppress(AttributeError):  # Windows has no forks
    os.register_at_fork(
        before=_OPEN.hold,
        after_in_parent=_OPEN.release,
        after_in_child=_OPEN.forget,
    )


@contextmanager
def file_lock(
    opened: Callable[[], int], is_current: Callable[[int], bool], *, patience: float
) -> Generator[None]:
    """Hold the lock of a file.

    Args:
        opened: opens the file, and creates it if it is missing.
        is_current: whether the open file is still the one that others open.
        patience: for how many seconds another may hold it.

    Raises:
        StoreFailure: ``store_unavailable`` if another holds it for longer.
        OSError: the file cannot be opened or locked.
    """
    deadline = monotonic() + patience
    while True:
        file = _OPEN.add(opened)
        try:
            _wait(file, deadline, patience)
            if is_current(file):
                yield
                return
        finally:
            _OPEN.remove(file)


def _wait(file: int, deadline: float, patience: float) -> None:
    """Try again and again: a call that waits by itself cannot be told for how long."""
    pause = _SHORTEST
    while not _take(file):
        if monotonic() >= deadline:
            expected = f"{patience} seconds at most"
            raise StoreFailure(
                "store_unavailable", about="lock", found="held by another", expected=expected
            )
        sleep(_CHANCE.uniform(pause / 2, pause))
        pause = min(2 * pause, _LONGEST)
