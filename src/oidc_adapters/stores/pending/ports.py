"""The ports of logins in flight."""

from collections.abc import Mapping
from typing import Protocol

from attrs import field, frozen

from oidc_adapters.stores.pending.cookies import CookieProfile, SetCookie
from oidc_core.model.pending import PendingLogin, SingleUse
from oidc_core.operations.login import LoginStarted


@frozen(kw_only=True)
class Taken:
    """A login taken out of its store.

    Attributes:
        pending: the login.
        binding: the secret this browser brought, or an empty string.
        cookies: to be set, so that the browser forgets the login.
        single_use: who makes sure that it was taken but once: a store that all processes share,
            this process, or nobody but the provider.
    """

    pending: PendingLogin
    binding: str = field(repr=False)
    cookies: tuple[SetCookie, ...]
    single_use: SingleUse


class PendingLogins(Protocol):
    """Keeps logins in flight, for code that waits and for code that awaits."""

    @property
    def profile(self) -> CookieProfile:
        """How cookies are written."""
        ...

    def put(
        self, started: LoginStarted, cookies: Mapping[str, str], now: int, /
    ) -> tuple[SetCookie, ...]:
        """Keep a login; return the cookies to set.

        Raises:
            UsageError: ``pending_too_large``.
            StoreFailure: ``pending_too_many``, ``store_unavailable``.
        """
        ...

    def take(self, pending_id: str, cookies: Mapping[str, str], now: int, /) -> Taken:
        """Take a login out, so that nobody takes it again.

        Raises:
            CallbackError: ``state_unknown``, ``state_expired``, ``binding_missing``,
                ``binding_mismatch``, ``state_used``.
            StoreFailure: ``seal_invalid``, ``record_invalid``, ``record_version_unknown``,
                ``store_unavailable``, ``store_full``.
        """
        ...

    async def put_async(
        self, started: LoginStarted, cookies: Mapping[str, str], now: int, /
    ) -> tuple[SetCookie, ...]:
        """Keep a login; as :meth:`put`."""
        ...

    async def take_async(self, pending_id: str, cookies: Mapping[str, str], now: int, /) -> Taken:
        """Take a login out; as :meth:`take`."""
        ...


class Spent(Protocol):
    """Remembers what was used up."""

    @property
    def single_use(self) -> SingleUse:
        """How far its memory reaches: ``shared`` or ``process``."""
        ...

    def seen_once(self, name: str, until: int, now: int) -> bool:
        """Return whether this is the first time for ``name``.

        It may be forgotten after ``until``, and had better not be at once: a clock that went wrong
        may be set right again.  Whatever it raises ends the login as ``store_unavailable``.

        Raises:
            StoreFailure: ``store_full`` rather than to forget another too early.
        """
        ...
