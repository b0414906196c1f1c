"""An answer of the application to a request, for any framework: status, headers, body."""

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject, render
from oidc_core.wire.settings import check_fields, fields_of, pairs

NO_STORE: Final = ("cache-control", "no-store")
"""No cache keeps the answer (RFC 9111 §5.2.2.5)."""

_STATUSES: Final = range(200, 600)
_NAME: Final = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
"""Characters of a header's name in lower case (RFC 9110 §5.6.2)."""


@frozen(kw_only=True)
class Reply:
    """An answer; a framework adds ``Content-Length`` and ``Date``.

    Its ``repr`` has the status alone: cookies, URLs and forms hold secrets of a login.

    Attributes:
        status: the HTTP status, from 200 to 599.
        headers: names in lower case with values, in order; a name may be there several times.
        body: the octets of the body.

    Raises:
        UsageError: ``parameter_invalid``, naming the attribute.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False, converter=pairs)
    body: bytes = field(default=b"", repr=False)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _REPLY)
        if self.status not in _STATUSES:
            expected = "200 to 599"
            raise UsageError(
                "parameter_invalid", about="status", found=self.status, expected=expected
            )
        for name, value in self.headers:
            if not _is_name(name) or not (value.isascii() and value.isprintable()):
                expected = "names in lower case, values on one line of ASCII"
                raise UsageError("parameter_invalid", about="headers", expected=expected)

    def header(self, name: str) -> str | None:
        """Return the first header of that lower-case name."""
        return next((value for known, value in self.headers if known == name), None)


def _is_name(name: str) -> bool:
    return name != "" and _NAME.issuperset(name)


_REPLY: Final = fields_of(Reply, "parameter_invalid")


def json_reply(status: int, members: Mapping[str, str], *headers: tuple[str, str]) -> Reply:
    """Return a JSON object as an answer that no cache keeps; ``headers``: further ones."""
    return Reply(
        status=status,
        headers=(("content-type", "application/json"), NO_STORE, *headers),
        body=render(JsonObject(members)).encode("ascii"),
    )


def oauth_error(status: int, error: str, description: str, *headers: tuple[str, str]) -> Reply:
    """Return an OAuth error as an answer (RFC 6749 §5.2).

    Args:
        status: the HTTP status.
        error: the error code.
        description: what is wrong, for a developer; characters that are not allowed there are
            replaced by a space.
        headers: further headers.
    """
    told = "".join([each if _allowed(each) else " " for each in description])
    return json_reply(status, {"error": error, "error_description": told}, *headers)


def _allowed(character: str) -> bool:
    """Return whether a description may have this character (RFC 6749 appendix A.8)."""
    return " " <= character <= "~" and character not in '"\\'
