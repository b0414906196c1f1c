"""Strict base64url, percent-encoding, digests, and comparison in constant time.

These run on every login, so each is a handful of calls into C.  ``base64.urlsafe_b64decode`` drops
foreign characters silently and is not used.
"""

import re
from binascii import Error as BinasciiError
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from oidc_core.wire.errors import ProtocolViolation

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TO_STANDARD: Final = bytes(
    {ord("-"): ord("+"), ord("_"): ord("/")}.get(octet, octet)
    if octet in _ALPHABET
    else ord("!")  # in no base64 alphabet, so that strict decoding refuses it
    for octet in range(256)
)
TO_URL: Final = bytes.maketrans(b"+/", b"-_")
"""Translates standard base64 into base64url."""

_PADDING: Final = (b"", b"!", b"==", b"=")

# The last character of a value whose length is 2 (3) modulo 4 carries four (two) bits that must be
# zero: only these characters do.
_LAST: Final = (
    frozenset(_ALPHABET),
    frozenset[int](),
    frozenset(_ALPHABET[::16]),
    frozenset(_ALPHABET[::4]),
)

_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_QUOTED: Final[Mapping[int, str]] = {
    octet: chr(octet) if chr(octet) in _UNRESERVED else f"%{octet:02X}" for octet in range(256)
}


_plain: Final = re.compile(r"[A-Za-z0-9._~-]*").fullmatch


def b64url_decode(text: bytes) -> bytes:
    """Decode base64url without padding, exactly as in RFC 7515 §2.

    Raises:
        ProtocolViolation: ``base64url_malformed`` for a foreign character, padding, an impossible
            length, or a last character with bits that nobody would have set (RFC 4648 §3.5).
    """
    tail = len(text) & 3
    if tail and text[-1] not in _LAST[tail]:
        raise ProtocolViolation("base64url_malformed")
    try:
        return a2b_base64(text.translate(_TO_STANDARD) + _PADDING[tail], strict_mode=True)
    except BinasciiError:
        raise ProtocolViolation("base64url_malformed") from None


def b64url_encode(octets: bytes) -> str:
    """Encode as base64url without padding (RFC 7515 §2)."""
    return b2a_base64(octets, newline=False).translate(TO_URL).rstrip(b"=").decode("ascii")


def sha256_b64url(text: str) -> str:
    """Return the base64url of the SHA-256 of ASCII text (43 characters)."""
    return b64url_encode(sha256(text.encode("utf-8", "surrogatepass")).digest())


def same(left: str, right: str) -> bool:
    """Compare two secrets in a time that does not depend on where they differ."""
    try:
        return compare_digest(left, right)
    except TypeError:  # one of them is not ASCII
        return compare_digest(
            left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass")
        )


def percent_encode(text: str) -> str:
    """Percent-encode all except unreserved characters (RFC 3986 §2.3); a space is ``%20``."""
    if _plain(text):
        return text
    return text.encode("utf-8", "surrogatepass").decode("latin-1").translate(_QUOTED)
