"""The kinds of JWT that meet in OpenID Connect, in one table: none may pass for another.

One provider signs most of them, with the same keys, and many for the same client and the same user.
What keeps a logout token from being taken for an ID token is therefore not the signature but the
rules of RFC 8725 §3.11 and §3.12: a ``typ`` where there is one, members that a kind has to have,
and members that it must not have.  A validator takes its ``typ`` and its forbidden members from
this table; that a required member is there, its own rules see to, each with its own code.

The table has every kind, also those that no flow uses yet: they are refused all the same.
"""

from collections.abc import Collection
from types import MappingProxyType
from typing import Final, NamedTuple

from oidc_core.jose.algorithms import HMAC, SIGNATURES
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject

_NONE: Final[frozenset[str]] = frozenset()


class Kind(NamedTuple):
    """One kind of JWT.

    Attributes:
        name: what it is.
        spec: where it is specified.
        types: the accepted ``typ`` in lower case and without ``application/`` (RFC 7515 §4.1.9);
            an empty string stands for none.
        required: members that have to be there.
        any_of: members of which at least one has to be there, if there are any.
        forbidden: members that must not be there, whatever their value.
        algorithms: what it may be signed with at most; a registration narrows that.
    """

    name: str
    spec: str
    types: frozenset[str]
    required: frozenset[str]
    any_of: frozenset[str] = _NONE
    forbidden: frozenset[str] = _NONE
    algorithms: frozenset[str] = SIGNATURES

    def fits(self, typ: str | None, members: Collection[str]) -> bool:
        """Return whether a token with this ``typ`` and these members may be of this kind."""
        return (
            spelled(typ) in self.types
            and self.required.issubset(members)
            and self.forbidden.isdisjoint(members)
            and not (self.any_of and self.any_of.isdisjoint(members))
        )


def spelled(typ: str | None) -> str:
    """Return a ``typ`` as the table spells it: media types know no case (RFC 7515 §4.1.9)."""
    return "" if typ is None else typ.lower().removeprefix("application/")


_PUBLIC_KEY: Final = SIGNATURES - HMAC
_JWT: Final = frozenset({"", "jwt"})
_EVENT: Final = frozenset({"events", "token_introspection"})
"""Members that only what is no token about a login or a user has."""

ID_TOKEN: Final = Kind(
    "id_token",
    "OIDC Core §2",
    _JWT,
    required=frozenset({"iss", "sub", "aud", "exp", "iat"}),
    forbidden=_EVENT,
)
ACCESS_TOKEN: Final = Kind(
    "access_token",
    "RFC 9068 §2",
    frozenset({"at+jwt"}),
    required=frozenset({"iss", "exp", "aud", "sub", "client_id", "iat", "jti"}),
    forbidden=_EVENT,
    algorithms=_PUBLIC_KEY,
)
LOGOUT_TOKEN: Final = Kind(
    "logout_token",
    "OIDC Back-Channel Logout §2.4",
    _JWT | {"logout+jwt"},
    required=frozenset({"iss", "aud", "iat", "exp", "jti", "events"}),
    any_of=frozenset({"sub", "sid"}),
    forbidden=frozenset({"nonce"}),
)
USERINFO: Final = Kind(
    "userinfo",
    "OIDC Core §5.3.2",
    _JWT,
    required=frozenset({"iss", "sub", "aud"}),
    forbidden=_EVENT | {"nonce", "at_hash", "c_hash", "s_hash"},
)
AUTHORIZATION_RESPONSE: Final = Kind(
    "authorization_response",
    "JARM §2.1",
    _JWT,
    required=frozenset({"iss", "aud", "exp"}),
    any_of=frozenset({"code", "error", "response", "access_token", "id_token"}),
    forbidden=_EVENT | {"sub", "nonce", "response_type"},
)
REQUEST_OBJECT: Final = Kind(
    "request_object",
    "RFC 9101 §4, §10.8; OIDC Core §6.1",
    _JWT | {"oauth-authz-req+jwt"},
    required=frozenset({"iss", "aud", "client_id", "response_type"}),
    forbidden=_EVENT | {"sub", "request", "request_uri"},
)
DPOP_PROOF: Final = Kind(
    "dpop_proof",
    "RFC 9449 §4.2",
    frozenset({"dpop+jwt"}),
    required=frozenset({"jti", "htm", "htu", "iat"}),
    algorithms=_PUBLIC_KEY,
)
INTROSPECTION_RESPONSE: Final = Kind(
    "introspection_response",
    "RFC 9701 §5",
    frozenset({"token-introspection+jwt"}),
    required=frozenset({"iss", "aud", "iat", "token_introspection"}),
    forbidden=frozenset({"sub", "exp"}),
)

KINDS: Final = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            ID_TOKEN,
            ACCESS_TOKEN,
            LOGOUT_TOKEN,
            USERINFO,
            AUTHORIZATION_RESPONSE,
            REQUEST_OBJECT,
            DPOP_PROOF,
            INTROSPECTION_RESPONSE,
        )
    }
)
"""Every kind by name."""


def refuse_other_kinds(kind: Kind, claims: JsonObject) -> None:
    """Refuse a token with a member that no token of this kind has (RFC 8725 §3.12).

    Raises:
        ProtocolViolation: ``claim_forbidden``, with ``about`` the member.
    """
    if not kind.forbidden.isdisjoint(claims.members):
        foreign = min(kind.forbidden.intersection(claims.members))
        raise ProtocolViolation("claim_forbidden", expected=kind.name, about=foreign)
