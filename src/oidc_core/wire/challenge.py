"""``WWW-Authenticate``, taken apart (RFC 9110 §11.6.1): what a server demands, and why it refused.

Providers write it in every way the grammar has and some that it has not: several challenges in one
header or in several, tokens where strings are usual, any case. Parts that do not fit are passed
over.
"""

import re
from typing import Final, NamedTuple

from oidc_core.wire.http import HttpResponse

_HEADER: Final = "www-authenticate"
_OCTETS: Final = 8_192
_unescaped: Final = re.compile(r"\\(.)").sub

# One piece: a parameter, a scheme, a token68, or text that is none of these, up to the next
# semicolon or comma outside of strings.
_PIECE: Final = re.compile(
    r"[ \t,]*+(?:"
    r'(?P<name>[!#$%&\'*+.^_`|~0-9A-Za-z-]++)[ \t]*+=[ \t]*+(?:"(?P<text>(?:[^"\\]|\\.)*+)"'
    r"|(?P<word>[!#$%&'*+.^_`|~0-9A-Za-z-]++)(?=[ \t]*+(?:,|\Z)))"
    r"|(?P<scheme>[!#$%&'*+.^_`|~0-9A-Za-z-]++)(?=[ \t,]|\Z)"
    r"|[0-9A-Za-z._~+/-]++=*+(?=[ \t]*+(?:,|\Z))"
    r'|[^,;"]*+(?:"(?:[^"\\]|\\.)*+"[^,;"]*+)*+[,;]'
    r")"
)


class Challenge(NamedTuple):
    """One parameter of a challenge: scheme and name in lower case, the value as it was meant."""

    scheme: str
    name: str
    value: str


def challenges(response: HttpResponse) -> tuple[Challenge, ...]:
    """Return the parameters of all challenges of an answer, in order, 8 KiB of each header."""
    found: list[Challenge] = []
    for name, value in response.headers:
        if name == _HEADER:
            found.extend(_parameters(value[:_OCTETS]))
    return tuple(found)


def _parameters(text: str) -> list[Challenge]:
    found: list[Challenge] = []
    scheme, at = "", 0
    while (piece := _PIECE.match(text, at)) is not None:
        at = piece.end()
        if piece["scheme"]:
            scheme = piece["scheme"].lower()
        elif piece["name"] and scheme:
            value = piece["word"] or _unescaped(r"\1", piece["text"])
            found.append(Challenge(scheme, piece["name"].lower(), value))
    return found
