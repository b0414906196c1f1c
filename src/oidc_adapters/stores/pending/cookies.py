"""Cookies of logins in flight: their names, their attributes, and a budget for all of them."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from attrs import frozen

from oidc_core.endpoints.authorization import COOKIE_PREFIX
from oidc_core.model.pending import DELIVERIES, PendingLogin

BUDGET: Final = 4_000
"""Octets that all pending cookies of one browser may take up in a request."""

MAX_PER_BROWSER: Final = 10
"""How many logins one browser may have in flight."""

_ID: Final = re.compile(r"[0-9a-f]{32}")
"""What a login waits under, as :func:`oidc_core.model.pending.pending_id_of` makes it."""


class SetCookie(NamedTuple):
    """A cookie to be set, always ``HttpOnly`` and ``Path=/``; ``max_age`` 0 deletes it."""

    name: str
    value: str
    max_age: int
    same_site: str
    secure: bool

    def __repr__(self) -> str:
        return f"SetCookie({self.name!r}, max_age={self.max_age})"

    @property
    def header(self) -> str:
        """The value of a ``Set-Cookie`` header (RFC 6265 §4.1)."""
        secure = "; Secure" if self.secure else ""
        return (
            f"{self.name}={self.value}; Max-Age={self.max_age}; Path=/; HttpOnly"
            f"; SameSite={self.same_site}{secure}"
        )


@frozen(kw_only=True)
class CookieProfile:
    """How cookies of logins are written.

    Attributes:
        prefix: what their names start with; ``__Host-`` has the browser refuse them from others.
        secure: whether they are sent over https only.
    """

    prefix: str = COOKIE_PREFIX
    secure: bool = True

    @classmethod
    def insecure_for_loopback_development(cls) -> "CookieProfile":
        """Return a profile without ``__Host-`` and ``Secure``, for ``http://localhost``."""
        return cls(prefix=COOKIE_PREFIX.removeprefix("__Host-"), secure=False)

    def cookie(self, pending: PendingLogin, value: str, max_age: int) -> SetCookie:
        """Return the cookie of a login.

        A form_post comes in across sites, and brings along only cookies that say ``None``.
        """
        across = DELIVERIES[pending.response_mode] == "form_post" and self.secure
        return SetCookie(
            name=self.prefix + pending.id,
            value=f"{pending.created_at}.{value}",
            max_age=max_age,
            same_site="None" if across else "Lax",
            secure=self.secure,
        )

    def forgotten(self, name: str) -> SetCookie:
        """Return the cookie that deletes another."""
        return SetCookie(name=name, value="", max_age=0, same_site="Lax", secure=self.secure)

    def evicted(self, cookies: Mapping[str, str], new: SetCookie) -> tuple[SetCookie, ...]:
        """Return deletions of the oldest logins, so that this browser stays within its budget.

        In no certain order: a browser takes each by itself.
        """
        mine = sorted(
            [(_created_at(value), name, value) for name, value in cookies.items()], reverse=True
        )
        room = BUDGET - _size(new.name, new.value)
        gone: list[SetCookie] = []
        for others, (_, name, value) in enumerate([each for each in mine if self.owns(each[1])]):
            room -= _size(name, value)
            if room < 0 or others + 2 > MAX_PER_BROWSER:
                gone.append(self.forgotten(name))
        return tuple(gone)

    def owns(self, name: str) -> bool:
        """Return whether a cookie belongs to a login in flight; that of a logout does not."""
        return name.startswith(self.prefix) and bool(_ID.fullmatch(name, len(self.prefix)))


def _size(name: str, value: str) -> int:
    """Return what a cookie takes up in a request: name, ``=``, value, and ``; ``."""
    return len(name) + len(value) + 3


def _created_at(value: str) -> int:
    text = value.partition(".")[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
