"""Locks that a forked process finds open.

A fork copies a lock as it is, but of all threads only the one that forks. A lock that another
thread held would stay shut in the child without end, and hang its first login.

Values behind this kind of lock must still be usable if they are half changed. Here each change is
one of a dict, whole in itself, and the child at worst lacks what a thread of its parent was about
to write down.

A thread that holds one may enter it again: the garbage collector can run anywhere, also there, and
end a coroutine that was left behind, whose ``except`` clauses enter the same lock.
"""

import os
from contextlib import suppress
from threading import RLock
from typing import Final
from weakref import WeakSet


class ProcessLock:
    """A lock among the threads of one process.

    Attributes:
        lock: to be entered by ``with``, and not kept: a forked process has another.
    """

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = RLock()
        _ALL.add(self)


_ALL: Final[WeakSet[ProcessLock]] = WeakSet()


def _renew() -> None:
    """Replace them: to open them would fail a fork within one, and leaves it there."""
    for each in _ALL:
        each.lock = RLock()


with suppress(AttributeError):  # Windows has no forks
    os.register_at_fork(after_in_child=_renew)
