"""``oidc login``."""

import json
from pathlib import Path

import pytest

from oidc_adapters.cli.login import indented
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing import FakeClient, FakeProvider, serve
from oidc_core.wire.jsontypes import JsonObject

from .browsing import browse, free_port
from .issued import secrets_of
from .worlds import NOW, Ran, Stage, visiting

SECRET = FakeClient().client_secret


def logged_in(misbehave: str | None, *options: str) -> Ran:
    port = free_port()
    client = FakeClient(redirect_uris=(f"http://127.0.0.1:{port}/callback",))
    open_page, threads = visiting(browse)
    with serve(FakeProvider(clients=(client,), misbehave=misbehave), FrozenClock(NOW)) as served:
        argv = ["login", "--issuer", served.issuer, "--client-id", "client", "--port", str(port)]
        argv += ["--timeout", "10", "--insecure-allow-http-loopback", *options]
        ran = Stage(open_page=open_page, environ={"SECRET": SECRET}).run(*argv)
        threads.get(timeout=10).join()
    return ran


def test_the_verified_claims_are_printed_and_nothing_else() -> None:
    ran = logged_in(None, "--client-secret-env", "SECRET")

    claims = json.loads(ran.out)
    assert ran.status == 0
    assert (claims["sub"], claims["email"]) == ("alice", "alice@op.example")
    assert "Open this page" in ran.err
    assert [one for one in secrets_of(ran.exchanges) | {SECRET} if one in ran.out] == []
    assert SECRET not in ran.err


def test_a_secret_in_a_file_does_too(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n", "utf-8")

    ran = logged_in(None, "--client-secret-file", str(file), "--auth-method", "client_secret_basic")

    assert json.loads(ran.out)["sub"] == "alice"


def test_userinfo_that_cannot_be_had_is_noted() -> None:
    ran = logged_in("userinfo_500", "--client-secret-env", "SECRET")

    assert ran.status == 0
    assert "email" not in json.loads(ran.out)
    assert "! userinfo: http_status_unexpected" in ran.err


def test_a_refusal_is_told_and_nothing_printed() -> None:
    ran = logged_in("wrong_nonce", "--client-secret-env", "SECRET")

    assert (ran.status, ran.out) == (1, "")
    assert "refused: nonce_mismatch (nonce)" in ran.err


@pytest.mark.parametrize("value", [JsonObject({"a": (1, "ü")}), JsonObject({})])
def test_json_is_indented_ascii(value: JsonObject) -> None:
    text = indented(value)

    assert text.isascii()
    assert text.endswith("}\n")
    assert json.loads(text) == json.loads(indented(value))
