"""Stores that answer at once serve code that awaits as they serve code that waits."""

from typing import Protocol

from oidc_adapters.stores.pending.cookies import Cookies
from oidc_adapters.stores.pending.ports import LogoutSecrets, PendingLogins, Taken, TakenLogout
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.cookies import SetCookie


class AtOnce(PendingLogins, Protocol):
    """The awaitable calls of a store in which nothing waits."""

    __slots__ = ()

    async def put_async(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies, now: int, /
    ) -> tuple[SetCookie, ...]:
        """Keep a login, like ``put``."""
        return self.put(rp, started, cookies, now)

    async def belongs_async(self, rp: RelyingParty, pending_id: str, cookies: Cookies, /) -> bool:
        """Return whether a login waits here, like ``belongs``."""
        return self.belongs(rp, pending_id, cookies)

    async def take_async(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /
    ) -> Taken:
        """Take a login out, like ``take``."""
        return self.take(rp, pending_id, cookies, now)

    async def put_logout_async(
        self,
        rp: RelyingParty,
        pending: PendingLogout,
        secrets: LogoutSecrets,
        cookies: Cookies,
        now: int,
        /,
    ) -> tuple[SetCookie, ...]:
        """Keep a logout, like ``put_logout``."""
        return self.put_logout(rp, pending, secrets, cookies, now)

    async def take_logout_async(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /
    ) -> TakenLogout:
        """Take a logout out, like ``take_logout``."""
        return self.take_logout(rp, pending_id, cookies, now)
