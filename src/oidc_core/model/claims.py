"""Typed claims: the members a decision depends on, with all others kept.

An identity is the pair of issuer and subject (OIDC Core §2, §5.7), and nothing else: not the
e-mail address, which changes hands, and not the name.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, cast

from attrs import field, frozen

from oidc_core.model.claim_values import (
    audience,
    claims_view,
    filled,
    numeric_date,
    of_verified,
    text,
    texts,
    unclear,
)
from oidc_core.model.standard_claims import StandardClaims
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.facts import private
from oidc_core.wire.jsontypes import JsonObject, JsonValue, unreadable
from oidc_core.wire.settings import check_kind

_SUB: Final = re.compile(r"[\x20-\x7e]{1,255}").fullmatch

_PLACEHOLDERS: Final = frozenset(
    {"Not supported currently. Use oid claim.", "Not supported currently. Use objectId claim."}
)


@frozen
class Identity:
    """Who somebody is: a subject at an issuer.  The only key to an account."""

    issuer: str
    subject: str


@frozen
class IdToken(StandardClaims):
    """An ID token that was accepted (OIDC Core §2).

    Its claims are typed when they are read: times are whole seconds since the epoch. Only a member
    that no decision depends on can be malformed, and it reads as absent.

    Attributes:
        claims: all members, unchanged, except those that cannot be read, and a ``…_verified`` that
            is not a boolean: ``"false"`` is true to Python, so that is in ``raw`` only.
        raw: the token itself, for ``id_token_hint``.
    """

    claims: JsonObject = field(converter=claims_view)
    raw: str = field(repr=False)

    @property
    def iss(self) -> str:
        """The issuer, as the token names it."""
        return text(self.claims.members.get("iss")) or ""

    @property
    def sub(self) -> str:
        """The user, at this issuer."""
        return text(self.claims.members.get("sub")) or ""

    @property
    def aud(self) -> tuple[str, ...]:
        """The audience, this client among them."""
        return audience(self.claims.members.get("aud")) or ()

    @property
    def exp(self) -> int:
        """When it expires; the end of the token, not of a session."""
        return numeric_date(self.claims.members.get("exp")) or 0

    @property
    def iat(self) -> int:
        """When it was issued."""
        return numeric_date(self.claims.members.get("iat")) or 0

    @property
    def auth_time(self) -> int | None:
        """When the user authenticated, if the provider says so."""
        return numeric_date(self.claims.members.get("auth_time"))

    @property
    def nonce(self) -> str | None:
        """The facts that tie it to its login."""
        return text(self.claims.members.get("nonce"))

    @property
    def acr(self) -> str | None:
        """The class of the authentication, if the provider says so."""
        return text(self.claims.members.get("acr"))

    @property
    def amr(self) -> tuple[str, ...]:
        """The methods of the authentication, if the provider says so."""
        return texts(self.claims.members.get("amr")) or ()

    @property
    def azp(self) -> str | None:
        """The party it was issued to, if the provider says so."""
        return text(self.claims.members.get("azp"))

    @property
    def sid(self) -> str | None:
        """The provider's session, if it names one."""
        return filled(self.claims.members.get("sid"))

    @property
    def session_expiry(self) -> int | None:
        """When the session ends at the latest, if the provider says so (Enterprise Extensions)."""
        return numeric_date(self.claims.members.get("session_expiry"))


@frozen
class UserInfo(StandardClaims):
    """Claims from the UserInfo endpoint, about the same subject as the ID token (§5.3.2).

    A ``…_verified`` that is not a boolean is not among them, and a member that cannot be read is
    not either.
    """

    sub: str
    claims: JsonObject = field(converter=claims_view)


def subject(value: JsonValue, *, of: str = "") -> str:
    """Return a subject identifier, exactly as it came (OIDC Core §2).

    Raises:
        ProtocolViolation: ``sub_missing``; ``sub_malformed`` unless it is 1 to 255 ASCII
            characters; ``sub_placeholder`` for texts that some providers send for every user.
    """
    if not isinstance(value, str) or not _SUB(value):
        if value is None:
            raise ProtocolViolation("sub_missing", about="sub", of=of)
        expected = "1 to 255 printable ASCII characters"
        found = private(value)
        raise ProtocolViolation("sub_malformed", about="sub", found=found, expected=expected, of=of)
    if value in _PLACEHOLDERS:
        raise ProtocolViolation("sub_placeholder", about="sub", of=of)
    return value


_READERS: Final[Mapping[str, Callable[[JsonValue], object]]] = MappingProxyType(
    {"acr": text, "amr": texts, "auth_time": numeric_date, "sid": filled}
)


_TEXTS: Final = frozenset(
    {"sub", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username",
     "profile", "picture", "website", "email", "gender", "birthdate", "zoneinfo", "locale",
     "phone_number"}
)  # fmt: skip
"""The standard claims that are strings (OIDC Core §5.1)."""


def usable(name: str, value: JsonValue) -> bool:
    """Return whether a claim is there: it has a value that somebody can use.

    Null does not count, and a member that is empty or holds only nulls does not count either. A
    standard claim of a wrong type (§5.1) does not count, such as ``email_verified`` in a string,
    which Python would take for true.
    """
    if of_verified(name):
        return isinstance(value, bool)
    if name in _TEXTS and not isinstance(value, str):
        return False
    if name == "address" and not isinstance(value, JsonObject):
        return False
    if name == "updated_at" and numeric_date(value) is None:
        return False
    reader = _READERS.get(name)
    return _says_something(value if reader is None else reader(value))


def _says_something(value: object) -> bool:
    if isinstance(value, str):
        return value.strip() != ""
    if isinstance(value, tuple):
        return any(map(_says_something, cast("tuple[object, ...]", value)))
    if isinstance(value, JsonObject):
        return any(map(_says_something, value.members.values()))
    return value is not None


def malformed(claims: JsonObject, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return which claims are there and of a wrong type, so that they read as absent.

    They are the members with these names, each ``…_verified``, and all whose values cannot be read.
    """
    held = [(name, claims.members.get(name)) for name in names]
    odd = [n for n, value in held if value is not None and _READERS[n](value) is None]
    vague = [name for name in unclear(claims) if claims.members[name] is not None]
    return tuple(dict.fromkeys([*odd, *vague, *unreadable(claims)]))


def verified_email(claims: Mapping[str, object]) -> str | None:
    """Return the e-mail address if the provider says, with JSON ``true``, that it verified it.

    Even so it does not identify an account: the application decides whether this provider may
    confirm that address.

    Raises:
        UsageError: ``parameter_invalid`` for a value that is not a mapping.
    """
    check_kind(claims, Mapping[str, object], about="claims")
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return None
    local, at, domain = email.partition("@")
    if not (local and at and domain) or "@" in domain or not email.isascii():
        return None
    return email if email.isprintable() and " " not in email else None
