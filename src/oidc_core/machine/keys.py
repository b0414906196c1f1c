"""Keys of the provider: when to fetch them, and a JWT verified with them.

Two things live here.  First the *refresh policy*, a pure function over one :class:`KeyRecord` per
issuer, which a store applies; it promises that a rotated key is found within one fetch, that
strangers cannot make the library hammer the provider or starve a real rotation, and that known
keys outlive a day-long outage.  Second :class:`Verification`, the data of "verify this JWT, then
go on": the one place that knows how a token meets its keys.
"""

from abc import abstractmethod
from typing import ClassVar, Final, Generic, NamedTuple, TypeAlias, TypeVar

from attrs import evolve, field, frozen

from oidc_core.jose.algorithms import HMAC
from oidc_core.jose.jwe import JweHeader, check_replicated, decrypt, signed_inside
from oidc_core.jose.jwk import KeySet, parse_key_set
from oidc_core.jose.jws import (
    Encryption,
    JoseHeader,
    VerifiedJws,
    check_header,
    first_seen,
    split,
    verify,
    verify_mac,
)
from oidc_core.machine.steps import (
    KeysAnswer,
    KeysFound,
    KeysWithheld,
    NeedKeys,
    Step,
    answered,
    keys_wanted,
)
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import ProtocolViolation, TransportFailure, UsageError
from oidc_core.wire.http import LIMITS, HttpResponse, KeysWanted, Source
from oidc_core.wire.jsontypes import JsonObject, parse_object

T_co = TypeVar("T_co", covariant=True)

BUCKET_SIZE: Final = 2
REFILL: Final = 60
STALE_IF_ERROR: Final = 86_400
_SIGNATURE_DOUBT: Final = 60
_REMEMBERED_KIDS: Final = 64
_OK: Final = 200
_KEY_SET_TYPES: Final = frozenset({"application/json", "application/jwk-set+json", ""})


class Bucket(NamedTuple):
    """A token bucket: how many fetches are left, and since when that count holds."""

    left: int = BUCKET_SIZE
    since: int = 0

    def at(self, now: int) -> "Bucket":
        """Return the bucket at a later time: one more fetch each :data:`REFILL` seconds.

        Where the clock was set back, nobody waits until it has caught up.
        """
        if self.since - now > REFILL:
            return Bucket(max(1, self.left), now)
        gained = max(0, now - self.since) // REFILL
        if self.left + gained >= BUCKET_SIZE:
            return Bucket(BUCKET_SIZE, now)
        return Bucket(self.left + gained, self.since + gained * REFILL)

    def taken(self) -> "Bucket":
        """Return the bucket with one fetch fewer."""
        return Bucket(self.left - 1, self.since)


@frozen(kw_only=True)
class KeyRecord:
    """All a store remembers of one issuer's keys.  The empty record is ``KeyRecord()``.

    Attributes:
        key_set: the newest set that could be parsed.
        fetched_at: when it was fetched.
        solicited: fetches left on behalf of tokens from the provider itself.
        unsolicited: fetches left on behalf of everything a browser or a stranger brings.
        absent: key identifiers that a fresh set lacked, until when that is believed, and on whose
            behalf it was found out: what a stranger asked for says nothing to the provider's own.
    """

    key_set: KeySet | None = None
    fetched_at: int = 0
    solicited: Bucket = field(factory=Bucket)
    unsolicited: Bucket = field(factory=Bucket)
    absent: tuple[tuple[str, int, Source], ...] = ()


@frozen
class Fetch:
    """Fetch the set now; ``record`` has the fetch taken out of its bucket already."""

    record: KeyRecord


Decision: TypeAlias = Fetch | KeysAnswer


def decide(record: KeyRecord, wanted: KeysWanted, now: int) -> Decision:
    """Decide what to do about a verification: use what is there, fetch, or withhold."""
    stored = record.key_set
    if stored is not None and _will_do(record, wanted, now):
        return KeysFound(stored, record.fetched_at, now)
    bucket = _bucket(record, wanted.source).at(now)
    if bucket.left > 0:
        return Fetch(_with_bucket(record, wanted.source, bucket.taken()))
    if stored is not None and wanted.newer_than is None and _fresh_enough(record, wanted, now):
        return KeysFound(stored, record.fetched_at, now)
    return KeysWithheld("throttled")


def _will_do(record: KeyRecord, wanted: KeysWanted, now: int) -> bool:
    """Return whether the stored set answers the verification without a fetch."""
    age = now - record.fetched_at
    if not 0 <= age < wanted.max_age:
        return False
    if wanted.newer_than is None or record.fetched_at > wanted.newer_than:
        return True
    return any(
        kid == wanted.missing_kid
        and now < until <= now + REFILL
        and source in {"solicited", wanted.source}
        for kid, until, source in record.absent
    )


def _fresh_enough(record: KeyRecord, wanted: KeysWanted, now: int) -> bool:
    """Return whether the stored set may stand in while the provider cannot be asked."""
    return now - record.fetched_at < wanted.max_age + STALE_IF_ERROR


def fetched(
    record: KeyRecord, wanted: KeysWanted, answer: HttpResponse, now: int
) -> tuple[KeyRecord, KeysAnswer]:
    """Take the provider's answer: a new set replaces the old one only if it could be parsed."""
    try:
        key_set = key_set_of(answer)
    except (ProtocolViolation, TransportFailure):
        return failed(record, wanted, now)
    kid = wanted.missing_kid
    absent = tuple([entry for entry in record.absent if now < entry[1]])
    if kid is not None and not key_set.has(kid):
        absent = (*absent[1 - _REMEMBERED_KIDS :], (kid, now + REFILL, wanted.source))
    renewed = evolve(record, key_set=key_set, fetched_at=now, absent=absent)
    return renewed, KeysFound(key_set, now, now)


def failed(record: KeyRecord, wanted: KeysWanted, now: int) -> tuple[KeyRecord, KeysAnswer]:
    """Take note that the set could not be had: known keys go on serving for a day."""
    stored = record.key_set
    if stored is None or wanted.newer_than is not None or not _fresh_enough(record, wanted, now):
        return record, KeysWithheld("unreachable")
    return record, KeysFound(stored, record.fetched_at, now)


def _bucket(record: KeyRecord, source: Source) -> Bucket:
    return record.solicited if source == "solicited" else record.unsolicited


def _with_bucket(record: KeyRecord, source: Source, bucket: Bucket) -> KeyRecord:
    if source == "solicited":
        return evolve(record, solicited=bucket)
    return evolve(record, unsolicited=bucket)


def key_set_of(answer: HttpResponse) -> KeySet:
    """Read the answer of a ``jwks_uri``.

    Raises:
        ProtocolViolation: ``http_status_unexpected``, ``http_redirect_refused``,
            ``content_type_unexpected``, ``jwks_invalid`` or what the JSON is refused with.
    """
    response = answered(answer)
    if response.status != _OK:
        raise ProtocolViolation("http_status_unexpected", found=response.status, expected=_OK)
    if response.media_type not in _KEY_SET_TYPES:
        raise ProtocolViolation("content_type_unexpected", found=response.media_type)
    return parse_key_set(response.body)


@frozen(kw_only=True)
class Verification(Generic[T_co]):
    """A JWT to be verified, and what comes after: data, not a closure.

    Attributes:
        token: the compact JWS, or the compact JWE around it until it is decrypted.
        algorithms: the algorithms it may be signed with.
        encryption: how it has to be encrypted, ``None`` if it must not be; the JWE's header once
            it was decrypted.
        types: the accepted ``typ``, in lower case, ``""`` for none; each kind has its own.
        max_token: how many characters it may have.
    """

    token: str = field(repr=False)
    algorithms: frozenset[str]
    encryption: Encryption | JweHeader | None = None
    types: ClassVar[frozenset[str]]
    max_token: ClassVar[int] = LIMITS.id_token

    @abstractmethod
    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[T_co]:
        """Check the claims of the verified token and return the next step."""

    def withheld(self, _rp: RelyingParty, answer: KeysWithheld, /) -> Step[T_co]:
        """Decide what becomes of the operation without keys: by default it fails for now.

        Raises:
            TransportFailure: ``keys_unavailable``.
        """
        raise TransportFailure("keys_unavailable", found=answer.reason, sent="no")


def verify_jwt(
    rp: RelyingParty, verification: Verification[T_co], *, source: Source, now: int
) -> Step[T_co]:
    """Begin to verify a token: with this client's secret at once, else by asking for keys.

    One that has to be encrypted is decrypted before anything else (OIDC Core §3.1.3.7, 1).

    Raises:
        ProtocolViolation: what the token's form, header or MAC is refused with.
    """
    if verification.encryption is not None:
        verification = _decrypted(rp, verification)
    if verification.algorithms <= HMAC:
        return _passed(rp, verification, _verified_mac(rp, verification, now))
    return AwaitingKeys(
        made_for=rp.digest, wanted=keys_wanted(rp, source), verification=verification
    )


def _verified_mac(rp: RelyingParty, verification: Verification[T_co], now: int) -> VerifiedJws:
    """Verify a MAC; a header that once stood before a good one is known."""
    jws = split(verification.token, verification.max_token)
    recalled = rp.verifier.recall(jws.protected, _NO_KEYS)
    known = recalled or first_seen(jws.protected)
    check_header(known.header, verification.algorithms, verification.types)
    verified = verify_mac(jws, known.header, (rp.issuer, rp.client.client_id), rp.verifier, now)
    if recalled is None:
        rp.verifier.remember(jws.protected, _NO_KEYS, known)
    return verified


def _decrypted(rp: RelyingParty, verification: Verification[T_co]) -> Verification[T_co]:
    """Put the signed token in the place of the encrypted one."""
    encryption = verification.encryption
    if rp.decrypter is None or not isinstance(encryption, Encryption):
        raise UsageError("config_invalid", expected="a decrypter", about="decrypter")
    header, plaintext = decrypt(
        verification.token,
        rp.decrypter,
        (rp.issuer, rp.client.client_id),
        encryption=encryption,
        types=verification.types,
        limit=verification.max_token,
    )
    return evolve(verification, token=signed_inside(plaintext), encryption=header)


def _passed(
    rp: RelyingParty, verification: Verification[T_co], verified: VerifiedJws
) -> Step[T_co]:
    """Go on with a verified token, which what was said around it may not contradict."""
    claims, header = parse_object(verified.payload), verification.encryption
    if isinstance(header, JweHeader):
        check_replicated(header, claims)
        verified = verified._replace(encryption=header.encryption)
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
        if isinstance(answer, KeysWithheld):
            return self.verification.withheld(rp, answer)
        verification, wanted = self.verification, self.wanted
        kid = wanted.missing_kid
        if kid is not None and not answer.key_set.has(kid):
            raise ProtocolViolation("key_not_found", found=kid)  # its form held before
        jws = split(verification.token, verification.max_token)
        known = rp.verifier.recall(jws.protected, answer.key_set) or first_seen(jws.protected)
        try:
            verified = verify(
                jws,
                answer.key_set,
                rp.verifier,
                algorithms=verification.algorithms,
                types=verification.types,
                now=answer.now,
                keys_fetched_at=answer.fetched_at,
                known=known,
            )
        except ProtocolViolation as miss:
            if wanted.newer_than is None and _may_be_stale(miss, known.header, answer):
                return self._fresh(known.header.kid, answer.fetched_at)
            raise
        if verification.encryption is not None:
            return _passed(rp, verification, verified)
        return verification.passed(rp, verified, parse_object(verified.payload))

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
        )
        return AwaitingKeys(made_for=self.made_for, wanted=wanted, verification=self.verification)


# Headers of MACs are remembered under it: the secret is the client's and in no set.
_NO_KEYS: Final = KeySet()


def _may_be_stale(miss: ProtocolViolation, header: JoseHeader, answer: KeysFound) -> bool:
    if miss.code in {
        "signature_invalid",
        "signature_length_mismatch",
    }:  # a longer key of the same name
        return header.kid is None or answer.now - answer.fetched_at > _SIGNATURE_DOUBT
    return miss.code == "key_not_found"
