"""A login at a real provider, played by a served one, with a separate browser."""

from io import StringIO

import pytest
from attrs import evolve

from oidc_adapters.cli.commands import RealProvider
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.real_login import log_in
from oidc_adapters.cli.step_list import StepList
from oidc_adapters.native.listener import listening
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing import FakeClient, FakeProvider, serve
from oidc_core.wire.errors import CallbackError, ProviderError, UsageError

from .browsing import browse, free_port
from .worlds import NOW, Stage, visiting


def provider_on(port: int) -> FakeProvider:
    uri = f"http://127.0.0.1:{port}/auth/login"
    return FakeProvider(clients=(FakeClient(redirect_uris=(uri,)),), id_token_alg="ES256")


def at(issuer: str, port: int) -> RealProvider:
    return RealProvider(
        issuer=issuer,
        client_id="client",
        client_secret=FakeClient().client_secret,
        port=port,
        callback_path="/auth/login",
        timeout=10,
        insecure_allow_http_loopback=True,
    )


def test_somebody_signs_in_with_a_browser() -> None:
    port, out = free_port(), StringIO()
    open_page, threads = visiting(browse)
    with serve(provider_on(port), FrozenClock(NOW)) as served:
        world = Stage(open_page=open_page).world
        logged_in = log_in(at(served.issuer, port), world, StepList(), Page(out, {}))
        threads.get(timeout=10).join()

    assert logged_in.identity.subject == "alice"
    assert logged_in.tokens.scope == "openid profile email"
    assert f"\n{served.issuer}/authorize?" in out.getvalue()
    assert f"http://127.0.0.1:{port}/auth/login within 10 seconds" in " ".join(
        out.getvalue().split()
    )


@pytest.mark.parametrize("misbehave", ["access_denied"])
def test_a_refusal_ends_it(misbehave: str) -> None:
    port = free_port()
    open_page, threads = visiting(browse)
    provider = provider_on(port)
    provider.misbehave = misbehave
    with serve(provider, FrozenClock(NOW)) as served:
        world = Stage(open_page=open_page).world
        with pytest.raises(ProviderError) as refused:
            log_in(at(served.issuer, port), world, StepList(), Page(StringIO(), {}))
        threads.get(timeout=10).join()

    assert (refused.value.code, refused.value.error) == ("provider_error", "access_denied")


@pytest.mark.parametrize("browser", [True, False])
def test_without_a_browser_the_url_is_printed(browser: bool) -> None:
    port, out, opened = free_port(), StringIO(), list[str]()

    def open_page(url: str) -> bool:
        opened.append(url)
        return False

    with serve(provider_on(port), FrozenClock(NOW)) as served:
        hurried = evolve(at(served.issuer, port), browser=browser, timeout=0)
        with pytest.raises(CallbackError) as nobody:
            log_in(hurried, Stage(open_page=open_page).world, StepList(), Page(out, {}))

    assert nobody.value.code == "state_expired"
    assert f"\n{served.issuer}/authorize?" in out.getvalue()
    assert len(opened) == browser
    assert ("No browser could be opened" in out.getvalue()) is browser


def test_a_provider_needs_tls() -> None:
    strict = evolve(at("http://127.0.0.1:1", 0), insecure_allow_http_loopback=False)

    with pytest.raises(UsageError) as refused:
        log_in(strict, Stage().world, StepList(), Page(StringIO(), {}))

    assert refused.value.code == "url_scheme_not_allowed"


def test_a_port_in_use_is_told() -> None:
    with listening() as listener:
        port = int(listener.url.rpartition(":")[2].partition("/")[0])
        with pytest.raises(UsageError) as taken:
            log_in(at("http://127.0.0.1:1", port), Stage().world, StepList(), Page(StringIO(), {}))

    assert (taken.value.code, taken.value.about) == ("config_invalid", "port")
