"""A login of a program on the user's own machine."""

from collections.abc import Callable
from queue import Queue
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import urllib3
from attrs import evolve

from oidc_adapters import ClientRegistration, ClientSetup, Policy, loopback_login
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing import FakeClient, FakeProvider, InMemoryTransport, serve
from oidc_adapters.testing.served_provider import ServedProvider
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import CallbackError, ProviderError, UsageError
from tests.adapters.cli.browsing import browse, free_port
from tests.adapters.cli.worlds import visiting

NOW = 1_800_000_000
CLOCK = FrozenClock(NOW)
PORTLESS = "http://127.0.0.1/callback"
SETUP = ClientSetup(
    issuer="http://127.0.0.1:1",
    client_id="client",
    client_secret=FakeClient().client_secret,
    redirect_uri=PORTLESS,
    policy=Policy(quirks=frozenset({"insecure_allow_http_loopback"})),
)


def asked_in(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def at_any_port(
    served: ServedProvider, visit: Callable[[str], None] = browse
) -> tuple[Callable[[str], bool], Queue[Thread]]:
    """Return a browser, and have the provider take every port of the redirect URI."""

    def any_port(url: str) -> None:
        client = evolve(served.provider.clients[0], redirect_uris=(asked_in(url)["redirect_uri"],))
        served.provider.clients = (client,)
        visit(url)

    return visiting(any_port)


def logged_in(
    visit: Callable[[str], None] = browse, setup: ClientSetup = SETUP, **options: Any
) -> tuple[LoggedIn, ServedProvider]:
    with serve(FakeProvider(id_token_alg="ES256"), CLOCK) as served:
        open_browser, threads = at_any_port(served, visit)
        here = evolve(setup, issuer=served.issuer)
        try:
            found = loopback_login(
                here, open_browser=open_browser, clock=CLOCK, timeout=10, **options
            )
        finally:
            threads.get(timeout=10).join()
        return found, served


def test_without_a_port_any_that_is_free_is_listened_at() -> None:
    ports = set[int]()

    def note(url: str) -> None:
        place = urlsplit(asked_in(url)["redirect_uri"])
        assert (place.hostname, place.path) == ("127.0.0.1", "/callback")
        ports.add(place.port or 0)
        browse(url)

    found, _ = logged_in(note)
    again, _ = logged_in(note)

    assert (found.identity.subject, again.identity.subject) == ("alice", "alice")
    assert min(ports) > 1_023


def test_with_a_port_that_one_is_listened_at() -> None:
    uri = f"http://127.0.0.1:{free_port()}/auth"
    visited: list[str] = []

    def note(url: str) -> None:
        visited.append(url)
        browse(url)

    registration = ClientRegistration(
        client_id="client", redirect_uris=(uri,), scope="openid email"
    )
    whole = ClientSetup(
        issuer="http://127.0.0.1:1",
        registration=registration,
        client_secret=SETUP.client_secret,
        policy=SETUP.policy,
    )
    logged_in(note, evolve(SETUP, redirect_uri=uri))
    found, _ = logged_in(note, whole)

    assert [asked_in(url)["redirect_uri"] for url in visited] == [uri, uri]
    assert found.tokens.scope == "openid email"


def test_the_first_request_means_nothing() -> None:
    def after_a_hostile_page(url: str) -> None:
        back = asked_in(url)["redirect_uri"]
        with urllib3.PoolManager(retries=False, timeout=10) as pool:
            for query in ("error=access_denied", "code=stolen&state=x", ""):
                assert pool.request("GET", f"{back}?{query}").status == 404
            assert pool.request("GET", back.replace("/callback", "/favicon.ico")).status == 404
        browse(url)

    found, _ = logged_in(after_a_hostile_page)

    assert found.identity.subject == "alice"


def test_what_is_asked_reaches_the_provider() -> None:
    visited: list[str] = []

    def note(url: str) -> None:
        visited.append(url)
        browse(url)

    logged_in(note, scope="openid offline_access", prompt="consent")

    asked = asked_in(visited[0])
    assert (asked["scope"], asked["prompt"]) == ("openid offline_access", "consent")


def test_a_refusal_ends_it() -> None:
    def deny(url: str) -> None:
        back, state = asked_in(url)["redirect_uri"], asked_in(url)["state"]
        with urllib3.PoolManager(retries=False, timeout=10) as pool:
            pool.request("GET", f"{back}?error=access_denied&state={state}")

    with pytest.raises((CallbackError, ProviderError)) as refused:
        logged_in(deny)

    assert refused.value.code == "provider_error"


def test_nobody_comes_back_in_time() -> None:
    with serve(FakeProvider(), CLOCK) as served, pytest.raises(CallbackError) as nobody:
        loopback_login(
            evolve(SETUP, issuer=served.issuer), open_browser=lambda _: None, timeout=0.05
        )

    assert nobody.value.code == "state_expired"


def test_a_machine_without_a_browser_is_told_at_once() -> None:
    with serve(FakeProvider(), CLOCK) as served, pytest.raises(UsageError) as refused:
        loopback_login(evolve(SETUP, issuer=served.issuer), open_browser=lambda _: False)

    assert (refused.value.code, refused.value.about) == ("config_invalid", "open_browser")


@pytest.mark.parametrize(
    "uri",
    [
        "https://rp.example/callback",
        "http://localhost:5000/callback",
        "http://127.0.0.1/callback?a=b",
        "org.example.app:/callback",
    ],
)
def test_a_redirect_uri_elsewhere_is_refused(uri: str) -> None:
    with pytest.raises(UsageError) as refused:
        loopback_login(evolve(SETUP, redirect_uri=uri))

    assert (refused.value.code, refused.value.about) == ("config_invalid", "redirect_uri")


def test_a_client_that_logs_nobody_in_is_refused() -> None:
    setup = ClientSetup(
        issuer="https://op.example",
        registration=ClientRegistration(client_id="client"),
        client_secret="secret",
    )

    with pytest.raises(UsageError) as refused:
        loopback_login(setup)

    assert refused.value.about == "redirect_uri"


@pytest.mark.parametrize("timeout", [0, -1, 3_601, "300", True, None])
def test_a_timeout_is_a_number_of_seconds(timeout: Any) -> None:
    with pytest.raises(UsageError) as refused:
        loopback_login(SETUP, timeout=timeout)

    assert (refused.value.code, refused.value.about) == ("config_invalid", "timeout")


def test_a_setup_is_needed() -> None:
    nothing: Any = None

    with pytest.raises(UsageError) as refused:
        loopback_login(nothing)

    assert refused.value.about == "setup"


def test_metadata_and_transport_may_be_given() -> None:
    provider = FakeProvider(id_token_alg="ES256")
    transport = InMemoryTransport(provider)
    setup = ClientSetup(
        issuer="https://op.example",
        client_id="client",
        client_secret=SETUP.client_secret,
        redirect_uri=PORTLESS,
    )
    discovered = loopback_login_in_memory(setup, transport)
    given = evolve(setup, metadata=metadata_at(setup, transport))
    asked = len(transport.exchanges)

    found = loopback_login_in_memory(given, transport)

    assert found.identity == discovered.identity
    purposes = [request.url.rpartition("/")[2] for request, _ in transport.exchanges[asked:]]
    assert purposes == ["token", "jwks", "userinfo"]


def metadata_at(setup: ClientSetup, transport: InMemoryTransport) -> Any:
    from oidc_adapters import OidcClient
    from oidc_adapters.stores.pending import MemoryPendingLogins

    client = OidcClient.discover(setup, MemoryPendingLogins(), transport=transport, clock=CLOCK)
    return client.rp.provider


def loopback_login_in_memory(setup: ClientSetup, transport: InMemoryTransport) -> LoggedIn:
    """Log in at a provider in memory; a thread brings its answer over real HTTP."""
    provider = transport.provider

    def visit(url: str) -> None:
        back = asked_in(url)["redirect_uri"]
        provider.clients = (evolve(provider.clients[0], redirect_uris=(back,)),)
        with urllib3.PoolManager(retries=False, timeout=10) as pool:
            pool.request("GET", provider.authorize(url, NOW).url)

    open_browser, threads = visiting(visit)
    found = loopback_login(
        setup, open_browser=open_browser, transport=transport, clock=CLOCK, timeout=10
    )
    threads.get(timeout=10).join()
    return found
