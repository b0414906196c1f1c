"""Logins in flight, sealed in the browser's own cookie: no store, any number of processes."""

from typing import Final, NamedTuple, cast

from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.stores.pending.at_once import AtOnce
from oidc_adapters.stores.pending.cookie_record import (
    LOGOUT_STATE,
    identity_of,
    login_octets,
    login_of,
    logout_kept,
    logout_octets,
    logout_of,
    pending_of,
    secrets_of,
)
from oidc_adapters.stores.pending.cookies import (
    BETWEEN,
    CAP,
    CookieProfile,
    Cookies,
    only_value,
)
from oidc_adapters.stores.pending.ports import AsyncSpent, LogoutSecrets, Spent, Taken, TakenLogout
from oidc_adapters.stores.pending.spent import MemorySpent
from oidc_adapters.stores.pending.spent_in_records import SPENT, RecordSpent
from oidc_adapters.stores.seed_box import SEED, Opened, SeedBox
from oidc_core.endpoints.authorization import unasked_login
from oidc_core.endpoints.end_session import LOGOUT_LIFETIME
from oidc_core.model.pending import DELIVERIES, LoginSecrets, PendingLogin, SingleUse, pending_id_of
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import CallbackError, OidcError, StoreFailure, UsageError
from oidc_core.wire.settings import as_setting

RETURN_TO: Final = 138
"""Octets of ``return_to`` that are kept; a stranger may have written it."""

_LOGIN: Final = "login"
_LOGOUT: Final = "logout"
_PROFILE: Final = CookieProfile()
_SPENT: Final = FailsClosed(SPENT)


class _Found(NamedTuple):
    """The login of a cookie, and until when the store must remember it as used."""

    pending: PendingLogin
    seed: bytes
    until: int


class CookiePendingLogins(AtOnce):
    """Keeps each login, and each logout, sealed in its own cookie.

    State, nonce, code verifier and binding are derived from the sealing secret and a seed in the
    cookie, so they take no room. A login takes at most 285 octets of a request with default
    demands, and 400 with its other demands.

    Args:
        secrets: the sealing secrets, newest first; the same in all processes.
        spent: the memory of used logins; share one among processes so that a login can be taken
            only once among them all. Without, the provider's refusal of a used code is the second
            line. A client that awaits awaits one that has ``seen_once_async``.
        profile: how cookies are written.

    Raises:
        UsageError: ``config_invalid``, also where code that waits puts a login, but ``spent`` must
            be awaited.
    """

    __slots__ = ("_awaited", "_box", "_profile", "_spent")

    def __init__(
        self,
        *secrets: bytes | str,
        spent: Spent | AsyncSpent | None = None,
        profile: CookieProfile = _PROFILE,
    ) -> None:
        self._box = SeedBox(*secrets)
        given = as_setting(spent, Spent | AsyncSpent | None, "spent")
        spends = MemorySpent() if given is None else given
        self._spent = cast("Spent", spends) if hasattr(spends, "seen_once") else None
        self._awaited = cast("AsyncSpent", spends) if hasattr(spends, "seen_once_async") else None
        self._profile = as_setting(profile, CookieProfile, "profile")

    @property
    def profile(self) -> CookieProfile:
        """How cookies are written."""
        return self._profile

    def secrets(self, entropy: Entropy, /) -> LoginSecrets:
        """Return secrets that are derived from a fresh seed.

        Raises:
            UsageError: ``entropy_failure`` for a value that is not a token.
        """
        return secrets_of(self._box, _seed(entropy))

    def logout_secrets(self, entropy: Entropy, /) -> LogoutSecrets:
        """Return a state that is derived from a fresh seed.

        Raises:
            UsageError: ``entropy_failure`` for a value that is not a token.
        """
        seed = _seed(entropy)
        return LogoutSecrets(self._box.secret(LOGOUT_STATE, seed), b64url_encode(seed))

    def put(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies, _now: int, /
    ) -> tuple[SetCookie, ...]:
        """Seal a login into a cookie; return it, and deletions of others beyond the budget.

        ``return_to`` is dropped if it has more than :data:`RETURN_TO` octets or does not fit.

        Raises:
            UsageError: ``pending_too_large`` if the cookie would take more than 400 octets even
                so; ``entropy_failure`` for a login whose secrets are not this store's;
                ``config_invalid`` if code that waits could not take it, because ``spent`` must be
                awaited.
        """
        self._waiting()
        return self._put(rp, started, cookies)

    async def put_async(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies, _now: int, /
    ) -> tuple[SetCookie, ...]:
        """Seal a login into a cookie, like :meth:`put`."""
        return self._put(rp, started, cookies)

    def _put(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies
    ) -> tuple[SetCookie, ...]:
        pending, seed = started.pending, _decoded(started.binding)
        plain = unasked_login(rp, secrets_of(self._box, seed), pending.created_at)
        if plain.state != pending.state:
            raise UsageError("entropy_failure", about="secrets", expected="those of this store")
        name, lifetime = self._profile.login_name(pending.id), rp.policy.login_lifetime
        written = login_octets(self._box, rp, pending, plain)
        wanted = pending.return_to.encode("utf-8")
        if len(wanted) > RETURN_TO or self._size(name, written) > CAP:
            written = written[: len(written) - len(wanted)]
        # A seed seals once: the size is known before.
        self._check_cap(name, written)
        across = DELIVERIES[pending.response_mode] == "form_post"
        sealed = self._box.close(seed, written, label=_LOGIN)
        cookie = self._profile.cookie(name, sealed, lifetime, across=across)
        return (cookie, *self._profile.evicted(cookies, cookie, self._age))

    def _size(self, name: str, written: bytes) -> int:
        return len(name) + self._box.length(len(written)) + BETWEEN

    def _check_cap(self, name: str, written: bytes) -> None:
        size = self._size(name, written)
        if size > CAP:
            raise UsageError("pending_too_large", found=size, expected=CAP)

    def belongs(self, rp: RelyingParty, pending_id: str, cookies: Cookies, /) -> bool:
        """Return whether this browser's cookie of that login is of this relying party."""
        try:
            opened = self._opened(self._profile.login_name(pending_id), cookies, _LOGIN)
            return login_of(opened).identity == identity_of(self._box, rp, opened.key_id)
        except CallbackError:
            return False

    def take(self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /) -> Taken:
        """Open this browser's cookie of that login, once.

        Raises:
            CallbackError: ``binding_missing`` without the cookie, ``binding_duplicated``,
                ``cookie_invalid``, ``cookie_key_unknown``, ``connection_mismatch``,
                ``state_expired``, ``state_used``.
            StoreFailure: ``store_full``, ``store_unavailable`` for every exception of ``spent``.
        """
        spent = self._waiting()
        found = self._found(rp, pending_id, cookies, now)
        with _SPENT:
            first, single_use = spent.seen_once(pending_id, found.until, now), spent.single_use
        return self._taken(found, first, single_use)

    async def take_async(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /
    ) -> Taken:
        """Open this browser's cookie of that login, like :meth:`take`."""
        spent = self._awaited
        if spent is None:
            return self.take(rp, pending_id, cookies, now)
        found = self._found(rp, pending_id, cookies, now)
        with _SPENT:
            first = await spent.seen_once_async(pending_id, found.until, now)
            single_use = spent.single_use
        return self._taken(found, first, single_use)

    def _found(self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int) -> _Found:
        opened = self._opened(self._profile.login_name(pending_id), cookies, _LOGIN)
        kept = login_of(opened)
        if kept.identity != identity_of(self._box, rp, opened.key_id):
            raise CallbackError("connection_mismatch", about="client")
        pending = pending_of(self._box, rp, opened, kept)
        if pending.id != pending_id:
            raise CallbackError("cookie_invalid", about="cookie")
        age, lifetime = now - kept.created_at, rp.policy.login_lifetime
        if age > 2 * lifetime:  # a name is not remembered as spent for longer
            raise CallbackError("state_expired", found=age, expected=lifetime)
        return _Found(pending, opened.seed, kept.created_at + 2 * lifetime)

    def _taken(self, found: _Found, first: object, single_use: SingleUse) -> Taken:
        """Hand a login out; what is neither yes nor no, as a coroutine, lets nobody in."""
        if type(first) is not bool:
            kind = type(first).__name__
            raise StoreFailure("store_unavailable", found=kind, expected="bool", about=SPENT)
        if not first:
            raise CallbackError("state_used")
        name = self._profile.login_name(found.pending.id)
        return Taken(
            pending=found.pending,
            binding=b64url_encode(found.seed),
            cookies=(self._profile.forgotten(name),),
            single_use=single_use,
        )

    def _waiting(self) -> Spent:
        """Return what is spent, for code that waits.

        Raises:
            UsageError: ``config_invalid`` if it must be awaited.
        """
        if isinstance(self._spent, RecordSpent):
            self._spent.check_waiting()
        if self._spent is None:
            found, expected = type(self._awaited).__name__, "seen_once, for a client that waits"
            raise UsageError("config_invalid", about="spent", found=found, expected=expected)
        return self._spent

    def put_logout(
        self,
        rp: RelyingParty,
        pending: PendingLogout,
        secrets: LogoutSecrets,
        cookies: Cookies,
        _now: int,
        /,
    ) -> tuple[SetCookie, ...]:
        """Seal a logout into a cookie; return it, and deletions of others beyond the budget.

        Raises:
            UsageError: ``entropy_failure`` for a logout whose secrets are not this store's.
        """
        seed = _decoded(secrets.binding)
        if self._box.secret(LOGOUT_STATE, seed) != pending.state:
            raise UsageError("entropy_failure", about="secrets", expected="those of this store")
        name = self._profile.logout_name(pending_id_of(pending.state))
        written = logout_octets(self._box, rp, pending)
        sealed = self._box.close(seed, written, label=_LOGOUT)
        cookie = self._profile.cookie(name, sealed, LOGOUT_LIFETIME)
        return (cookie, *self._profile.evicted(cookies, cookie, self._age))

    def take_logout(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, _now: int, /
    ) -> TakenLogout:
        """Open this browser's cookie of that logout.

        Raises:
            CallbackError: ``logout_state_mismatch`` without the cookie, ``binding_duplicated``,
                ``cookie_invalid``, ``cookie_key_unknown``, ``connection_mismatch``.
        """
        name = self._profile.logout_name(pending_id)
        if not only_value(cookies, name):
            raise CallbackError("logout_state_mismatch", about="cookie")
        pending = logout_of(self._box, rp, self._opened(name, cookies, _LOGOUT))
        if pending_id_of(pending.state) != pending_id:
            raise CallbackError("cookie_invalid", about="cookie")
        return TakenLogout(pending, (self._profile.forgotten(name),))

    def _opened(self, name: str, cookies: Cookies, label: str) -> Opened:
        value = only_value(cookies, name)
        if not value:
            raise CallbackError("binding_missing", about="cookie")
        return self._box.open(value, label=label)

    def _age(self, name: str, value: str) -> int | None:
        """Return when what a cookie is of was started; ``None`` if it does not open."""
        try:
            if self._profile.is_logout(name):
                return logout_kept(self._box.open(value, label=_LOGOUT)).created_at
            return login_of(self._box.open(value, label=_LOGIN)).created_at
        except CallbackError:
            return None


def _seed(entropy: Entropy) -> bytes:
    seed = _octets_of(entropy.token())[:SEED]
    if len(seed) != SEED or len({*seed}) == 1:
        expected = f"{SEED} fresh octets or more"
        raise UsageError("entropy_failure", about="token", expected=expected)
    return seed


def _decoded(binding: str) -> bytes:
    """Return the seed that stands for a login's binding."""
    seed = _octets_of(binding)
    if len(seed) != SEED:
        raise UsageError("entropy_failure", about="binding", expected="that of this store")
    return seed


def _octets_of(text: str) -> bytes:
    """Decode base64url; other text gives nothing."""
    try:
        return b64url_decode(text.encode("ascii", "replace"))
    except OidcError:
        return b""
