"""When to read a provider's metadata: a pure policy over one record, which a client applies.

It promises that a provider which is down, or publishes nonsense, is not asked again and again, that
a document which was believed serves until another one is, and that a change which a token shows is
found soon.
"""

from copy import copy
from typing import Final

from attrs import evolve, frozen

from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import OidcError, ProviderError, UsageError

FIRST_WAIT: Final = 2
"""Seconds after the first failure until the provider is asked again; they double each time."""

LONGEST_WAIT: Final = 300
"""Seconds after which it is asked again, however often it failed."""

REREAD: Final = 60
"""Seconds between two readings that tokens give reason for."""

RENEWAL_DEADLINE: Final = 3
"""Seconds for a reading while older metadata is there: somebody waits for it."""

_DOUBLED: Final = 8
_MOVED: Final = frozenset({404, 405, 410})
_DOUBTFUL: Final = frozenset({"key_set", "token", "refresh", "userinfo"})


@frozen(kw_only=True)
class MetadataRecord:
    """All a client remembers of reading its provider's metadata.

    Attributes:
        rp: the relying party with the newest metadata that was believed, if there is any.
        read_at: when that was read, in seconds since the epoch.
        tried_at: when it was last tried.
        failures: how often in a row that failed.
        error: the last failure, if the last try failed.
        doubted: whether a token or an answer since then contradicts the metadata, or every
            login fails with it.
    """

    rp: RelyingParty | None = None
    read_at: int = 0
    tried_at: int = 0
    failures: int = 0
    error: OidcError | None = None
    doubted: bool = False


def is_due(record: MetadataRecord, max_age: int, now: int) -> bool:
    """Return whether the metadata must be read now.

    Where the clock was set back, it is read again, and nobody waits until the clock has caught up.
    """
    since = now - record.tried_at
    if record.failures and 0 <= since < _wait(record):
        return False
    if record.rp is None or not 0 <= now - record.read_at < max_age:
        return True
    return record.doubted and not 0 <= since < REREAD


def has_read(record: MetadataRecord, rp: RelyingParty, now: int) -> MetadataRecord:
    """Take note of metadata that was believed; what says the same stays the same value.

    Metadata with which no login can end is in doubt at once: the provider may correct it.

    Raises:
        UsageError: ``unsupported_by_provider`` for metadata that lacks what every login needs and
            what the older metadata has.
    """
    older = record.rp
    if rp.lacking and older is not None and not older.lacking:
        raise UsageError("unsupported_by_provider", about=rp.lacking)
    kept = older if rp == older else rp
    return MetadataRecord(rp=kept, read_at=now, tried_at=now, doubted=rp.lacking != "")


def has_failed(record: MetadataRecord, error: OidcError, now: int) -> MetadataRecord:
    """Take note that the metadata was not available or refused: the old one goes on serving."""
    return evolve(record, tried_at=now, failures=record.failures + 1, error=copy(error))


def after(record: MetadataRecord, error: OidcError) -> MetadataRecord:
    """Take note of a refusal: it may show that the provider has changed since.

    That are an algorithm which the metadata in hand does not list, and an endpoint that is there no
    more. A refused token must come from the provider itself, over the direct channel.
    """
    place = error.place
    unlisted = error.code == "alg_not_allowed" and error.retryable == "restart"
    code = error.cause if error.code == "keys_unavailable" else error.code  # of its request
    status = error.found if code == "http_status_unexpected" else None
    if isinstance(error, ProviderError):  # a server without that page may say so in JSON
        status = error.status
    moved = code == "http_redirect_refused" or status in _MOVED
    shown = unlisted or (moved and place is not None and place.purpose in _DOUBTFUL)
    return evolve(record, doubted=True) if shown and not record.doubted else record


def last_failure(record: MetadataRecord, now: int) -> OidcError | None:
    """Return the last failure, as one of the caller's own, with the seconds left to wait."""
    if record.error is None:
        return None
    own = copy(record.error)
    if own.retryable == "later":
        own.retry_after = max(0, _wait(record) - max(0, now - record.tried_at))
    return own


def _wait(record: MetadataRecord) -> int:
    """Return how long not to ask again; a provider that says how long is heeded within bounds."""
    told = 0 if record.error is None else record.error.retry_after or 0
    doubled = FIRST_WAIT << min(record.failures - 1, _DOUBLED)
    return min(LONGEST_WAIT, max(doubled, told))
