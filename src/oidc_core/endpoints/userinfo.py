"""The UserInfo endpoint (OIDC Core §5.3): request, answer, and whom it is about.

The one rule nobody may skip: ``sub`` is that of the ID token, or none of it is used (§5.3.2).
"""

import re
from typing import Final, NamedTuple

from oidc_core.jose.jwe import check_replicated, decrypt
from oidc_core.jose.jws import Encryption, VerifiedJws
from oidc_core.jose.kinds import USERINFO, refuse_other_kinds
from oidc_core.model.claims import UserInfo, audience, numeric_date, subject
from oidc_core.model.evidence import Evidence, Rule, RuleTable, SkipReason, decryption_notes
from oidc_core.model.relying_party import RelyingParty, endpoint
from oidc_core.wire.challenge import challenges
from oidc_core.wire.errors import TEXT, ProtocolViolation, ProviderError, UsageError
from oidc_core.wire.grammar import NQSCHAR
from oidc_core.wire.http import LIMITS, HttpRequest, HttpResponse
from oidc_core.wire.jsontypes import JsonObject, parse_object

_OK: Final = 200
_JSON: Final = "application/json"
_SCHEMES: Final = ("bearer", "dpop")
_ERROR: Final = re.compile(f"{NQSCHAR}+")
TYPES: Final = USERINFO.types
"""The ``typ`` that signed UserInfo may have."""


def userinfo_request(rp: RelyingParty, access_token: str) -> HttpRequest:
    """Ask for UserInfo, the access token in a header and never in the URL (RFC 6750 §2.1)."""
    return HttpRequest(
        purpose="userinfo",
        method="GET",
        url=endpoint(rp, "userinfo_endpoint"),
        headers=(
            ("accept", _media_type(rp)),
            ("authorization", f"Bearer {access_token}"),
        ),
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        role="resource",
        resend="safe",
        max_body=LIMITS.userinfo,
    )


def parse_userinfo(rp: RelyingParty, response: HttpResponse) -> JsonObject | str:
    """Read the answer: claims, or a JWT if the client registered UserInfo as one.

    The JWT is to be verified if it was registered as signed, which is decrypted on the way if need
    be; else it is to be decrypted (:func:`decrypted_userinfo`).

    Raises:
        ProviderError: the provider's error, as in ``invalid_token``.
        ProtocolViolation: ``http_status_unexpected``; ``content_type_unexpected`` for JSON where a
            JWT was registered and the other way round; or what the JSON is refused with.
    """
    if response.status != _OK:
        raise _refused(response)
    expected = _media_type(rp)
    if response.media_type != expected:
        raise ProtocolViolation(
            "content_type_unexpected", found=response.media_type, expected=expected
        )
    if expected == _JSON:
        return parse_object(response.body)
    return response.body.decode("latin-1").strip()


def _media_type(rp: RelyingParty) -> str:
    """Signed, encrypted or both, claims come in a JWT (OIDC Core §5.3.2)."""
    plain = rp.client.userinfo_signed_response_alg is None and rp.userinfo_encryption is None
    return _JSON if plain else "application/jwt"


def decrypted_userinfo(rp: RelyingParty, token: str) -> JsonObject:
    """Decrypt UserInfo that was registered as encrypted and not as signed (OIDC Core §5.3.2).

    Raises:
        UsageError: ``config_invalid`` if it was not registered as encrypted.
        ProtocolViolation: what :func:`oidc_core.jose.jwe.decrypt` raises, ``decryption_failed`` in
            most cases; what the JSON is refused with; or a claim's code if the header says
            otherwise.
    """
    if rp.userinfo_encryption is None or rp.decrypter is None:
        raise UsageError("config_invalid", about="userinfo_encrypted_response_alg")
    header, plaintext = decrypt(
        token,
        rp.decrypter,
        (rp.issuer, rp.client.client_id),
        encryption=rp.userinfo_encryption,
        types=TYPES,
        nested=False,
        limit=LIMITS.userinfo,
    )
    claims = parse_object(plaintext)
    check_replicated(header, claims)
    return claims


def _refused(response: HttpResponse) -> ProviderError | ProtocolViolation:
    """Return the error that ``WWW-Authenticate`` spells (RFC 6750 §3, RFC 9449 §7.1).

    Of two challenges, the one with a ``Bearer`` token comes first.
    """
    found = challenges(response)
    for scheme in _SCHEMES:
        named = {name: value for of, name, value in reversed(found) if of == scheme}
        error = named.get("error")
        if error is not None and _ERROR.fullmatch(error[:TEXT]):
            return ProviderError(
                error,
                error_description=named.get("error_description"),
                error_uri=named.get("error_uri"),
                status=response.status,
            )
    return ProtocolViolation("http_status_unexpected", found=response.status, expected=_OK)


class _Answer(NamedTuple):
    """UserInfo on its way through the rules; ``jws`` if it was signed, how it was encrypted."""

    rp: RelyingParty
    claims: JsonObject
    sub: str
    iss: str | None
    jws: VerifiedJws | None
    now: int
    encryption: Encryption | None

    @property
    def is_jwt(self) -> bool:
        """Whether the claims came in a JWT, signed or encrypted: its dates bind (RFC 7519 §4.1)."""
        return self.jws is not None or self.encryption is not None


def _encryption(answer: _Answer) -> SkipReason | None:
    registered = answer.rp.userinfo_encryption
    if registered is None:
        return "not registered as encrypted"
    if answer.encryption != registered:
        raise ProtocolViolation("encryption_missing", expected=" ".join(registered))
    return None


def _subject(answer: _Answer) -> SkipReason | None:
    sub = answer.claims.members.get("sub")
    if not isinstance(sub, str) or sub != answer.sub:
        raise ProtocolViolation("userinfo_sub_mismatch", about="sub")
    return None


def _issuer(answer: _Answer) -> SkipReason | None:
    iss = answer.claims.members.get("iss")
    if iss is None and answer.jws is None:
        return "not signed"
    rule = answer.rp.issuer_rule
    if not isinstance(iss, str) or not rule.in_response(iss):
        raise ProtocolViolation("userinfo_iss", expected=answer.rp.issuer, about="iss")
    # Each tenant of a template is an issuer of its own, and has subjects of its own.
    if rule.pattern and answer.iss not in {None, iss}:
        raise ProtocolViolation("userinfo_iss", expected=answer.iss, about="iss")
    key = None if answer.jws is None else answer.jws.key
    if key is not None and not rule.in_key(key.issuers, iss):
        raise ProtocolViolation("userinfo_iss", expected=(*sorted(key.issuers),), about="iss")
    return None


def _audience(answer: _Answer) -> SkipReason | None:
    aud = answer.claims.members.get("aud")
    if answer.jws is None and (aud is None or not answer.is_jwt):
        return "not signed"
    if answer.rp.client.client_id not in (audience(aud) or ()):
        raise ProtocolViolation("userinfo_aud", expected=answer.rp.client.client_id, about="aud")
    return None


def _expiry(answer: _Answer) -> SkipReason | None:
    exp = answer.claims.members.get("exp")
    if exp is None:
        return "absent"
    if not answer.is_jwt:
        return "not in a JWT"
    at = numeric_date(exp)
    if at is None or answer.now >= at + answer.rp.policy.leeway:
        raise ProtocolViolation("userinfo_expired", found=at, about="exp")
    return None


def _not_before(answer: _Answer) -> SkipReason | None:
    nbf = answer.claims.members.get("nbf")
    if nbf is None:
        return "absent"
    if not answer.is_jwt:
        return "not in a JWT"
    at = numeric_date(nbf)
    if at is None or at > answer.now + answer.rp.policy.leeway:
        raise ProtocolViolation("userinfo_nbf", found=at, expected=answer.now, about="nbf")
    return None


def _signature(answer: _Answer) -> SkipReason | None:
    registered = answer.rp.client.userinfo_signed_response_alg
    if registered is None:
        return "not registered as signed"
    if answer.jws is None or answer.jws.header.alg != registered:
        raise ProtocolViolation("signature_invalid", expected=registered)
    return None


def _kind(answer: _Answer) -> SkipReason | None:
    """An ID token is signed by the same keys, for the same client, about the same user."""
    if answer.jws is None:
        return "not signed"
    refuse_other_kinds(USERINFO, answer.claims)
    return None


_P: Final = "OIDC Core §5.3.2"

USERINFO_RULES: Final = RuleTable(
    "userinfo",
    (
        Rule("encryption", _P, "it is encrypted if that was registered", _encryption),
        Rule("signature", _P, "it is signed if that was registered", _signature),
        Rule("kind", "RFC 8725 §3.12", "signed, it is not a token of another kind", _kind),
        Rule("sub", _P, "it is about the user of the ID token", _subject),
        Rule("iss", _P, "signed, it names the provider", _issuer),
        Rule("aud", _P, "in a JWT, it is for this client", _audience),
        Rule("exp", "RFC 7519 §4.1.4", "in a JWT, it has not expired", _expiry),
        Rule("nbf", "RFC 7519 §4.1.5", "in a JWT, it is valid already", _not_before),
    ),
)


def check_userinfo(
    rp: RelyingParty,
    claims: JsonObject,
    *,
    sub: str,
    jws: VerifiedJws | None,
    now: int,
    iss: str | None = None,
    encryption: Encryption | None = None,
) -> tuple[UserInfo, Evidence]:
    """Check UserInfo against the subject of the ID token, and its issuer where that is a tenant.

    Args:
        rp: the relying party.
        claims: what UserInfo says.
        sub: the subject of the ID token.
        iss: its issuer, compared where each tenant is one of its own.
        jws: the verified JWS the claims come from, if they were signed.
        now: the current time, in seconds since the epoch.
        encryption: how they were encrypted, where ``jws`` does not say so.

    Raises:
        ProtocolViolation: the code of the first rule that does not hold.
    """
    how = encryption if jws is None else jws.encryption
    outcomes = USERINFO_RULES.outcomes(_Answer(rp, claims, sub, iss, jws, now, how))
    evidence = Evidence(
        table=USERINFO_RULES,
        outcomes=outcomes,
        notes=decryption_notes(how),
        terms=rp.terms,
        checked_at=now,
        jws=jws,
    )
    return UserInfo(subject(claims.members.get("sub")), claims), evidence
