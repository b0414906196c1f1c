"""``oidc demo``."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
from attrs import evolve

from oidc_adapters.cli.commands import Demo
from oidc_adapters.cli.demo import NOT_REFUSED, REFUSED, judged
from oidc_adapters.cli.fake_login import fake_login
from oidc_adapters.cli.step_list import StepList
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import MISBEHAVIOURS, FakeClient, FakeProvider, Misbehaviour, serve
from oidc_core.wire.errors import ProtocolViolation
from tests.rows import parameters

from .browsing import free_port
from .issued import secrets_of
from .worlds import NOW, Ran, Stage, visiting


def test_a_login_is_told() -> None:
    ran = Stage().run("demo")

    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("One login by the authorization code flow\n")
    assert "Verified: alice" in ran.out


def test_json_is_one_object_with_exactly_its_members() -> None:
    ran = Stage().run("demo", "--json")

    told = json.loads(ran.out)
    assert (ran.status, ran.err) == (0, "")
    assert list(told) == ["sub", "issuer", "steps", "checks"]
    assert told["sub"] == "alice"
    assert told["issuer"].startswith("http://127.0.0.1:")
    assert [(step["step"], step["answer"]) for step in told["steps"]] == [
        ("discovery", 200),
        ("authorization", 303),
        ("callback", 200),
        ("token", 200),
        ("key_set", 200),
        ("userinfo", 200),
    ]
    verdicts = {
        check["name"]: check["verdict"]
        for one in told["checks"]
        if one["of"] == "id_token"
        for check in one["checks"]
    }
    assert {verdicts[name] for name in ("iss", "aud", "signature", "exp", "nonce")} == {"passed"}


@pytest.mark.parametrize(
    "name", ["wrong_issuer", "wrong_nonce", "refresh_other_sub", "userinfo_html"]
)
def test_a_misbehaviour_is_refused_with_its_code(name: str) -> None:
    code = MISBEHAVIOURS[name].code

    ran = Stage().run("demo", "--misbehave", name)

    assert ran.status == REFUSED
    assert ran.err.startswith(f"refused: {code}")
    assert "   rule " in ran.err
    assert "   hint " in ran.err
    assert MISBEHAVIOURS[name].summary in " ".join(ran.out.split())
    assert "Verified" not in ran.out


@pytest.mark.parametrize("name", ["wrong_issuer", "wrong_nonce", "refresh_other_sub"])
def test_a_refusal_is_one_object_too(name: str) -> None:
    ran = Stage().run("demo", "--json", "--misbehave", name)

    assert ran.status == REFUSED
    assert json.loads(ran.out)["error"] == MISBEHAVIOURS[name].code
    assert ran.err.startswith(f"refused: {MISBEHAVIOURS[name].code}")


@pytest.mark.slow
@pytest.mark.parametrize("row", parameters(MISBEHAVIOURS.values()))
def test_each_misbehaviour_is_refused_and_no_secret_is_shown(row: Misbehaviour) -> None:
    ran = Stage().run("demo", "--misbehave", row.name)

    assert ran.status == REFUSED
    assert ran.err.startswith((f"refused: {row.code}", f"failed: {row.code}"))
    assert shown(ran) == []


@pytest.mark.parametrize(
    "argv",
    [
        ("demo",),
        ("demo", "--json"),
        ("demo", "--json", "--misbehave", "wrong_nonce"),
        ("demo", "--json", "--misbehave", "wrong_state"),
    ],
)
def test_no_secret_is_shown(argv: tuple[str, ...]) -> None:
    assert shown(Stage().run(*argv)) == []


def shown(ran: Ran) -> list[str]:
    """Return the secrets that were said in a run and shown by it."""
    issued = secrets_of(ran.exchanges) | {FixedEntropy(1).token()}
    return [one for one in issued if one in ran.out + ran.err]


def test_the_secrets_looked_for_are_all_kinds_of_them() -> None:
    """Otherwise the test before would see nothing."""
    ran = Stage().run("demo", "--misbehave", "refresh_other_sub")

    issued = secrets_of(ran.exchanges)

    kinds = ["code", "state", "nonce", "code_verifier", "Basic", "client secret", "Bearer"]
    kinds += ["cookie", "id_token", "its signature", "refresh_token"] + ["from the refresh"] * 4
    assert len(issued) >= len(kinds)
    assert FixedEntropy(1).token() in issued


def test_all_misbehaviours_are_listed() -> None:
    ran = Stage().run("demo", "--list-misbehaviours")

    assert ran.status == 0
    pairs = [line.split() for line in ran.out.splitlines() if line[:3].startswith("  ")]
    listed = {pair[0]: pair[1] for pair in pairs if pair[0] in MISBEHAVIOURS}
    assert listed == {name: row.code for name, row in MISBEHAVIOURS.items()}


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("", NOT_REFUSED, "wrong_nonce was not refused; it must be with nonce_mismatch"),
        (
            "exp_expired",
            NOT_REFUSED,
            "was refused with exp_expired; it must be with nonce_mismatch",
        ),
        ("nonce_mismatch", REFUSED, "refused: nonce_mismatch"),
    ],
)
def test_a_misbehaviour_that_goes_through_has_a_status_of_its_own(
    code: str, status: int, said: str
) -> None:
    stage = Stage()
    logged_in = fake_login(None, Stage().world, StepList())
    outcome = ProtocolViolation(code) if code else logged_in

    command = Demo(misbehave="wrong_nonce", json=True)
    assert judged(command, outcome, stage.world) == status

    assert said in " ".join(stage.err.getvalue().split())
    assert json.loads(stage.out.getvalue())["error"] == (code or None)


def test_a_real_provider_that_cannot_be_reached_is_told_of() -> None:
    argv = ["demo", "--issuer", f"http://127.0.0.1:{free_port()}", "--client-id", "client"]
    argv += ["--auth-method", "none"]

    ran = Stage().run(*argv, "--insecure-allow-http-loopback")

    assert ran.status == REFUSED
    assert "no answer: http_connect_failed" in ran.out
    assert ran.err.startswith("failed: http_connect_failed\n")


@pytest.mark.parametrize("json_too", [False, True])
def test_a_real_provider_is_told_of_too(json_too: bool) -> None:
    client = FakeClient(redirect_uris=("https://rp.example/",), token_endpoint_auth_method="none")
    with serve(FakeProvider(clients=(client,)), FrozenClock(NOW)) as served:
        open_page, threads = visiting(lambda url: _sign_in(served.provider, url))
        argv = ["demo", "--issuer", served.issuer, "--client-id", "client", "--timeout", "10"]
        argv += ["--auth-method", "none"]
        argv += ["--insecure-allow-http-loopback", *(["--json"] if json_too else [])]
        ran = Stage(open_page=open_page).run(*argv)
        threads.get(timeout=10).join()

    assert ran.status == 0
    if json_too:
        assert list(json.loads(ran.out)) == ["sub", "issuer", "steps", "checks"]
        assert "Open this page" in ran.err
    else:
        assert "Open this page" in ran.out
        assert "Verified: alice" in ran.out


def _sign_in(provider: FakeProvider, url: str) -> None:
    """Sign in as a browser does; any loopback port is fine (RFC 8252 §7.3)."""
    redirect_uri = parse_qs(urlsplit(url).query)["redirect_uri"][0]
    (client,) = provider.clients
    provider.clients = (evolve(client, redirect_uris=(redirect_uri,)),)
    with urllib3.PoolManager(retries=False) as pool:
        onward = pool.request("GET", url, redirect=False).headers["location"]
        pool.request("GET", onward)
