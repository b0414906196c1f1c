"""Keys of the provider: the refresh policy as a pure function, and tokens verified with them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from attrs import evolve, frozen

from oidc_core.machine.keys import (
    BUCKET_SIZE,
    REFILL,
    STALE_IF_ERROR,
    AwaitingKeys,
    Bucket,
    Fetch,
    KeyRecord,
    Verification,
    decide,
    failed,
    fetched,
    key_set_of,
    verify_jwt,
)
from oidc_core.machine.steps import (
    Done,
    KeysFound,
    KeysWithheld,
    NeedKeys,
    keys_wanted,
    resume,
)
from oidc_core.model.policy import Policy
from oidc_core.model.provider import IssuerRule
from oidc_core.operations.login import IdTokenOfLogin, UserInfoOfLogin
from oidc_core.operations.refresh import IdTokenOfRefresh
from oidc_core.operations.validation import IdTokenAlone
from oidc_core.wire.errors import ProtocolViolation, TransportFailure
from oidc_core.wire.http import HttpResponse, KeysWanted, NoAnswer
from oidc_core.wire.jsontypes import JsonObject, frozen_json
from tests.parties import (
    NOW,
    RP,
    claims_for,
    done,
    json_response,
    keys,
    refused,
    relying_party,
)
from tests.signing import (
    SECRET,
    mac_key,
    published,
    renamed,
    signed,
    signed_octets,
    signing_key,
    unsigned,
)

if TYPE_CHECKING:
    from oidc_core.jose.jws import VerifiedJws
    from oidc_core.machine.steps import Step
    from oidc_core.model.relying_party import RelyingParty

NEW = signing_key(slot="rotated", kid="k2")
OLD_SET = {"keys": [signing_key().public_jwk()]}
NEW_SET = {"keys": [NEW.public_jwk()]}
BOTH = {"keys": [signing_key().public_jwk(), NEW.public_jwk()]}
CLAIMS = claims_for("n")


@frozen(kw_only=True)
class Reading(Verification[tuple["VerifiedJws", JsonObject]]):
    """Verify a token, then return it."""

    types: ClassVar[frozenset[str]] = frozenset({"", "jwt"})

    def passed(
        self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject
    ) -> Step[tuple[VerifiedJws, JsonObject]]:
        return Done((jws, claims))


def wanted(
    *, newer_than: int | None = None, kid: str | None = None, unsolicited: bool = False
) -> KeysWanted:
    base = keys_wanted(RP, "unsolicited" if unsolicited else "solicited")
    return evolve(base, newer_than=newer_than, missing_kid=kid)


MAX_AGE = wanted().max_age


def filled(at: int = NOW, document: object = None) -> KeyRecord:
    """A record whose set was fetched at that time, both buckets full."""
    answer = json_response(OLD_SET if document is None else document, at=at)
    return fetched(KeyRecord(), wanted(), answer, at)[0]


def taken(record: KeyRecord, wish: KeysWanted, now: int) -> KeyRecord:
    """The record after a decision that has to be a fetch."""
    decision = decide(record, wish, now)
    assert isinstance(decision, Fetch)
    return decision.record


def reading(token: str, *algorithms: str) -> Reading:
    return Reading(token=token, algorithms=frozenset(algorithms or ("ES256",)))


def asked(token: str, *algorithms: str, rp: RelyingParty = RP) -> Step[Any]:
    return verify_jwt(rp, reading(token, *algorithms), source="solicited", now=NOW)


def verified(token: str, answer: KeysFound, *algorithms: str) -> Step[Any]:
    step = asked(token, *algorithms)
    assert isinstance(step, NeedKeys)
    return resume(RP, step, answer)


def asks_again(step: Step[Any]) -> KeysWanted:
    assert isinstance(step, AwaitingKeys)
    assert step.wanted.newer_than is not None
    return step.wanted


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
        expected = KeysFound(key_set_of(json_response(OLD_SET)), NOW, now)
        assert decide(record, wanted(), now) == expected
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
            assert decision == KeysWithheld("throttled")
    assert fetches == BUCKET_SIZE


def test_strangers_do_not_starve_the_provider_s_own_tokens() -> None:
    """H01, H05: the buckets are apart."""
    record = filled()
    for _ in range(BUCKET_SIZE):
        record = taken(record, wanted(newer_than=NOW, kid="x", unsolicited=True), NOW)

    assert decide(record, wanted(newer_than=NOW, kid="x", unsolicited=True), NOW) == KeysWithheld(
        "throttled"
    )
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
    assert answer == KeysFound(key_set_of(json_response(OLD_SET)), NOW + 1, NOW + 1)

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
    """H04: whoever waited for the same fetch takes its result."""
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
    assert decide(record, wanted(newer_than=NOW), now) == KeysWithheld("throttled")


def test_with_no_fetch_left_and_no_set_keys_are_withheld() -> None:
    """H02: nothing is let through unverified."""
    record = KeyRecord(solicited=Bucket(0, NOW))
    assert decide(record, wanted(), NOW) == KeysWithheld("throttled")


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
    json_response({"keys": [NEW.public_jwk()] * 65}),
    json_response(b'{"keys": []' + b" " * 262_144 + b"}"),
]


@pytest.mark.parametrize("answer", BAD_ANSWERS)
def test_a_set_that_cannot_be_used_replaces_nothing(answer: HttpResponse) -> None:
    """H03, H09, H11."""
    record = filled()
    now = NOW + MAX_AGE

    assert fetched(record, wanted(), answer, now) == (
        record,
        KeysFound(key_set_of(json_response(OLD_SET)), NOW, now),
    )
    assert fetched(KeyRecord(), wanted(), answer, now) == (
        KeyRecord(),
        KeysWithheld("unreachable"),
    )


def test_known_keys_outlive_a_day_long_outage_and_not_more() -> None:
    """H03."""
    record = filled()
    end = NOW + MAX_AGE + STALE_IF_ERROR

    assert failed(record, wanted(), end - 1)[1] == KeysFound(
        key_set_of(json_response(OLD_SET)), NOW, end - 1
    )
    assert failed(record, wanted(), end) == (record, KeysWithheld("unreachable"))
    drained = taken(taken(record, wanted(), end), wanted(), end)
    assert decide(drained, wanted(), end) == KeysWithheld("throttled")


def test_while_the_provider_is_down_an_unknown_key_is_unavailable_and_not_absent() -> None:
    """H03: the token may yet turn out good."""
    record = filled()
    assert failed(record, wanted(newer_than=NOW, kid="k2"), NOW + 5) == (
        record,
        KeysWithheld("unreachable"),
    )


def test_a_new_set_replaces_the_old_one_whole() -> None:
    """H06, H07: nothing is merged, the newest fetch wins."""
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
    ("answer", "kind", "code"),
    [
        (json_response(OLD_SET, status=500), ProtocolViolation, "http_status_unexpected"),
        (json_response(OLD_SET, status=301), ProtocolViolation, "http_redirect_refused"),
        (
            json_response(OLD_SET, content_type="text/html"),
            ProtocolViolation,
            "content_type_unexpected",
        ),
        (json_response({}), ProtocolViolation, "jwks_invalid"),
        (NoAnswer("no", "http_connect_failed", NOW), TransportFailure, "http_connect_failed"),
    ],
)
def test_an_answer_that_is_no_key_set_says_why(answer: Any, kind: Any, code: str) -> None:
    """H09, H11, I12."""
    refused(kind, code, lambda: key_set_of(answer))


def test_keys_in_the_metadata_are_not_keys() -> None:
    """H13."""
    extra = frozen_json({"jwks": NEW_SET})
    assert isinstance(extra, JsonObject)
    rp = relying_party(provider={"extra": extra})
    step = verify_jwt(rp, reading(signed(CLAIMS, NEW)), source="solicited", now=NOW)
    assert isinstance(step, NeedKeys)
    assert step.wanted.request.url == f"{rp.issuer}/jwks"
    step = resume(rp, step, keys())
    assert isinstance(step, NeedKeys)
    last = step
    refused(ProtocolViolation, "key_not_found", lambda: resume(rp, last, keys(fetched_at=NOW + 1)))


# --- tokens meet their keys ----------------------------------------------------------------------


@pytest.mark.req("OIDCC-3.1.3.7-06b")
def test_a_token_is_verified_with_the_key_it_names() -> None:
    token = signed(CLAIMS)
    jws, claims = done(verified(token, keys(fetched_at=NOW - 5)))

    assert claims == CLAIMS
    assert (jws.header.kid, jws.verified_at, jws.keys_fetched_at) == ("k1", NOW, NOW - 5)
    assert jws.key.kid == "k1"


@pytest.mark.parametrize("reason", ["throttled", "unreachable"])
def test_without_keys_the_operation_fails_for_now(reason: Any) -> None:
    """H02: that is not the same as a key that does not exist."""
    step = asked(signed(CLAIMS))
    assert isinstance(step, NeedKeys)
    error = refused(
        TransportFailure, "keys_unavailable", lambda: resume(RP, step, KeysWithheld(reason))
    )
    assert (error.retryable, error.found) == ("later", reason)


def test_an_unknown_kid_has_the_set_fetched_once_more_and_only_once() -> None:
    """H05, H06, F07."""
    step = verified(signed(CLAIMS, NEW), keys())
    wish = asks_again(step)
    assert (wish.newer_than, wish.missing_kid, wish.source) == (NOW, "k2", "solicited")
    assert isinstance(step, NeedKeys)

    fresh = keys(published(signing_key(), NEW), fetched_at=NOW + 1)
    assert done(resume(RP, step, fresh))[0].header.kid == "k2"
    refused(
        ProtocolViolation,
        "key_not_found",
        lambda: resume(RP, step, keys(fetched_at=NOW + 1)),
    )


def test_a_withdrawn_key_is_not_accepted() -> None:
    """H06."""
    step = verified(signed(CLAIMS), keys(published(NEW)))
    assert isinstance(step, NeedKeys)
    refused(
        ProtocolViolation,
        "key_not_found",
        lambda: resume(RP, step, keys(published(NEW), fetched_at=NOW + 1)),
    )


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_a_key_replaced_under_its_name_is_found_if_the_set_is_older_than_a_minute(
    alg: str,
) -> None:
    """H05."""
    old, new = signing_key(alg), signing_key(alg, slot="rotated")
    token = signed(CLAIMS, new)

    step = verified(token, keys(published(old), fetched_at=NOW - 61), alg)
    assert asks_again(step).newer_than == NOW - 61
    assert isinstance(step, NeedKeys)
    assert done(resume(RP, step, keys(published(new))))[1] == CLAIMS
    refused(
        ProtocolViolation,
        "signature_invalid",
        lambda: verified(token, keys(published(old), fetched_at=NOW - 60), alg),
    )


def test_a_longer_key_under_the_same_name_is_found_too() -> None:
    """H05: the first sign of it is a signature of another length."""
    short, long = signing_key("ES256"), signing_key("ES384")
    rsa_length_token = signed(CLAIMS, short).rpartition(".")[0] + "." + "A" * 128
    step = verified(rsa_length_token, keys(fetched_at=NOW - 61))
    assert asks_again(step).newer_than == NOW - 61
    refused(
        ProtocolViolation,
        "signature_length_mismatch",
        lambda: verified(rsa_length_token, keys(fetched_at=NOW - 60)),
    )
    assert long.kid == short.kid


def test_without_a_kid_and_with_no_candidate_that_verifies_the_set_is_fetched_once_more() -> None:
    """H05, F08."""
    token = signed(CLAIMS, renamed(NEW, None))
    step = verified(token, keys())
    wish = asks_again(step)
    assert (wish.newer_than, wish.missing_kid) == (NOW, None)
    assert isinstance(step, NeedKeys)
    assert done(resume(RP, step, keys(published(signing_key(), NEW))))[1] == CLAIMS
    refused(ProtocolViolation, "signature_invalid", lambda: resume(RP, step, keys()))


def test_without_a_kid_and_with_too_many_candidates_the_token_is_refused() -> None:
    """F08."""
    several = [signing_key(slot=f"s{n}", kid=f"s{n}") for n in range(5)]
    token = signed(CLAIMS, renamed(several[0], None))

    four = keys(published(*several[:4]))
    assert done(verified(token, four))[0].key.kid == "s0"
    refused(ProtocolViolation, "key_ambiguous", lambda: verified(token, keys(published(*several))))


def test_two_keys_of_one_name_make_that_name_useless_and_no_other() -> None:
    """F09."""
    twin = signing_key(slot="twin")
    key_set = keys(published(signing_key(), twin, NEW))

    refused(ProtocolViolation, "kid_duplicated", lambda: verified(signed(CLAIMS), key_set))
    assert done(verified(signed(CLAIMS, NEW), key_set))[1] == CLAIMS
    same = keys(published(signing_key(), signing_key()))
    assert done(verified(signed(CLAIMS), same))[1] == CLAIMS


def test_a_key_serves_only_the_algorithm_it_names() -> None:
    """F10."""
    key = signing_key("RS256")
    other = keys(published(key, alg="PS256"))

    refused(
        ProtocolViolation,
        "key_alg_mismatch",
        lambda: verified(signed(CLAIMS, key), other, "RS256"),
    )


@pytest.mark.req("OIDCC-3.1.3.7-07")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS256", "RS256", ""])
def test_an_algorithm_that_was_not_agreed_upon_is_refused(alg: str) -> None:
    """E20, F02, B14, K04."""
    refused(
        ProtocolViolation, "alg_not_allowed", lambda: verified(unsigned(CLAIMS, alg=alg), keys())
    )


@pytest.mark.req("OIDCC-3.1.3.7-07")
@pytest.mark.parametrize(
    "token", [signed(CLAIMS), signed(CLAIMS, mac_key()), unsigned(CLAIMS, alg="none")]
)
def test_with_no_algorithm_in_common_nothing_is_accepted(token: str) -> None:
    """B14: neither a signature nor a MAC."""
    wish = Reading(token=token, algorithms=frozenset())
    refused(
        ProtocolViolation,
        "alg_not_allowed",
        lambda: verify_jwt(RP, wish, source="solicited", now=NOW),
    )


@pytest.mark.req("OIDCC-3.1.3.7-08a")
def test_a_mac_is_verified_at_once_with_the_client_s_own_secret() -> None:
    for alg in ("HS256", "HS384", "HS512"):
        jws, claims = done(asked(signed(CLAIMS, mac_key(alg)), alg))
        assert (jws.key, jws.verified_at, jws.keys_fetched_at) == (None, NOW, None)
        assert claims == CLAIMS


@pytest.mark.req("OIDCC-3.1.3.7-08a")
@pytest.mark.parametrize("secret", [SECRET[:-1], SECRET + "x", "x" * 40])
def test_a_mac_by_another_secret_is_refused(secret: str) -> None:
    token = signed(CLAIMS, mac_key(secret=secret))
    refused(ProtocolViolation, "signature_invalid", lambda: asked(token, "HS256"))


@pytest.mark.req("OIDCC-3.1.3.7-08a")
def test_a_mac_by_the_secret_of_another_client_is_refused() -> None:
    """The secret belongs to issuer and client id together."""
    ours = relying_party()
    for party in (
        evolve(ours, client=evolve(ours.client, client_id="client-2")),
        evolve(
            ours,
            provider=evolve(ours.provider, issuer="https://b.example"),
            issuer_rule=IssuerRule.exact("https://b.example"),
        ),
    ):
        wish = reading(signed(CLAIMS, mac_key()), "HS256")
        refused(
            ProtocolViolation,
            "signature_invalid",
            partial(verify_jwt, party, wish, source="solicited", now=NOW),
        )


@pytest.mark.req("OIDCC-3.1.3.7-08a")
def test_a_token_with_a_mac_may_not_have_a_signature_in_its_place() -> None:
    refused(ProtocolViolation, "alg_not_allowed", lambda: asked(signed(CLAIMS), "HS256"))


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b'{"sub":"a","sub":"b"}', "json_member_duplicated"),
        (b'{"x":{"iss":"a","iss":"b"}}', "json_member_duplicated"),
        (b'{"aud":"a","\\u0061ud":"b"}', "json_member_duplicated"),
        (b"[]", "json_not_object"),
        (b'"text"', "json_not_object"),
        (b'{"exp":NaN}', "json_number_invalid"),
        (b'{"exp":Infinity}', "json_number_invalid"),
        (b'{"exp":1e400}', "json_number_invalid"),
        (b'{"exp":' + b"9" * 5000 + b"}", "json_number_invalid"),
        (b'{"sub":"\\ud800"}', "json_string_invalid"),
        ('{"sub":"a"}'.encode("utf-16"), "json_not_utf8"),
        (b"{", "json_malformed"),
    ],
)
@pytest.mark.req("RFC7519-4-01", "RFC7519-4-02", "RFC7519-7.2-01")
def test_a_payload_that_can_be_read_in_two_ways_is_refused(payload: bytes, code: str) -> None:
    """D07, D15, D27."""
    refused(ProtocolViolation, code, lambda: verified(signed_octets(payload), keys()))


def test_the_header_s_claims_and_keys_are_nobody_s() -> None:
    """F04, F05, D24."""
    jwk = NEW.public_jwk()
    token = signed(CLAIMS, sub="victim", iss="x", jwk=jwk, jku="https://evil.example/jwks")
    jws, claims = done(verified(token, keys()))

    assert claims == CLAIMS
    assert jws.header.ignored == ("jwk", "jku")
    forged = signed(CLAIMS, NEW, kid="k1", jwk=jwk)
    refused(ProtocolViolation, "signature_invalid", lambda: verified(forged, keys()))


@pytest.mark.parametrize("kind", [IdTokenAlone, IdTokenOfLogin, IdTokenOfRefresh, UserInfoOfLogin])
def test_each_kind_of_token_names_its_own_types(kind: type) -> None:
    """None has them by default: a logout token is no ID token (RFC 8725 §3.11)."""
    assert not hasattr(Verification, "types")
    assert vars(kind)["types"] == {"", "jwt"}


def test_a_token_beyond_its_limit_is_refused() -> None:
    token = signed(CLAIMS)

    class Short(Reading):
        max_token: ClassVar[int] = len(token) - 1

    wish = Short(token=token, algorithms=frozenset({"ES256"}))
    step = verify_jwt(RP, wish, source="unsolicited", now=NOW)
    assert isinstance(step, NeedKeys)
    assert step.wanted.source == "unsolicited"
    refused(ProtocolViolation, "token_too_large", lambda: resume(RP, step, keys()))


@pytest.mark.req("RFC8725-3.8-01")
def test_the_keys_of_one_issuer_verify_nothing_of_another_s() -> None:
    """F06, H08: the wish names the issuer and the address exactly."""
    other = relying_party(
        provider={"issuer": "https://op.example/", "jwks_uri": "https://op.example/jwks"}
    )
    ours, theirs = keys_wanted(RP, "solicited"), keys_wanted(other, "solicited")

    assert ours.request.url == theirs.request.url
    assert (ours.request.issuer, theirs.request.issuer) == (RP.issuer, other.issuer)
    forged = signed(CLAIMS, signing_key(slot="other provider"))
    refused(ProtocolViolation, "signature_invalid", lambda: verified(forged, keys()))


def test_the_age_of_a_key_set_is_the_policy_s() -> None:
    """H12: what the answer says of caching does not count."""
    rp = relying_party(policy=Policy(key_set_max_age=120))
    assert keys_wanted(rp, "solicited").max_age == 120
    plain = json_response(OLD_SET)
    answer = HttpResponse(
        200, (*plain.headers, ("cache-control", "max-age=1000000000")), plain.body, NOW
    )
    record, _ = fetched(KeyRecord(), keys_wanted(rp, "solicited"), answer, NOW)
    assert isinstance(decide(record, keys_wanted(rp, "solicited"), NOW + 120), Fetch)
