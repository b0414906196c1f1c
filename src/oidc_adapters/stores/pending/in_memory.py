"""Logins in flight in the memory of this process; the browser keeps but its binding secret."""

from collections.abc import Mapping
from typing import Final

from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.stores.pending.binding import binding_cookies, taken_by
from oidc_adapters.stores.pending.cookies import CookieProfile, SetCookie
from oidc_adapters.stores.pending.ports import Taken
from oidc_core.model.pending import PendingLogin
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.errors import StoreFailure

_PROFILE: Final = CookieProfile()


class MemoryPendingLogins:
    """Keeps logins in a dict: for one process, for tests, for command lines.

    The oldest are the first to expire, so expiry costs nothing.  At the cap a new login is refused
    and none is dropped: a flood must not end the logins of others.

    Args:
        lifetime: seconds a login may take, as in the policy.
        cap: how many logins may be in flight.
        profile: how cookies are written.
    """

    __slots__ = ("_cap", "_lifetime", "_logins", "_process", "_profile")

    def __init__(
        self, *, lifetime: int = 600, cap: int = 100_000, profile: CookieProfile = _PROFILE
    ) -> None:
        self._logins: dict[str, PendingLogin] = {}
        self._lifetime = lifetime
        self._cap = cap
        self._profile = profile
        self._process = ProcessLock()

    @property
    def profile(self) -> CookieProfile:
        """How cookies are written."""
        return self._profile

    def put(
        self, started: LoginStarted, cookies: Mapping[str, str], now: int
    ) -> tuple[SetCookie, ...]:
        """Keep a login; return the browser's cookie, and deletions beyond its budget.

        Raises:
            StoreFailure: ``pending_too_many``.
        """
        pending = started.pending
        with self._process.lock:
            self._expire(now)
            if len(self._logins) >= self._cap:
                raise StoreFailure("pending_too_many", found=self._cap)
            self._logins[pending.id] = pending
        return binding_cookies(self._profile, started, cookies, self._lifetime)

    def take(self, pending_id: str, cookies: Mapping[str, str], now: int) -> Taken:
        """Take a login out.

        Raises:
            CallbackError: ``state_unknown``; ``binding_missing`` and ``binding_mismatch``, which
                leave the login where it is: a browser that does not bring the cookie is not the one
                that waits for it.
        """
        with self._process.lock:
            self._expire(now)
            taken = taken_by(self._profile, self._logins.get(pending_id), cookies, "process")
            del self._logins[pending_id]
        return taken

    async def put_async(
        self, started: LoginStarted, cookies: Mapping[str, str], now: int, /
    ) -> tuple[SetCookie, ...]:
        """Keep a login; as :meth:`put`, since nothing here waits."""
        return self.put(started, cookies, now)

    async def take_async(self, pending_id: str, cookies: Mapping[str, str], now: int, /) -> Taken:
        """Take a login out; as :meth:`take`, since nothing here waits."""
        return self.take(pending_id, cookies, now)

    def _expire(self, now: int) -> None:
        """Drop what is over; logins were put in order, so the head is the oldest."""
        while self._logins:
            oldest = next(iter(self._logins))
            # One of the future, where the clock was set back, must not stand in front for ever.
            if abs(now - self._logins[oldest].created_at) <= self._lifetime:
                return
            del self._logins[oldest]

    def __len__(self) -> int:
        return len(self._logins)
