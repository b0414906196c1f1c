"""When to fetch a provider's keys: a pure policy over one record per issuer, which a store applies.

It promises that a rotated key is found within one fetch, that strangers cannot make the library
hammer the provider or starve a real rotation, and that known keys outlive a day-long outage.
"""

from typing import Final, NamedTuple, TypeAlias

from attrs import evolve, field, frozen

from oidc_core.jose.key_set import KeySet, parse_key_set
from oidc_core.machine.steps import (
    FetchFault,
    KeysAnswer,
    KeysFound,
    KeysWithheld,
    fetch_fault,
)
from oidc_core.wire.answers import answered, document, failure
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.http import HttpResponse, KeysWanted, NoAnswer, Source
from oidc_core.wire.limits import LIMITS, Limits

BUCKET_SIZE: Final = 2
REFILL: Final = 60
STALE_IF_ERROR: Final = 86_400
_REMEMBERED_KIDS: Final = 64
_KEY_SET_TYPES: Final = ("application/jwk-set+json", "")


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

    def given_back(self) -> "Bucket":
        """Return the bucket with one fetch more."""
        return Bucket(self.left + 1, self.since)


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
        fault: the failure of the newest fetch; ``None`` if it brought a set.
    """

    key_set: KeySet | None = None
    fetched_at: int = 0
    solicited: Bucket = field(factory=Bucket)
    unsolicited: Bucket = field(factory=Bucket)
    absent: tuple[tuple[str, int, Source], ...] = ()
    fault: FetchFault | None = None


@frozen
class Fetch:
    """Fetch the set now; ``record`` has the fetch taken out of its bucket already."""

    record: KeyRecord


Decision: TypeAlias = Fetch | KeysAnswer


def decide(record: KeyRecord, wanted: KeysWanted, now: int) -> Decision:
    """Decide what to do about a verification: use what is there, fetch, or withhold."""
    stored = record.key_set
    if stored is not None and _will_do(record, wanted, now):
        return _found(record, stored, wanted, now)
    bucket = _bucket(record, wanted.source).at(now)
    if bucket.left > 0:
        return Fetch(_with_bucket(record, wanted.source, bucket.taken()))
    if stored is not None and wanted.newer_than is None and _fresh_enough(record, wanted, now):
        return _found(record, stored, wanted, now)
    return KeysWithheld("throttled", record.fault, bucket.since + REFILL - now)


def _found(record: KeyRecord, stored: KeySet, wanted: KeysWanted, now: int) -> KeysFound:
    return KeysFound(wanted.issuer, wanted.jwks_uri, stored, record.fetched_at, now)


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
    """Return whether the stored set may serve while the provider cannot be asked."""
    return now - record.fetched_at < wanted.max_age + STALE_IF_ERROR


def fetched(
    record: KeyRecord, wanted: KeysWanted, answer: HttpResponse, now: int
) -> tuple[KeyRecord, KeysAnswer]:
    """Take the provider's answer: a new set replaces the old one only if it could be parsed."""
    if answer.channel not in wanted.way.channels:
        found = answer.channel.server
        fault = ProtocolViolation("channel_unverified", found=found, about="channel")
        return failed(record, wanted, now, fetch_fault(fault))
    try:
        key_set = evolve(key_set_of(answer, wanted.limits), channel=answer.channel)
    except ProtocolViolation as error:
        return failed(record, wanted, now, fetch_fault(error))
    kid = wanted.missing_kid
    absent = tuple([entry for entry in record.absent if now < entry[1]])
    if kid is not None and not key_set.has(kid):
        absent = (*absent[1 - _REMEMBERED_KIDS :], (kid, now + REFILL, wanted.source))
    renewed = evolve(record, key_set=key_set, fetched_at=now, absent=absent, fault=None)
    return renewed, _found(renewed, key_set, wanted, now)


def not_fetched(
    record: KeyRecord, wanted: KeysWanted, answer: NoAnswer, now: int
) -> tuple[KeyRecord, KeysAnswer]:
    """Take note that there was no answer, and why."""
    return failed(record, wanted, now, fetch_fault(failure(answer)))


def failed(
    record: KeyRecord, wanted: KeysWanted, now: int, fault: FetchFault | None = None
) -> tuple[KeyRecord, KeysAnswer]:
    """Take note that the set could not be fetched: known keys go on serving for a day.

    ``fault`` says why; without one, what the fetch before failed with still counts.
    """
    if fault is not None:
        record = evolve(record, fault=fault)
    stored = record.key_set
    if stored is None or wanted.newer_than is not None or not _fresh_enough(record, wanted, now):
        return record, KeysWithheld("unreachable", record.fault)
    return record, _found(record, stored, wanted, now)


def broken_off(record: KeyRecord, wanted: KeysWanted) -> KeyRecord:
    """Give a fetch back that ended with the loop or thread it ran in, so nobody has its answer.

    Only on behalf of the provider's own tokens: strangers could break off one after the other.
    """
    bucket = record.solicited
    if wanted.source != "solicited" or bucket.left >= BUCKET_SIZE:
        return record
    return evolve(record, solicited=bucket.given_back())


def forgettable(record: KeyRecord, now: int) -> bool:
    """Return whether dropping a record costs only the work of fetching its set again.

    While a bucket is not full, or a key is known to be absent, it also holds fetches back.
    """
    buckets = (record.solicited.at(now), record.unsolicited.at(now))
    held_back = any(bucket.left < BUCKET_SIZE for bucket in buckets)
    return not held_back and all(until <= now for _, until, _ in record.absent)


def _bucket(record: KeyRecord, source: Source) -> Bucket:
    return record.solicited if source == "solicited" else record.unsolicited


def _with_bucket(record: KeyRecord, source: Source, bucket: Bucket) -> KeyRecord:
    if source == "solicited":
        return evolve(record, solicited=bucket)
    return evolve(record, unsolicited=bucket)


def key_set_of(answer: HttpResponse, limits: Limits = LIMITS) -> KeySet:
    """Read the answer of a ``jwks_uri``; ``limits``: the policy's.

    Raises:
        ProtocolViolation: ``http_status_unexpected``, ``http_redirect_refused``,
            ``content_type_unexpected``, ``jwks_invalid`` or a code of the JSON's refusal.
    """
    return parse_key_set(document(answered(answer), *_KEY_SET_TYPES), limits=limits)
