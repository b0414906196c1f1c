"""Tokens in words: each rule with its verdict."""

import json
from pathlib import Path

import pytest
from attrs import evolve

from oidc_adapters.cli.explaining.tokens import (
    ExplainedToken,
    Given,
    explain_token,
    is_token,
)
from oidc_adapters.cli.verdicts import Verdict
from oidc_adapters.testing.signing import b64url
from oidc_core.wire.errors import UsageError
from tests.signing import mac_key, published, signed, signed_octets, signing_key, unsigned

NOW = 1_800_000_000
CLAIMS = {
    "iss": "https://op.example",
    "sub": "alice",
    "aud": "client",
    "exp": NOW + 300,
    "iat": NOW,
    "nonce": "n-1",
}
GIVEN = Given(issuer="https://op.example", client_id="client", nonce="n-1", now=NOW)
LOGOUT: dict[str, object] = {
    "iss": "https://op.example",
    "aud": "client",
    "iat": NOW,
    "exp": NOW + 60,
    "jti": "j",
    "sid": "s",
    "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
}


def verdict(told: ExplainedToken, name: str) -> Verdict:
    (found,) = [each for each in told.verdicts if each.name == name]
    return found


def failed(told: ExplainedToken) -> dict[str, str]:
    return {each.name: each.code for each in told.verdicts if each.outcome == "failed"}


def key_file(folder: Path, *slots: str) -> Path:
    keys = [signing_key(slot=slot).public_jwk() for slot in slots]
    file = folder / "keys.json"
    file.write_text(json.dumps({"keys": keys}))
    return file


def test_a_good_token_fails_nothing(tmp_path: Path) -> None:
    given = evolve(GIVEN, jwks=key_file(tmp_path, "provider"))

    told = explain_token(signed(CLAIMS), given)

    assert failed(told) == {}
    assert (told.form, told.judged_as) == ("JWS", "id_token")
    assert "id_token" in told.fits
    assert verdict(told, "signature").found == "key k1"
    assert verdict(told, "iss").expected == "https://op.example"
    assert verdict(told, "aud").found == "client"


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "https://other.example"}, {"iss": "iss_mismatch"}),
        ({"aud": "account"}, {"aud": "aud_mismatch"}),
        ({"azp": "other"}, {"azp": "azp_mismatch"}),
        ({"exp": NOW - 61}, {"exp": "exp_expired"}),
        ({"iat": NOW + 61}, {"iat": "iat_in_future"}),
        ({"nbf": NOW + 61}, {"nbf": "nbf_in_future"}),
        ({"nonce": "n-2"}, {"nonce": "nonce_mismatch"}),
        ({"sub": ""}, {"sub": "sub_malformed"}),
        ({"token_introspection": {}}, {"kind": "claim_forbidden"}),
        (
            {"iss": "https://other.example", "aud": ["a"], "exp": 1},
            {"iss": "iss_mismatch", "aud": "aud_mismatch", "exp": "exp_expired"},
        ),
    ],
)
def test_each_rule_is_judged_by_itself(claims: dict[str, object], expected: dict[str, str]) -> None:
    told = explain_token(signed({**CLAIMS, **claims}), GIVEN)

    found = {name: code.partition(" ")[0] for name, code in failed(told).items()}
    assert found == expected
    assert verdict(told, next(iter(expected))).hint != ""


def test_what_was_not_given_is_not_judged() -> None:
    told = explain_token(signed(CLAIMS), Given(now=NOW))

    reasons = {each.name: each.reason for each in told.verdicts if each.outcome == "unjudged"}
    assert failed(told) == {}
    assert reasons["iss"] == "no --issuer was given"
    assert reasons["aud"] == "no --client-id was given"
    assert reasons["nonce"] == "no --nonce was given"
    assert reasons["signature"] == "no --jwks was given"
    assert verdict(told, "iss").found == "https://op.example"


def test_no_fact_is_the_nonce() -> None:
    told = explain_token(signed(CLAIMS), GIVEN)

    nonce = verdict(told, "nonce")
    assert nonce.found == nonce.expected
    assert "n-1" not in str(nonce)


@pytest.mark.parametrize(
    ("slot", "token", "code"),
    [
        ("other", signed(CLAIMS), "signature_invalid"),
        ("provider", signed(CLAIMS, signing_key(kid="k9")), "key_not_found"),
        ("provider", unsigned(CLAIMS, alg="none"), "alg_not_allowed"),
    ],
)
def test_a_signature_that_does_not_hold_is_told(
    tmp_path: Path, slot: str, token: str, code: str
) -> None:
    told = explain_token(token, evolve(GIVEN, jwks=key_file(tmp_path, slot)))

    assert failed(told)["signature"] == code


def test_a_key_without_a_name_serves_a_token_without_one(tmp_path: Path) -> None:
    token = signed(CLAIMS, signing_key(kid=None))

    told = explain_token(token, evolve(GIVEN, jwks=key_file(tmp_path, "provider")))

    assert verdict(told, "signature").found == "the only key that fits"


def test_a_mac_is_left_to_the_secret(tmp_path: Path) -> None:
    told = explain_token(
        signed(CLAIMS, mac_key()), evolve(GIVEN, jwks=key_file(tmp_path, "provider"))
    )

    assert verdict(told, "signature").reason == "only the client's secret verifies it"
    assert failed(told) == {"alg": "alg_not_allowed"}


def test_an_access_token_is_no_id_token() -> None:
    told = explain_token(signed(CLAIMS, typ="at+jwt"), GIVEN)

    assert failed(told) == {"typ": "typ_unexpected"}


def test_a_logout_token_has_rules_of_its_own() -> None:
    told = explain_token(signed(LOGOUT), GIVEN)
    nameless = explain_token(signed({**LOGOUT, "sid": None}), GIVEN)

    assert (told.judged_as, failed(told)) == ("logout_token", {})
    assert "logout_token" in told.fits
    assert failed(nameless)["sub_or_sid"].startswith("logout_subject_missing")
    assert verdict(nameless, "sid").outcome == "unjudged"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("e30.e30.", "jose_header_invalid"),
        (signed_octets(b"no json"), "json_malformed"),
        (f"{b64url(b'[1]')}.e30.YQ", "jose_header_invalid"),
        ("a.e30.YQ", "base64url_malformed"),
        ("a.YQ.YQ.YQ.YQ", "base64url_malformed"),
    ],
)
def test_a_token_that_cannot_be_read_says_why(token: str, code: str) -> None:
    assert failed(explain_token(token, GIVEN)) == {"form": code}


def test_a_header_that_is_refused_is_told() -> None:
    told = explain_token(unsigned(CLAIMS, alg="ES256", crit=["x"]), GIVEN)

    assert failed(told) == {"header": "crit_unsupported"}
    assert told.header["crit"] == ("x",)


@pytest.mark.parametrize("content", [b"{}", b"no json"])
def test_a_file_without_a_key_set_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(content)

    with pytest.raises(UsageError) as refused:
        explain_token(signed(CLAIMS), evolve(GIVEN, jwks=file))

    assert (refused.value.code, refused.value.about) == ("config_invalid", "jwks")


def test_an_issuer_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        explain_token(signed(CLAIMS), evolve(GIVEN, issuer="http://op.example"))

    assert refused.value.code == "url_scheme_not_allowed"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b.c", True),
        ("a.b.c.d.e", True),
        ("a-_.b.", True),
        ("a.b", False),
        ("a.b.c.d", False),
        ("a b.c.d", False),
        ("ü.b.c", False),
        ("..", False),
    ],
)
def test_a_token_is_known_by_its_form(text: str, expected: bool) -> None:
    assert is_token(text) is expected


def test_the_keys_of_these_tests_are_published() -> None:
    assert published(signing_key()).has("k1")
