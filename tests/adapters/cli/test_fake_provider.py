"""``oidc fake-provider``."""

import re
from pathlib import Path
from shlex import split
from urllib.parse import urlsplit

import urllib3

from .browsing import free_port, sign_in
from .worlds import Stage, visiting


def test_it_serves_until_it_is_told_to_end() -> None:
    stage, seen = Stage(), list[int]()

    def wait() -> None:
        issuer = re.search(r"issuer +(\S+)", stage.out.getvalue())
        with urllib3.PoolManager(retries=False, timeout=10) as pool:
            assert issuer
            answer = pool.request("GET", f"{issuer[1]}/.well-known/openid-configuration")
            seen.append(answer.status)

    status = Stage(out=stage.out, wait=wait).run("fake-provider").status

    assert (status, seen) == (0, [200])


def test_it_says_how_to_log_in() -> None:
    port = free_port()

    ran = Stage().run(
        "fake-provider", "--port", str(port), "--misbehave", "no_iss", "--callback-port", "7"
    )

    assert f"issuer      http://127.0.0.1:{port}" in ran.out
    assert "redirect_uri    http://127.0.0.1:7/callback" in ran.out
    assert "misbehaves  no_iss" in ran.out
    secret = re.search(r"client_secret +(\S+)", ran.out)
    assert secret
    assert f"   export FAKE_CLIENT_SECRET={secret[1]}\n" in ran.out
    assert f"oidc login --issuer http://127.0.0.1:{port} --client-id client" in ran.out


def test_a_port_in_use_is_told() -> None:
    stage = Stage()

    def again() -> None:
        issuer = re.search(r"issuer +(\S+)", stage.out.getvalue())
        assert issuer
        port = urlsplit(issuer[1]).port
        ran = Stage().run("fake-provider", "--port", str(port))
        assert (ran.status, ran.out) == (1, "")
        assert ran.err.startswith("failed: config_invalid (port)\n")

    assert Stage(out=stage.out, wait=again).run("fake-provider").status == 0


def served(*argv: str) -> str:
    """Run it for a moment, and return what it prints."""
    ran = Stage().run("fake-provider", *argv)
    assert (ran.status, ran.err) == (0, "")
    return ran.out


def test_a_client_without_a_secret_gets_none() -> None:
    out = served("--client-auth-method", "none", "--user", "carol")

    assert "client_secret " not in out
    assert "     --auth-method none --insecure-allow-http-loopback" in out
    assert "users   carol" in out


def test_a_redirect_uri_elsewhere_is_no_place_to_log_in_from() -> None:
    out = served("--redirect-uri", "https://rp.example/cb", "--redirect-uri", "no url")

    assert "redirect_uri    https://rp.example/cb" in out
    assert "oidc login" not in out


def test_the_path_of_the_redirect_uri_is_told() -> None:
    uri = "http://127.0.0.1:5000/auth"

    assert "--port 5000 --callback-path /auth" in served("--redirect-uri", uri)


def test_the_commands_are_for_a_shell_whatever_the_values_are(tmp_path: Path) -> None:
    file = tmp_path / "op.toml"
    file.write_text(
        '[[clients]]\nclient_id = "a shop"\nclient_secret = "it\'s $HOME"\n'
        'redirect_uris = ["http://127.0.0.1:5000/callback"]\n'
    )
    out = served("--config", str(file))
    told = [line.strip().removesuffix(" \\") for line in out.splitlines()]

    exported = next(line for line in told if line.startswith("export"))
    login = next(line for line in told if line.startswith("oidc login"))
    assert split(exported) == ["export", "FAKE_CLIENT_SECRET=it's $HOME"]
    assert split(login)[-2:] == ["--client-id", "a shop"]


FILE = """
token_lifetime = 60
misbehave = "no_iss"

[[clients]]
client_id = "shop"
client_secret = "a secret of the shop"
redirect_uris = ["https://shop.example/cb"]
backchannel_logout_uri = "https://shop.example/logout"

[[clients]]
client_id = "app"
token_endpoint_auth_method = "none"

[[users]]
sub = "carol"
email = "carol@op.example"
groups = ["staff"]
"""


def test_a_file_names_clients_and_users(tmp_path: Path) -> None:
    file = tmp_path / "op.toml"
    file.write_text(FILE)

    out = served("--config", str(file))
    honest = served("--config", str(file), "--misbehave", "wrong_nonce")

    assert "users       carol" in out
    assert "misbehaves  no_iss" in out
    assert "client_secret   a secret of the shop" in out
    assert "back channel    https://shop.example/logout" in out
    assert "client_id       app" in out
    assert "misbehaves  wrong_nonce" in honest


def test_a_user_of_the_file_can_log_in(tmp_path: Path) -> None:
    port, file, stage = free_port(), tmp_path / "op.toml", Stage()
    uri = f"http://127.0.0.1:{port}/callback"
    file.write_text(
        f'[[clients]]\nredirect_uris = ["{uri}"]\nclient_secret = "of the file"\n'
        '[[users]]\nsub = "carol"\nemail = "carol@op.example"\n'
    )
    claims: list[str] = []

    def wait() -> None:
        issuer = re.search(r"issuer +(\S+)", stage.out.getvalue())
        assert issuer
        open_page, threads = visiting(sign_in)
        environ = {"SECRET": "of the file"}
        argv = ["login", "--issuer", issuer[1], "--client-id", "client", "--port", str(port)]
        argv += ["--client-secret-env", "SECRET", "--insecure-allow-http-loopback"]
        ran = Stage(open_page=open_page, environ=environ).run(*argv, "--timeout", "10")
        threads.get(timeout=10).join()
        claims.append(ran.out)

    status = Stage(out=stage.out, wait=wait).run("fake-provider", "--config", str(file)).status

    assert status == 0
    assert '"email": "carol@op.example"' in claims[0]


def test_a_wrong_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "op.toml"
    file.write_text("[[clients]]\nredirect_uri = 7\n")

    ran = Stage().run("fake-provider", "--config", str(file))

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("failed: config_invalid (clients)\n")
    assert "redirect_uris" in ran.err
