"""Logins in flight in a store that several processes share; the browser keeps its binding secret.

A login is judged before it is removed: a foreign client, or a browser that does not bring the
binding, takes nothing.  Then one call of the store decides who takes it: it removes the version
that was read, and of several who try, one succeeds.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.stores.pending.cookies import CookieProfile, Cookies
from oidc_adapters.stores.pending.in_browser import (
    PROFILE,
    BoundLogout,
    KeepsBinding,
    is_of,
    judged,
    judged_logout,
    keepable,
)
from oidc_adapters.stores.pending.ports import LogoutSecrets, Taken, TakenLogout
from oidc_adapters.stores.records.both import at_once
from oidc_adapters.stores.records.callers import Callers, new_version
from oidc_adapters.stores.records.ports import AsyncRecords, Records
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_core.codec import (
    dump_pending_login,
    dump_pending_logout,
    load_pending_login,
    load_pending_logout,
)
from oidc_core.endpoints.end_session import LOGOUT_LIFETIME
from oidc_core.model.pending import binding_digest_of, pending_id_of
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import CallbackError, UsageError

_STORE: Final = FailsClosed("pending logins")
_CLOCK: Final = SystemClock()

T = TypeVar("T")


class RecordPendingLogins(KeepsBinding):
    """Keeps logins and logouts, sealed, in a store that any number of processes share.

    A login is taken out once among them all.  Of callers who race for one, one takes it;
    another one who read it meanwhile gets ``state_used``, and later ones ``state_unknown``.

    There is no cap: a record is cleaned away an hour after its login has expired.  Where
    strangers can start logins, limit how often, as you do for other pages that write.

    Who can read the store learns no secret, and who can write it makes no login; but they can
    remove one, or put one back that was taken.  The provider takes its code only once.

    Args:
        records: the store; one that waits serves waiting and awaiting clients, one that is awaited
            serves awaiting clients.
        secrets: the sealing secrets, newest first; the same in all processes.
        profile: how cookies are written.

    Raises:
        UsageError: ``config_invalid``, also in a call for code that waits where the store awaits.
    """

    __slots__ = ("_box", "_callers")

    def __init__(
        self,
        records: Records | AsyncRecords,
        *secrets: bytes | str,
        profile: CookieProfile = PROFILE,
    ) -> None:
        super().__init__(profile)
        self._callers = Callers(records)
        self._box = SealedBox(*secrets)

    def put(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies, now: int, /
    ) -> tuple[SetCookie, ...]:
        """Keep a login; return the browser's cookie, and deletions beyond its budget.

        Raises:
            UsageError: ``entropy_failure`` for a state that was there before.
            StoreFailure: ``store_full``, ``store_unavailable``.
        """
        return at_once(self._put(self._callers.waiting.records, rp, started, cookies, now))

    async def put_async(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies, now: int, /
    ) -> tuple[SetCookie, ...]:
        """Keep a login, like :meth:`put`."""
        return await self._put(self._callers.awaiting.records, rp, started, cookies, now)

    async def _put(
        self,
        records: AsyncRecords,
        rp: RelyingParty,
        started: LoginStarted,
        cookies: Cookies,
        now: int,
    ) -> tuple[SetCookie, ...]:
        key = _login(started.pending.id)
        text = dump_pending_login(keepable(started.pending))
        await self._create(records, key, text, _until(now, rp.policy.login_lifetime))
        return self._login_cookies(rp, started, cookies)

    def belongs(self, rp: RelyingParty, pending_id: str, _cookies: Cookies, /) -> bool:
        """Return whether this login is of this relying party."""
        return at_once(self._belongs(self._callers.waiting.records, rp, pending_id))

    async def belongs_async(self, rp: RelyingParty, pending_id: str, _cookies: Cookies, /) -> bool:
        """Return whether this login is of this relying party."""
        return await self._belongs(self._callers.awaiting.records, rp, pending_id)

    async def _belongs(self, records: AsyncRecords, rp: RelyingParty, pending_id: str) -> bool:
        pending, _ = await self._read(records, _login(pending_id), load_pending_login)
        return pending is not None and is_of(pending, rp)

    def take(self, rp: RelyingParty, pending_id: str, cookies: Cookies, _now: int, /) -> Taken:
        """Take a login out.

        Raises:
            CallbackError: ``state_unknown``; ``state_used`` if another caller was quicker;
                ``connection_mismatch``, ``binding_missing``, ``binding_duplicated`` and
                ``binding_mismatch``, which leave the login where it is.
            StoreFailure: ``store_unavailable``: where the store was asked to remove the login,
                nobody knows whether it did; ``seal_invalid``, ``record_invalid`` or
                ``record_version_unknown`` for a record that was changed, or whose sealing secret
                is not among these.
        """
        records = self._callers.waiting.records
        return at_once(self._take(records, rp, pending_id, cookies))

    async def take_async(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, _now: int, /
    ) -> Taken:
        """Take a login out, like :meth:`take`."""
        return await self._take(self._callers.awaiting.records, rp, pending_id, cookies)

    async def _take(
        self, records: AsyncRecords, rp: RelyingParty, pending_id: str, cookies: Cookies
    ) -> Taken:
        binding, key = self._login_binding(pending_id, cookies), _login(pending_id)
        found, version = await self._read(records, key, load_pending_login)
        pending = judged(found, rp, binding)
        if pending.id != pending_id or not await _removed(records, key, version):
            raise CallbackError("state_used")
        return self._taken(pending, binding, self._callers.single_use)

    def put_logout(
        self,
        _rp: RelyingParty,
        pending: PendingLogout,
        secrets: LogoutSecrets,
        cookies: Cookies,
        now: int,
        /,
    ) -> tuple[SetCookie, ...]:
        """Keep a logout; return the browser's cookie, and deletions beyond its budget.

        Raises:
            UsageError: ``entropy_failure`` for a state that was there before.
            StoreFailure: ``store_full``, ``store_unavailable``.
        """
        records = self._callers.waiting.records
        return at_once(self._put_logout(records, pending, secrets, cookies, now))

    async def put_logout_async(
        self,
        _rp: RelyingParty,
        pending: PendingLogout,
        secrets: LogoutSecrets,
        cookies: Cookies,
        now: int,
        /,
    ) -> tuple[SetCookie, ...]:
        """Keep a logout, like :meth:`put_logout`."""
        records = self._callers.awaiting.records
        return await self._put_logout(records, pending, secrets, cookies, now)

    async def _put_logout(
        self,
        records: AsyncRecords,
        pending: PendingLogout,
        secrets: LogoutSecrets,
        cookies: Cookies,
        now: int,
    ) -> tuple[SetCookie, ...]:
        key = _logout(pending_id_of(pending.state))
        text = f"{binding_digest_of(secrets.binding)}.{dump_pending_logout(pending)}"
        await self._create(records, key, text, _until(now, LOGOUT_LIFETIME))
        return self._logout_cookies(pending, secrets, cookies)

    def take_logout(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, _now: int, /
    ) -> TakenLogout:
        """Take a logout out.

        Raises:
            CallbackError: ``logout_state_mismatch``, also if another caller was quicker;
                ``binding_duplicated``, ``connection_mismatch``.
            StoreFailure: with the codes of :meth:`take`.
        """
        records = self._callers.waiting.records
        return at_once(self._take_logout(records, rp, pending_id, cookies))

    async def take_logout_async(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, _now: int, /
    ) -> TakenLogout:
        """Take a logout out, like :meth:`take_logout`."""
        return await self._take_logout(self._callers.awaiting.records, rp, pending_id, cookies)

    async def _take_logout(
        self, records: AsyncRecords, rp: RelyingParty, pending_id: str, cookies: Cookies
    ) -> TakenLogout:
        digest, key = self._logout_binding(pending_id, cookies), _logout(pending_id)
        kept, version = await self._read(records, key, _bound_logout)
        pending = judged_logout(kept, rp, digest)
        if not await _removed(records, key, version):
            raise CallbackError("logout_state_mismatch", about="cookie")
        return self._taken_logout(pending)

    async def _create(self, records: AsyncRecords, key: str, text: str, until: int) -> None:
        sealed = self._box.close(text, label=key)
        with _STORE:
            created = await records.create(key, new_version(), sealed, until)
        if created is not True:
            raise UsageError("entropy_failure", about="state", expected="one that is new")

    async def _read(
        self, records: AsyncRecords, key: str, load: Callable[[str], T]
    ) -> tuple[T | None, str]:
        """Return what is kept under a key, and its version."""
        with _STORE:
            found = await records.read(key)
        if found is None:
            return None, ""
        return load(self._box.open(found.value, label=key)), found.version


async def _removed(records: AsyncRecords, key: str, version: str) -> bool:
    """Remove a version of a record; every answer other than a plain yes is a no."""
    with _STORE:
        return await records.remove(key, version) is True


def _until(now: int, lifetime: int) -> int:
    """Return when a record expires; a client's own clock, as in tests, must not be too early."""
    return max(now, _CLOCK.now()) + lifetime


def _login(pending_id: str) -> str:
    return f"login:{pending_id}"


def _logout(pending_id: str) -> str:
    return f"logout:{pending_id}"


def _bound_logout(text: str) -> BoundLogout:
    digest, _, dumped = text.partition(".")
    return BoundLogout(load_pending_logout(dumped), digest)
