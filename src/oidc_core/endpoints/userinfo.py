"""The UserInfo endpoint (OIDC Core §5.3): request, answer, and the user it is about.

The one rule nobody may skip: ``sub`` equals the ``sub`` of the ID token, or no part of UserInfo is
used (§5.3.2).
"""

from typing import Final, NamedTuple, TypeAlias

from oidc_core.jose.jwe import JweHeader, check_replicated, decrypt
from oidc_core.jose.jws import Encryption, VerifiedJws
from oidc_core.jose.profiles import USERINFO
from oidc_core.machine import claim_rules as shared
from oidc_core.machine.claim_rules import Examined, refused
from oidc_core.machine.disagreements import (
    encrypted_as,
    encryption_of,
    explained,
    signature_of,
    signed_as,
    signed_too,
)
from oidc_core.model.claim_values import VERIFIED_AS_TEXT, with_booleans
from oidc_core.model.claims import UserInfo, subject
from oidc_core.model.evidence import (
    Evidence,
    Rule,
    RuleTable,
    SkipReason,
    decryption_notes,
    odd_claims,
)
from oidc_core.model.relying_party import RelyingParty, target
from oidc_core.wire.answers import (
    JSON,
    OK,
    refusal_in_challenge,
    unexpected_media_type,
    unexpected_status,
)
from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError, fingerprint
from oidc_core.wire.facts import private
from oidc_core.wire.http import HttpRequest, HttpResponse
from oidc_core.wire.jsontypes import JsonObject, parse_object
from oidc_core.wire.settings import check_kind, check_text
from oidc_core.wire.way import Channel


def userinfo_request(rp: RelyingParty, access_token: str) -> HttpRequest:
    """Ask for UserInfo, the access token in a header and never in the URL (RFC 6750 §2.1)."""
    check_text(access_token, "access_token")
    url, way = target(rp, "userinfo_endpoint")
    return HttpRequest(
        purpose="userinfo",
        method="GET",
        url=url,
        way=way,
        headers=(
            ("accept", _media_type(rp)),
            ("authorization", f"Bearer {access_token}"),
        ),
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        role="resource",
        resend="safe",
        max_body=rp.policy.limits.userinfo,
    )


def parse_userinfo(rp: RelyingParty, response: HttpResponse) -> JsonObject | str:
    """Read the answer: claims, or a JWT if the client registered UserInfo as one.

    If the JWT was registered as signed, the client decrypts it where necessary and must verify it;
    otherwise the client must decrypt it (:func:`decrypted_userinfo`).

    Raises:
        ProviderError: the provider's error, as in ``invalid_token``.
        ProtocolViolation: ``http_status_unexpected``; ``content_type_unexpected`` for JSON where a
            JWT was registered and the other way round; or a code of the JSON's refusal.
    """
    if response.status != OK:
        raise refusal_in_challenge(response) or unexpected_status(response)
    expected = _media_type(rp)
    if response.media_type != expected:
        raise _other_form(rp, response, expected)
    if expected == JSON:
        return parse_object(response.body, members=rp.policy.limits.members, tolerant=True)
    return response.body.decode("latin-1").strip()


def _other_form(rp: RelyingParty, response: HttpResponse, expected: str) -> ProtocolViolation:
    """If UserInfo came in an unregistered form, say in the error which member to set."""
    error = unexpected_media_type(response, expected)
    found, client = response.media_type, rp.client
    if {found, expected} != {JSON, _JWT}:
        return error
    error.kind, error.retryable = "configuration", "no"
    signed, encrypted = signed_as(USERINFO), encrypted_as(USERINFO)
    if found == JSON:
        named = [name for name in (signed, encrypted) if getattr(client, name) is not None]
        error.about = named[0]
        error.hint = f"the provider sends plain JSON: register {' and '.join(named)} with it too"
        return error
    token = response.body.decode("latin-1").strip()
    encryption, signature = encryption_of(token), signature_of(token)
    error.about = encrypted if encryption else signed
    how = f"encrypts it ({encryption})" if encryption else f"signs it ({signature or 'as a JWT'})"
    error.hint = f"the provider {how}: set {error.about} to that"
    return error


_JWT: Final = "application/jwt"


def _media_type(rp: RelyingParty) -> str:
    """Signed, encrypted or both, claims come in a JWT (OIDC Core §5.3.2)."""
    algorithms, encryption = rp.protection[USERINFO.registered_as]
    return _JWT if algorithms or encryption else JSON


def decrypted_userinfo(rp: RelyingParty, token: str) -> tuple[JsonObject, JweHeader]:
    """Decrypt UserInfo that was registered as encrypted and not as signed (OIDC Core §5.3.2).

    Returns:
        the claims, and the header they were encrypted under.

    Raises:
        UsageError: ``config_invalid`` if it was not registered as encrypted.
        ProtocolViolation: the errors of :func:`oidc_core.jose.jwe.decrypt`, ``decryption_failed``
            in most cases; a code of the JSON's refusal; or a claim's code if the header says
            otherwise.
    """
    encryption = rp.protection[USERINFO.registered_as].encryption
    if encryption is None or rp.decrypter is None:
        raise UsageError("config_invalid", about="userinfo_encrypted_response_alg")
    limits = rp.policy.limits
    try:
        header, plaintext = decrypt(
            token,
            rp.decrypter,
            (rp.issuer, rp.client.client_id),
            encryption=encryption,
            types=USERINFO.types,
            nested=False,
            limits=limits,
            limit=USERINFO.limit,
        )
    except ProtocolViolation as refusal:
        raise explained(rp, USERINFO, refusal, token, "solicited") from None
    if signature_of(plaintext.decode("latin-1")):
        raise signed_too(USERINFO)
    claims = parse_object(plaintext, members=limits.members, tolerant=True)
    check_replicated(header, claims, of=USERINFO.name)
    return claims, header


ExaminedUserInfo: TypeAlias = Examined[str]
"""UserInfo on its way through the rules; expected is the subject of the ID token."""

_Skipped: TypeAlias = SkipReason | None
_UNSIGNED: Final = "not registered as signed"
_NO_JWT: Final = "not in a JWT"


def _signature(answer: ExaminedUserInfo) -> _Skipped:
    if answer.jws is None and not answer.protection.algorithms:
        return _UNSIGNED
    return shared.signature(answer)


def _algorithm(answer: ExaminedUserInfo) -> _Skipped:
    return shared.algorithm(answer) if answer.protection.algorithms else _UNSIGNED


def _in_jwt(answer: ExaminedUserInfo) -> bool:
    """Return whether the claims that every JWT has bind it (RFC 7519 §4.1)."""
    return answer.jws is not None or answer.encryption is not None


def _audiences(answer: ExaminedUserInfo) -> _Skipped:
    return shared.audiences(answer) if _in_jwt(answer) else _NO_JWT


def _expiry(answer: ExaminedUserInfo) -> _Skipped:
    return shared.expiry(answer) if _in_jwt(answer) else _NO_JWT


def _not_before(answer: ExaminedUserInfo) -> _Skipped:
    return shared.not_before(answer) if _in_jwt(answer) else _NO_JWT


def _subject(answer: ExaminedUserInfo) -> _Skipped:
    sub, expected = answer.claim("sub"), fingerprint(answer.expected)
    if sub is None:
        raise refused(answer, "sub_missing", "sub", expected=expected)
    if sub != answer.expected:
        raise refused(answer, "sub_mismatch", "sub", found=private(sub), expected=expected)
    return None


def _kind(answer: ExaminedUserInfo) -> _Skipped:
    """An ID token is signed by the same keys, for the same client, about the same user."""
    return "not signed" if answer.jws is None else shared.kind(answer)


_P: Final = "OIDC Core §5.3.2"

USERINFO_RULES: Final[RuleTable[ExaminedUserInfo]] = RuleTable(
    "userinfo",
    (
        Rule("encryption", _P, "it is encrypted if that was registered", shared.encryption),
        Rule(
            "signature",
            _P,
            "it is signed if that was registered",
            _signature,
        ),
        Rule(
            "alg",
            _P,
            "with the algorithm that was registered",
            _algorithm,
        ),
        Rule("sub", _P, "it is about the user of the ID token", _subject),
        Rule("iss", _P, "if it names an issuer, that is the provider", shared.issuer),
        Rule("aud", _P, "in a JWT, if it names an audience, that is this client", _audiences),
        Rule("kind", "RFC 8725 §3.12", "signed, it is not a token of another kind", _kind),
        Rule(
            "exp",
            "RFC 7519 §4.1.4",
            "in a JWT, it has not expired",
            _expiry,
        ),
        Rule(
            "nbf",
            "RFC 7519 §4.1.5",
            "in a JWT, it is valid already",
            _not_before,
        ),
    ),
)
"""Every rule of UserInfo, plain, signed or encrypted.

A contradiction to the ID token is found before every other fault of a signed one.
"""

_BINDING: Final = frozenset({"sub", "iss", "aud"})


def contradicts(fault: OidcError) -> bool:
    """Return whether UserInfo was refused because it belongs to another user, issuer or client.

    That is so where ``sub``, ``iss`` or ``aud`` is there and is not the one of the ID token; then
    the login ends, under every policy. Every other fault only costs UserInfo.
    """
    return fault.about in _BINDING and fault.code != f"{fault.about}_missing"


class CheckedUserInfo(NamedTuple):
    """UserInfo that holds, and what was checked."""

    userinfo: UserInfo
    evidence: Evidence


def _remarks(
    rp: RelyingParty, claims: JsonObject, encryption: Encryption | None
) -> tuple[str, ...]:
    """Return the notes about UserInfo that was not signed."""
    return (*decryption_notes(encryption), *odd_claims(claims, (), rp.policy.quirks))


def check_userinfo(
    rp: RelyingParty,
    claims: JsonObject,
    *,
    sub: str,
    jws: VerifiedJws | None,
    now: int,
    iss: str | None = None,
    encryption: Encryption | None = None,
    channel: Channel | None = None,
) -> CheckedUserInfo:
    """Check UserInfo against the subject of the ID token, and its issuer where that is a tenant.

    Args:
        rp: the relying party.
        claims: what UserInfo says.
        sub: the subject of the ID token.
        iss: its issuer, compared where each tenant is a separate issuer.
        jws: the verified JWS the claims come from, if they were signed.
        now: the current time, in seconds since the epoch.
        encryption: how they were encrypted, where ``jws`` does not say so.
        channel: how the answer came that they were in.

    Raises:
        ProtocolViolation: the code of the first rule that does not hold.
    """
    check_kind(claims, JsonObject, about="claims")
    check_text(sub, "sub")
    how, agreed = jws.encryption if jws else encryption, rp.protection[USERINFO.registered_as]
    answer = Examined(rp, USERINFO, agreed, claims, claims.members.get, now, jws, how, iss, sub)
    evidence = Evidence(
        table=USERINFO_RULES,
        outcomes=USERINFO_RULES.outcomes(answer),
        remarks=_remarks(rp, claims, encryption) if jws is None else (),
        terms=rp.terms_over[channel],
        checked_at=now,
        jws=jws,
    )
    return CheckedUserInfo(_accepted(rp, claims), evidence)


def _accepted(rp: RelyingParty, claims: JsonObject) -> UserInfo:
    if VERIFIED_AS_TEXT in rp.policy.quirks:
        claims = with_booleans(claims)
    return UserInfo(subject(claims.members.get("sub"), of=USERINFO.name), claims)
