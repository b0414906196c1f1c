"""The rules about the claims that every kind of JWT shares: one function for each, for all kinds.

The profile of a kind says how the kind treats a claim (:mod:`oidc_core.jose.profiles`): a claim
that it requires must be there, any other is checked if present. A claim that is malformed is
refused, never taken for absent. The kinds put these functions into their tables of rules, next to
their own rules.
"""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from oidc_core.jose.algorithms import HMAC
from oidc_core.jose.jws import Encryption, VerifiedJws
from oidc_core.jose.profiles import JwtProfile
from oidc_core.model.claim_values import audience, filled, numeric_date
from oidc_core.model.evidence import SkipReason
from oidc_core.model.protection import Protection
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.facts import kind_of, shown_names
from oidc_core.wire.jsontypes import JsonObject, JsonValue, Unreadable
from oidc_core.wire.messages import Fact, shown

E = TypeVar("E")


class Examined(NamedTuple, Generic[E]):
    """Claims on their way through the rules.

    Attributes:
        rp: the relying party.
        profile: the kind of their token.
        protection: how tokens of this kind are signed and encrypted.
        claims: the claims.
        claim: looks one up, ``None`` if absent.
        now: seconds since the epoch.
        jws: the signed token, ``None`` if it was not signed.
        encryption: how it was encrypted, ``None`` if it was not.
        iss: the issuer that this session named before, or ``None``: each tenant is a separate
            issuer.
        expected: the expectations of this kind's rules.
    """

    rp: RelyingParty
    profile: JwtProfile
    protection: Protection
    claims: JsonObject
    claim: Callable[[str], JsonValue]
    now: int
    jws: VerifiedJws | None
    encryption: Encryption | None
    iss: str | None
    expected: E

    @property
    def signed(self) -> VerifiedJws:
        """The signed token, where only that is accepted.

        Raises:
            ProtocolViolation: ``signature_invalid`` if it was not signed.
        """
        if self.jws is None:
            raise ProtocolViolation("signature_invalid", of=self.profile.name)
        return self.jws


def refused(
    jwt: Examined[E], code: str, about: str, *, found: Fact = None, expected: Fact = None
) -> ProtocolViolation:
    """Return the refusal of a claim, which names the kind of token."""
    return ProtocolViolation(code, found=found, expected=expected, about=about, of=jwt.profile.name)


def unread(jwt: Examined[E], name: str, expected: Fact = None) -> SkipReason:
    """Return that a claim is absent, where it may be; one that is malformed is not absent.

    Raises:
        ProtocolViolation: the claim's name with ``_malformed``, or with ``_missing`` where the
            profile requires it.
    """
    value = jwt.claim(name)
    if value is not None:
        found = kind_of(value)
        raise refused(jwt, f"{name}_malformed", name, found=found, expected=expected)
    if name in jwt.profile.required:
        raise refused(jwt, f"{name}_missing", name, expected=expected)
    return "absent"


def encryption(jwt: Examined[E]) -> SkipReason | None:
    """It is encrypted as that was registered (OIDC Core §3.1.3.7, 1)."""
    registered = jwt.protection.encryption
    if registered is None:
        return "not registered as encrypted"
    if jwt.encryption != registered:
        raise refused(jwt, "encryption_missing", "", expected=" ".join(registered))
    return None


def signature(jwt: Examined[E]) -> SkipReason | None:
    """A key that serves its issuer signed it, or this client's secret (OIDC Core §3.1.3.7, 6)."""
    jws = jwt.jws
    key = None if jws is None else jws.key
    if jws is None or (key is None and jws.header.alg not in HMAC):
        raise refused(jwt, "signature_invalid", "", expected="a key of the provider")
    if key is not None and key.issuers:
        _check_key_issuers(jwt, key.issuers)
    return None


def _check_key_issuers(jwt: Examined[E], issuers: frozenset[str]) -> None:
    iss = jwt.claim("iss")
    if isinstance(iss, str) and not jwt.rp.issuer_rule.in_key(issuers, iss):
        raise refused(jwt, "iss_mismatch", "iss", found=iss, expected=tuple(sorted(issuers)))


def algorithm(jwt: Examined[E]) -> SkipReason | None:
    """The algorithm is the registered one (OIDC Core §3.1.3.7, 7)."""
    alg = "none" if jwt.jws is None else jwt.jws.header.alg
    if alg not in jwt.protection.algorithms:
        raise refused(jwt, "alg_not_allowed", "alg", found=alg)
    return None


def kind(jwt: Examined[E]) -> SkipReason | None:
    """It is not a token of another kind: those are signed by the same keys (RFC 8725 §3.12)."""
    profile, members = jwt.profile, jwt.claims.members
    if not profile.forbidden.isdisjoint(members):
        foreign = min(profile.forbidden.intersection(members))
        raise refused(jwt, "claim_forbidden", foreign, expected=profile.name)
    if profile.any_of and all(members.get(name) is None for name in profile.any_of):
        one_of = tuple(sorted(profile.any_of))
        raise refused(jwt, "claim_missing", one_of[0], expected=one_of)
    return None


def issuer(jwt: Examined[E]) -> SkipReason | None:
    """The issuer is the provider, exactly, and the tenant that was named before."""
    iss, rule = jwt.claim("iss"), jwt.rp.issuer_rule
    if not isinstance(iss, str):
        return unread(jwt, "iss", jwt.rp.issuer)
    of_us = (
        rule.in_token(iss, jwt.claims) if jwt.profile.tenant == "claim" else rule.in_response(iss)
    )
    if not of_us:
        raise refused(jwt, "iss_mismatch", "iss", found=iss, expected=jwt.rp.issuer)
    if rule.pattern and jwt.iss not in {None, iss}:
        raise refused(jwt, "iss_mismatch", "iss", found=iss, expected=jwt.iss)
    return None


def audiences(jwt: Examined[E]) -> SkipReason | None:
    """It is for this client, and for no other audience except those that the profile allows."""
    client, named = jwt.rp.client, audience(jwt.claim("aud"))
    if named is None:
        return unread(jwt, "aud", client.client_id)
    if client.client_id not in named:
        raise refused(jwt, "aud_mismatch", "aud", found=named, expected=client.client_id)
    if len(named) > 1 and jwt.profile.audience != "includes_us":
        return _others(jwt, named)
    return None


def _others(jwt: Examined[E], named: tuple[str, ...]) -> SkipReason | None:
    """Refuse every other audience that is not trusted, by name or as the client's own sibling."""
    client, trusted = jwt.rp.client, frozenset[str]()
    # The meaning of a MAC to several audiences is unspecified (§3.1.3.7, 8): it serves this one
    # only.
    shared = jwt.profile.audience == "trusted" and jwt.jws is not None and jwt.jws.key is not None
    if shared:
        trusted = client.trusted_audiences
    foreign = tuple([a for a in named if a != client.client_id and a not in trusted])
    if not foreign:
        return None
    ours = shared and jwt.claim("azp") == client.client_id
    if ours and client.further_audiences == "any_if_azp":
        return f"azp is this client, so these are accepted too: {shown(foreign)}"
    error = refused(jwt, "aud_untrusted", "aud", found=foreign, expected=client.client_id)
    if ours:
        error.hint = f'{error.hint}, or set further_audiences="any_if_azp": azp is this client'
    raise error


def authorized_party(jwt: Examined[E]) -> SkipReason | None:
    """A party that it was issued to is this client (OIDC Core §3.1.3.7, 5)."""
    azp, client = jwt.claim("azp"), jwt.rp.client
    if azp is None:
        return "absent"
    if azp != client.client_id:
        if not isinstance(azp, str):
            return unread(jwt, "azp", client.client_id)
        raise refused(jwt, "azp_mismatch", "azp", found=azp, expected=client.client_id)
    return None


def expiry(jwt: Examined[E]) -> SkipReason | None:
    """It has not expired (RFC 7519 §4.1.4)."""
    exp = numeric_date(jwt.claim("exp"))
    if exp is None:
        return unread(jwt, "exp")
    if jwt.now >= exp + jwt.rp.policy.leeway:
        raise refused(jwt, "exp_expired", "exp", found=exp, expected=f"after {jwt.now}")
    return None


def issued_at(jwt: Examined[E]) -> SkipReason | None:
    """It was not issued in the future; nor long ago, if the profile says so (RFC 7519 §4.1.6)."""
    iat, now, policy = numeric_date(jwt.claim("iat")), jwt.now, jwt.rp.policy
    if iat is None:
        return unread(jwt, "iat")
    if iat > now + policy.leeway:
        raise refused(jwt, "iat_in_future", "iat", found=iat, expected=not_later(iat, now))
    age: int | None = None if jwt.profile.age is None else getattr(policy, jwt.profile.age)
    if age is not None and iat < now - age - policy.leeway:
        oldest = f"from {now - age}"
        raise refused(jwt, "iat_too_old", "iat", found=iat, expected=oldest)
    return None


def not_later(date: int, now: int) -> str:
    """Say what a date in the future should be: both clocks differ by at least that much."""
    return f"up to {now}, {date - now} seconds earlier"


def identifier(jwt: Examined[E]) -> SkipReason | None:
    """It has an identifier, so that a second use is seen (RFC 7519 §4.1.7)."""
    return unread(jwt, "jti") if filled(jwt.claim("jti")) is None else None


def event(jwt: Examined[E], name: str) -> SkipReason | None:
    """It names an event, with an object (RFC 8417 §2.2); other events do not count.

    Raises:
        ProtocolViolation: ``events_missing``, ``events_malformed``, or ``event_unexpected`` if it
            names other events only.
    """
    told = jwt.claim("events")
    if not isinstance(told, JsonObject) or isinstance(told, Unreadable):
        return unread(jwt, "events", expected="an object")
    if name not in told.members:
        found = shown_names(tuple(told.members))
        raise refused(jwt, "event_unexpected", "events", found=found, expected=name)
    payload = told.members[name]
    if not isinstance(payload, JsonObject):
        expected = f"{name} with an object"
        raise refused(jwt, "events_malformed", "events", found=kind_of(payload), expected=expected)
    return None


def not_before(jwt: Examined[E]) -> SkipReason | None:
    """It is valid already (RFC 7519 §4.1.5)."""
    value = jwt.claim("nbf")
    if value is None:
        return "absent"
    nbf = numeric_date(value)
    if nbf is None:
        return unread(jwt, "nbf")
    if nbf > jwt.now + jwt.rp.policy.leeway:
        raise refused(jwt, "nbf_in_future", "nbf", found=nbf, expected=not_later(nbf, jwt.now))
    return None
