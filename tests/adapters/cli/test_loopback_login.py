"""The login on the command line, with a listener that nobody or somebody comes to."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import urllib3

from oidc_adapters.cli.loopback_login import LoopbackLogin
from oidc_adapters.cli.recording import WatchedShell
from oidc_adapters.cli.scripted_browser import ScriptedBrowser
from oidc_adapters.cli.step_list import StepList
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.native.listener import listening
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import FakeClient, FakeProvider, serve
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.endpoints.authorization import LOOPBACK_LISTENER, AuthenticationRequest
from oidc_core.model.policy import Policy
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.operations.refresh import Refreshed
from oidc_core.wire.errors import CallbackError

from .worlds import NOW

HTTP = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))


def logged_in_and_refreshed(steps: StepList, **behaviour: Any) -> tuple[LoggedIn, Refreshed]:
    clock = FrozenClock(NOW)
    with Urllib3Transport() as transport, listening() as listener:
        provider = FakeProvider(
            clients=(FakeClient(redirect_uris=(listener.url,)),), id_token_alg="ES256", **behaviour
        )
        with serve(provider, clock) as served:
            setup = ClientSetup(
                issuer=served.issuer,
                client_id="client",
                client_secret=provider.clients[0].client_secret,
                redirect_uri=listener.url,
                policy=HTTP,
            )
            shell = WatchedShell(transport, steps, clock=clock, entropy=FixedEntropy(1))
            login = LoopbackLogin.discover(setup, shell)
            logged_in = login.log_in(
                AuthenticationRequest(scope="openid offline_access"),
                listener,
                ScriptedBrowser(transport, steps, clock).visit,
                timeout=10,
            )
            return logged_in, login.refresh(logged_in)


def test_a_login_and_a_refresh_tell_what_they_accept() -> None:
    steps = StepList()
    logged_in, refreshed = logged_in_and_refreshed(steps)

    assert refreshed.claims_refreshed
    assert refreshed.tokens.refresh_token != logged_in.tokens.refresh_token
    assert [one["of"] for one in steps.checks] == [
        "authorization_response",
        "id_token",
        "userinfo",
        "refreshed_id_token",
    ]
    assert [step["step"] for step in steps.steps][-1] == "refresh"
    response = logged_in.evidence.authorization_response
    assert response is not None
    assert dict(response.skipped)["binding"] == LOOPBACK_LISTENER.value
    assert "single_use: process" in response.notes
    assert logged_in.channel == logged_in.evidence.channel == "unverified"


def test_a_page_that_calls_back_first_ends_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    visit = ScriptedBrowser.visit

    def after_a_hostile_page(browser: ScriptedBrowser, url: str) -> None:
        back = dict(parse_qsl(urlsplit(url).query))["redirect_uri"]
        for query in ("error=access_denied", "code=stolen&state=x"):
            answer = urllib3.request("GET", f"{back}?{query}", retries=False)
            assert answer.status == 404
        visit(browser, url)

    monkeypatch.setattr(ScriptedBrowser, "visit", after_a_hostile_page)
    logged_in, _ = logged_in_and_refreshed(StepList())
    assert logged_in.identity.subject == "alice"


def test_a_refresh_without_an_id_token_accepts_nothing() -> None:
    steps = StepList()
    _, refreshed = logged_in_and_refreshed(steps, refresh_id_token=False)

    assert (refreshed.claims_refreshed, refreshed.evidence) == (False, None)
    assert [one["of"] for one in steps.checks] == [
        "authorization_response",
        "id_token",
        "userinfo",
    ]


def test_a_login_to_which_nobody_comes_back_is_over() -> None:
    clock, visited = FrozenClock(NOW), list[str]()
    with (
        Urllib3Transport() as transport,
        listening() as listener,
        serve(FakeProvider(), clock) as served,
    ):
        setup = ClientSetup(
            issuer=served.issuer,
            client_id="client",
            token_endpoint_auth_method="none",
            redirect_uri=listener.url,
            policy=HTTP,
        )
        shell = WatchedShell(transport, StepList(), clock=clock, entropy=FixedEntropy(1))
        login = LoopbackLogin.discover(setup, shell)
        with pytest.raises(CallbackError) as nobody:
            login.log_in(AuthenticationRequest(), listener, visited.append, timeout=0)

    assert nobody.value.code == "state_expired"
    assert visited[0].startswith(f"{served.issuer}/authorize?")
