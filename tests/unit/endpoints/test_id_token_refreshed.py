"""A refreshed ID token: compared with the one the session began with (OIDC Core §12.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from oidc_adapters.testing.signing import half_hash, rendered
from oidc_core.endpoints.id_token import (
    ID_TOKEN_RULES,
    REFRESH_RULES,
    CheckedIdToken,
    Expected,
    check,
)
from oidc_core.jose.jwk import Jwk
from oidc_core.jose.jws import JoseHeader, VerifiedJws
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import ProtocolViolation, fingerprint
from oidc_core.wire.jsontypes import JsonObject, frozen_json
from tests.parties import (
    ACCESS_TOKEN,
    CLIENT_ID,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    RP,
    SUB,
    claims_for,
    refused,
    relying_party,
)
from tests.unit.parties import told

if TYPE_CHECKING:
    from oidc_core.model.relying_party import RelyingParty

LATER = NOW + 3000
KEY = Jwk(kty="EC", crv="P-256", material=(b"x", b"y"))
ORIGINAL = claims_for("nonce-1", auth_time=NOW - 10)
RENEWED = claims_for(None, iat=LATER, exp=LATER + 300, auth_time=NOW - 10)


def frozen(claims: dict[str, object]) -> JsonObject:
    value = frozen_json(claims)
    assert isinstance(value, JsonObject)
    return value


def rechecked(
    *,
    old: dict[str, object] | None = None,
    rp: RelyingParty = RP,
    key: Jwk | None = KEY,
    alg: str = "ES256",
    **changes: Any,
) -> CheckedIdToken:
    claims = {**RENEWED, **changes}
    jws = VerifiedJws(JoseHeader(alg, None, "", ()), rendered(claims), key, LATER, LATER)
    demands = Demands(nonce=EXPECT_NO_NONCE, started_at=LATER)
    expected = Expected(demands, ACCESS_TOKEN, frozen({**ORIGINAL, **(old or {})}))
    return check(rp, jws, frozen(claims), expected, raw="raw", rules=REFRESH_RULES)


def refusal(code: str, about: str | None = None, /, **how: Any) -> None:
    error = refused(ProtocolViolation, code, lambda: rechecked(**how))
    assert error.of == "id_token"
    assert about in {None, error.about}


@pytest.mark.req("OIDCC-12.2-05", "OIDCC-12.2-06")
def test_the_same_session_goes_on_with_a_new_issue_time_and_without_a_nonce() -> None:
    token, evidence = rechecked()

    assert (token.sub, token.iat, token.auth_time) == (SUB, LATER, NOW - 10)
    assert evidence.of == "refreshed_id_token"
    assert {name for name, _ in evidence.skipped} >= {"same_nonce", "same_azp"}
    assert "nonce" not in {line.name for line in evidence.checks}


@pytest.mark.req("OIDCC-12.2-02")
@pytest.mark.parametrize(
    ("iss", "code"),
    [
        (OTHER_ISSUER, "iss_mismatch"),
        (f"{ISSUER}/", "iss_mismatch"),
        (None, "iss_missing"),
        (5, "iss_malformed"),
    ],
)
def test_another_issuer_is_refused(iss: object, code: str) -> None:
    """J08: an absent or malformed member is called so; the session has not ended."""
    refusal(code, "iss", iss=iss)


@pytest.mark.req("OIDCC-12.2-02")
def test_another_name_of_the_same_provider_is_another_issuer() -> None:
    """J08."""
    rp = relying_party(rule=IssuerRule.one_of(ISSUER, OTHER_ISSUER))

    refusal("iss_mismatch", "iss", rp=rp, iss=OTHER_ISSUER)
    assert rechecked(rp=rp)[0].iss == ISSUER


@pytest.mark.req("OIDCC-12.2-03")
@pytest.mark.parametrize("sub", ["Bob", SUB.lower(), "", 5, [SUB]])
def test_another_user_is_refused(sub: object) -> None:
    """J08."""
    refusal("sub_mismatch", "sub", sub=sub)
    refusal("sub_missing", "sub", sub=None)


@pytest.mark.req("OIDCC-12.2-04")
@pytest.mark.parametrize(
    ("aud", "code"),
    [
        ("other", "aud_mismatch"),
        ([CLIENT_ID, "api"], "aud_mismatch"),
        ([], "aud_mismatch"),
        (None, "aud_missing"),
        (5, "aud_malformed"),
        ([CLIENT_ID, 1], "aud_malformed"),
    ],
)
def test_another_audience_is_refused(aud: object, code: str) -> None:
    """J08."""
    rp = relying_party(client={"trusted_audiences": frozenset({"api"})})

    refusal(code, "aud", rp=rp, aud=aud)
    refusal("aud_mismatch", "aud", rp=rp, old={"aud": [CLIENT_ID, "api"]})


@pytest.mark.req("OIDCC-12.2-04")
def test_the_audience_is_a_set() -> None:
    rp = relying_party(client={"trusted_audiences": frozenset({"api"})})

    assert rechecked(aud=[CLIENT_ID])[0].sub == SUB
    old: dict[str, object] = {"aud": [CLIENT_ID, "api"]}
    assert rechecked(rp=rp, old=old, aud=["api", CLIENT_ID])[0].sub == SUB


def test_another_authorized_party_is_refused_if_both_name_one() -> None:
    """J08."""
    refusal("azp_mismatch", "azp", old={"azp": CLIENT_ID}, azp="other")
    refusal("azp_mismatch", "azp", azp="other")
    refusal("azp_malformed", "azp", azp=5)
    for old, new in ((CLIENT_ID, CLIENT_ID), (CLIENT_ID, None), (None, CLIENT_ID)):
        assert rechecked(old={"azp": old}, azp=new)[0].azp == new


@pytest.mark.req("OIDCC-12.2-06")
@pytest.mark.parametrize("nonce", ["other", "", 5, ["nonce-1"]])
def test_another_nonce_is_refused(nonce: object) -> None:
    """J08."""
    refusal("nonce_mismatch", "nonce", nonce=nonce)
    refusal("nonce_mismatch", "nonce", old={"nonce": None}, nonce="nonce-1")


@pytest.mark.req("OIDCC-12.2-06")
def test_the_original_nonce_passes() -> None:
    assert rechecked(nonce="nonce-1")[0].nonce == "nonce-1"


@pytest.mark.req("OIDCC-12.2-05")
def test_an_older_authentication_is_refused_and_a_newer_one_is_noted() -> None:
    """J08."""
    refusal("auth_time_mismatch", "auth_time", auth_time=NOW - 11)
    _, evidence = rechecked(auth_time=NOW - 9)
    assert dict(evidence.skipped)["same_auth_time"] == "newer; the session keeps the old one"
    _, evidence = rechecked(auth_time=NOW - 10)
    assert "same_auth_time" not in dict(evidence.skipped)


@pytest.mark.req("OIDCC-12.2-05")
@pytest.mark.parametrize("auth_time", [None, "then"])
def test_without_an_auth_time_the_old_one_stays(auth_time: object) -> None:
    _, evidence = rechecked(auth_time=auth_time)
    assert dict(evidence.skipped)["same_auth_time"] == "absent"
    _, evidence = rechecked(old={"auth_time": None})
    assert dict(evidence.skipped)["same_auth_time"] == "absent"


@pytest.mark.req("OIDCC-12.2-07")
@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("exp_expired", {"exp": LATER - 60}),
        ("exp_missing", {"exp": None}),
        ("exp_malformed", {"exp": "soon"}),
        ("iat_missing", {"iat": None}),
        ("iat_malformed", {"iat": "now"}),
        ("iat_in_future", {"iat": LATER + 61}),
        ("iat_too_old", {"iat": LATER - 90_000}),
        ("nbf_in_future", {"nbf": LATER + 61}),
        ("nbf_malformed", {"nbf": "now"}),
        ("at_hash_mismatch", {"at_hash": half_hash("ES256", "another")}),
        ("signature_invalid", {"key": None}),
        ("alg_not_allowed", {"alg": "PS256"}),
        ("claim_forbidden", {"events": {}}),
        ("iss_missing", {"iss": None, "old": {"iss": None}}),
        ("iss_malformed", {"iss": 5, "old": {"iss": 5}}),
        ("iss_mismatch", {"iss": OTHER_ISSUER, "old": {"iss": OTHER_ISSUER}}),
        ("aud_mismatch", {"aud": "other", "old": {"aud": "other"}}),
        ("sub_missing", {"sub": None, "old": {"sub": None}}),
        ("sub_malformed", {"sub": 5, "old": {"sub": 5}}),
    ],
)
def test_all_other_rules_hold_on_a_refresh(code: str, how: dict[str, Any]) -> None:
    """J08."""
    refusal(code, **how)


@pytest.mark.req("OIDCC-12.2-07")
def test_the_access_token_of_the_refresh_is_the_token_s_own() -> None:
    _, evidence = rechecked(at_hash=half_hash("ES256", ACCESS_TOKEN))
    assert "at_hash" not in dict(evidence.skipped)


def test_an_untrusted_audience_is_none_the_better_for_being_old() -> None:
    refusal("aud_untrusted", old={"aud": [CLIENT_ID, "api"]}, aud=[CLIENT_ID, "api"])
    lenient = relying_party(policy=Policy(leeway=120))
    assert rechecked(rp=lenient, exp=LATER - 100)[0].exp == LATER - 100


@pytest.mark.parametrize(
    ("how", "facts"),
    [
        ({"iss": OTHER_ISSUER}, ("iss_mismatch", "iss", OTHER_ISSUER, ISSUER)),
        ({"iss": 5}, ("iss_malformed", "iss", "a number", ISSUER)),
        ({"old": {"iss": None}}, ("iss_mismatch", "iss", ISSUER, "absent")),
        ({"sub": "Bob"}, ("sub_mismatch", "sub", fingerprint("Bob"), fingerprint(SUB))),
        ({"sub": None}, ("sub_missing", "sub", None, fingerprint(SUB))),
        ({"old": {"sub": 5}}, ("sub_mismatch", "sub", fingerprint(SUB), "a number")),
        ({"aud": ["other"]}, ("aud_mismatch", "aud", ("other",), (CLIENT_ID,))),
        ({"old": {"aud": 5}}, ("aud_mismatch", "aud", (CLIENT_ID,), "absent")),
        (
            {"azp": "other", "old": {"azp": CLIENT_ID}},
            ("azp_mismatch", "azp", "other", CLIENT_ID),
        ),
        ({"azp": 5, "old": {"azp": CLIENT_ID}}, ("azp_mismatch", "azp", 5, CLIENT_ID)),
        (
            {"nonce": "other"},
            ("nonce_mismatch", "nonce", fingerprint("other"), fingerprint("nonce-1")),
        ),
        (
            {"nonce": "nonce-1", "old": {"nonce": None}},
            ("nonce_mismatch", "nonce", fingerprint("nonce-1"), "absent"),
        ),
        ({"auth_time": NOW - 11}, ("auth_time_mismatch", "auth_time", NOW - 11, NOW - 10)),
    ],
)
def test_a_refusal_tells_the_claim_but_neither_user_nor_nonce(
    how: dict[str, Any], facts: tuple[str, str, object, object]
) -> None:
    assert told(lambda: rechecked(**how)) == facts
    error = refused(ProtocolViolation, facts[0], lambda: rechecked(**how))
    assert "Bob" not in str(error)
    assert SUB not in str(error)
    assert "nonce-1" not in str(error)


def test_without_an_original_nothing_is_the_same() -> None:
    """The claims of the login are part of a refresh: they cannot be replaced."""
    jws = VerifiedJws(JoseHeader("ES256", None, "", ()), rendered(RENEWED), KEY, LATER, LATER)
    bare = Expected(Demands(nonce=EXPECT_NO_NONCE, started_at=LATER), ACCESS_TOKEN)
    error = refused(
        ProtocolViolation,
        "iss_mismatch",
        lambda: check(RP, jws, frozen(RENEWED), bare, raw="raw", rules=REFRESH_RULES),
    )
    assert (error.about, error.found, error.expected) == ("iss", ISSUER, "absent")


def test_a_malformed_member_is_noted_as_on_a_login() -> None:
    _, evidence = rechecked(acr=5, sid="s")
    assert evidence.notes == ("malformed, taken as absent: acr",)
    assert REFRESH_RULES.optional == ID_TOKEN_RULES.optional


def test_what_is_not_there_to_be_compared_is_said_to_be_absent() -> None:
    skipped = dict(rechecked()[1].skipped)
    assert (skipped["same_azp"], skipped["same_nonce"]) == ("absent", "absent")


def test_the_rules_of_a_refresh_are_its_own_between_those_of_a_login() -> None:
    spec = "OIDC Core §12.2"
    assert REFRESH_RULES.of == "refreshed_id_token"
    assert [rule.name for rule in REFRESH_RULES.rules] == [
        *("encryption", "signature", "alg", "kind"),
        *("same_iss", "same_sub", "same_aud", "same_azp", "same_nonce", "same_auth_time"),
        *("iss", "aud", "azp", "exp", "iat", "nbf", "sub", "at_hash"),
    ]
    assert [(rule.spec, rule.says) for rule in REFRESH_RULES.rules if "same" in rule.name] == [
        (spec, "the issuer is the original's"),
        (spec, "the user is the original's"),
        (spec, "the audience is the original's"),
        (spec, "the authorized party is the original's"),
        (spec, "no nonce, or the original's"),
        (spec, "the authentication is the original's"),
    ]
