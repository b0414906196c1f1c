"""The ID token: every rule of OIDC Core §3.1.3.7, in its order and with its numbers.

Theory of operation.  :data:`ID_TOKEN_RULES` is the validator: :func:`check` walks through it, and
the evidence points to the same table. Decryption and signature come first in time (§3.1.3.7, 1 is
done in :mod:`oidc_core.jose.jwe`, 6 to 8 in :mod:`oidc_core.jose.jws`, before the payload is
parsed) and have their rows here in the order of the specification; these rows make sure that each
token went that way. The rules that an ID token shares with other kinds of JWT are in
:mod:`oidc_core.machine.claim_rules`.

Not checked: rule 4, which errata 2 withdrew.
"""

from typing import Final, NamedTuple, TypeAlias

from oidc_core.jose.algorithms import half_hash
from oidc_core.jose.jws import VerifiedJws
from oidc_core.jose.profiles import ID_TOKEN, JwtProfile
from oidc_core.machine import claim_rules as shared
from oidc_core.machine.claim_rules import Examined, not_later, refused
from oidc_core.model.claim_values import VERIFIED_AS_TEXT, numeric_date, with_booleans
from oidc_core.model.claims import IdToken, subject, usable
from oidc_core.model.demands import ADDED_MAX_AGE, EXPECT_NO_NONCE, Demands
from oidc_core.model.evidence import Evidence, Rule, RuleTable, SkipReason
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.encoding import same
from oidc_core.wire.errors import ProtocolViolation, fingerprint
from oidc_core.wire.facts import described, private
from oidc_core.wire.jsontypes import JsonObject, JsonValue
from oidc_core.wire.messages import Fact
from oidc_core.wire.way import Channel


class Expected(NamedTuple):
    """The expectations for the claims of an ID token.

    Attributes:
        demands: what the login demands.
        access_token: the one that came along, for ``at_hash``.
        original: on a refresh, the claims of the ID token the session began with.
        parties: further parties that it may have been issued to; empty in a login or refresh.
    """

    demands: Demands
    access_token: str | None = None
    original: JsonObject | None = None
    parties: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"Expected({self.demands!r})"


class CheckedIdToken(NamedTuple):
    """An ID token that holds, and what was checked."""

    id_token: IdToken
    evidence: Evidence


ExaminedIdToken: TypeAlias = Examined[Expected]
_Skipped: TypeAlias = SkipReason | None
_NO_PROOF: Final = "prompt=login was sent, and the application asked for no proof of it"


def _authorized_party(token: ExaminedIdToken) -> _Skipped:
    parties, azp = token.expected.parties, token.claim("azp")
    if parties and isinstance(azp, str) and azp in parties:
        return f"issued to a trusted party: {azp}"
    return shared.authorized_party(token)


def _nonce(token: ExaminedIdToken) -> _Skipped:
    nonce, expected = token.claim("nonce"), token.expected.demands.nonce
    if expected is EXPECT_NO_NONCE:
        if nonce is not None:
            found = private(nonce)
            raise refused(token, "nonce_unexpected", "nonce", found=found, expected="absent")
        return "none was sent"
    if not nonce:  # an empty one tells no login from another
        return _without_nonce(token, nonce, fingerprint(expected))
    if not isinstance(nonce, str) or not same(nonce, expected):
        found, sent = private(nonce), fingerprint(expected)
        raise refused(token, "nonce_mismatch", "nonce", found=found, expected=sent)
    return None


def _without_nonce(token: ExaminedIdToken, nonce: JsonValue, sent: str) -> _Skipped:
    if nonce is not None:
        raise refused(token, "nonce_mismatch", "nonce", found=private(nonce), expected=sent)
    if "nonce_not_echoed" in token.rp.policy.quirks and "nonce" not in token.profile.required:
        return "quirk nonce_not_echoed"
    raise refused(token, "nonce_missing", "nonce", expected=sent)


def _authentication_context(token: ExaminedIdToken) -> _Skipped:
    required = token.expected.demands.required_acr
    if not required:
        return "none was required"
    acr = token.claim("acr")
    if acr is None:
        raise refused(token, "acr_missing", "acr", expected=required)
    if acr not in required or not usable("acr", acr):
        raise refused(token, "acr_mismatch", "acr", found=described(acr), expected=required)
    return None


def _authentication_time(token: ExaminedIdToken) -> _Skipped:
    demands = token.expected.demands
    prompt_login = demands.prompt_login
    if demands.max_age is None and "auth_time" not in demands.essential_claims:
        return "no max_age was sent" if prompt_login == "" else _NO_PROOF
    value, leeway = token.claim("auth_time"), token.rp.policy.leeway
    if value is None:
        raise _not_proven(token, "auth_time_missing")
    auth_time = numeric_date(value)
    if auth_time is None:
        raise _not_proven(token, "auth_time_malformed", found=described(value))
    if auth_time > token.now + leeway:
        latest = not_later(auth_time, token.now)
        raise refused(token, "auth_time_in_future", "auth_time", found=auth_time, expected=latest)
    if demands.max_age is None:
        return "the login allows any time"
    earliest = demands.started_at - demands.max_age - leeway
    if auth_time < earliest:
        oldest = f"from {earliest}"
        raise _not_proven(token, "auth_time_too_old", found=auth_time, expected=oldest)
    return None


def _not_proven(
    token: ExaminedIdToken, code: str, *, found: Fact = None, expected: Fact = None
) -> ProtocolViolation:
    """Return the refusal of an ``auth_time``, and who asked for it."""
    error = refused(token, code, "auth_time", found=found, expected=expected)
    if token.expected.demands.prompt_login == "proven":
        error.hint = f"{error.hint}; {ADDED_MAX_AGE}"
    return error


def _subject(token: ExaminedIdToken) -> _Skipped:
    subject(token.claim("sub"), of=token.profile.name)
    return None


def _expected_subject(token: ExaminedIdToken) -> _Skipped:
    expected = token.expected.demands.sub
    if expected is None:
        return "nobody in particular was expected"
    sub, iss, sub_iss = token.claim("sub"), token.claim("iss"), token.expected.demands.sub_iss
    if sub != expected:
        raise _another_user(token, "sub", private(sub), fingerprint(expected))
    if sub_iss not in {None, iss}:
        raise _another_user(token, "iss", described(iss), sub_iss)
    return None


def _another_user(
    token: ExaminedIdToken, about: str, found: Fact, expected: Fact
) -> ProtocolViolation:
    """Return the refusal of a user who is not the expected one; only that user is responsible."""
    error = refused(token, "sub_mismatch", about, found=found, expected=expected)
    error.kind, error.hint = "user", "another user logged in than the one that was expected"
    return error


def _access_token_hash(token: ExaminedIdToken) -> _Skipped:
    access_token = token.expected.access_token
    if access_token is None:
        return "no access token came along"
    at_hash = token.claim("at_hash")
    if at_hash is None:
        if token.rp.policy.require_at_hash:
            raise refused(token, "at_hash_missing", "at_hash")
        return "absent"
    return check_half_hash(token, "at_hash", at_hash, access_token)


def check_half_hash(token: ExaminedIdToken, name: str, value: JsonValue, text: str) -> _Skipped:
    """Compare the value of a hash claim with the text that came along (§3.1.3.6, §3.3.2.11).

    Raises:
        ProtocolViolation: the claim's name with ``_mismatch``.
    """
    jws = token.signed
    alg, crv = jws.header.alg, "" if jws.key is None else jws.key.crv
    expected = half_hash(alg, crv, text)
    if value == expected:
        return None
    quirk = next((each.name for each in _ODD_HASHES if each.gives(value, crv, text)), "")
    if quirk in token.rp.policy.quirks:
        return f"quirk {quirk}"
    error = refused(token, f"{name}_mismatch", name, found=described(value), expected=expected)
    if quirk:
        error.kind, error.hint = "configuration", f"another digest was used: see the quirk {quirk}"
    raise error


class _OddHash(NamedTuple):
    """A digest that providers take for another: ``like`` is the algorithm that it belongs to."""

    name: str
    like: tuple[str, str]
    crv: str = ""

    def gives(self, value: JsonValue, crv: str, text: str) -> bool:
        """Return whether this digest gives the value, where a provider is known to use it."""
        return self.crv in {"", crv} and value == half_hash(*self.like, text)


# Hydra takes SHA-256 for every algorithm; Keycloak takes 64 octets of SHAKE256 for Ed448.
_ODD_HASHES: Final = (
    _OddHash("at_hash_sha256", ("ES256", "P-256")),
    _OddHash("at_hash_half_of_64_for_ed448", ("ML-DSA-44", ""), "Ed448"),
)


def _essential_claims(token: ExaminedIdToken) -> _Skipped:
    essential = token.expected.demands.essential_claims
    if not essential:
        return "the login demands no claim"
    absent = [name for name in essential if not usable(name, token.claim(name))]
    if absent and token.rp.policy.require_essential_claims:
        raise refused(token, "claim_missing", absent[0])
    return f"absent: {' '.join(absent)}" if absent else None


_P: Final = "OIDC Core §3.1.3.7, "

ID_TOKEN_RULES: Final[RuleTable[ExaminedIdToken]] = RuleTable(
    "id_token",
    (
        Rule("encryption", _P + "1", "it was encrypted if that was registered", shared.encryption),
        Rule("iss", _P + "2", "the issuer is the provider, exactly", shared.issuer),
        Rule("aud", _P + "3", "the audience is this client and nobody untrusted", shared.audiences),
        Rule("azp", _P + "5", "an authorized party is this client", _authorized_party),
        Rule("signature", _P + "6", "a key of the provider signed it", shared.signature),
        Rule("alg", _P + "7", "the algorithm is the registered one", shared.algorithm),
        Rule("kind", "RFC 8725 §3.12", "it is not a token of another kind", shared.kind),
        Rule("exp", _P + "9", "it has not expired", shared.expiry),
        Rule(
            "iat",
            _P + "10",
            "it was not issued in the future, nor long ago where it has just come",
            shared.issued_at,
        ),
        Rule("nbf", "RFC 7519 §4.1.5", "it is valid already", shared.not_before),
        Rule("nonce", _P + "11", "it belongs to this login", _nonce),
        Rule(
            "acr", _P + "12", "the authentication is of the required class", _authentication_context
        ),
        Rule("auth_time", _P + "13", "the authentication is recent enough", _authentication_time),
        Rule("sub", "OIDC Core §2", "the subject has its form", _subject),
        Rule("expected_sub", "OIDC Core §3.1.2.1", "the expected user came", _expected_subject),
        Rule("at_hash", "OIDC Core §3.1.3.8", "the access token is its own", _access_token_hash),
        Rule("claims", "OIDC Core §5.5.1", "essential claims are there", _essential_claims),
    ),
    optional=("acr", "amr", "auth_time", "sid"),
)
"""Every rule of an ID token, in the order in which they run."""


def check(
    rp: RelyingParty,
    jws: VerifiedJws,
    claims: JsonObject,
    expected: Expected,
    *,
    raw: str,
    iss: str | None = None,
    rules: RuleTable[ExaminedIdToken] = ID_TOKEN_RULES,
    profile: JwtProfile = ID_TOKEN,
    channel: Channel | None = None,
) -> CheckedIdToken:
    """Check the claims of a verified ID token; ``jws.verified_at`` is taken for now.

    Args:
        rp: the relying party.
        jws: the token, its signature verified.
        claims: its payload.
        expected: the expectations for it.
        raw: the unchanged token.
        iss: the issuer that the authorization response named, if it named one.
        rules: the table to run.
        profile: what kind of ID token it is, as the errors say.
        channel: the channel of the answer that held it, ``None`` if it was in no answer.

    Raises:
        ProtocolViolation: the code of the first rule that does not hold.
    """
    now = jws.verified_at
    if VERIFIED_AS_TEXT in rp.policy.quirks:
        claims = with_booleans(claims)
    token = Examined(
        rp, profile, rp.protection[profile.registered_as], claims, claims.members.get, now, jws,
        jws.encryption, iss, expected,
    )  # fmt: skip
    evidence = Evidence(
        table=rules, outcomes=rules.outcomes(token), terms=rp.terms_over[channel],
        checked_at=now, jws=jws,
    )  # fmt: skip
    return CheckedIdToken(IdToken(claims, raw), evidence)
