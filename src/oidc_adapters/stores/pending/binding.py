"""A login that waits elsewhere: the browser's cookie holds nothing but its binding secret."""

from collections.abc import Mapping

from oidc_adapters.stores.pending.cookies import CookieProfile, SetCookie
from oidc_adapters.stores.pending.ports import Taken
from oidc_core.model.pending import PendingLogin, SingleUse, check_binding
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.errors import CallbackError


def binding_cookies(
    profile: CookieProfile, started: LoginStarted, cookies: Mapping[str, str], lifetime: int
) -> tuple[SetCookie, ...]:
    """Return the cookie with the secret, and deletions of the oldest beyond the budget."""
    cookie = profile.cookie(started.pending, started.binding, lifetime)
    return (cookie, *profile.evicted(cookies, cookie)) if cookies else (cookie,)


def taken_by(
    profile: CookieProfile,
    pending: PendingLogin | None,
    cookies: Mapping[str, str],
    single_use: SingleUse,
) -> Taken:
    """Return what a browser takes: the one that started the login, and no other.

    Raises:
        CallbackError: ``state_unknown`` if nothing waits, ``binding_missing``,
            ``binding_mismatch``.
    """
    if pending is None:
        raise CallbackError("state_unknown")
    name = profile.prefix + pending.id
    binding = cookies.get(name, "").partition(".")[2]
    check_binding(pending, binding)
    forgotten = profile.forgotten(name)
    return Taken(pending=pending, binding=binding, cookies=(forgotten,), single_use=single_use)
