"""A shared grant: its first record, its exchange at the provider, and its new ID token.

The decisions about a record are in :mod:`oidc_core.machine.grants`.  This module turns an answer,
or its failure, into the outcome that they need.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import evolve

from oidc_core.machine.grant_outcomes import (
    NewAccess,
    NoOutcome,
    NotTaken,
    Outcome,
    Pair,
    Refused,
    Unsent,
)
from oidc_core.machine.grant_verdicts import Mismatch, Unusable
from oidc_core.machine.grant_writes import Fresh
from oidc_core.machine.grants import LogIn, Withhold
from oidc_core.machine.steps import Step
from oidc_core.model.grants import Access, Failure, GrantRecord, Target, Unverified
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.refresh import (
    NO_OAUTH_ERROR,
    Refreshed,
    TokensRenewed,
    renew,
    verify,
)
from oidc_core.wire.codes import CODES
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    ProviderError,
    StoreFailure,
    TransportFailure,
)

_LOGIN: Final = Target()
_OTHER_SESSION: Final = frozenset(
    {"iss_mismatch", "sub_mismatch", "aud_mismatch", "azp_mismatch", "nonce_mismatch"}
)
"""Refusals of a new ID token that belongs to another session (OIDC Core §12.2)."""

_OF_ANOTHER_TIME: Final = frozenset(
    {"exp_expired", "iat_in_future", "iat_too_old", "nbf_in_future"}
)
_AFTER_SENDING: Final = frozenset({"channel_unverified", "answer_unexpected", "answer_foreign"})
"""Refusals of an answer that nobody has read: the provider may have taken the refresh token."""


def first_record(tokens: Tokens, fresh: Fresh, *, now: int, utc: int, until: int) -> GrantRecord:
    """Return the record of a login's tokens.

    Args:
        tokens: of the login, or of a refresh that was verified.
        fresh: random values for the write.
        now: the store's time.
        utc: seconds since the epoch, by the clock of the process that received the tokens: its
            difference from the store's must not lengthen their life.
        until: when the session ends, in seconds since the epoch.
    """
    expires_at = tokens.expires_at
    lifetime = None if expires_at is None else max(0, expires_at - utc)
    access = Access(_LOGIN, tokens.access_token, tokens.scope, now, lifetime, expires_at)
    known = () if lifetime == 0 else (access,)
    return GrantRecord(
        version=fresh.version,
        tokens=evolve(tokens, access_token="", expires_at=None),
        access=known,
        changed_at=now,
        until=until,
    )


def exchange(rp: RelyingParty, record: GrantRecord, target: Target) -> Step[TokensRenewed]:
    """Exchange the refresh token of a record, for an access token of a target.

    Raises:
        UsageError: ``client_issuer_mismatch``, or ``parameter_invalid`` for a scope that was not
            granted, or a resource that is not an absolute URI.
    """
    return renew(rp, record.tokens, scope=target.scope, resource=target.resource)


def pair_of(renewed: TokensRenewed) -> Pair:
    """Return what an answer brought; its refresh token counts even if the rest was refused."""
    tokens, refusal = renewed.tokens, renewed.refusal
    access, failure = None, None
    if refusal is None:
        access = NewAccess(tokens.access_token, tokens.scope, renewed.expires_in, tokens.expires_at)
    else:
        failure = failure_of(refusal)
    return Pair(
        refresh_token=tokens.refresh_token or "",
        rotated=renewed.rotated,
        access=access,
        failure=failure,
        id_token=renewed.id_token,
        channel=renewed.channel,
    )


def outcome_of(error: OidcError) -> Outcome:
    """Return what the failure of an exchange means for the refresh token that was sent.

    ``invalid_grant`` refuses it.  The provider may have taken it where no answer can be read, or
    where its channel was not verified.  Any other refusal leaves it as good as it was.  That holds
    for a provider that has no time.  It holds for a status of 200 without tokens to use, too: a
    provider that replaces the refresh token says so there (RFC 6749 §6).
    """
    failure = failure_of(error)
    if isinstance(error, ProviderError):
        refused = error.error == "invalid_grant" and error.retryable == "restart"
        return Refused(failure) if refused else NotTaken(failure)
    if isinstance(error, TransportFailure):
        return NotTaken(failure) if error.sent == "no" else NoOutcome(failure)
    if error.code in _AFTER_SENDING:
        return NoOutcome(failure)
    if not isinstance(error, ProtocolViolation):
        return Unsent()
    return NotTaken(failure, bare_400=error.cause == NO_OAUTH_ERROR)


def verification(rp: RelyingParty, record: GrantRecord, waits: Unverified) -> Step[Refreshed]:
    """Verify the new ID token of a record, at the time when it was received."""
    access = waits.access
    tokens = evolve(record.tokens, access_token="" if access is None else access.token)
    renewed = TokensRenewed(tokens=tokens, id_token=waits.id_token, channel=waits.channel)
    return verify(rp, renewed, now=waits.received_at)


def hangs_on_the_clock(error: OidcError) -> bool:
    """Return whether a new ID token was refused for the time at which it was judged."""
    return error.code in _OF_ANOTHER_TIME


def verdict_of(error: OidcError) -> Mismatch | Unusable | None:
    """Return what a refusal of the new ID token means; ``None`` if it decides nothing yet."""
    if error.retryable == "later" or not isinstance(error, ProtocolViolation):
        return None
    failure = failure_of(error)
    return Mismatch(failure) if error.code in _OTHER_SESSION else Unusable(failure)


def failure_of(error: OidcError) -> Failure:
    """Return what a record keeps of an error."""
    said = error.error if isinstance(error, ProviderError) else ""
    return Failure(error.code, error.kind, error.retryable, said, error.cause)


def error_of(answer: Withhold | LogIn) -> OidcError:
    """Return why there is no token, as the error that a caller gets."""
    failure = answer.failure
    if failure is None:
        code = _CODES[answer.reason if isinstance(answer, LogIn) else ""]
        return StoreFailure(code)
    error = _raised(failure)
    if isinstance(answer, LogIn):  # only a new login helps now, for any reason
        error.kind, error.retryable = "stale", "restart"
        return error
    error.kind, error.retryable = failure.kind, failure.retryable
    error.retry_after = answer.seconds
    return error


_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unknown": "grant_unknown",
        "refused": "grant_ended",
        "ended": "grant_ended",
        "expired": "grant_expired",
    }
)
_CLASSES: Final[Mapping[str, type[OidcError]]] = MappingProxyType(
    {kind.fault: kind for kind in (ProtocolViolation, TransportFailure, StoreFailure)}
)


def _raised(failure: Failure) -> OidcError:
    row = CODES.get(failure.code)
    if row is not None and row.fault == "provider":
        return ProviderError(failure.error)
    if row is None or row.fault not in _CLASSES:  # another version of the library wrote it
        return StoreFailure("store_unavailable", cause=failure.code)
    return _CLASSES[row.fault](failure.code, cause=failure.cause)
