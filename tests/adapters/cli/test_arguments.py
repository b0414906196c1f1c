"""From the command line to values."""

from pathlib import Path

import pytest
from attrs import evolve

from oidc_adapters.cli.arguments import parse, secret_at
from oidc_adapters.cli.commands import (
    Demo,
    Doctor,
    Explain,
    FakeProviderCommand,
    Help,
    Kept,
    Login,
    Logout,
    RealProvider,
    Refresh,
    Token,
    WhoAmI,
)
from oidc_adapters.testing import FakeClient

REAL = ("--issuer", "https://op.example", "--client-id", "c")
AT = (*REAL, "--auth-method", "none")
PROVIDER = RealProvider(issuer="https://op.example", client_id="c", auth_method="none")


def test_a_demo_is_at_the_fake_provider_or_at_a_real_one() -> None:
    assert parse(["demo"], {}) == Demo()
    assert parse(["demo", "--json", "--misbehave", "wrong_nonce"], {}) == Demo(
        json=True, misbehave="wrong_nonce"
    )
    assert parse(["demo", "--list-misbehaviours"], {}) == Demo(list_misbehaviours=True)
    assert parse(["demo", *AT], {}) == Demo(provider=PROVIDER)


def test_all_settings_of_a_real_provider_arrive() -> None:
    argv = ["login", *AT, "--scope", "openid", "--port", "8", "--callback-path", "/b"]
    argv += ["--timeout", "9", "--no-browser", "--ca", "ca.pem"]

    assert parse([*argv, "--insecure-allow-http-loopback"], {}) == Login(
        provider=RealProvider(
            issuer="https://op.example",
            client_id="c",
            auth_method="none",
            scope="openid",
            port=8,
            callback_path="/b",
            timeout=9,
            browser=False,
            ca="ca.pem",
            insecure_allow_http_loopback=True,
        )
    )


def test_a_secret_comes_from_a_variable_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from a file\n", "utf-8")

    from_variable = parse(["login", *REAL, "--client-secret-env", "S"], {"S": "from a variable"})
    from_file = parse(["login", *REAL, "--client-secret-file", str(file)], {})

    assert isinstance(from_variable, Login)
    assert isinstance(from_file, Login)
    assert from_variable.provider.client_secret == "from a variable"
    assert from_file.provider.client_secret == "from a file"
    assert "from a" not in repr((from_variable, from_file))
    assert from_variable.provider.secret_from == "env:S"
    assert from_file.provider.secret_from == f"file:{file}"
    assert secret_at("env:S", {"S": "s"}) == "s"
    assert secret_at(f"file:{file}", {}) == "from a file"
    assert secret_at("", {}) == ""


def test_a_kept_login_has_a_name_and_a_folder() -> None:
    where = ("--profile", "work", "--folder", "f")
    kept = Kept(profile="work", folder=Path("f"))

    assert parse(["login", *AT, "--store", "file", *where], {}) == Login(
        provider=PROVIDER, store="file", kept=kept
    )
    assert parse(["token", *where, "--leeway", "9", "--json"], {}) == Token(
        kept=kept, leeway=9, json=True
    )
    assert parse(["whoami", "--userinfo", "--json"], {}) == WhoAmI(userinfo=True, json=True)
    assert parse(["refresh"], {}) == Refresh()
    assert parse(["logout", "--browser"], {}) == Logout(browser=True)


def test_without_a_command_there_is_help() -> None:
    command = parse([], {})

    assert isinstance(command, Help)
    assert "usage: oidc" in command.text


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff"])
def test_a_file_without_a_secret_is_a_usage_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)

    with pytest.raises(SystemExit) as ended:
        parse(["login", *AT, "--client-secret-file", str(file)], {})

    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["demo", *AT, "--misbehave", "wrong_nonce"], "leave out --issuer"),
        (["demo", *AT, "--list-misbehaviours"], "leave out --issuer"),
        (["demo", "--issuer", "https://op.example"], "--issuer needs --client-id"),
        (["demo", "--client-id", "c"], "--client-id needs --issuer"),
        (["demo", *REAL], "--auth-method none for a public client"),
        (["login", *REAL], "--auth-method none for a public client"),
        (["demo", "--client-secret-env", "S"], "--client-secret-env needs --issuer"),
        (["demo", "--auth-method", "none"], "--auth-method needs --issuer"),
        (["login", *AT, "--client-secret-env", "S"], "there is no secret in S"),
        (["login", *AT, "--client-secret-file", "/no/such"], "/no/such"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(argv, {})

    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_explain_takes_a_subject_or_all() -> None:
    assert parse(["explain", "exp_expired"], {}) == Explain(subject="exp_expired")
    assert parse(["explain", "--all"], {}) == Explain(all=True)
    argv = ["explain", "-", "--issuer", "i", "--client-id", "c", "--nonce", "n", "--json"]
    assert parse([*argv, "--jwks", "keys.json", "--now", "1"], {}) == Explain(
        subject="-",
        issuer="i",
        client_id="c",
        nonce="n",
        jwks=Path("keys.json"),
        now=1,
        json=True,
    )


def test_the_doctor_takes_an_issuer() -> None:
    assert parse(["doctor", "i"], {}) == Doctor(issuer="i")
    argv = ["doctor", "i", "--client-id", "c", "--redirect-uri", "r", "--ca", "f", "--json"]
    assert parse(argv, {}) == Doctor(issuer="i", client_id="c", redirect_uri="r", ca="f", json=True)


def fake(*argv: str) -> FakeProviderCommand:
    command = parse(["fake-provider", *argv], {"S": "a secret"})
    assert isinstance(command, FakeProviderCommand)
    return command


def test_a_fake_provider_has_a_client_on_record() -> None:
    client = FakeClient(
        client_secret="",
        redirect_uris=("http://127.0.0.1/callback",),
        post_logout_redirect_uris=("http://127.0.0.1/",),
    )

    assert fake() == FakeProviderCommand(client=client)
    argv = ["--port", "9", "--callback-port", "7", "--misbehave", "no_iss", "--client-id", "d"]
    assert fake(*argv) == FakeProviderCommand(
        port=9,
        misbehave="no_iss",
        client=evolve(client, client_id="d", redirect_uris=("http://127.0.0.1:7/callback",)),
    )


def test_its_client_and_users_come_from_options() -> None:
    ends = ["--backchannel-logout-uri", "https://a/b", "--frontchannel-logout-uri", "https://a/f"]
    found = fake(
        "--redirect-uri", "https://a/1", "--redirect-uri", "https://a/2", *ends,
        "--post-logout-redirect-uri", "https://a/out", "--client-secret-env", "S",
        "--client-auth-method", "none", "--user", "carol", "--user", "dave",
    )  # fmt: skip

    assert found.client == FakeClient(
        client_secret="",
        redirect_uris=("https://a/1", "https://a/2"),
        post_logout_redirect_uris=("https://a/out",),
        backchannel_logout_uri="https://a/b",
        frontchannel_logout_uri="https://a/f",
        token_endpoint_auth_method="none",
    )
    assert (found.client_secret, found.users) == ("a secret", ("carol", "dave"))


def test_a_file_comes_in_place_of_the_options() -> None:
    assert fake("--config", "op.toml", "--port", "9") == FakeProviderCommand(
        config=Path("op.toml"), port=9
    )
    for option in (["--user", "a"], ["--client-id", "a"], ["--client-secret-env", "S"]):
        with pytest.raises(SystemExit) as ended:
            fake("--config", "op.toml", *option)
        assert ended.value.code == 2
