"""The uses of a login that was kept."""

import json
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import evolve, field, frozen

from oidc_adapters.runtime.boot_clock import Boot
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import SystemEntropy
from oidc_adapters.testing import FakeClient, FakeProvider, serve
from oidc_adapters.testing.served_provider import ServedProvider
from tests.adapters.stores.records.test_keyring import MemoryKeyring

from .browsing import browse, free_port
from .worlds import NOW, Ran, Stage, Terminal, no_page, visiting

SECRET = FakeClient().client_secret
ENVIRON = {"SECRET": SECRET}


@frozen
class Home:
    """A provider, and the folder of a user who logs in there."""

    served: ServedProvider
    port: int
    folder: Path
    opened: list[str] = field(factory=list[str])
    elapsed: list[int] = field(factory=lambda: [1_000])

    def later(self) -> None:
        """Let ten seconds go by for kept tokens: one that is very new is not replaced."""
        self.elapsed[0] += 10

    def boot(self) -> Boot:
        return Boot("this start", self.elapsed[0])

    def stage(
        self, environ: Mapping[str, str] = ENVIRON, open_page: Callable[[str], bool] = no_page
    ) -> Stage:
        return Stage(environ=environ, open_page=open_page, entropy=SystemEntropy(), boot=self.boot)

    def run(
        self,
        *argv: str,
        environ: Mapping[str, str] = ENVIRON,
        open_page: Callable[[str], bool] = no_page,
    ) -> Ran:
        stage = self.stage(environ, open_page)
        return stage.run(*argv, "--folder", str(self.folder))

    def log_in(self, *options: str) -> Ran:
        open_page, threads = visiting(browse)
        argv = ["login", "--issuer", self.served.issuer, "--client-id", "client"]
        argv += ["--client-secret-env", "SECRET", "--port", str(self.port), "--timeout", "10"]
        argv += ["--insecure-allow-http-loopback", "--store", "file", *options]
        ran = self.run(*argv, open_page=open_page)
        threads.get(timeout=10).join()
        return ran


@contextmanager
def home_at(folder: Path, misbehave: str | None = None) -> Generator[Home]:
    port = free_port()
    client = FakeClient(redirect_uris=(f"http://127.0.0.1:{port}/callback",))
    provider = FakeProvider(clients=(client,), id_token_alg="ES256", misbehave=misbehave)
    with serve(provider, FrozenClock(NOW)) as served:
        yield Home(served, port, folder)


@pytest.fixture
def home(tmp_path: Path) -> Generator[Home]:
    with home_at(tmp_path / "oidc") as made:
        yield made


OFFLINE = ("--scope", "openid profile offline_access")


def test_a_kept_login_gives_access_tokens(home: Home) -> None:
    kept = home.log_in(*OFFLINE)
    asked = len(home.served.exchanges)
    token, again, data = home.run("token"), home.run("token"), home.run("token", "--json")

    assert (kept.status, json.loads(kept.out)["sub"]) == (0, "alice")
    assert "Kept as default, in files below" in " ".join(kept.err.split())
    assert (token.status, token.err, token.out) == (0, "", again.out)
    assert len(token.out.strip()) > 20
    told = json.loads(data.out)
    assert told["access_token"] == token.out.strip()
    assert (told["expires_at"], told["issuer"]) == (NOW + 300, home.served.issuer)
    assert len(home.served.exchanges) == asked  # without a request


def test_no_token_is_readable_in_the_folder(home: Home) -> None:
    home.log_in(*OFFLINE)
    token = home.run("token").out.strip()

    files = [path for path in home.folder.rglob("*") if path.is_file()]
    content = b"".join([path.read_bytes() for path in files])
    assert files
    assert token.encode() not in content
    assert SECRET.encode() not in content
    assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_a_token_is_refreshed_if_it_must_be(home: Home) -> None:
    home.log_in(*OFFLINE)
    first = home.run("token").out
    again = home.run("refresh")
    home.later()
    renewed = home.run("token", "--leeway", "301").out
    home.later()
    refreshed = home.run("refresh")
    last = home.run("token").out

    assert len({first, renewed, last}) == 3
    assert (refreshed.status, refreshed.err) == (0, "")
    assert refreshed.out == "Refreshed; the access token expires in 5 minutes.\n"
    assert again.out.startswith("It is new already; ")


def test_several_that_ask_at_once_exchange_the_refresh_token_once(home: Home) -> None:
    home.log_in(*OFFLINE)
    home.later()
    asked = len(home.served.exchanges)

    with ThreadPoolExecutor(4) as pool:
        argv = ("token", "--leeway", "301")
        ran = [each.result() for each in [pool.submit(home.run, *argv) for _ in range(4)]]

    assert {each.status for each in ran} == {0}
    urls = [request.url for request, _ in home.served.exchanges[asked:]]
    assert [url for url in urls if url.endswith("/token")] == [f"{home.served.issuer}/token"]


def test_without_a_refresh_token_that_is_said(home: Home) -> None:
    kept = home.log_in("--scope", "openid")
    refreshed = home.run("refresh")

    assert "there is no refresh token" in " ".join(kept.err.split())
    assert (refreshed.status, refreshed.out) == (1, "")
    assert "failed: refresh_token_missing" in refreshed.err


def test_who_is_logged_in_is_told_without_asking(home: Home) -> None:
    home.log_in(*OFFLINE)
    asked = len(home.served.exchanges)
    told, data = home.run("whoami"), home.run("whoami", "--json")

    assert told.out.splitlines()[0] == "user       Alice Adams (alice)"
    assert f"issuer     {home.served.issuer}" in told.out
    assert json.loads(data.out) == {
        "sub": "alice",
        "name": "Alice Adams",
        "issuer": home.served.issuer,
        "client_id": "client",
        "since": NOW,
        "store": "file",
    }
    assert len(home.served.exchanges) == asked


def test_userinfo_is_asked_for_if_that_is_wanted(home: Home) -> None:
    home.log_in("--scope", "openid email offline_access")
    told, data = home.run("whoami", "--userinfo"), home.run("whoami", "--userinfo", "--json")

    assert "alice@op.example" in told.out
    assert json.loads(data.out)["userinfo"]["email"] == "alice@op.example"


def test_a_logout_forgets_and_revokes(home: Home) -> None:
    home.log_in(*OFFLINE)
    ended, after = home.run("logout"), home.run("token")

    assert (ended.status, ended.out) == (0, "Logged out.\n")
    assert [r.url.rpartition("/")[2] for r, _ in home.served.exchanges].count("revoke") >= 1
    assert (after.status, after.out) == (1, "")
    assert after.err.startswith("failed: config_invalid (profile)\n")


def test_a_logout_can_end_the_session_of_the_provider(home: Home) -> None:
    home.log_in(*OFFLINE)

    def open_page(url: str) -> bool:
        home.opened.append(url)
        return True

    ended = home.run("logout", "--browser", open_page=open_page)

    assert home.opened[0].startswith(f"{home.served.issuer}/end-session?")
    assert "The browser shows the provider's page" in ended.out
    assert home.opened[0] not in ended.out + ended.err


def test_without_a_browser_the_page_is_not_printed(home: Home) -> None:
    home.log_in(*OFFLINE)

    ended = home.run("logout", "--browser")

    assert ended.status == 0
    assert "No browser could be opened" in ended.out
    assert "id_token_hint" not in ended.out


def test_profiles_are_apart_and_a_login_replaces_the_one_of_its_name(home: Home) -> None:
    home.log_in(*OFFLINE)
    home.log_in(*OFFLINE, "--profile", "work")
    other = home.run("token", "--profile", "work").out
    first = home.run("token").out
    home.log_in(*OFFLINE)

    assert len({other, first, home.run("token").out}) == 3
    assert home.run("token", "--profile", "work").out == other
    assert home.run("logout").status == 0
    assert home.run("token", "--profile", "work").status == 0


def test_the_client_secret_is_looked_up_again(home: Home) -> None:
    home.log_in(*OFFLINE)

    ran = home.run("token", environ={})

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("failed: credential_missing (client_secret)\n")
    assert "'SECRET'" in ran.err


def test_a_provider_that_is_down_is_told_and_the_login_is_forgotten(tmp_path: Path) -> None:
    with home_at(tmp_path / "oidc") as made:
        made.log_in(*OFFLINE)

    made.later()
    renewed = made.run("refresh")
    ended, after = made.run("logout"), made.run("whoami")

    assert (renewed.status, renewed.out) == (1, "")
    assert "http_connect_failed" in renewed.err
    assert (ended.status, "on this machine only" in ended.out) == (1, True)
    assert "http_connect_failed" in ended.err
    assert "failed: config_invalid (profile)" in after.err


def test_progress_is_told_to_a_terminal(home: Home) -> None:
    home.log_in(*OFFLINE)
    home.later()
    stage = evolve(home.stage(), err=Terminal())

    stage.run("refresh", "--folder", str(home.folder))

    assert f"... POST {home.served.issuer}/token" in stage.err.getvalue()


@pytest.mark.parametrize("store", ["file", "keyring"])
def test_the_keyring_keeps_tokens_too(
    home: Home, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("keyring", reason="the package keyring is not installed")
    ring = MemoryKeyring()
    monkeypatch.setattr("keyring.get_keyring", lambda: ring)

    kept = home.log_in(*OFFLINE, "--store", store)

    assert kept.status == 0
    assert home.run("token").status == 0
    assert json.loads(home.run("whoami", "--json").out)["store"] == store
    assert bool(ring.kept) is (store == "keyring")
    assert home.run("logout").status == 0
    assert len(ring.kept) <= 2  # the sealing secret, and that the session has ended


def test_a_wrong_folder_is_told_before_anybody_signs_in(home: Home, tmp_path: Path) -> None:
    open_folder = tmp_path / "open"
    open_folder.mkdir(0o777)
    open_folder.chmod(0o777)
    argv = ["login", "--issuer", home.served.issuer, "--client-id", "client"]
    argv += ["--auth-method", "none", "--insecure-allow-http-loopback"]

    (open_folder / "profiles").mkdir()
    (open_folder / "profiles").chmod(0o777)
    ran = Stage().run(*argv, "--store", "file", "--folder", str(open_folder))

    assert (ran.status, ran.exchanges) == (1, ())
    assert "failed: config_invalid (folder)" in ran.err


def test_a_login_is_kept_although_the_one_before_cannot_be_ended(tmp_path: Path) -> None:
    with home_at(tmp_path / "oidc") as home:
        home.log_in()
        open_page, threads = visiting(browse)
        argv = ["login", "--issuer", home.served.issuer, "--client-id", "client", "--store", "file"]
        argv += ["--client-secret-env", "OTHER", "--port", str(home.port), "--timeout", "10"]
        argv += ["--insecure-allow-http-loopback"]
        ran = home.run(*argv, environ={"OTHER": SECRET}, open_page=open_page)
        threads.get(timeout=10).join()

    assert (ran.status, json.loads(ran.out)["sub"]) == (0, "alice")
    said = " ".join(ran.err.split())
    assert "! the tokens of the login before are still kept: credential_missing" in said
    assert "Kept as default" in said
