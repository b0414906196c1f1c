"""A shared grant: its first record, what an answer means, and its new ID token."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.testing.signing import half_hash
from oidc_core.machine.grant_outcomes import (
    NewAccess,
    NoOutcome,
    NotTaken,
    Pair,
    Refused,
    Unsent,
)
from oidc_core.machine.grant_verdicts import Mismatch, Unusable
from oidc_core.machine.grant_writes import Fresh
from oidc_core.machine.grants import BUSY, IN_DOUBT, TOKEN_REFUSED, LogIn, Withhold
from oidc_core.machine.steps import Exchange, KeysWithheld
from oidc_core.model.grants import Access, Failure, GrantRecord, Target, Unverified
from oidc_core.model.policy import Policy
from oidc_core.operations.grants import (
    error_of,
    exchange,
    failure_of,
    first_record,
    outcome_of,
    pair_of,
    verdict_of,
    verification,
)
from oidc_core.operations.refresh import TokensRenewed
from oidc_core.wire.codes import CODES
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    ProviderError,
    StoreFailure,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.http import HttpResponse, NoAnswer
from oidc_core.wire.way import Channel
from tests.parties import (
    ACCESS_TOKEN,
    CLIENT_ID,
    NOW,
    OTHER_ISSUER,
    RP,
    claims_for,
    done,
    form_of,
    json_response,
    refused,
    relying_party,
    resume,
    token_answer,
    with_keys,
)
from tests.signing import signed, signing_key
from tests.unit.operations.test_refresh import STRICT, TOKENS, exchanged

STORE_NOW: Final = 500
FRESH: Final = Fresh("version-1", "attempt-1")
LOGIN: Final = Target()


def kept(**changes: Any) -> GrantRecord:
    tokens = evolve(TOKENS, **changes)
    return first_record(tokens, FRESH, now=STORE_NOW, utc=NOW, until=NOW + 1_000)


# --- the first record ----------------------------------------------------------------------------


@pytest.mark.parametrize(("expires_at", "lifetime"), [(NOW + 60, 60), (NOW + 1, 1), (None, None)])
def test_the_first_record_holds_the_tokens_of_the_login(
    expires_at: int | None, lifetime: int | None
) -> None:
    record = kept(expires_at=expires_at)
    assert record.access == (
        Access(LOGIN, "access-0", "openid profile", STORE_NOW, lifetime, expires_at),
    )
    assert record.tokens == evolve(TOKENS, access_token="", expires_at=None)
    assert (record.version, record.changed_at, record.until) == ("version-1", 500, NOW + 1_000)
    assert (record.state, record.generation, record.parent) == ("current", 0, -1)


@pytest.mark.parametrize("expires_at", [NOW, NOW - 100])
def test_a_token_that_has_expired_is_not_kept(expires_at: int) -> None:
    """Otherwise it would count as new, and nobody could replace it for a while."""
    assert kept(expires_at=expires_at).access == ()


# --- the exchange --------------------------------------------------------------------------------


def exchanging(target: Target) -> Exchange[TokensRenewed]:
    step = exchange(RP, kept(), target)
    assert isinstance(step, Exchange)
    return step


def test_an_exchange_is_for_a_target() -> None:
    step = exchanging(LOGIN)
    assert form_of(step) == {"grant_type": "refresh_token", "refresh_token": "refresh-0"}
    narrow = exchanging(Target("openid"))
    assert form_of(narrow)["scope"] == "openid"
    other = exchanging(Target(resource=("urn:y",)))
    assert form_of(other)["resource"] == "urn:y"
    assert done(resume(RP, other, token_answer(None))).tokens.resource == ("urn:y",)
    assert done(resume(RP, step, token_answer(None))).tokens.resource == ("urn:x",)


def test_an_exchange_is_for_what_was_granted_to_this_client() -> None:
    for odd in (Target("admin"), Target(resource=("here",))):
        refused(UsageError, "parameter_invalid", partial(exchange, RP, kept(), odd))
    foreign = kept(issuer=OTHER_ISSUER)
    refused(UsageError, "client_issuer_mismatch", lambda: exchange(RP, foreign, LOGIN))


# --- what an answer brought ----------------------------------------------------------------------


def paired(answer: HttpResponse, rp: Any = RP) -> Pair:
    return pair_of(done(resume(rp, exchange(rp, kept(), LOGIN), answer)))


def test_a_pair_is_what_an_answer_brought() -> None:
    token = signed(claims_for())
    pair = paired(token_answer(token, refresh_token="refresh-1", expires_in=60, scope="openid"))
    assert pair == Pair(
        "refresh-1", True, NewAccess(ACCESS_TOKEN, "openid", 60, NOW + 60), None, token, Channel()
    )


@pytest.mark.parametrize("again", [{}, {"refresh_token": "refresh-0"}, {"refresh_token": ""}])
def test_an_answer_without_another_refresh_token_has_the_one_that_was_sent(again: Any) -> None:
    pair = paired(token_answer(None, expires_in=None, **again))
    assert (pair.refresh_token, pair.rotated, pair.id_token) == ("refresh-0", False, None)
    assert pair.access == NewAccess(ACCESS_TOKEN, "openid profile", None, None)


def test_the_refresh_token_of_a_refused_answer_is_a_pair() -> None:
    """The rest of a success is judged after it is stored."""
    for members in ({"scope": "admin"}, {"access_token": None}, {"token_type": "DPoP"}):
        pair = paired(token_answer("a.b.c", refresh_token="refresh-1", **members), STRICT)
        assert (pair.refresh_token, pair.rotated, pair.access) == ("refresh-1", True, None)
        assert pair.failure is not None
        assert pair.id_token is None
    same = paired(token_answer(None, refresh_token="refresh-0", access_token=None))
    assert (same.refresh_token, same.rotated) == ("refresh-0", False)


# --- what a failure means ------------------------------------------------------------------------


def failed(answer: HttpResponse | NoAnswer, rp: Any = RP) -> OidcError:
    with pytest.raises(OidcError) as caught:
        resume(rp, exchanged(rp), answer)
    return caught.value


def said(error: str, status: int = 400) -> HttpResponse:
    return json_response({"error": error}, status=status)


NOT_TAKEN: list[HttpResponse | NoAnswer] = [
    *[json_response(b"", status=status) for status in (301, 302, 307, 401, 403, 404)],
    *[json_response(b"", status=status) for status in (405, 408, 425, 429)],
    *[said(error) for error in ("invalid_client", "invalid_request", "invalid_scope")],
    *[said(error) for error in ("temporarily_unavailable", "server_error", "slow_down", "x")],
    said("invalid_client", 401),
    *[said("invalid_grant", status) for status in (408, 425, 429)],
    said("temporarily_unavailable", 200),
    NoAnswer("no", "http_timeout", NOW),
    NoAnswer("no", "http_connect_failed", NOW),
    token_answer(None, access_token=None),
    token_answer(None, token_type="DPoP"),
]


@pytest.mark.parametrize("answer", NOT_TAKEN)
def test_most_refusals_leave_the_refresh_token_as_good_as_it_was(answer: Any) -> None:
    """A wrong secret, a gateway or a provider without time ends nobody's session."""
    error = failed(answer)
    assert outcome_of(error) == NotTaken(failure_of(error))


def test_a_success_that_was_refused_and_brings_no_refresh_token_is_not_taken() -> None:
    error = failed(token_answer(None, scope="admin"), STRICT)
    assert error.code == "scope_unexpected"
    assert outcome_of(error) == NotTaken(failure_of(error))


@pytest.mark.parametrize("body", [b"", b"{}", b"bad request", b'{"error":5}'])
def test_a_400_without_an_oauth_error_is_told_apart(body: bytes) -> None:
    error = failed(json_response(body, status=400))
    outcome = outcome_of(error)
    assert isinstance(outcome, NotTaken)
    assert outcome.bare_400
    assert (outcome.failure.kind, outcome.failure.retryable) == ("later", "later")


@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_the_provider_refuses_the_refresh_token_in_its_own_words_only(status: int) -> None:
    error = failed(said("invalid_grant", status))
    assert outcome_of(error) == Refused(
        Failure("provider_error", "stale", "restart", "invalid_grant")
    )


NO_OUTCOME: list[HttpResponse | NoAnswer] = [
    *[json_response(b"", status=status) for status in (500, 502, 503, 504)],
    *[said("invalid_grant", status) for status in (500, 503)],
    said("invalid_client", 502),
    json_response(b"", status=200),
    json_response(b"{", status=200),
    json_response(b"[]", status=200),
    json_response(b"", status=204),
    NoAnswer("maybe", "http_timeout", NOW),
]


@pytest.mark.parametrize("answer", NO_OUTCOME)
def test_where_nobody_knows_the_refresh_token_may_have_been_taken(answer: Any) -> None:
    error = failed(answer)
    assert outcome_of(error) == NoOutcome(failure_of(error))


def test_an_answer_that_nobody_vouches_for_is_no_outcome() -> None:
    """Somebody in the way may have kept the real answer."""
    rp = relying_party(policy=Policy(require_verified_channel=True))
    for answer in (token_answer(None, refresh_token="evil"), said("invalid_grant")):
        way = evolve(answer, channel=Channel("unverified"))
        assert isinstance(outcome_of(failed(way, rp)), NoOutcome)


def test_an_answer_that_fits_no_request_is_no_outcome() -> None:
    """Its request was sent all the same."""
    for code in ("answer_unexpected", "answer_foreign"):
        error = UsageError(code)
        assert outcome_of(error) == NoOutcome(failure_of(error))


def test_what_is_the_holder_s_own_fault_never_left() -> None:
    for error in (UsageError("credential_missing"), StoreFailure("store_unavailable")):
        assert outcome_of(error) == Unsent()


# --- the new ID token ----------------------------------------------------------------------------


def verifying(token: str, *, received_at: int = NOW, access: bool = True) -> Any:
    new = Access(LOGIN, ACCESS_TOKEN, "openid", STORE_NOW, 60) if access else None
    return verification(RP, kept(), Unverified(token, new, received_at))


def verdict(token: str, **how: Any) -> Mismatch | Unusable | None:
    with pytest.raises(OidcError) as caught:
        with_keys(RP, verifying(token, **how))
    return verdict_of(caught.value)


def test_a_new_id_token_is_verified_with_the_access_token_that_came_with_it() -> None:
    token = signed(claims_for(None, at_hash=half_hash("ES256", ACCESS_TOKEN)))
    assert done(with_keys(RP, verifying(token))).claims_refreshed
    other = verdict(signed(claims_for(None, at_hash=half_hash("ES256", "another"))))
    assert isinstance(other, Unusable)
    assert isinstance(verdict(token, access=False), Unusable)


def test_an_id_token_is_judged_at_the_time_of_its_receipt() -> None:
    """A laptop slept, or a key endpoint was down: the session goes on."""
    token = signed(claims_for(None, iat=NOW - 500, exp=NOW - 200))
    assert isinstance(verdict(token), Unusable)
    assert done(with_keys(RP, verifying(token, received_at=NOW - 400))).claims_refreshed


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("iss_mismatch", {"iss": OTHER_ISSUER}),
        ("sub_mismatch", {"sub": "Bob"}),
        ("aud_mismatch", {"aud": [CLIENT_ID, "other"]}),
        ("azp_mismatch", {"azp": "other"}),
        ("nonce_mismatch", {"nonce": "other"}),
    ],
)
def test_an_id_token_of_another_session_is_a_mismatch(code: str, changes: dict[str, Any]) -> None:
    found = verdict(signed(claims_for(None, **changes)))
    assert isinstance(found, Mismatch)
    assert found.failure.code == code


@pytest.mark.parametrize(
    ("code", "token"),
    [
        ("auth_time_mismatch", signed(claims_for(None, auth_time=NOW - 11))),
        ("exp_expired", signed(claims_for(None, exp=NOW - 60))),
        ("iss_missing", signed(claims_for(None, iss=None))),
        ("signature_invalid", signed(claims_for(), signing_key(slot="evil"))),
        ("jws_malformed", "a.b"),
    ],
)
def test_any_other_final_refusal_makes_it_unusable(code: str, token: str) -> None:
    found = verdict(token)
    assert isinstance(found, Unusable)
    assert found.failure.code == code


def test_what_can_end_differently_is_no_verdict() -> None:
    step = verifying(signed(claims_for()))
    error = refused(
        TransportFailure, "keys_unavailable", lambda: resume(RP, step, KeysWithheld("unreachable"))
    )
    assert verdict_of(error) is None
    damaged = evolve(kept(), tokens=evolve(TOKENS, id_token="damaged"))
    waits = Unverified(signed(claims_for()), None, NOW)
    error = refused(StoreFailure, "record_invalid", lambda: verification(RP, damaged, waits))
    assert verdict_of(error) is None
    assert verdict_of(UsageError("client_issuer_mismatch")) is None
    assert verdict_of(ProtocolViolation("jwks_invalid", retryable="later")) is None


# --- the error of a caller -----------------------------------------------------------------------

GRANT: Final = Failure("provider_error", "stale", "restart", "invalid_grant")
BARE: Final = Failure("http_status_unexpected", "later", "later", "", "no_oauth_error")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (LogIn("unknown"), "grant_unknown"),
        (LogIn("ended"), "grant_ended"),
        (LogIn("refused"), "grant_ended"),
        (LogIn("expired"), "grant_expired"),
        (LogIn("refused", GRANT), "provider_error"),
        (LogIn("refused", BARE), "http_status_unexpected"),
        (LogIn("ended", Failure("sub_mismatch", "suspicious", "no")), "sub_mismatch"),
        (Withhold(IN_DOUBT, None), "refresh_in_doubt"),
    ],
)
def test_where_only_a_login_helps_the_error_says_so(answer: Any, code: str) -> None:
    error = error_of(answer)
    assert (error.code, error.kind, error.retryable) == (code, "stale", "restart")
    assert error.retry_after is None


@pytest.mark.parametrize(
    "failure",
    [
        BUSY,
        TOKEN_REFUSED,
        BARE,
        Failure("http_timeout", "later", "later", "", "timeout"),
        Failure("provider_error", "configuration", "no", "invalid_client"),
        Failure("exp_expired", "suspicious", "no"),
    ],
)
def test_who_has_to_wait_is_told_why_and_for_how_long(failure: Failure) -> None:
    error = error_of(Withhold(failure, 7))
    assert failure_of(error) == failure
    assert error.retry_after == 7


@pytest.mark.parametrize("code", [*CODES, "a_code_of_a_later_version"])
def test_every_failure_that_a_record_holds_becomes_an_error(code: str) -> None:
    """Also one that another version of the library wrote, or that no exchange ends with."""
    error = error_of(Withhold(Failure(code, "later", "later", "x", "y"), 1))
    assert code in {error.code, error.cause}
    assert error.code in {code, "store_unavailable"}


def test_an_error_is_kept_by_its_members() -> None:
    error = ProviderError("invalid_client", error_description="secret words", status=401)
    assert failure_of(error) == Failure("provider_error", "configuration", "no", "invalid_client")
    assert inspect.signature(Failure).parameters.keys() == {
        "code", "kind", "retryable", "error", "cause",
    }  # fmt: skip
