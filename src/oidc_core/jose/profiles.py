"""One profile for each kind of JWT that meets in OpenID Connect: no kind may pass for another.

One provider signs most of them, with the same keys, and many for the same client and the same user.
The signature therefore does not keep a logout token from being taken for an ID token. The rules of
RFC 8725 §3.11 and §3.12 do: a ``typ`` where there is one, claims that a kind must have, and claims
that it must not have. A profile also says how the claims that all kinds share are treated;
:mod:`oidc_core.machine.claim_rules` reads it.

The table has every kind, also those that no flow uses yet: they are refused all the same.
"""

from collections.abc import Collection
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from oidc_core.jose.algorithms import HMAC, SIGNATURES
from oidc_core.wire.limits import LimitName

Audience: TypeAlias = Literal["trusted", "includes_us", "only_us"]
Tenant: TypeAlias = Literal["claim", "session"]
AgeName: TypeAlias = Literal["id_token_age", "logout_token_age"]

_NONE: Final[frozenset[str]] = frozenset()


class JwtProfile(NamedTuple):
    """The form of one kind of JWT, and its difference from every other.

    Attributes:
        name: what it is; the errors about it carry that as ``of``.
        spec: where it is specified.
        types: the accepted ``typ`` in lower case and without ``application/`` (RFC 7515 §4.1.9); an
            empty string stands for an absent one.
        required: claims that must be there; those not named here are checked if present.
        any_of: claims of which at least one must be there, if there are any.
        forbidden: claims that must not be there, with any value.
        algorithms: what it may be signed with at most; a registration narrows that.
        limit: which of the policy's limits says how many characters it may have.
        registered_as: the prefix of the registration's members about it, as in
            ``id_token_signed_response_alg``.
        audience: whether ``aud`` may name others in addition to this client: those it trusts, any,
            nobody.
        age: which of the policy's settings says how long ago one may have been issued; ``None`` if
            that does not count.
        tenant: where several tenants are let in, what names the tenant: a claim of the token, or
            the session it belongs to.
    """

    name: str
    spec: str
    types: frozenset[str]
    required: frozenset[str]
    any_of: frozenset[str] = _NONE
    forbidden: frozenset[str] = _NONE
    algorithms: frozenset[str] = SIGNATURES
    limit: LimitName = "id_token"
    registered_as: str = "id_token"
    audience: Audience = "includes_us"
    age: AgeName | None = None
    tenant: Tenant = "session"

    def fits(self, typ: str, claims: Collection[str]) -> bool:
        """Return whether a token with this ``typ`` and these claims may be of this kind."""
        return (
            typ in self.types
            and self.required.issubset(claims)
            and self.forbidden.isdisjoint(claims)
            and not (self.any_of and self.any_of.isdisjoint(claims))
        )


def media_name(value: str | None) -> str:
    """Return a ``typ`` or ``cty`` without case and ``application/`` (RFC 7515 §4.1.9, §4.1.10).

    An empty ``typ`` is present all the same: it is ``/``, which no kind of token has.
    """
    return "" if value is None else value.lower().removeprefix("application/") or "/"


def normalized_typ(typ: str | None) -> str:
    """Return a ``typ`` in the spelling of the table.

    ``JOSE`` only says that this is a compact JWS or JWE, which is certain anyway. It does not name
    the kind of token (RFC 7515 §4.1.9): it counts as ``JWT``.
    """
    name = media_name(typ)
    return "jwt" if name == JOSE else name


JOSE: Final = "jose"


_PUBLIC_KEY: Final = SIGNATURES - HMAC
UNTYPED: Final = frozenset({"", "jwt"})
"""A ``typ`` that names no kind: absent, or only that it is a JWT."""

_EVENT: Final = frozenset({"events", "token_introspection"})
"""Claims that belong only to tokens of other kinds, which are not about a login or a user."""

ID_TOKEN: Final = JwtProfile(
    "id_token",
    "OIDC Core §2",
    UNTYPED | {"id+jwt"},
    required=frozenset({"iss", "sub", "aud", "exp", "iat"}),
    forbidden=_EVENT,
    audience="trusted",
    age="id_token_age",
    tenant="claim",
)
ACCESS_TOKEN: Final = JwtProfile(
    "access_token",
    "RFC 9068 §2",
    frozenset({"at+jwt"}),
    required=frozenset({"iss", "exp", "aud", "sub", "client_id", "iat", "jti"}),
    forbidden=_EVENT,
    algorithms=_PUBLIC_KEY,
)
LOGOUT_TOKEN: Final = JwtProfile(
    "logout_token",
    "OIDC Back-Channel Logout §2.4",
    UNTYPED | {"logout+jwt"},
    required=frozenset({"iss", "aud", "iat", "exp", "jti", "events"}),
    any_of=frozenset({"sub", "sid"}),
    forbidden=frozenset({"nonce"}),
    audience="trusted",
    age="logout_token_age",
)
SECURITY_EVENT: Final = JwtProfile(
    "security_event",
    "RFC 8417 §2.2, §2.3",
    frozenset({"secevent+jwt"}),
    required=frozenset({"iss", "iat", "jti", "events"}),
)
USERINFO: Final = JwtProfile(
    "userinfo",
    "OIDC Core §5.3.2",
    UNTYPED | {"token-userinfo+jwt"},
    required=frozenset({"sub"}),
    forbidden=_EVENT | {"nonce", "at_hash", "c_hash", "s_hash"},
    limit="userinfo",
    registered_as="userinfo",
)
AUTHORIZATION_RESPONSE: Final = JwtProfile(
    "authorization_response",
    "JARM §2.1",
    UNTYPED,
    required=frozenset({"iss", "aud", "exp"}),
    any_of=frozenset({"code", "error", "response", "access_token", "id_token"}),
    forbidden=_EVENT | {"sub", "nonce", "response_type"},
    registered_as="authorization",
)
REQUEST_OBJECT: Final = JwtProfile(
    "request_object",
    "RFC 9101 §4, §10.8; OIDC Core §6.1",
    UNTYPED | {"oauth-authz-req+jwt"},
    required=frozenset({"iss", "aud", "client_id", "response_type"}),
    forbidden=_EVENT | {"sub", "request", "request_uri"},
)
DPOP_PROOF: Final = JwtProfile(
    "dpop_proof",
    "RFC 9449 §4.2",
    frozenset({"dpop+jwt"}),
    required=frozenset({"jti", "htm", "htu", "iat"}),
    algorithms=_PUBLIC_KEY,
)
INTROSPECTION_RESPONSE: Final = JwtProfile(
    "introspection_response",
    "RFC 9701 §5",
    frozenset({"token-introspection+jwt"}),
    required=frozenset({"iss", "aud", "iat", "token_introspection"}),
    forbidden=frozenset({"sub", "exp"}),
    registered_as="introspection",
)

PROFILES: Final = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            ID_TOKEN,
            ACCESS_TOKEN,
            LOGOUT_TOKEN,
            SECURITY_EVENT,
            USERINFO,
            AUTHORIZATION_RESPONSE,
            REQUEST_OBJECT,
            DPOP_PROOF,
            INTROSPECTION_RESPONSE,
        )
    }
)
"""Every profile by name."""

KEPT_ID_TOKEN: Final = ID_TOKEN._replace(age=None)
"""An ID token that was not issued just now, but kept: it is valid until ``exp``."""

TYPED_LOGOUT_TOKEN: Final = LOGOUT_TOKEN._replace(types=frozenset({"logout+jwt"}))
"""A logout token under a policy that has it say what it is."""
