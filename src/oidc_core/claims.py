"""Typed claims: the members a decision hangs on, with all others kept.

An identity is the pair of issuer and subject (OIDC Core §2, §5.7), and nothing else: not the
e-mail address, which changes hands, and not the name.
"""

from typing import Final

from attrs import field, frozen

from oidc_core.errors import ProtocolViolation
from oidc_core.jsontypes import JsonObject, JsonValue

MAX_DATE: Final = 2**53
_MAX_SUB: Final = 255
_PLACEHOLDERS: Final = frozenset(
    {"Not supported currently. Use oid claim.", "Not supported currently. Use objectId claim."}
)


@frozen
class Identity:
    """Who somebody is: a subject at an issuer.  The only key to an account."""

    issuer: str
    subject: str


@frozen(kw_only=True)
class IdToken:
    """The claims of an ID token that was accepted (OIDC Core §2).

    Times are whole seconds since the epoch.  ``claims`` holds all members as they came.
    ``raw`` is the token itself, for ``id_token_hint``.
    """

    iss: str
    sub: str
    aud: tuple[str, ...]
    exp: int
    iat: int
    auth_time: int | None
    nonce: str | None = field(repr=False)
    acr: str | None
    amr: tuple[str, ...]
    azp: str | None
    sid: str | None = field(repr=False)
    claims: JsonObject
    raw: str = field(repr=False)


@frozen
class UserInfo:
    """Claims from the UserInfo endpoint, about the same subject as the ID token (§5.3.2)."""

    sub: str
    claims: JsonObject


def numeric_date(value: JsonValue) -> int | None:
    """Return a NumericDate in whole seconds, ``None`` if it is none (RFC 7519 §2).

    Fractions are cut off.  Booleans, strings, negative numbers and those from 2**53 are none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < MAX_DATE else None


def audience(value: JsonValue) -> tuple[str, ...] | None:
    """Return an audience as a tuple, ``None`` if it is neither string nor list of strings."""
    if isinstance(value, str):
        return (value,)
    return texts(value)


def texts(value: JsonValue) -> tuple[str, ...] | None:
    """Return a list of strings as a tuple, ``None`` if it is none."""
    if not isinstance(value, tuple):
        return None
    found = tuple([item for item in value if isinstance(item, str)])
    return found if len(found) == len(value) else None


def text(value: JsonValue) -> str | None:
    """Return a string, ``None`` for everything else."""
    return value if isinstance(value, str) else None


def subject(value: JsonValue) -> str:
    """Return a subject identifier, exactly as it came (OIDC Core §2).

    Raises:
        ProtocolViolation: ``sub_invalid`` unless it is 1 to 255 ASCII characters,
            ``sub_placeholder`` for texts that some providers send for each and every user.
    """
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_SUB or not value.isascii():
        raise ProtocolViolation("sub_invalid", about="sub")
    if not value.isprintable():
        raise ProtocolViolation("sub_invalid", about="sub", expected="printable ASCII")
    if value in _PLACEHOLDERS:
        raise ProtocolViolation("sub_placeholder", about="sub")
    return value


def verified_email(claims: JsonObject) -> str | None:
    """Return the e-mail address if the provider says, with JSON ``true``, that it verified it.

    Even so it is no key to an account: whether this provider may vouch for that address is a
    decision of the application.
    """
    email = claims.members.get("email")
    if claims.members.get("email_verified") is not True or not isinstance(email, str):
        return None
    local, at, domain = email.partition("@")
    if not (local and at and domain) or "@" in domain or not email.isascii():
        return None
    return email if email.isprintable() and " " not in email else None
