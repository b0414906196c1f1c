"""The memory of a context: bounded in number and in time, safe between threads.

Each value is kept under a digest of its secret, never under the secret itself: looking something up
does not reveal the other entries.
"""

from typing import Generic, NamedTuple, TypeVar

from oidc_adapters.runtime.locks import ProcessLock
from oidc_core.wire.encoding import sha256_b64url
from oidc_core.wire.errors import StoreFailure

T = TypeVar("T")


def key_of(secret: str) -> str:
    """Return the key under which something belonging to a secret is kept."""
    return sha256_b64url(secret)


class _Kept(NamedTuple, Generic[T]):
    """A value, when it was put here, and for how many seconds it is kept."""

    value: T
    since: int
    lifetime: int

    def over(self, now: int) -> bool:
        # One of the future, where the clock was set back, must not be kept without end.
        return abs(now - self.since) > self.lifetime


class Memory(Generic[T]):
    """Values by key, each for a while; the oldest come first, so expiry costs nothing.

    An entry that is forgotten at the cap is unknown from then on, and the calls of the context
    refuse unknown entries: no check becomes weaker when a memory is full.

    Args:
        lifetime: seconds for which a value is kept at least.
        cap: how many values are kept at most.
    """

    __slots__ = ("_cap", "_lifetime", "_process", "_values")

    def __init__(self, *, lifetime: int, cap: int) -> None:
        self._values: dict[str, _Kept[T]] = {}
        self._lifetime = lifetime
        self._cap = cap
        self._process = ProcessLock()

    def put(self, key: str, value: T, now: int, *, until: int = 0) -> None:
        """Keep a value, at least until that time; at the cap the oldest one goes."""
        with self._process.lock:
            self._expire(now)
            self._values.pop(key, None)
            if len(self._values) >= self._cap:
                del self._values[next(iter(self._values))]
            self._values[key] = _Kept(value, now, max(self._lifetime, until - now))

    def admit(self, key: str, value: T, now: int) -> bool:
        """Keep a value unless one is there; at the cap no old value is dropped.

        Entries that strangers can add must not push out entries of others.

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
            self._values[key] = _Kept(value, now, self._lifetime)
            return True

    def check_room(self, now: int) -> None:
        """Refuse to begin what could not be kept without dropping another.

        Raises:
            StoreFailure: ``store_full``.
        """
        with self._process.lock:
            self._expire(now)
            if len(self._values) >= self._cap:
                raise StoreFailure("store_full", found=self._cap)

    def find(self, key: str, now: int) -> T | None:
        """Return a value and leave it where it is."""
        with self._process.lock:
            self._expire(now)
            kept = self._values.get(key)
        return None if kept is None or kept.over(now) else kept.value

    def take(self, key: str, now: int) -> T | None:
        """Take a value out: of two who try, one gets it."""
        with self._process.lock:
            self._expire(now)
            kept = self._values.pop(key, None)
        return None if kept is None or kept.over(now) else kept.value

    def _expire(self, now: int) -> None:
        while self._values:
            oldest = next(iter(self._values))
            if not self._values[oldest].over(now):
                return
            del self._values[oldest]

    def __len__(self) -> int:
        return len(self._values)
