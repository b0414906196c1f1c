"""The logout token: a provider ends sessions by itself (OIDC Back-Channel Logout 1.0).

Theory of operation.  The provider posts the token to the client's ``backchannel_logout_uri``. No
browser takes part, and anybody can post there.  :func:`logout_token_in` takes the token out of the
request.  :func:`named_in` reads, unverified, its provider and its clients. The reader needs that to
find the client, and it decides nothing else.  The signature is verified like the signature of an ID
token (§2.6, 1 to 3).  Then :data:`LOGOUT_TOKEN_RULES` is the validator, in the order of the
specification and with its numbers; :func:`check` walks through it.

A Security Event Token (RFC 8417) is of the same family: its profile is
:data:`~oidc_core.jose.profiles.SECURITY_EVENT`, and its claims ``events`` and ``jti`` have the same
rules, in :mod:`oidc_core.machine.claim_rules`.
"""

from typing import Final, NamedTuple, TypeAlias

from attrs import field, frozen

from oidc_core.jose.jws import VerifiedJws, claims_kept, header_members
from oidc_core.jose.profiles import LOGOUT_TOKEN, JwtProfile
from oidc_core.machine import claim_rules as shared
from oidc_core.machine.claim_rules import Examined, refused, unread
from oidc_core.model.claim_values import audience, filled, numeric_date, text
from oidc_core.model.claims import subject
from oidc_core.model.evidence import Evidence, Rule, RuleTable, SkipReason
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import CallbackError, ProtocolViolation
from oidc_core.wire.facts import kind_of
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.limits import UPPER_BOUNDS, Limits, excess

LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
"""The member of ``events`` that says: this is a logout (§2.4)."""

_FORM: Final = "application/x-www-form-urlencoded"
_PARAMETER: Final = "logout_token"
_ENCRYPTED: Final = 4
"""How many dots a compact JWE has."""


def logout_token_in(incoming: Incoming, limits: Limits) -> str:
    """Take a logout token out of the request that brings it; other parameters do not count (§2.5).

    Args:
        incoming: the request at the ``backchannel_logout_uri``.
        limits: the policy's; the body may be as large as the body of a callback.

    Raises:
        ProtocolViolation: ``logout_request_invalid``, naming the method, the media type or the
            parameter.
        CallbackError: ``parameter_too_long``.
    """
    if incoming.method != "POST":
        raise _invalid("method", incoming.method, "POST")
    if incoming.media_type not in {"", _FORM}:
        raise _invalid("content-type", incoming.media_type, _FORM)
    if len(incoming.body) > limits.callback:
        facts = excess("callback", limits.callback, len(incoming.body), kind="suspicious")
        raise CallbackError("parameter_too_long", about=_PARAMETER, **facts)
    found = [value for name, value in incoming.parameters if name == _PARAMETER and value]
    if len(found) != 1:
        raise _invalid(_PARAMETER, len(found), 1)
    return found[0]


def _invalid(about: str, found: str | int, expected: str | int) -> ProtocolViolation:
    return ProtocolViolation("logout_request_invalid", about=about, found=found, expected=expected)


class Named(NamedTuple):
    """The provider and the clients that an unverified logout token names.

    Attributes:
        issuer: the issuer, ``None`` where an encrypted token does not show it.
        audience: the clients; empty where an encrypted token does not show them.
    """

    issuer: str | None
    audience: tuple[str, ...]


def named_in(token: str) -> Named:
    """Read, for a look-up only, which provider and clients a logout token names, unverified.

    The header of an encrypted one may name them (RFC 7519 §5.3).

    Raises:
        ProtocolViolation: ``iss_missing``, ``iss_malformed``, ``aud_missing`` or ``aud_malformed``;
            or the code of the refusal of its form.
    """
    if token.count(".") == _ENCRYPTED:
        header = header_members(
            token.partition(".")[0].encode("utf-8", "surrogatepass"), UPPER_BOUNDS
        )
        return Named(text(header.get("iss")), audience(header.get("aud")) or ())
    claims = claims_kept(token)
    issuer, clients = claims.members.get("iss"), audience(claims.members.get("aud"))
    if not isinstance(issuer, str):
        raise _unnamed(claims, "iss", "iss_missing", "iss_malformed")
    if clients is None:
        raise _unnamed(claims, "aud", "aud_missing", "aud_malformed")
    return Named(issuer, clients)


def _unnamed(claims: JsonObject, name: str, missing: str, malformed: str) -> ProtocolViolation:
    value = claims.members.get(name)
    code, found = (missing, None) if value is None else (malformed, kind_of(value))
    return ProtocolViolation(code, about=name, of=LOGOUT_TOKEN.name, found=found)


@frozen(kw_only=True)
class LogoutToken:
    """A logout token that was accepted (§2.4).

    Attributes:
        iss: the issuer, as the token names it.
        sub: whose sessions end; ``None`` if only ``sid`` says which.
        sid: the session at the provider that ended; ``None`` if all sessions of ``sub`` end.  Where
            both are there, a session has to fit both.
        jti: the name of the token, unique at its issuer.
        iat: when it was issued, in seconds since the epoch.
        exp: when it expires.
    """

    iss: str
    sub: str | None = field(repr=False)
    sid: str | None = field(repr=False)
    jti: str = field(repr=False)
    iat: int
    exp: int


class CheckedLogoutToken(NamedTuple):
    """A logout token that holds, and what was checked."""

    logout_token: LogoutToken
    evidence: Evidence


ExaminedLogoutToken: TypeAlias = Examined[None]
_Skipped: TypeAlias = SkipReason | None


def _sessions(token: ExaminedLogoutToken) -> _Skipped:
    if token.claim("sub") is None and token.claim("sid") is None:
        expected = ("sid", "sub")
        raise refused(token, "logout_subject_missing", "sub", expected=expected)
    return None


def _subject(token: ExaminedLogoutToken) -> _Skipped:
    if token.claim("sub") is None:
        return "absent"
    subject(token.claim("sub"), of=token.profile.name)
    return None


def _session(token: ExaminedLogoutToken) -> _Skipped:
    """A malformed ``sid`` is not absent: that would end all sessions of the user."""
    if filled(token.claim("sid")) is not None:
        return None
    if token.claim("sid") is None and token.rp.client.backchannel_logout_session_required:
        raise refused(token, "sid_missing", "sid")
    return unread(token, "sid")


def _event(token: ExaminedLogoutToken) -> _Skipped:
    return shared.event(token, LOGOUT_EVENT)


_P: Final = "OIDC Back-Channel Logout §2.6, "

LOGOUT_TOKEN_RULES: Final[RuleTable[ExaminedLogoutToken]] = RuleTable(
    "logout_token",
    (
        Rule("encryption", _P + "1", "it was encrypted if that was registered", shared.encryption),
        Rule("signature", _P + "2", "a key of the provider signed it", shared.signature),
        Rule("alg", _P + "3", "the algorithm is the one of ID tokens", shared.algorithm),
        Rule("iss", _P + "4", "the issuer is the provider, exactly", shared.issuer),
        Rule("aud", _P + "4", "the audience is this client and nobody untrusted", shared.audiences),
        Rule("iat", _P + "4", "it was issued just now, not in the future", shared.issued_at),
        Rule("exp", _P + "4", "it has not expired", shared.expiry),
        Rule("nbf", "RFC 7519 §4.1.5", "it is valid already", shared.not_before),
        Rule("sub_or_sid", _P + "5", "it names a user, a session or both", _sessions),
        Rule("sub", "OIDC Core §2", "a subject has its form", _subject),
        Rule(
            "sid",
            "OIDC Back-Channel Logout §2.2, §2.4",
            "a session has its form, and is there if that was registered",
            _session,
        ),
        Rule("events", _P + "6", "its event is a logout", _event),
        Rule("kind", _P + "7", "it has no nonce, so it is not an ID token", shared.kind),
        Rule("jti", "OIDC Back-Channel Logout §2.4", "it has a name", shared.identifier),
    ),
)
"""Every rule of a logout token, in the order in which they run.

That no other one of the same ``jti`` came (§2.6, 8) is for the memory of the application.
"""


def check(
    rp: RelyingParty, jws: VerifiedJws, claims: JsonObject, *, profile: JwtProfile = LOGOUT_TOKEN
) -> CheckedLogoutToken:
    """Check the claims of a verified logout token; ``jws.verified_at`` is taken for now.

    Args:
        rp: the relying party.
        jws: the token, its signature verified.
        claims: its payload.
        profile: what kind of logout token it is.

    Raises:
        ProtocolViolation: the code of the first rule that does not hold.
    """
    now, member = jws.verified_at, claims.members.get
    token = Examined(
        rp, profile, rp.protection[profile.registered_as], claims, member, now, jws,
        jws.encryption, None, None,
    )  # fmt: skip
    outcomes = LOGOUT_TOKEN_RULES.outcomes(token)
    evidence = Evidence(
        table=LOGOUT_TOKEN_RULES, outcomes=outcomes, terms=rp.terms, checked_at=now, jws=jws
    )
    accepted = LogoutToken(
        iss=text(member("iss")) or "",
        sub=text(member("sub")),
        sid=text(member("sid")),
        jti=text(member("jti")) or "",
        iat=numeric_date(member("iat")) or 0,
        exp=numeric_date(member("exp")) or 0,
    )
    return CheckedLogoutToken(accepted, evidence)
