"""The ports of logins and logouts in flight."""

from typing import Final, NamedTuple, Protocol

from attrs import field, frozen

from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.stores.pending.cookies import CookieProfile, Cookies
from oidc_core.model.pending import LoginSecrets, PendingLogin, SingleUse
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.settings import check_fields, fields_of


@frozen(kw_only=True)
class Taken:
    """A login taken out of its store.

    Attributes:
        pending: the login.
        binding: the secret this browser brought, or an empty string.
        cookies: to be set, so that the browser forgets the login.
        single_use: who makes sure that it was taken only once: a store that all processes share,
            this process, or only the provider.
    """

    pending: PendingLogin
    binding: str = field(repr=False)
    cookies: tuple[SetCookie, ...]
    single_use: SingleUse

    def __attrs_post_init__(self) -> None:
        taken = (type(self.pending), type(self.binding), type(self.cookies))
        if taken != (PendingLogin, str, tuple) or self.single_use not in _USES:
            check_fields(self, _TAKEN)


_TAKEN: Final = fields_of(Taken, "parameter_invalid")
_USES: Final = ("shared", "process", "provider_only")


class LogoutSecrets(NamedTuple):
    """The secrets of one logout: one comes back in the URL, the other in a cookie."""

    state: str
    binding: str

    def __repr__(self) -> str:
        return "LogoutSecrets()"


class TakenLogout(NamedTuple):
    """A logout taken out of its store, and the cookies that have the browser forget it."""

    pending: PendingLogout
    cookies: tuple[SetCookie, ...]


class PendingLogins(Protocol):
    """Keeps logins and logouts in flight, for code that waits and for code that awaits.

    ``cookies`` are the cookies of the request, see
    :attr:`~oidc_core.wire.incoming.Incoming.cookies`. Bad input of a browser is refused with a
    ``CallbackError``; a store that fails raises a ``StoreFailure``.
    """

    @property
    def profile(self) -> CookieProfile:
        """How cookies are written."""
        ...

    def secrets(self, entropy: Entropy, /) -> LoginSecrets:
        """Return the secrets of a login that will be kept here."""
        ...

    def logout_secrets(self, entropy: Entropy, /) -> LogoutSecrets:
        """Return the secrets of a logout that will be kept here."""
        ...

    def put(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies, now: int, /
    ) -> tuple[SetCookie, ...]:
        """Keep a login; return the cookies to set.

        A ``return_to`` that is too long for this store is not kept.

        Raises:
            UsageError: ``pending_too_large`` if what the login demands needs another store.
            StoreFailure: ``pending_too_many``, ``store_unavailable``.
        """
        ...

    def belongs(self, rp: RelyingParty, pending_id: str, cookies: Cookies, /) -> bool:
        """Return whether a login waits here for this relying party; the login stays there."""
        ...

    def take(self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /) -> Taken:
        """Take a login out, so that nobody takes it again.

        Raises:
            CallbackError: ``state_unknown``, ``state_expired``, ``binding_missing``,
                ``binding_mismatch``, ``binding_duplicated``, ``cookie_invalid``,
                ``cookie_key_unknown``, ``state_used``; ``connection_mismatch``, which takes
                nothing.
            StoreFailure: ``store_full``, ``store_unavailable``.
        """
        ...

    def put_logout(
        self,
        rp: RelyingParty,
        pending: PendingLogout,
        secrets: LogoutSecrets,
        cookies: Cookies,
        now: int,
        /,
    ) -> tuple[SetCookie, ...]:
        """Keep a logout; return the cookies to set.

        Raises:
            StoreFailure: ``pending_too_many``, ``store_unavailable``.
        """
        ...

    def take_logout(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /
    ) -> TakenLogout:
        """Take a logout out.

        Raises:
            CallbackError: ``logout_state_mismatch``, ``logout_expired``, or as :meth:`take`.
            StoreFailure: ``store_unavailable``.
        """
        ...

    async def put_async(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies, now: int, /
    ) -> tuple[SetCookie, ...]:
        """Keep a login, like :meth:`put`."""
        ...

    async def belongs_async(self, rp: RelyingParty, pending_id: str, cookies: Cookies, /) -> bool:
        """Return whether a login waits here, like :meth:`belongs`."""
        ...

    async def take_async(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /
    ) -> Taken:
        """Take a login out, like :meth:`take`."""
        ...

    async def put_logout_async(
        self,
        rp: RelyingParty,
        pending: PendingLogout,
        secrets: LogoutSecrets,
        cookies: Cookies,
        now: int,
        /,
    ) -> tuple[SetCookie, ...]:
        """Keep a logout, like :meth:`put_logout`."""
        ...

    async def take_logout_async(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /
    ) -> TakenLogout:
        """Take a logout out, like :meth:`take_logout`."""
        ...


class Spent(Protocol):
    """Remembers what was used up.

    A client that awaits calls it at once, which is right for one in memory: while it waits for a
    database, nothing else in that event loop goes on. One that also has ``seen_once_async``, as
    :class:`AsyncSpent` says, is awaited there instead.
    """

    @property
    def single_use(self) -> SingleUse:
        """How far its memory reaches: ``shared`` or ``process``."""
        ...

    def seen_once(self, name: str, until: int, now: int) -> bool:
        """Return whether this is the first time for ``name``.

        It may be forgotten after ``until``, and had better not be at once: a clock that went wrong
        may be set right again. Every exception of it ends the login as ``store_unavailable``.

        Raises:
            StoreFailure: ``store_full`` rather than to forget another too early.
        """
        ...


class AsyncSpent(Protocol):
    """Remembers what was used up, for clients that await."""

    @property
    def single_use(self) -> SingleUse:
        """How far its memory reaches, like :attr:`Spent.single_use`."""
        ...

    async def seen_once_async(self, name: str, until: int, now: int) -> bool:
        """Return whether this is the first time for ``name``, like :meth:`Spent.seen_once`."""
        ...
