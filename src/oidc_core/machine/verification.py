"""Verify a JWT, then go on: the one place that knows how a token meets its keys.

:class:`Verification` is the data of "verify this JWT, then go on". :func:`verify_jwt` begins it;
once the signature is verified, this module calls the verification's own
:meth:`Verification.passed`, which checks the claims and returns the operation's next step.
"""

from abc import abstractmethod
from typing import ClassVar, Final, Generic, TypeVar

from attrs import evolve, field, frozen

from oidc_core.jose.algorithms import HMAC
from oidc_core.jose.jwe import JweHeader, check_replicated, decrypt, signed_inside
from oidc_core.jose.jws import (
    Encryption,
    JoseHeader,
    Recognised,
    VerifiedJws,
    check_header,
    first_seen,
    split,
    verify,
    verify_mac,
)
from oidc_core.jose.key_set import KeySet
from oidc_core.jose.profiles import UNTYPED, JwtProfile
from oidc_core.machine.disagreements import explained
from oidc_core.machine.steps import (
    KeysAnswer,
    KeysFound,
    KeysWithheld,
    NeedKeys,
    Step,
)
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.http import KeysWanted, Source
from oidc_core.wire.jsontypes import JsonObject, parse_object

T_co = TypeVar("T_co", covariant=True)

_SIGNATURE_DOUBT: Final = 60


@frozen(kw_only=True)
class Verification(Generic[T_co]):
    """A JWT to be verified, and what comes after: data, not a closure.

    The registration decides the signature algorithms and the encryption; the relying party answers
    that for its profile.

    Attributes:
        token: the compact JWS, or the compact JWE around it until it is decrypted.
        decrypted: the JWE's header, once it was decrypted.
        profile: the kind of JWT.
    """

    token: str = field(repr=False)
    decrypted: JweHeader | None = None
    profile: ClassVar[JwtProfile]

    @abstractmethod
    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[T_co]:
        """Check the claims of the verified token and return the next step."""

    def withheld(self, _rp: RelyingParty, answer: KeysWithheld, /) -> Step[T_co]:
        """Decide how the operation goes on without keys: by default it fails for now.

        Raises:
            TransportFailure: ``keys_unavailable``.
        """
        raise answer.error


def verify_jwt(
    rp: RelyingParty, verification: Verification[T_co], *, source: Source, now: int
) -> Step[T_co]:
    """Begin to verify a token: with this client's secret at once, otherwise by asking for keys.

    A token that must be encrypted is decrypted before anything else (OIDC Core §3.1.3.7, 1).

    Raises:
        UsageError: ``unsupported_by_provider`` without a ``jwks_uri``.
        ProtocolViolation: what the token's form, header or MAC is refused with.
    """
    profile = verification.profile
    algorithms, encryption = rp.protection[profile.registered_as]
    mac: VerifiedJws | None = None
    try:
        if encryption is not None:
            verification = _decrypted(rp, verification, encryption)
        if algorithms <= HMAC:
            mac = _verified_mac(rp, verification, algorithms, now)
    except ProtocolViolation as refusal:
        raise explained(rp, profile, refusal, verification.token, source) from None
    if mac is not None:
        return _passed(rp, verification, mac)
    wanted = rp.keys_wanted.get(source)
    if wanted is None:
        raise UsageError("unsupported_by_provider", about="jwks_uri")
    return AwaitingKeys(made_for=rp.digest, wanted=wanted, verification=verification)


def _verified_mac(
    rp: RelyingParty, verification: Verification[T_co], algorithms: frozenset[str], now: int
) -> VerifiedJws:
    """Verify a MAC; a header that once came with a good one is known."""
    profile, limits = verification.profile, rp.policy.limits
    jws = split(verification.token, limits, profile.limit)
    recalled = rp.verifier.recall(jws.protected, _NO_KEYS)
    known = recalled or first_seen(jws.protected, limits)
    check_header(known.header, algorithms, profile.types)
    verified = verify_mac(jws, known.header, (rp.issuer, rp.client.client_id), rp.verifier, now)
    if recalled is None:
        rp.verifier.remember(jws.protected, _NO_KEYS, known)
    return verified


def _decrypted(
    rp: RelyingParty, verification: Verification[T_co], encryption: Encryption
) -> Verification[T_co]:
    """Put the signed token in the place of the encrypted one."""
    if rp.decrypter is None:  # the relying party makes sure of it
        raise UsageError("config_invalid", expected="a decrypter", about="decrypter")
    header, plaintext = decrypt(
        verification.token,
        rp.decrypter,
        (rp.issuer, rp.client.client_id),
        encryption=encryption,
        types=verification.profile.types | UNTYPED,  # the signed token in it says what it is
        limits=rp.policy.limits,
        limit=verification.profile.limit,
    )
    return evolve(verification, token=signed_inside(plaintext, rp.policy.limits), decrypted=header)


def _passed(
    rp: RelyingParty, verification: Verification[T_co], verified: VerifiedJws
) -> Step[T_co]:
    """Go on with a verified token, which the facts around it must not contradict."""
    members = rp.policy.limits.members
    claims = parse_object(verified.payload, members=members, tolerant=True)
    header = verification.decrypted
    if header is not None:
        check_replicated(header, claims, of=verification.profile.name)
        signed = verified.header
        ignored = (*signed.ignored, *header.ignored)
        verified = verified._replace(
            encryption=header.encryption, header=signed._replace(ignored=ignored)
        )
    return verification.passed(rp, verified, claims)


@frozen(kw_only=True)
class AwaitingKeys(NeedKeys[T_co]):
    """Waits for the provider's keys to verify a token with.

    A key that is not there may have been added a moment ago, so the set is asked for once more,
    fresh: for an unknown ``kid``, where no ``kid`` is given and no key fits, and where the key
    fits, the signature does not, and the set is older than a minute.
    """

    verification: Verification[T_co]

    def consume(self, rp: RelyingParty, answer: KeysAnswer) -> Step[T_co]:
        """Verify the token, or ask once more."""
        verification = self.verification
        if isinstance(answer, KeysWithheld):
            return verification.withheld(rp, answer)
        kid, profile = self.wanted.missing_kid, verification.profile
        if kid is not None and not answer.key_set.has(kid):
            raise answer.key_set.not_found(found=kid)  # its form held before
        known: Recognised | None = None
        try:
            jws = split(verification.token, rp.policy.limits, profile.limit)
            recalled = rp.verifier.recall(jws.protected, answer.key_set)
            known = recalled or first_seen(jws.protected, rp.policy.limits)
            verified = verify(
                jws,
                answer.key_set,
                rp.verifier,
                algorithms=rp.protection[profile.registered_as].algorithms,
                types=profile.types,
                now=answer.now,
                keys_fetched_at=answer.fetched_at,
                known=known,
                lenient="lenient_key_encoding" in rp.policy.quirks,
            )
        except ProtocolViolation as miss:
            if known is not None and self.wanted.newer_than is None:
                if _may_be_stale(miss, known.header, answer):
                    return self._fresh(known.header.kid, answer.fetched_at)
                _have_patience(miss, answer)
            raise explained(rp, profile, miss, verification.token, self.wanted.source) from None
        return _passed(rp, verification, verified)

    def _fresh(self, kid: str | None, fetched_at: int) -> "AwaitingKeys[T_co]":
        """Ask for a newer set; built in full, as a stranger can ask for this too."""
        old = self.wanted
        wanted = KeysWanted(
            issuer=old.issuer,
            client_id=old.client_id,
            jwks_uri=old.jwks_uri,
            max_age=old.max_age,
            newer_than=fetched_at,
            missing_kid=kid,
            source=old.source,
            way=old.way,
            limits=old.limits,
        )
        return AwaitingKeys(made_for=self.made_for, wanted=wanted, verification=self.verification)


# Headers of MACs are remembered under it: the secret is the client's and in no set.
_NO_KEYS: Final = KeySet()


_NEW_KEY: Final = (
    "forged, damaged, or signed by a new key of an old kid: the library reads the key set again"
)


def _have_patience(miss: ProtocolViolation, answer: KeysFound) -> None:
    """Say when the set is read again, where a new key may have taken the place of an old one."""
    age = answer.now - answer.fetched_at
    if miss.code in _MISSED and 0 < age <= _SIGNATURE_DOUBT:
        miss.retryable, miss.retry_after = "later", _SIGNATURE_DOUBT + 1 - age
        miss.hint = f"{_NEW_KEY} in {miss.retry_after} seconds"


_MISSED: Final = frozenset({"signature_invalid", "signature_length_mismatch"})


def _may_be_stale(miss: ProtocolViolation, header: JoseHeader, answer: KeysFound) -> bool:
    # A longer key may have taken the place of one of the same name.
    if miss.code in _MISSED:
        return header.kid is None or answer.now - answer.fetched_at > _SIGNATURE_DOUBT
    return miss.code == "key_not_found"
