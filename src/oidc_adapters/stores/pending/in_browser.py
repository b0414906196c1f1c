"""The browser's part of a login or logout that waits elsewhere: a cookie with its binding secret.

Stores that differ only in where they keep a login share this part.
"""

from typing import Final

from attrs import evolve

from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.stores.pending.cookies import CookieProfile, Cookies, only_value
from oidc_adapters.stores.pending.ports import LogoutSecrets, Taken, TakenLogout
from oidc_core.endpoints import end_session
from oidc_core.endpoints.end_session import LOGOUT_LIFETIME
from oidc_core.model.pending import (
    DELIVERIES,
    LoginSecrets,
    PendingLogin,
    SingleUse,
    binding_digest_of,
    check_binding,
    pending_id_of,
)
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.encoding import same
from oidc_core.wire.errors import CallbackError
from oidc_core.wire.settings import as_setting

RETURN_TO: Final = 1_024
"""Characters of ``return_to`` that are kept; a stranger may have written it."""

PROFILE: Final = CookieProfile()
_DIGITS: Final = 11


class BoundLogout:
    """A logout in flight, and the browser that started it."""

    __slots__ = ("binding_digest", "pending")

    def __init__(self, pending: PendingLogout, binding_digest: str) -> None:
        self.pending = pending
        self.binding_digest = binding_digest

    @property
    def created_at(self) -> int:
        """When it started, in seconds since the epoch."""
        return self.pending.created_at


class KeepsBinding:
    """Keeps a binding secret in the browser for each login and each logout.

    Args:
        profile: how cookies are written.
    """

    __slots__ = ("_profile",)

    def __init__(self, profile: CookieProfile) -> None:
        self._profile = as_setting(profile, CookieProfile, "profile")

    @property
    def profile(self) -> CookieProfile:
        """How cookies are written."""
        return self._profile

    def secrets(self, entropy: Entropy, /) -> LoginSecrets:
        """Return fresh secrets."""
        return entropy.login_secrets()

    def logout_secrets(self, entropy: Entropy, /) -> LogoutSecrets:
        """Return fresh secrets."""
        return LogoutSecrets(entropy.token(), entropy.token())

    def _login_cookies(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies
    ) -> tuple[SetCookie, ...]:
        """Return the cookie of a login, and deletions beyond the browser's budget."""
        pending = started.pending
        across = DELIVERIES[pending.response_mode] == "form_post"
        value = f"{pending.created_at}.{started.binding}"
        name, lifetime = self._profile.login_name(pending.id), rp.policy.login_lifetime
        return self._with_room(cookies, self._profile.cookie(name, value, lifetime, across=across))

    def _logout_cookies(
        self, pending: PendingLogout, secrets: LogoutSecrets, cookies: Cookies
    ) -> tuple[SetCookie, ...]:
        """Return the cookie of a logout, and deletions beyond the browser's budget."""
        name = self._profile.logout_name(pending_id_of(pending.state))
        value = f"{pending.created_at}.{secrets.binding}"
        return self._with_room(cookies, self._profile.cookie(name, value, LOGOUT_LIFETIME))

    def _with_room(self, cookies: Cookies, cookie: SetCookie) -> tuple[SetCookie, ...]:
        if not cookies:
            return (cookie,)
        return (cookie, *self._profile.evicted(cookies, cookie, _started_at))

    def _login_binding(self, pending_id: str, cookies: Cookies) -> str:
        """Return the binding that this browser brings for a login, or an empty string.

        Raises:
            CallbackError: ``binding_duplicated``.
        """
        return _binding(only_value(cookies, self._profile.login_name(pending_id)))

    def _logout_binding(self, pending_id: str, cookies: Cookies) -> str:
        """Return a digest of the binding that this browser brings for a logout.

        Raises:
            CallbackError: ``binding_duplicated``.
        """
        return binding_digest_of(
            _binding(only_value(cookies, self._profile.logout_name(pending_id)))
        )

    def _taken(self, pending: PendingLogin, binding: str, single_use: SingleUse) -> Taken:
        name = self._profile.login_name(pending.id)
        return Taken(
            pending=pending,
            binding=binding,
            cookies=(self._profile.forgotten(name),),
            single_use=single_use,
        )

    def _taken_logout(self, pending: PendingLogout) -> TakenLogout:
        name = self._profile.logout_name(pending_id_of(pending.state))
        return TakenLogout(pending, (self._profile.forgotten(name),))


def keepable(pending: PendingLogin) -> PendingLogin:
    """Return a login without a ``return_to`` that is too long."""
    return evolve(pending, return_to="") if len(pending.return_to) > RETURN_TO else pending


def is_of(pending: PendingLogin, rp: RelyingParty) -> bool:
    """Return whether a login was started by this client at this provider."""
    return pending.connection[:3] == rp.connection[:3]


def judged(pending: PendingLogin | None, rp: RelyingParty, binding: str) -> PendingLogin:
    """Return a login that this browser may take out for this relying party.

    Raises:
        CallbackError: ``state_unknown``, ``connection_mismatch``, ``binding_missing``,
            ``binding_mismatch``; the login has to stay where it is.
    """
    if pending is None:
        raise CallbackError("state_unknown")
    if not is_of(pending, rp):
        raise CallbackError("connection_mismatch", about="client")
    check_binding(pending, binding)
    return pending


def judged_logout(kept: BoundLogout | None, rp: RelyingParty, digest: str) -> PendingLogout:
    """Return a logout that this browser may take out for this relying party.

    Raises:
        CallbackError: ``logout_state_mismatch``, ``connection_mismatch``; the logout has to stay
            where it is.
    """
    if kept is None or not same(digest, kept.binding_digest):
        raise CallbackError("logout_state_mismatch", about="cookie")
    if not end_session.is_of(kept.pending, rp):
        raise CallbackError("connection_mismatch", about="client")
    return kept.pending


def _binding(value: str) -> str:
    return value.partition(".")[2]


def _started_at(_name: str, value: str) -> int | None:
    """Return when a cookie says that it was set; it goes first if it does not say so."""
    text = value.partition(".")[0]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _DIGITS else None
