"""Cookies of logins and logouts in flight: their names, their attributes, a budget for them all."""

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from attrs import field, frozen

from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import CallbackError, UsageError

COOKIE_PREFIX: Final = "__Host-oidc-"
"""The prefix of these cookies' names, unless a profile says otherwise."""

BUDGET: Final = 4_000
"""Octets that all these cookies of one browser may take up in a request."""

AT_ONCE: Final = 14
"""How many tabs may start at the same moment, none of which sees the cookies of the others."""

CEILING: Final = 7_000
"""Octets that may be there after so many starts; servers answer 431 from 8,190 on."""

CAP: Final = 400
"""Octets that one of them may take up, with its name and the separator between cookies."""

BETWEEN: Final = 3
"""Octets around a cookie in a request: ``=`` and ``; ``."""

_ID: Final = 8
_LOGOUT: Final = "out-"
_AGAIN: Final = "again"
_NAME: Final = re.compile(rf"(?:{_LOGOUT})?[A-Za-z0-9_-]{{{_ID}}}")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_HOST: Final = "__Host-"
# Browsers read these in any case (RFC 6265bis §4.1.3), and refuse a cookie of this name without
# Secure.
_SECURE: Final = ("__host-", "__secure-", "__http-")

Cookies: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values of a request's cookies, as often as they were sent."""

Age: TypeAlias = Callable[[str, str], int | None]
"""Tells from name and value when what a cookie is of was started; ``None`` if it does not open."""


def _prefix(value: object) -> str:
    # One that ends as the name of a logout does would make ours look like another application's.
    if not isinstance(value, str) or not _TOKEN.fullmatch(value) or value.endswith(_LOGOUT):
        found = value if isinstance(value, str) else type(value).__name__
        raise UsageError("config_invalid", found=found, expected="a cookie name", about="prefix")
    return value


def _secure(value: object) -> bool:
    if not isinstance(value, bool):
        found = type(value).__name__
        raise UsageError("config_invalid", found=found, expected="bool", about="secure")
    return value


@frozen(kw_only=True)
class CookieProfile:
    """How the cookies of logins and logouts are written.

    Attributes:
        prefix: the prefix of their names: ``__Host-``, which has the browser refuse them from
            others, and more. Two applications on one host need different prefixes.
        secure: whether they are sent over https only.  Without, for development on loopback alone,
            the prefix has no ``__Host-``.

    Raises:
        UsageError: ``config_invalid``.
    """

    prefix: str = field(default=COOKIE_PREFIX, converter=_prefix)
    secure: bool = field(default=True, converter=_secure)

    def __attrs_post_init__(self) -> None:
        if self.secure and not self.prefix.startswith(_HOST):
            found, expected = self.prefix, f"a prefix that starts with {_HOST}"
            raise UsageError("config_invalid", about="prefix", found=found, expected=expected)
        if self.prefix.lower().startswith(_SECURE) and not self.secure:
            expected = "secure with this prefix"
            raise UsageError("config_invalid", about="secure", found=False, expected=expected)

    @classmethod
    def insecure_for_loopback_development(cls) -> "CookieProfile":
        """Return a profile without ``__Host-`` and ``Secure``, for ``http://localhost``."""
        return cls(prefix=COOKIE_PREFIX.removeprefix(_HOST), secure=False)

    def login_name(self, pending_id: str) -> str:
        """Return the name of the cookie of a login."""
        return self.prefix + pending_id[:_ID]

    def logout_name(self, pending_id: str) -> str:
        """Return the name of the cookie of a logout."""
        return self.prefix + _LOGOUT + pending_id[:_ID]

    @property
    def restarted(self) -> str:
        """The name of the cookie that says: a login failed just now, and a new one was started."""
        return self.prefix + _AGAIN

    def owns(self, name: str) -> bool:
        """Return whether a cookie is of a login or logout in flight."""
        return name.startswith(self.prefix) and bool(_NAME.fullmatch(name, len(self.prefix)))

    def is_logout(self, name: str) -> bool:
        """Return whether a cookie that is ours is of a logout."""
        return len(name) == len(self.prefix) + len(_LOGOUT) + _ID

    def cookie(self, name: str, value: str, max_age: int, *, across: bool = False) -> SetCookie:
        """Return the cookie of a login or logout.

        A form_post comes in ``across`` sites, and brings along only cookies that say ``None``.
        """
        same_site = "None" if across and self.secure else "Lax"
        return SetCookie(name, value, max_age, same_site, self.secure)

    def forgotten(self, name: str) -> SetCookie:
        """Return the cookie that deletes another."""
        return SetCookie(name, "", 0, "Lax", self.secure)

    def evicted(self, cookies: Cookies, new: SetCookie, age: Age) -> tuple[SetCookie, ...]:
        """Return deletions, so that this browser stays within its budget.

        The kept cookies leave room for as many as may start at the same moment, each with a cookie
        of this size. Cookies that do not open go first, then the oldest.
        """
        mine = [pair for pair in cookies if self.owns(pair[0]) and pair[0] != new.name]
        # A cookie that does not open is older than any.
        ranked = sorted([(age(*pair) or 0, pair) for pair in mine], reverse=True)
        size, gone = octets(new.name, new.value), dict[str, SetCookie]()
        room = min(BUDGET - size, CEILING - AT_ONCE * size)
        for _, (name, value) in ranked:
            room -= octets(name, value)
            if room < 0:
                gone[name] = self.forgotten(name)
        return tuple(gone.values())


def octets(name: str, value: str) -> int:
    """Return what a cookie takes up in a request: name, ``=``, value, and ``; ``."""
    return len(name) + len(value) + BETWEEN


def only_value(cookies: Cookies, name: str) -> str:
    """Return the value of a cookie; an empty text if there is no such cookie.

    Raises:
        CallbackError: ``binding_duplicated`` if it was sent twice: a sibling domain may have
            planted the other.
    """
    values = [value for found, value in cookies if found == name]
    if len(values) > 1:
        raise CallbackError("binding_duplicated", about="cookie")
    return values[0] if values else ""
