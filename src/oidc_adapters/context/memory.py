"""The memory of a context: bounded in number and in time, safe between threads.

Nothing is kept under a secret itself, but under a digest of it: looking something up tells nothing
of what else is there.
"""

import os
from concurrent.futures import Future
from typing import Generic, TypeVar

from oidc_adapters.runtime.locks import ProcessLock
from oidc_core.wire.encoding import sha256_b64url
from oidc_core.wire.errors import StoreFailure

T = TypeVar("T")


def key_of(secret: str) -> str:
    """Return the key under which something belonging to a secret is kept."""
    return sha256_b64url(secret)


class Memory(Generic[T]):
    """Values by key, each for a while; the oldest come first, so expiry costs nothing.

    Args:
        lifetime: seconds for which a value is kept.
        cap: how many values are kept at most.
    """

    __slots__ = ("_cap", "_lifetime", "_process", "_values")

    def __init__(self, *, lifetime: int, cap: int) -> None:
        self._values: dict[str, tuple[T, int]] = {}
        self._lifetime = lifetime
        self._cap = cap
        self._process = ProcessLock()

    def put(self, key: str, value: T, now: int) -> None:
        """Keep a value; at the cap the oldest one goes."""
        with self._process.lock:
            self._expire(now)
            self._values.pop(key, None)
            if len(self._values) >= self._cap:
                del self._values[next(iter(self._values))]
            self._values[key] = (value, now)

    def admit(self, key: str, value: T, now: int) -> bool:
        """Keep a value unless one is there; at the cap none is dropped.

        Whatever strangers can fill must not push out what belongs to others.

        Returns:
            Whether it is kept; not if the key is taken.

        Raises:
            StoreFailure: ``pending_too_many``.
        """
        with self._process.lock:
            self._expire(now)
            if key in self._values:
                return False
            if len(self._values) >= self._cap:
                raise StoreFailure("pending_too_many", found=self._cap)
            self._values[key] = (value, now)
            return True

    def find(self, key: str, now: int) -> T | None:
        """Return a value and leave it where it is."""
        with self._process.lock:
            self._expire(now)
            kept = self._values.get(key)
        return None if kept is None else kept[0]

    def take(self, key: str, now: int) -> T | None:
        """Take a value out: of two who try, one gets it."""
        with self._process.lock:
            self._expire(now)
            kept = self._values.pop(key, None)
        return None if kept is None else kept[0]

    def _expire(self, now: int) -> None:
        while self._values:
            oldest = next(iter(self._values))
            # One of the future, where the clock was set back, must not stand in front for ever.
            if abs(now - self._values[oldest][1]) <= self._lifetime:
                return
            del self._values[oldest]

    def __len__(self) -> int:
        return len(self._values)


class Flights(Generic[T]):
    """What is under way: a caller who wants the same thing meanwhile waits for its result."""

    __slots__ = ("_flights", "_process")

    def __init__(self) -> None:
        # The process is in the key, for a fork leaves the threads of its parent's flights behind.
        self._flights: dict[tuple[int, str], Future[T]] = {}
        self._process = ProcessLock()

    def board(self, key: str) -> Future[T] | None:
        """Return the result to wait for, or ``None``: do it yourself, then :meth:`land`."""
        with self._process.lock:
            flight = self._flights.get((os.getpid(), key))
            if flight is None:
                self._flights[os.getpid(), key] = Future()
            return flight

    def land(self, key: str, result: T) -> None:
        """Hand the result to all who wait."""
        with self._process.lock:
            flight = self._flights.pop((os.getpid(), key))
        flight.set_result(result)
