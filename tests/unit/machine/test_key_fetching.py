"""When keys are fetched: the policy as a pure function over one record."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from oidc_core.machine.key_fetching import (
    BUCKET_SIZE,
    REFILL,
    STALE_IF_ERROR,
    Bucket,
    Fetch,
    KeyRecord,
    broken_off,
    decide,
    failed,
    fetched,
    forgettable,
    key_set_of,
)
from oidc_core.machine.steps import KeysFound, KeysWithheld
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import ProtocolViolation, TransportFailure
from oidc_core.wire.http import HttpResponse, KeysWanted, NoAnswer
from oidc_core.wire.way import Channel
from tests.parties import ISSUER, NOW, RP, json_response, keys_wanted, refused, relying_party
from tests.signing import signing_key

NEW = signing_key(slot="rotated", kid="k2")
OLD_SET = {"keys": [signing_key().public_jwk()]}
NEW_SET = {"keys": [NEW.public_jwk()]}
BOTH = {"keys": [signing_key().public_jwk(), NEW.public_jwk()]}


def wanted(
    *, newer_than: int | None = None, kid: str | None = None, unsolicited: bool = False
) -> KeysWanted:
    base = keys_wanted(RP, "unsolicited" if unsolicited else "solicited")
    return evolve(base, newer_than=newer_than, missing_kid=kid)


MAX_AGE = wanted().max_age


def found(fetched_at: int, now: int, document: object = None) -> KeysFound:
    """The answer of a store: the set, whose it is, and both times."""
    answer = json_response(OLD_SET if document is None else document)
    return KeysFound(ISSUER, f"{ISSUER}/jwks", key_set_of(answer), fetched_at, now)


def filled(at: int = NOW, document: object = None) -> KeyRecord:
    """A record whose set was fetched at that time, both buckets full."""
    answer = json_response(OLD_SET if document is None else document, at=at)
    return fetched(KeyRecord(), wanted(), answer, at)[0]


def taken(record: KeyRecord, wish: KeysWanted, now: int) -> KeyRecord:
    """The record after a decision that must be a fetch."""
    decision = decide(record, wish, now)
    assert isinstance(decision, Fetch)
    return decision.record


# --- the bucket ----------------------------------------------------------------------------------


def test_a_bucket_gains_one_fetch_a_minute_and_never_more_than_it_holds() -> None:
    """H01."""
    empty = Bucket(0, NOW)

    assert empty.at(NOW + REFILL - 1) == Bucket(0, NOW)
    assert empty.at(NOW + REFILL) == Bucket(1, NOW + REFILL)
    assert empty.at(NOW + REFILL + 59) == Bucket(1, NOW + REFILL)
    assert empty.at(NOW + 10 * REFILL) == Bucket(BUCKET_SIZE, NOW + 10 * REFILL)
    assert Bucket().at(NOW) == Bucket(BUCKET_SIZE, NOW)
    assert Bucket(1, NOW).at(NOW - REFILL) == Bucket(1, NOW)
    assert Bucket(2, NOW).taken() == Bucket(1, NOW)


def test_a_clock_that_was_set_back_stops_no_bucket() -> None:
    earlier = NOW - 86_400

    assert Bucket(0, NOW).at(earlier) == Bucket(1, earlier)
    assert Bucket(BUCKET_SIZE, NOW).at(earlier) == Bucket(BUCKET_SIZE, earlier)
    assert Bucket(1, NOW).at(earlier).taken().at(earlier + REFILL - 1).left == 0


# --- decisions -----------------------------------------------------------------------------------


def test_a_set_that_is_not_there_is_fetched() -> None:
    assert taken(KeyRecord(), wanted(), NOW).solicited == Bucket(1, NOW)


def test_a_fresh_set_is_used_without_a_fetch_until_the_second_it_is_due() -> None:
    record = filled()

    for now in (NOW, NOW + MAX_AGE - 1):
        assert decide(record, wanted(), now) == found(NOW, now)
    assert isinstance(decide(record, wanted(), NOW + MAX_AGE), Fetch)
    assert isinstance(decide(record, wanted(), NOW - 1), Fetch)  # the clock was set back


def test_ten_thousand_unknown_kids_cause_two_fetches() -> None:
    """H01, K15."""
    record = filled()
    fetches = 0
    for number in range(10_000):
        wish = wanted(newer_than=NOW, kid=f"random-{number}", unsolicited=True)
        decision = decide(record, wish, NOW)
        if isinstance(decision, Fetch):
            fetches += 1
            record, _ = fetched(decision.record, wish, json_response(OLD_SET), NOW)
        else:
            assert decision == KeysWithheld("throttled", None, REFILL)
    assert fetches == BUCKET_SIZE


def test_strangers_do_not_starve_the_provider_s_own_tokens() -> None:
    """H01, H05: the buckets are apart."""
    record = filled()
    for _ in range(BUCKET_SIZE):
        record = taken(record, wanted(newer_than=NOW, kid="x", unsolicited=True), NOW)

    throttled = KeysWithheld("throttled", None, REFILL)
    assert decide(record, wanted(newer_than=NOW, kid="x", unsolicited=True), NOW) == throttled
    assert taken(record, wanted(newer_than=NOW, kid="k2"), NOW).solicited == Bucket(1, NOW)


def test_a_key_that_a_stranger_asked_for_too_early_is_found_by_the_provider_s_own_token() -> None:
    """H05, H15: who guesses the next kid cannot have a rotation overlooked."""
    unsolicited = wanted(newer_than=NOW, kid="k2", unsolicited=True)
    record = taken(filled(), unsolicited, NOW + 1)
    record, _ = fetched(record, unsolicited, json_response(OLD_SET), NOW + 1)

    again = wanted(newer_than=NOW + 1, kid="k2", unsolicited=True)
    assert isinstance(decide(record, again, NOW + 2), KeysFound)  # believed for strangers
    solicited = wanted(newer_than=NOW + 1, kid="k2")
    record = taken(record, solicited, NOW + 2)
    record, answer = fetched(record, solicited, json_response(BOTH), NOW + 2)
    assert isinstance(answer, KeysFound)
    assert answer.key_set.has("k2")


def test_what_the_provider_s_own_token_missed_strangers_miss_too() -> None:
    solicited = wanted(newer_than=NOW, kid="k9")
    record, _ = fetched(filled(), solicited, json_response(OLD_SET), NOW + 1)

    again = wanted(newer_than=NOW + 1, kid="k9", unsolicited=True)
    assert isinstance(decide(record, again, NOW + 2), KeysFound)


def test_a_key_added_later_is_found_after_the_cooldown() -> None:
    """H15: that a kid is absent is believed for a minute and no longer."""
    wish = wanted(newer_than=NOW, kid="k2")
    record, answer = fetched(filled(), wish, json_response(OLD_SET), NOW + 1)
    assert answer == found(NOW + 1, NOW + 1)

    again = wanted(newer_than=NOW + 1, kid="k2")
    assert isinstance(decide(record, again, NOW + REFILL), KeysFound)
    record = taken(record, again, NOW + 1 + REFILL)
    record, answer = fetched(record, again, json_response(BOTH), NOW + 1 + REFILL)
    assert isinstance(answer, KeysFound)
    assert answer.key_set.has("k2")
    assert record.absent == ()


def test_a_clock_that_was_set_back_makes_no_kid_absent_for_longer() -> None:
    wish = wanted(newer_than=NOW, kid="k2")
    record, _ = fetched(filled(), wish, json_response(OLD_SET), NOW + 1)
    earlier = NOW - 86_400
    record, _ = fetched(record, wanted(), json_response(OLD_SET), earlier)

    taken(record, wanted(newer_than=earlier, kid="k2"), earlier)


def test_absent_kids_are_remembered_in_a_bounded_number() -> None:
    """H01."""
    record = filled()
    for number in range(200):
        wish = wanted(newer_than=NOW, kid=f"random-{number}", unsolicited=True)
        record, _ = fetched(record, wish, json_response(OLD_SET), NOW)

    assert len(record.absent) == 64
    assert record.absent[-1][0] == "random-199"


def test_a_set_fetched_since_serves_without_another_fetch() -> None:
    """H04: what waited for the same fetch takes its result."""
    record = filled(NOW + 5)

    assert isinstance(decide(record, wanted(newer_than=NOW, kid="k2"), NOW + 5), KeysFound)
    assert isinstance(decide(record, wanted(newer_than=NOW + 5, kid="k2"), NOW + 5), Fetch)


def test_with_no_fetch_left_a_due_set_serves_on() -> None:
    """H03."""
    record = filled()
    now = NOW + MAX_AGE
    for _ in range(BUCKET_SIZE):
        record = taken(record, wanted(), now)

    assert isinstance(decide(record, wanted(), now), KeysFound)
    assert decide(record, wanted(newer_than=NOW), now) == KeysWithheld("throttled", None, REFILL)


def test_with_no_fetch_left_and_no_set_keys_are_withheld() -> None:
    """H02: no token passes unverified."""
    record = KeyRecord(solicited=Bucket(0, NOW))
    assert decide(record, wanted(), NOW) == KeysWithheld("throttled", None, REFILL)
    assert decide(record, wanted(), NOW + 41) == KeysWithheld("throttled", None, REFILL - 41)


# --- outcomes ------------------------------------------------------------------------------------

BAD_ANSWERS = [
    json_response(NEW_SET, status=500),
    json_response(NEW_SET, status=404),
    json_response(NEW_SET, status=302),
    json_response(NEW_SET, content_type="text/html"),
    json_response(b"{"),
    json_response({"keys": "none"}),
    json_response({"jwks": []}),
    json_response([NEW_SET]),
    json_response({"keys": [NEW.public_jwk()] * 513}),
    json_response(b'{"keys": []' + b" " * 2**20 + b"}"),
]


@pytest.mark.parametrize("answer", BAD_ANSWERS)
def test_a_set_that_cannot_be_used_replaces_nothing(answer: HttpResponse) -> None:
    """H03, H09, H11."""
    record = filled()
    now = NOW + MAX_AGE

    kept, served = fetched(record, wanted(), answer, now)
    assert (evolve(kept, fault=None), served) == (record, found(NOW, now))
    empty, withheld = fetched(KeyRecord(), wanted(), answer, now)
    assert empty == KeyRecord(fault=kept.fault)
    assert kept.fault is not None
    assert withheld == KeysWithheld("unreachable", kept.fault)


def test_known_keys_outlive_a_day_long_outage_and_not_more() -> None:
    """H03."""
    record = filled()
    end = NOW + MAX_AGE + STALE_IF_ERROR

    assert failed(record, wanted(), end - 1)[1] == found(NOW, end - 1)
    assert failed(record, wanted(), end) == (record, KeysWithheld("unreachable"))
    drained = taken(taken(record, wanted(), end), wanted(), end)
    assert decide(drained, wanted(), end) == KeysWithheld("throttled", None, REFILL)


def test_while_the_provider_is_down_an_unknown_key_is_unavailable_and_not_absent() -> None:
    """H03: the token may yet turn out good."""
    record = filled()
    assert failed(record, wanted(newer_than=NOW, kid="k2"), NOW + 5) == (
        record,
        KeysWithheld("unreachable"),
    )


def test_a_new_set_replaces_the_old_one_whole() -> None:
    """H06, H07: sets are never merged, the newest fetch wins."""
    record, answer = fetched(filled(), wanted(), json_response(NEW_SET), NOW + 9)
    assert isinstance(answer, KeysFound)
    assert (answer.key_set.has("k1"), answer.key_set.has("k2")) == (False, True)
    record, answer = fetched(record, wanted(), json_response(OLD_SET), NOW + 10)
    assert isinstance(answer, KeysFound)
    assert (answer.key_set.has("k1"), answer.key_set.has("k2")) == (True, False)
    assert record.fetched_at == NOW + 10


def test_a_bad_key_among_good_ones_breaks_nothing() -> None:
    """F35, H11."""
    strange = {"kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "AA"}
    document = {"keys": [strange, 5, {**NEW.public_jwk(), "d": "AA"}, signing_key().public_jwk()]}
    key_set = key_set_of(json_response(document))

    assert [key.kid for key in key_set.keys] == ["k1"]
    assert len(key_set.skipped) == 3
    assert len(key_set_of(json_response({"keys": [NEW.public_jwk()] * 64})).published) == 64


@pytest.mark.parametrize("content_type", ["application/json", "application/jwk-set+json", ""])
def test_a_key_set_comes_as_json(content_type: str) -> None:
    """I12."""
    answer = json_response(OLD_SET, content_type=content_type)
    assert key_set_of(answer).has("k1")


@pytest.mark.parametrize(
    ("answer", "kind", "code", "facts"),
    [
        (
            json_response(OLD_SET, status=500),
            ProtocolViolation,
            "http_status_unexpected",
            (500, 200),
        ),
        (
            json_response(OLD_SET, status=301),
            ProtocolViolation,
            "http_redirect_refused",
            (301, None),
        ),
        (
            json_response(OLD_SET, content_type="text/html"),
            ProtocolViolation,
            "content_type_unexpected",
            ("text/html", "application/json"),
        ),
        (
            evolve(
                json_response(OLD_SET),
                headers=(("content-type", "application/json"), ("content-type", "text/html")),
            ),
            ProtocolViolation,
            "content_type_unexpected",
            ("application/json, text/html", "application/json"),
        ),
        (json_response({}), ProtocolViolation, "jwks_invalid", (None, "an array")),
        (
            NoAnswer("no", "http_connect_failed", NOW),
            TransportFailure,
            "http_connect_failed",
            (None, None),
        ),
    ],
)
def test_an_answer_that_is_no_key_set_says_why(
    answer: Any, kind: Any, code: str, facts: tuple[object, object]
) -> None:
    """H09, H11, I12."""
    error = refused(kind, code, lambda: key_set_of(answer))
    assert (error.found, error.expected) == facts


def test_the_age_of_a_key_set_is_the_policy_s() -> None:
    """H12: the caching headers of the answer do not count."""
    rp = relying_party(policy=Policy(key_set_max_age=120))
    assert keys_wanted(rp, "solicited").max_age == 120
    plain = json_response(OLD_SET)
    answer = HttpResponse(
        200, (*plain.headers, ("cache-control", "max-age=1000000000")), plain.body, NOW
    )
    record, _ = fetched(KeyRecord(), keys_wanted(rp, "solicited"), answer, NOW)
    assert isinstance(decide(record, keys_wanted(rp, "solicited"), NOW + 120), Fetch)


def test_a_set_from_a_server_that_nobody_verified_counts_only_where_the_policy_lets_it() -> None:
    strict = relying_party(policy=Policy(require_verified_channel=True))
    wish, answer = strict.keys_wanted["solicited"], json_response(NEW_SET)
    servers = [{channel.server for channel in of.way.channels} for of in (wish, wanted())]
    assert servers == [{"verified"}, {"verified", "not_told"}]

    record, withheld = fetched(KeyRecord(), wish, answer, NOW)
    assert (record.key_set, withheld) == (None, KeysWithheld("unreachable", record.fault))
    assert record.fault is not None
    assert (record.fault.code, record.fault.found) == ("channel_unverified", "not_told")
    record, kept = fetched(filled(), wish, answer, NOW)
    assert (evolve(record, fault=None), kept) == (filled(), found(NOW, NOW))
    verified = evolve(answer, channel=Channel("verified"))
    for wish_of, given in ((wish, verified), (wanted(), answer)):
        assert fetched(filled(), wish_of, given, NOW)[1] == found(NOW, NOW, NEW_SET)


def test_a_fetch_that_was_broken_off_is_given_back_to_the_providers_own_tokens_only() -> None:
    """Strangers could break off one after the other, and have the provider asked without end."""
    own, strangers = wanted(), wanted(unsolicited=True)
    record = taken(taken(KeyRecord(), own, NOW), strangers, NOW)

    assert broken_off(record, own) == evolve(record, solicited=Bucket(BUCKET_SIZE, NOW))
    assert broken_off(record, strangers) == record
    assert broken_off(KeyRecord(), own) == KeyRecord()


@pytest.mark.parametrize("unsolicited", [False, True])
def test_a_record_that_holds_fetches_back_is_not_forgettable(unsolicited: bool) -> None:
    record = taken(KeyRecord(), wanted(unsolicited=unsolicited), NOW)

    assert [forgettable(record, NOW + later) for later in (0, REFILL - 1, REFILL)] == [
        False,
        False,
        True,
    ]
    absent = evolve(KeyRecord(), absent=(("k", NOW + REFILL, "solicited"),))
    assert [forgettable(absent, NOW + later) for later in (0, REFILL - 1, REFILL)] == [
        False,
        False,
        True,
    ]
    assert forgettable(filled(), NOW)
