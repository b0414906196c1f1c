"""``oidc explain``."""

import json
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from oidc_core.wire.codes import CODES
from tests.signing import signed, signing_key

from .worlds import NOW, Ran, Stage

CLAIMS = {
    "iss": "https://op.example",
    "sub": "alice",
    "aud": "client",
    "exp": NOW + 300,
    "iat": NOW,
    "nonce": "the-nonce-of-this-login",
    "sid": "the-session-of-this-login",
}
AGAINST = ("--issuer", "https://op.example", "--client-id", "client")


def said(ran: Ran) -> str:
    return " ".join(ran.out.split())


@pytest.mark.parametrize("code", CODES)
def test_each_code_is_explained(code: str) -> None:
    ran = Stage().run("explain", code)

    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith(code + "\n")
    assert CODES[code].hint in said(ran)
    assert CODES[code].spec in said(ran)
    assert CODES[code].stage in said(ran)


def test_all_codes_are_listed_once() -> None:
    ran = Stage().run("explain", "--all")

    assert ran.status == 0
    listed = [line.split()[0] for line in ran.out.splitlines() if line.startswith("   ")]
    assert [name for name in listed if name in CODES] == list(CODES)


def test_the_codes_are_data_too() -> None:
    one, every = Stage().run("explain", "exp_expired", "--json"), Stage()

    assert json.loads(one.out)["hint"] == CODES["exp_expired"].hint
    assert list(json.loads(every.run("explain", "--all", "--json").out)["codes"]) == list(CODES)


def test_an_unknown_code_is_a_usage_error_with_a_hint() -> None:
    ran = Stage().run("explain", "Nonce_mismach")

    assert (ran.status, ran.out) == (2, "")
    assert "near: nonce_mismatch" in ran.err


@pytest.mark.parametrize("secret", ["ya29.a0AfH6SMBx", "8f14e45fceea167a", "a b", ""])
def test_what_is_not_understood_is_not_repeated(secret: str) -> None:
    ran = Stage(stdin=StringIO(secret)).run("explain", "-")

    assert (ran.status, ran.out) == (2, "")
    assert "neither a code nor a callback URL nor a JWT" in ran.err
    assert not secret or secret not in ran.err


def test_a_good_token_passes_what_can_be_judged(tmp_path: Path) -> None:
    jwks = tmp_path / "keys.json"
    jwks.write_text(json.dumps({"keys": [signing_key().public_jwk()]}))
    token, nonce = signed(CLAIMS), str(CLAIMS["nonce"])

    ran = Stage(stdin=StringIO(token + "\n")).run(
        "explain", "-", *AGAINST, "--nonce", nonce, "--jwks", str(jwks)
    )

    assert (ran.status, ran.err) == (0, "")
    assert "exp 2027-01-15 08:05:00 UTC, in 5 minutes" in said(ran)
    assert "0 failed" not in said(ran)
    assert "10 passed, 2 did not apply, 6 not judged." in said(ran)
    secrets = (token, token.rpartition(".")[2], nonce, str(CLAIMS["sid"]))
    assert [one for one in secrets if one in ran.out] == []


def test_a_token_is_judged_at_the_time_that_is_asked_for() -> None:
    ran = Stage().run("explain", signed(CLAIMS), *AGAINST, "--now", str(NOW + 400), "--json")

    told = json.loads(ran.out)
    failed = {each["name"]: each["code"] for each in told["checks"] if each["outcome"] == "failed"}
    assert (ran.status, failed) == (1, {"exp": "exp_expired"})
    assert told["times"]["exp"]["far"] == "1 minute ago"
    assert told["now"] == NOW + 400
    assert told["claims"]["nonce"].startswith("#")


def test_an_encrypted_token_shows_its_header_only() -> None:
    ran = Stage().run("explain", "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExMjhHQ00ifQ.YQ.YQ.YQ.YQ")

    assert ran.status == 0
    assert "an encrypted JWT (JWE)" in ran.out
    assert "alg RSA-OAEP enc A128GCM" in said(ran)
    assert "times" not in ran.out


def test_a_token_without_times_has_none_told() -> None:
    ran = Stage().run("explain", signed({"sub": "alice", "exp": "soon"}))

    assert ran.status == 1
    assert "   times" not in ran.out
    assert "exp_malformed" in ran.out


def test_a_callback_is_told_without_its_secrets() -> None:
    url = (
        "https://rp.example/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=af0ifjsldkj&iss=https://op.example"
    )

    ran = Stage().run("explain", url, *AGAINST)
    data = Stage().run("explain", url, *AGAINST, "--json")

    assert (ran.status, data.status) == (0, 0)
    assert "to https://rp.example/cb" in said(ran)
    assert "22 characters to be exchanged for tokens" in said(ran)
    for secret in ("SplxlOBeZQQYbYS6WxSbIA", "af0ifjsldkj"):
        assert secret not in ran.out + data.out
    outcomes = {each["name"]: each["outcome"] for each in json.loads(data.out)["checks"]}
    assert outcomes == {
        "form": "passed",
        "state": "passed",
        "iss": "passed",
        "parameters": "passed",
    }


def test_the_error_in_a_callback_is_explained() -> None:
    ran = Stage().run("explain", "https://rp.example/cb?error=access_denied&state=x")

    assert ran.status == 1
    assert "access_denied the user, or a rule at the provider, said no" in said(ran)


def test_a_key_set_that_is_not_there_is_told() -> None:
    ran = Stage().run("explain", signed(CLAIMS), "--jwks", "/no/such/file")

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("failed: config_invalid (jwks)\n")


def test_octets_that_are_no_text_are_nothing_known() -> None:
    octets: Any = TextIOWrapper(BytesIO(b"\xff\xfe.x.y"), encoding="utf-8")
    ran = Stage(stdin=octets).run("explain", "-")

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("oidc explain: neither a code")
