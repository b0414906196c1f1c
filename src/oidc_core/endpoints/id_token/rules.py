"""The ID token: every rule of OIDC Core §3.1.3.7, in its order and with its numbers.

Theory of operation.  :data:`ID_TOKEN_RULES` is the validator: :func:`check` walks through it, and
the evidence points to the same table.  Decryption and signature come first in time (§3.1.3.7, 1 is
done in :mod:`oidc_core.jose.jwe`, 6 to 8 in :mod:`oidc_core.jose.jws`, before the payload is
parsed) and stand here in their places; their rows make sure that nothing comes in that did not go
that way.

Not checked: rule 4, which errata 2 withdrew.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from itertools import product
from types import MappingProxyType, NoneType
from typing import Final, NamedTuple, TypeAlias, cast

from attrs import field, frozen

from oidc_core.jose.algorithms import HMAC, half_hash
from oidc_core.jose.jws import VerifiedJws
from oidc_core.jose.kinds import ID_TOKEN, refuse_other_kinds
from oidc_core.model.claims import (
    MAX_DATE,
    IdToken,
    audience,
    numeric_date,
    subject,
    text,
    texts,
    usual_subject,
)
from oidc_core.model.evidence import Evidence, Rule, RuleTable, SkipReason, decryption_notes
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.encoding import same
from oidc_core.wire.errors import ProtocolViolation, fingerprint
from oidc_core.wire.jsontypes import JsonObject, JsonValue

_NOTHING: Final = JsonObject({})


class NoNonce(Enum):
    """Stands for "no nonce was sent": a token that carries one belongs to another login."""

    EXPECTED = "no nonce"


EXPECT_NO_NONCE: Final = NoNonce.EXPECTED

TYPES: Final = ID_TOKEN.types
"""The ``typ`` an ID token may have; that of every other kind of token is refused."""


@frozen
class IdTokenExpectations:
    """What an ID token is compared with.

    Attributes:
        nonce: the one sent, or :data:`EXPECT_NO_NONCE`.
        access_token: the one that came along, for ``at_hash``.
        started_at: when the login started, for ``auth_time``.
        max_age: the re-authentication that was asked for.
        required_acr: one of these has to be ``acr``, if there are any.
        essential_claims: have to be there.
        sub: the only user who may come back, if known.
        sub_iss: the issuer of that user, where each tenant is an issuer of its own.
        original: on a refresh, the claims of the ID token the session began with.
        iss: the issuer that the authorization response named, if it named one.
    """

    nonce: str | NoNonce = field(repr=False)
    started_at: int
    access_token: str | None = field(default=None, repr=False)
    max_age: int | None = None
    required_acr: tuple[str, ...] = ()
    essential_claims: tuple[str, ...] = ()
    sub: str | None = field(default=None, repr=False)
    original: JsonObject = field(default=_NOTHING, repr=False)
    iss: str | None = None
    sub_iss: str | None = None


class Examined(NamedTuple):
    """A verified token on its way through the rules; ``claim`` looks one up, ``None`` if absent."""

    rp: RelyingParty
    jws: VerifiedJws
    claims: JsonObject
    claim: Callable[[str], JsonValue]
    expected: IdTokenExpectations
    now: int


# What the constructor does, without the frame that a named tuple's own would cost each token.
_Token: TypeAlias = tuple[
    RelyingParty, VerifiedJws, JsonObject, Callable[[str], JsonValue], IdTokenExpectations, int
]
_examined: Final = cast("Callable[[type[Examined], _Token], Examined]", vars(tuple)["__new__"])

_Skipped: TypeAlias = SkipReason | None


def _encryption(token: Examined) -> _Skipped:
    registered = token.rp.id_token_encryption
    if registered is None:
        return "not registered as encrypted"
    if token.jws.encryption != registered:
        raise ProtocolViolation("encryption_missing", expected=" ".join(registered))
    return None


def _issuer(token: Examined) -> _Skipped:
    iss, rule, key = token.claim("iss"), token.rp.issuer_rule, token.jws.key
    if iss is not None and iss == rule.sole and (key is None or not key.issuers):
        return None
    expected: str | tuple[str, ...] = token.rp.issuer
    if isinstance(iss, str) and rule.in_token(iss, token.claims):
        named = token.expected.iss
        # Each tenant of a template is an issuer of its own, so response and token have to agree.
        if named is not None and named != iss and rule.pattern:
            expected = named
        elif key is not None and not rule.in_key(key.issuers, iss):
            expected = tuple(sorted(key.issuers))
        else:
            return None
    found = iss if isinstance(iss, str) else type(iss).__name__
    raise ProtocolViolation("iss_mismatch", found=found, expected=expected, about="iss")


def _audience(token: Examined) -> _Skipped:
    client = token.rp.client
    aud = token.claim("aud")
    if aud == client.client_id and isinstance(aud, str):
        return None
    named = audience(aud)
    if named is None or client.client_id not in named:
        raise ProtocolViolation("aud_mismatch", found=named, expected=client.client_id, about="aud")
    # What a MAC means to several audiences is unspecified (§3.1.3.7, 8): it serves this one only.
    trusted = frozenset[str]() if token.jws.key is None else client.trusted_audiences
    foreign = tuple([a for a in named if a != client.client_id and a not in trusted])
    if foreign:
        raise ProtocolViolation("aud_untrusted", found=foreign, about="aud")
    return None


def _authorized_party(token: Examined) -> _Skipped:
    azp = token.claim("azp")
    if azp is None:
        return "absent"
    if azp != token.rp.client.client_id:
        found = azp if isinstance(azp, str) else type(azp).__name__
        raise ProtocolViolation(
            "azp_mismatch", found=found, expected=token.rp.client.client_id, about="azp"
        )
    return None


def _signature(token: Examined) -> _Skipped:
    jws = token.jws
    if jws.key is None and jws.header.alg not in HMAC:
        raise ProtocolViolation("signature_invalid", expected="a key of the provider")
    return None


def _algorithm(token: Examined) -> _Skipped:
    alg = token.jws.header.alg
    if alg not in token.rp.id_token_algorithms:
        raise ProtocolViolation("alg_not_allowed", found=alg, about="alg")
    return None


def _kind(token: Examined) -> _Skipped:
    """A logout token or security event is signed by the same keys, for the same client."""
    if not _is_no_other(token.claims.members):
        refuse_other_kinds(ID_TOKEN, token.claims)
    return None


_is_no_other: Final = ID_TOKEN.forbidden.isdisjoint


def _expiry(token: Examined) -> _Skipped:
    value = token.claim("exp")
    if type(value) is int and token.now < value + token.rp.policy.leeway and value < MAX_DATE:
        return None
    exp = numeric_date(value)
    if exp is None:
        raise ProtocolViolation("exp_malformed", about="exp")
    if token.now >= exp + token.rp.policy.leeway:
        latest = f"after {token.now}"
        raise ProtocolViolation("exp_expired", found=exp, expected=latest, about="exp")
    return None


def _issued_at(token: Examined) -> _Skipped:
    value, policy, now = token.claim("iat"), token.rp.policy, token.now
    if type(value) is int and now - policy.id_token_age <= value <= now:
        return None
    iat = numeric_date(value)
    if iat is None:
        raise ProtocolViolation("iat_malformed", about="iat")
    if iat > now + policy.leeway:
        raise ProtocolViolation("iat_in_future", found=iat, expected=f"up to {now}", about="iat")
    if iat < now - policy.id_token_age - policy.leeway:
        oldest = f"from {now - policy.id_token_age}"
        raise ProtocolViolation("iat_too_old", found=iat, expected=oldest, about="iat")
    return None


def _not_before(token: Examined) -> _Skipped:
    value = token.claim("nbf")
    if value is None:
        return "absent"
    nbf = numeric_date(value)
    if nbf is None or nbf > token.now + token.rp.policy.leeway:
        found = type(value).__name__ if nbf is None else nbf
        expected = f"a date up to {token.now}"
        raise ProtocolViolation("nbf_in_future", found=found, expected=expected, about="nbf")
    return None


def _nonce(token: Examined) -> _Skipped:
    nonce, expected = token.claim("nonce"), token.expected.nonce
    if expected is EXPECT_NO_NONCE:
        if nonce is not None:
            raise ProtocolViolation("nonce_mismatch", expected="no nonce", about="nonce")
        return "none was sent"
    if nonce is None and "nonce_not_echoed" in token.rp.policy.quirks:
        return "quirk nonce_not_echoed"
    if not isinstance(nonce, str) or not nonce or not same(nonce, expected):
        found = fingerprint(nonce) if isinstance(nonce, str) else type(nonce).__name__
        raise ProtocolViolation("nonce_mismatch", found=found, about="nonce")
    return None


def _authentication_context(token: Examined) -> _Skipped:
    if not token.expected.required_acr:
        return "none was required"
    acr = token.claim("acr")
    if acr not in token.expected.required_acr:
        found = acr if isinstance(acr, str) else type(acr).__name__
        expected = token.expected.required_acr
        raise ProtocolViolation("acr_mismatch", found=found, expected=expected, about="acr")
    return None


def _authentication_time(token: Examined) -> _Skipped:
    expected = token.expected
    if expected.max_age is None and "auth_time" not in expected.essential_claims:
        return "no max_age was sent"
    auth_time = numeric_date(token.claim("auth_time"))
    leeway = token.rp.policy.leeway
    if auth_time is None or auth_time > token.now + leeway:
        raise ProtocolViolation("auth_time_malformed", found=auth_time, about="auth_time")
    if expected.max_age is None:
        return "any time will do"
    earliest = expected.started_at - expected.max_age - leeway
    if auth_time < earliest:
        found, oldest = auth_time, f"from {earliest}"
        raise ProtocolViolation(
            "auth_time_too_old", found=found, expected=oldest, about="auth_time"
        )
    return None


def _subject(token: Examined) -> _Skipped:
    sub = token.claim("sub")
    if not isinstance(sub, str) or not usual_subject(sub):
        subject(sub)
    return None


def _expected_subject(token: Examined) -> _Skipped:
    expected = token.expected.sub
    if expected is None:
        return "nobody in particular was expected"
    if token.claim("sub") != expected:
        raise ProtocolViolation("sub_mismatch", about="sub")
    if token.expected.sub_iss not in {None, token.claim("iss")}:
        raise ProtocolViolation("sub_mismatch", about="iss")
    return None


def _access_token_hash(token: Examined) -> _Skipped:
    at_hash, access_token = token.claim("at_hash"), token.expected.access_token
    if access_token is None:
        return "no access token came along"
    if at_hash is None and not token.rp.policy.require_at_hash:
        return "absent"
    header, key = token.jws.header, token.jws.key
    expected = half_hash(header.alg, "" if key is None else key.crv, access_token)
    if at_hash == expected:
        return None
    if _sha256_for_eddsa(token) and at_hash == half_hash("ES256", "P-256", access_token):
        return "quirk at_hash_sha256_for_eddsa"
    found = at_hash if isinstance(at_hash, str) else type(at_hash).__name__
    raise ProtocolViolation("at_hash_mismatch", found=found, expected=expected, about="at_hash")


def _optional(token: Examined) -> _Skipped:
    """A member that no decision hangs on and that is malformed counts as absent."""
    acr, amr, auth_time, sid = map(token.claim, _READ)
    if (
        (type(acr), type(amr), type(auth_time), type(sid)) in _USUAL
        and (not isinstance(amr, tuple) or all(map(_is_text, amr)))
        and (not isinstance(auth_time, (int, float)) or 0 <= auth_time < MAX_DATE)
    ):
        return None
    held = [(name, read, token.claim(name)) for name, read in _READ.items()]
    odd = [name for name, read, value in held if value is not None and read(value) is None]
    return f"malformed, taken as absent: {' '.join(odd)}"


_READ: Final[Mapping[str, Callable[[JsonValue], object]]] = MappingProxyType(
    {"acr": text, "amr": texts, "auth_time": numeric_date, "sid": text}
)
_USUAL: Final = frozenset(
    product((str, NoneType), (tuple, NoneType), (int, float, NoneType), (str, NoneType))
)
_is_text: Final = str.__instancecheck__


def _sha256_for_eddsa(token: Examined) -> bool:
    quirks = token.rp.policy.quirks
    return token.jws.header.alg in {"EdDSA", "Ed25519"} and "at_hash_sha256_for_eddsa" in quirks


def _essential_claims(token: Examined) -> _Skipped:
    if not token.expected.essential_claims:
        return "none was asked for"
    absent = [n for n in token.expected.essential_claims if token.claim(n) is None]
    if absent and token.rp.policy.require_essential_claims:
        raise ProtocolViolation("claim_missing", about=absent[0])
    return f"absent: {' '.join(absent)}" if absent else None


_P: Final = "OIDC Core §3.1.3.7, "

ID_TOKEN_RULES: Final = RuleTable(
    "id_token",
    (
        Rule("encryption", _P + "1", "it was encrypted if that was registered", _encryption),
        Rule("iss", _P + "2", "the issuer is the provider, exactly", _issuer),
        Rule("aud", _P + "3", "the audience is this client and nobody untrusted", _audience),
        Rule("azp", _P + "5", "an authorized party is this client", _authorized_party),
        Rule("signature", _P + "6", "a key of the provider signed it", _signature),
        Rule("alg", _P + "7", "the algorithm is the one agreed upon", _algorithm),
        Rule("kind", "RFC 8725 §3.12", "it is not a token of another kind", _kind),
        Rule("exp", _P + "9", "it has not expired", _expiry),
        Rule("iat", _P + "10", "it was issued lately and not in the future", _issued_at),
        Rule("nbf", "RFC 7519 §4.1.5", "it is valid already", _not_before),
        Rule("nonce", _P + "11", "it belongs to this login", _nonce),
        Rule(
            "acr", _P + "12", "the authentication is of the required class", _authentication_context
        ),
        Rule("auth_time", _P + "13", "the authentication is recent enough", _authentication_time),
        Rule("sub", "OIDC Core §2", "the subject has its form", _subject),
        Rule("expected_sub", "OIDC Core §3.1.2.1", "the expected user came", _expected_subject),
        Rule("at_hash", "OIDC Core §3.1.3.8", "the access token is its own", _access_token_hash),
        Rule("claims", "OIDC Core §5.5.1", "essential claims are there", _essential_claims),
        Rule("optional", "OIDC Core §2", "other members have their types", _optional),
    ),
)


def check(
    rp: RelyingParty,
    jws: VerifiedJws,
    claims: JsonObject,
    expected: IdTokenExpectations,
    *,
    raw: str,
    rules: RuleTable[Examined] = ID_TOKEN_RULES,
) -> tuple[IdToken, Evidence]:
    """Check the claims of a verified ID token.

    Args:
        rp: the relying party.
        jws: the token, its signature verified; ``jws.verified_at`` is taken for now.
        claims: its payload.
        expected: what it is compared with.
        raw: the token as it came.
        rules: the table to run.

    Raises:
        ProtocolViolation: the code of the first rule that does not hold.
    """
    now = jws.verified_at
    token = _examined(Examined, (rp, jws, claims, claims.members.get, expected, now))
    evidence = Evidence(
        table=rules,
        outcomes=rules.outcomes(token),
        notes=(*jws.header.ignored, *decryption_notes(jws.encryption)),
        terms=rp.terms,
        checked_at=now,
        jws=jws,
    )
    return IdToken(claims, raw), evidence
