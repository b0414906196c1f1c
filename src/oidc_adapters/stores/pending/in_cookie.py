"""Logins in flight, sealed in the browser's own cookie: no store, any number of processes."""

from collections.abc import Mapping
from typing import Final

from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.stores.pending.cookies import CookieProfile, SetCookie
from oidc_adapters.stores.pending.ports import Spent, Taken
from oidc_adapters.stores.pending.spent import MemorySpent
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_core.codec import dump_pending_login, load_pending_login
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.errors import CallbackError, UsageError

MAX_COOKIE: Final = 3_800
"""Octets that name and value of a cookie may have together."""

_PROFILE: Final = CookieProfile()
_SPENT: Final = FailsClosed("spent logins")


class CookiePendingLogins:
    """Keeps each login sealed in a cookie of its own.

    Args:
        secrets: the sealing secrets, newest first; the same in all processes.
        spent: what was taken already; share one among processes to have a login taken but once
            among them all.  Without, the provider's refusal of a used code is the second line.
        lifetime: seconds a login may take, as in the policy.
        profile: how cookies are written.
    """

    __slots__ = ("_box", "_lifetime", "_profile", "_spent")

    def __init__(
        self,
        *secrets: bytes | str,
        spent: Spent | None = None,
        lifetime: int = 600,
        profile: CookieProfile = _PROFILE,
    ) -> None:
        self._box = SealedBox(*secrets)
        self._spent: Spent = MemorySpent() if spent is None else spent
        self._lifetime = lifetime
        self._profile = profile

    @property
    def profile(self) -> CookieProfile:
        """How cookies are written."""
        return self._profile

    def put(
        self, started: LoginStarted, cookies: Mapping[str, str], _now: int, /
    ) -> tuple[SetCookie, ...]:
        """Seal a login into a cookie; return it, and deletions of the oldest beyond the budget.

        Raises:
            UsageError: ``pending_too_large`` beyond :data:`MAX_COOKIE` octets.
        """
        pending = started.pending
        name = self._profile.prefix + pending.id
        sealed = self._box.close(dump_pending_login(pending), label=f"pending {pending.id}")
        cookie = self._profile.cookie(pending, f"{started.binding}.{sealed}", self._lifetime)
        size = len(name) + len(cookie.value)
        if size > MAX_COOKIE:
            raise UsageError("pending_too_large", found=size, expected=MAX_COOKIE)
        return (cookie, *self._profile.evicted(cookies, cookie))

    def take(self, pending_id: str, cookies: Mapping[str, str], now: int) -> Taken:
        """Open this browser's cookie of that login, once.

        Raises:
            CallbackError: ``binding_missing`` without the cookie, ``state_used``,
                ``state_expired`` after twice the lifetime.
            StoreFailure: ``seal_invalid``, ``record_invalid``, ``record_version_unknown``,
                ``store_full``, ``store_unavailable`` for whatever ``spent`` raises.
        """
        name = self._profile.prefix + pending_id
        value = cookies.get(name)
        if value is None:
            raise CallbackError("binding_missing", about="cookie")
        _, _, rest = value.partition(".")
        binding, _, sealed = rest.partition(".")
        pending = load_pending_login(self._box.open(sealed, label=f"pending {pending_id}"))
        until = pending.created_at + 2 * self._lifetime
        if now > until:  # nothing is remembered as spent for longer
            raise CallbackError("state_expired", found=now - pending.created_at)
        with _SPENT:
            first, single_use = (
                self._spent.seen_once(pending_id, until, now),
                self._spent.single_use,
            )
        if not first:
            raise CallbackError("state_used")
        return Taken(
            pending=pending,
            binding=binding,
            cookies=(self._profile.forgotten(name),),
            single_use=single_use,
        )

    async def put_async(
        self, started: LoginStarted, cookies: Mapping[str, str], now: int, /
    ) -> tuple[SetCookie, ...]:
        """Keep a login; as :meth:`put`, since nothing here waits."""
        return self.put(started, cookies, now)

    async def take_async(self, pending_id: str, cookies: Mapping[str, str], now: int, /) -> Taken:
        """Take a login out; as :meth:`take`, since nothing here waits."""
        return self.take(pending_id, cookies, now)
