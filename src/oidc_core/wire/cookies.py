"""Cookies as they are set, and as they come back in a ``Cookie`` header (RFC 6265)."""

from typing import NamedTuple


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


def cookie_pairs(header: str) -> tuple[tuple[str, str], ...]:
    r"""Return names and values of a ``Cookie`` header, in order, as often as they are there.

    Only space and tab around a name are not part of it (RFC 6265 §5.2): Python's own idea of space
    is wider, and no browser guards ``\xa0__Host-``.
    """
    parts = [part.strip(" \t").partition("=") for part in header.split(";")]
    return tuple([(name, value) for name, equals, value in parts if equals])
