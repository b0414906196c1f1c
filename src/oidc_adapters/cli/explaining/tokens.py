"""A token in words: header, claims, times, and each rule for its kind with its verdict.

The rules are those of the core.  A login stops at the first that does not hold; here each runs by
itself, and one that needs something that is not here is not judged.
"""

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from attrs import evolve, field, frozen

from oidc_adapters.cli.redaction import SECRETS
from oidc_adapters.cli.stand_in import stand_in, unjudged
from oidc_adapters.cli.verdicts import Verdict, failure, judged
from oidc_core.endpoints.id_token import ID_TOKEN_RULES, Expected
from oidc_core.endpoints.logout_token import LOGOUT_TOKEN_RULES
from oidc_core.jose.algorithms import HMAC
from oidc_core.jose.jws import (
    UnverifiedJws,
    VerifiedJws,
    check_header,
    first_seen,
    header_members,
    split,
    verify,
)
from oidc_core.jose.key_set import KeySet, parse_key_set
from oidc_core.jose.profiles import (
    KEPT_ID_TOKEN,
    LOGOUT_TOKEN,
    PROFILES,
    JwtProfile,
    normalized_typ,
)
from oidc_core.machine.claim_rules import Examined
from oidc_core.model.demands import Demands
from oidc_core.model.evidence import Rule
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError
from oidc_core.wire.facts import described, private
from oidc_core.wire.jsontypes import JsonObject, parse_object
from oidc_core.wire.limits import UPPER_BOUNDS
from oidc_core.wire.messages import Fact

_EMPTY: Final = JsonObject({})
_ENCRYPTED: Final = 4
"""How many dots a compact JWE has."""

_LOGOUT: Final = "events"
_NEEDS: Final = MappingProxyType({"iss": "issuer", "aud": "client_id", "azp": "client_id"})
"""The option that a rule compares with, by the name of the rule."""

_UNJUDGED: Final = MappingProxyType(
    {
        "encryption": "whether the client registered encryption is not known here",
        "acr": "what the login demanded is not known here",
        "auth_time": "what the login demanded is not known here",
        "expected_sub": "the user that the login expected is not known here",
        "at_hash": "the access token is not here",
        "claims": "what the login demanded is not known here",
        "sid": "whether the client registered that it needs sid is not known here",
    }
)
"""Why a rule is not judged here, by its name."""


@frozen(kw_only=True)
class Given:
    """The values to compare a token with; an empty text was not given.

    Attributes:
        issuer, client_id, nonce: as the login had them.
        jwks: a file with the provider's key set.
        now: seconds since the epoch.
    """

    issuer: str = ""
    client_id: str = ""
    nonce: str = field(default="", repr=False)
    jwks: Path | None = None
    now: int


@frozen(kw_only=True)
class ExplainedToken:
    """The unverified content of a token, and the verdicts about it.

    Attributes:
        form: ``JWS`` or ``JWE``.
        header, claims: their members; nobody has verified them.
        fits: the kinds of token that it may be, by its form.
        judged_as: the kind whose rules were run; empty without claims.
        verdicts: the checks.
    """

    form: str
    header: JsonObject = _EMPTY
    claims: JsonObject = _EMPTY
    fits: tuple[str, ...] = ()
    judged_as: str = ""
    verdicts: tuple[Verdict, ...]


def is_token(subject: str) -> bool:
    """Return whether a text has the form of a compact JWS or JWE (RFC 7515 §7.1, RFC 7516 §7.1)."""
    signs = subject.replace("-", "").replace("_", "").replace(".", "")
    return subject.count(".") in {2, _ENCRYPTED} and signs.isascii() and signs.isalnum()


def explain_token(token: str, given: Given) -> ExplainedToken:
    """Explain a token, as far as it can be read.

    Raises:
        UsageError: for a text that cannot be an issuer, or a file without a key set.
    """
    keys = None if given.jwks is None else _key_set(given.jwks)
    if token.count(".") == _ENCRYPTED:
        return _encrypted(token)
    try:
        jws = split(token, UPPER_BOUNDS)
        header = JsonObject(header_members(jws.protected, UPPER_BOUNDS))
        octets = b64url_decode(jws.payload)
        claims = parse_object(octets, members=UPPER_BOUNDS.members, tolerant=True)
    except ProtocolViolation as refusal:
        return ExplainedToken(form="JWS", verdicts=(failure("form", "it can be read", refusal),))
    profile = LOGOUT_TOKEN if _LOGOUT in claims else KEPT_ID_TOKEN
    return ExplainedToken(
        form="JWS",
        header=header,
        claims=claims,
        fits=_fits(header, claims),
        judged_as=profile.name,
        verdicts=_verdicts(jws, claims, profile, keys, given),
    )


def _encrypted(token: str) -> ExplainedToken:
    says, spec = "only the client's key can read its claims", "RFC 7516 §7.1"
    try:
        members = header_members(token.partition(".")[0].encode("ascii"), UPPER_BOUNDS)
    except ProtocolViolation as refusal:
        return ExplainedToken(form="JWE", verdicts=(failure("form", "it can be read", refusal),))
    reason = "encrypted: the claims are not judged"
    verdict = Verdict(name="encryption", says=says, outcome="unjudged", spec=spec, reason=reason)
    return ExplainedToken(form="JWE", header=JsonObject(members), verdicts=(verdict,))


def _fits(header: JsonObject, claims: JsonObject) -> tuple[str, ...]:
    typ = header.get("typ")
    name = normalized_typ(typ if isinstance(typ, str) else None)
    return tuple([each.name for each in PROFILES.values() if each.fits(name, claims.members)])


def _verdicts(
    jws: UnverifiedJws,
    claims: JsonObject,
    profile: JwtProfile,
    keys: KeySet | None,
    given: Given,
) -> tuple[Verdict, ...]:
    rp = stand_in(issuer=given.issuer, client_id=given.client_id)
    try:
        known = first_seen(jws.protected, UPPER_BOUNDS)
    except ProtocolViolation as refusal:
        return (failure("header", "its header is usable", refusal),)
    header, signature = known.header, None
    found = VerifiedJws(header, b"", None, given.now, None)
    if keys is not None and header.alg not in HMAC:
        try:
            found = verify(
                jws, keys, rp.verifier, algorithms=frozenset({header.alg}),
                types=frozenset({header.typ}), now=given.now, keys_fetched_at=given.now,
                known=known,
            )  # fmt: skip
        except ProtocolViolation as refusal:
            signature = refusal
    expected = Expected(Demands(nonce=given.nonce or "-", started_at=given.now))
    examined = Examined(
        rp, profile, rp.protection["id_token"], claims, claims.members.get, given.now, found,
        None, None, expected,
    )  # fmt: skip
    return _judgement(examined, _Judge(examined, given, signature))


def _judgement(examined: Examined[Expected], judge: "_Judge") -> tuple[Verdict, ...]:
    profile, header = examined.profile, examined.signed.header

    def typ() -> None:
        check_header(header, frozenset({header.alg}), profile.types)

    kind = "a logout token" if profile is LOGOUT_TOKEN else "an ID token"
    first = judged("typ", f"its typ is that of {kind}", "RFC 8725 §3.11", typ)
    table = LOGOUT_TOKEN_RULES if profile is LOGOUT_TOKEN else ID_TOKEN_RULES
    rules: tuple[Rule[Any], ...] = table.rules
    return (first, *map(judge, rules))


@frozen
class _Judge:
    """Runs one rule at a time."""

    examined: Examined[Expected]
    given: Given
    signature: ProtocolViolation | None

    def __call__(self, rule: Rule[Any]) -> Verdict:
        if rule.name == "signature":
            return self._signature(rule)
        reason = self._lacking(rule.name)
        if reason:
            return unjudged(rule, reason, self._found(rule.name))
        check: Callable[[Any], str | None] = rule.check
        verdict = judged(rule.name, rule.says, rule.spec, lambda: check(self.examined))
        if verdict.outcome != "passed":
            return verdict
        return evolve(verdict, found=self._found(rule.name), expected=self._expected(rule.name))

    def _signature(self, rule: Rule[Any]) -> Verdict:
        jws, name = self.examined.signed, rule.name
        if self.signature is not None:
            return failure(name, rule.says, self.signature, spec=rule.spec)
        if jws.key is not None:
            kid = jws.header.kid
            found = "the only key that fits" if kid is None else f"key {kid}"
            return Verdict(name=name, says=rule.says, outcome="passed", spec=rule.spec, found=found)
        by_secret = jws.header.alg in HMAC
        reason = "only the client's secret verifies it" if by_secret else "no --jwks was given"
        return unjudged(rule, reason)

    def _lacking(self, name: str) -> str:
        needed = _NEEDS.get(name, "nonce" if name == "nonce" else "")
        if needed:
            option = needed.replace("_", "-")
            return "" if getattr(self.given, needed) else f"no --{option} was given"
        if name == "sid" and self.examined.claim("sid") is not None:
            return ""
        return _UNJUDGED.get(name, "")

    def _found(self, name: str) -> Fact:
        if name == "alg":
            return self.examined.signed.header.alg
        value = self.examined.claim(name)
        if value is None:
            return None
        return private(value) if name in SECRETS else described(value)

    def _expected(self, name: str) -> Fact:
        if name in {"exp", "iat", "nbf"} and self.examined.claim(name) is not None:
            return f"{'after' if name == 'exp' else 'up to'} {self.given.now}"
        if name == "nonce":
            return private(self.given.nonce)
        needed = _NEEDS.get(name)
        return None if needed is None else getattr(self.given, needed)


def _key_set(path: Path) -> KeySet:
    try:
        return parse_key_set(path.read_bytes())
    except OSError as fault:
        expected = "a file that can be read"
        raise UsageError(
            "config_invalid", about="jwks", found=fault.strerror, expected=expected
        ) from None
    except OidcError as fault:
        expected = "a file with a key set"
        raise UsageError(
            "config_invalid", about="jwks", found=fault.code, expected=expected
        ) from None
