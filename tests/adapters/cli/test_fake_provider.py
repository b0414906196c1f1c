"""``oidc fake-provider``."""

import re
from urllib.parse import urlsplit

import urllib3

from .browsing import free_port
from .worlds import Stage


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

    assert f"issuer          http://127.0.0.1:{port}" in ran.out
    assert "redirect_uri    http://127.0.0.1:7/callback" in ran.out
    assert "misbehaves      no_iss" in ran.out
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
