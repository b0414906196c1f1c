"""Logins in flight in the memory of this process; the browser keeps but its binding secret."""

from collections.abc import Mapping
from typing import Final

from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.stores.pending.cookies import CookieProfile, SetCookie
from oidc_adapters.stores.pending.ports import Taken
from oidc_core.model.pending import PendingLogin, binding_digest_of
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.encoding import same
from oidc_core.wire.errors import CallbackError, StoreFailure

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
        cookie = self._profile.cookie(pending, started.binding, self._lifetime)
        return (cookie, *self._profile.evicted(cookies, cookie)) if cookies else (cookie,)

    def take(self, pending_id: str, cookies: Mapping[str, str], now: int) -> Taken:
        """Take a login out.

        Raises:
            CallbackError: ``state_unknown``; ``binding_missing`` and ``binding_mismatch``, which
                leave the login where it is: whoever does not bring the cookie is not the browser
                that waits for it.
        """
        name = self._profile.prefix + pending_id
        value = cookies.get(name)
        binding = "" if value is None else value.partition(".")[2]
        digest = binding_digest_of(binding)
        with self._process.lock:
            self._expire(now)
            if pending_id not in self._logins:
                raise CallbackError("state_unknown")
            if value is None:
                raise CallbackError("binding_missing", about="cookie")
            if not same(digest, self._logins[pending_id].binding_digest):
                raise CallbackError("binding_mismatch", about="cookie")
            pending = self._logins.pop(pending_id)
        return Taken(
            pending=pending,
            binding=binding,
            cookies=(self._profile.forgotten(name),),
            single_use="process",
        )

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
