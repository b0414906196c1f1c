import inspect
import pickle
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, get_type_hints

import pytest
from attrs import evolve

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import Redirect
from oidc_adapters.clients.session_tokens import AsyncSessionTokens, SessionTokens
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import (
    CookiePendingLogins,
    CookieProfile,
    MemoryPendingLogins,
    PendingLogins,
)
from oidc_adapters.stores.provider_keys import StaticProviderKeys
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing import (
    AsyncInMemoryTransport,
    FakeClient,
    FakeProvider,
    InMemoryTransport,
)
from oidc_adapters.transport.in_threads import InThreads
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.jose.key_set import parse_key_set
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.model.provider import metadata_of
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import (
    CallbackError,
    OidcError,
    ProviderError,
    UsageError,
)
from oidc_core.wire.http import HttpResponse, WireRequest
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.jsontypes import parse_object
from tests.flows.rig import (
    FAKE_CLIENT,
    NOW,
    REDIRECT_URI,
    SEALING_SECRET,
    Browser,
    Rig,
    honest_provider,
    new_rig,
    returning,
    run_asyncio,
    run_trio,
    setup_for,
)
from tests.refreshing import refreshed, refreshed_async

Run = Callable[[Callable[[], Awaitable[Any]]], Any]
LIBRARIES = pytest.mark.parametrize("run", [run_asyncio, run_trio])
STORES: Final = pytest.mark.parametrize(
    "pending",
    [MemoryPendingLogins, lambda: CookiePendingLogins(SEALING_SECRET)],
    ids=["memory", "cookie"],
)


def refused(call: Callable[[], object]) -> OidcError:
    with pytest.raises(OidcError) as caught:
        call()
    return caught.value


# --- both clients are the same -------------------------------------------------------------------


def public(kind: type) -> dict[str, Any]:
    return {name: value for name, value in vars(kind).items() if not name.startswith("_")}


MADE_AT_ONCE: Final = {"of", "for_development", "tokens"}
"""Calls that make something without a network, so that there is nothing to await."""

NAMES: Final[dict[str, Any]] = {
    "Grants": Grants,
    "SessionIndex": SessionIndex,
    "SessionTokens": SessionTokens,
    "AsyncSessionTokens": AsyncSessionTokens,
}
"""Names in the clients' annotations that their modules import only at the first use."""


def plain(member: Any) -> Any:
    return getattr(member, "__func__", member)


def test_both_clients_have_the_same_methods() -> None:
    assert [*public(OidcClient)] == [*public(AsyncOidcClient)]
    for name, member in public(AsyncOidcClient).items():
        if callable(plain(member)) and name not in MADE_AT_ONCE:
            assert inspect.iscoroutinefunction(plain(member)), name
            assert not inspect.iscoroutinefunction(plain(public(OidcClient)[name])), name


@pytest.mark.parametrize(
    "name", [name for name, member in public(OidcClient).items() if callable(plain(member))]
)
def test_both_clients_methods_have_the_same_signatures(name: str) -> None:
    sync, awaited = (plain(vars(kind)[name]) for kind in (OidcClient, AsyncOidcClient))
    described, other = inspect.signature(sync), inspect.signature(awaited)
    assert [*described.parameters] == [*other.parameters]
    hints, others = get_type_hints(sync, None, NAMES), get_type_hints(awaited, None, NAMES)
    for parameter in described.parameters:
        left, right = described.parameters[parameter], other.parameters[parameter]
        assert (left.kind, left.default) == (right.kind, right.default)
        if parameter not in {"self", "cls"}:
            assert _alike(hints[parameter], others[parameter]), parameter
    assert _alike(hints["return"], others["return"])


def _alike(sync: Any, awaited: Any) -> bool:
    """Whether types are the same, except that one is awaited."""
    if "Event]" in str(sync):  # nobody awaits the callable for events
        return bool(sync == awaited)
    return str(awaited).replace("Async", "").replace("async_", "") == str(sync)


def test_the_comparison_can_fail() -> None:
    assert not _alike(int, str)


# --- discovery -----------------------------------------------------------------------------------


def test_metadata_that_is_given_is_not_fetched() -> None:
    provider = honest_provider()
    discovered = new_rig(provider).client.rp.provider
    transport = InMemoryTransport(provider)

    client = OidcClient.discover(
        setup_for(provider, metadata=discovered), MemoryPendingLogins(), transport=transport
    )

    assert transport.exchanges == ()
    assert client.rp.provider == discovered


def test_metadata_can_lie_elsewhere() -> None:
    provider = honest_provider()
    url = "https://op.example/.well-known/oauth-authorization-server"

    rig = new_rig(provider, discovery_url=url)

    assert [request.url for request, _ in rig.transport.exchanges] == [url]
    assert rig.client.rp.issuer == "https://op.example"


def test_credentials_are_for_the_discovered_endpoints_only() -> None:
    rig = new_rig(honest_provider(misbehave="wrong_state"))
    page = rig.start()

    error = refused(lambda: rig.finish(rig.visit(page)))

    assert error.code == "state_unknown"
    assert len(rig.transport.exchanges) == 1  # the metadata: no code left


def test_a_secret_that_is_missing_is_missed_before_any_login() -> None:
    def configure() -> Rig:
        return new_rig(client_secret=None, token_endpoint_auth_method="client_secret_post")

    error = refused(configure)

    assert (error.code, error.about) == ("credential_missing", "client_secret")


def test_default_transports_are_over_urllib3() -> None:
    provider = honest_provider()
    setup = setup_for(provider, metadata=new_rig(provider).client.rp.provider)

    sync = OidcClient.discover(setup, MemoryPendingLogins())
    awaited = run_asyncio(lambda: AsyncOidcClient.discover(setup, MemoryPendingLogins()))

    assert isinstance(sync.shell.transport, Urllib3Transport)
    assert isinstance(awaited.shell.transport, InThreads)
    sync.shell.transport.close()
    awaited.shell.transport.close()


# --- closing -------------------------------------------------------------------------------------


def closed(transport: Any) -> bool:
    """Whether urllib3's transport says that it is closed."""
    request = WireRequest(
        method="GET", url="https://127.0.0.1:1/", headers=(), body=None,
        resend="safe", max_body=1, deadline=1,
    )  # fmt: skip
    try:
        transport.send(request, FrozenClock(NOW))
    except UsageError as error:
        return error.found == "closed"
    return False


def test_a_client_closes_the_transport_that_it_made() -> None:
    provider = honest_provider()
    setup = setup_for(provider, metadata=new_rig(provider).client.rp.provider)
    with OidcClient(setup, MemoryPendingLogins()) as client:
        assert not closed(client.shell.transport)
        client.start_login()

    assert closed(client.shell.transport)
    assert refused(client.__enter__).found == "closed"


def test_an_async_client_closes_the_transport_that_it_made() -> None:
    provider = honest_provider()
    setup = setup_for(provider, metadata=new_rig(provider).client.rp.provider)

    async def main() -> Any:
        async with AsyncOidcClient(setup, MemoryPendingLogins()) as client:
            await client.start_login()
        return client.shell.transport

    transport = run_asyncio(main)
    assert closed(transport._transport)


def test_a_client_leaves_open_what_it_was_given() -> None:
    provider = honest_provider()
    setup = setup_for(provider, metadata=new_rig(provider).client.rp.provider)
    with Urllib3Transport() as transport:
        with OidcClient(setup, MemoryPendingLogins(), transport=transport) as client:
            client.start_login()

        assert not closed(transport)


def test_a_client_that_could_not_discover_at_start_is_closed() -> None:
    """Nothing listens there; what was made for it must not stay open."""
    policy = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))
    provider = honest_provider(issuer="http://127.0.0.1:1")
    closing: list[str] = []

    class Watched(OidcClient):
        """Says that it is closed."""

        __slots__ = ()

        def close(self) -> None:
            closing.append("closed")
            super().close()

    setup = setup_for(provider, policy=policy)
    error = refused(lambda: Watched.discover(setup, MemoryPendingLogins()))

    assert (error.code, closing) == ("http_connect_failed", ["closed"])


# --- development on loopback ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "issuer", ["http://localhost:8080", "http://127.0.0.1:8080/op", "https://op.example"]
)
def test_one_switch_is_for_development_on_loopback(issuer: str) -> None:
    own = FakeClient(redirect_uris=(LOOPBACK,))
    provider = honest_provider(issuer=issuer, clients=(own,))
    setup = setup_for(provider, redirect_uri=LOOPBACK, post_logout_redirect_uri="")
    client = OidcClient.for_development(
        setup, transport=InMemoryTransport(provider), clock=FrozenClock(NOW)
    )

    page = client.start_login()
    (cookie,) = page.cookies
    incoming = provider.authorize(page.url, NOW).incoming(f"{cookie.name}={cookie.value}")
    logged_in = client.finish_login(evolve(incoming, url=LOOPBACK)).logged_in

    assert not cookie.secure
    assert logged_in.evidence.id_token.terms.relaxations == ("insecure_allow_http_loopback",)
    assert logged_in.identity.subject == "alice"


@pytest.mark.parametrize("kind", [OidcClient, AsyncOidcClient])
@pytest.mark.parametrize(
    "uri", ["https://rp.example/callback", "https://localhost.example/cb", "com.example:/cb"]
)
def test_the_switch_refuses_every_other_host(kind: Any, uri: str) -> None:
    setup = setup_for(honest_provider(), redirect_uri=uri)

    error = refused(lambda: kind.for_development(setup))

    assert (error.code, error.about, error.found) == ("config_invalid", "redirect_uri", uri)


@pytest.mark.parametrize("kind", [OidcClient, AsyncOidcClient])
@pytest.mark.parametrize("setup", [None, {}, "setup"])
def test_what_are_no_settings_is_refused(kind: Any, setup: Any) -> None:
    pending = MemoryPendingLogins()
    for make in (partial(kind.for_development, setup), partial(kind, setup, pending)):
        error = refused(make)
        assert (error.code, error.about) == ("config_invalid", "setup")


# --- login ---------------------------------------------------------------------------------------


@STORES
def test_a_login_from_start_to_end(pending: Callable[[], Any]) -> None:
    rig = new_rig(pending=pending())

    page = rig.start(return_to="/orders")
    result = rig.finish(rig.visit(page))

    logged_in = result.logged_in
    assert (logged_in.identity.issuer, logged_in.identity.subject) == (rig.provider.issuer, "alice")
    assert logged_in.return_to == "/orders"
    assert logged_in.claims["email"] == "alice@op.example"
    assert logged_in.missing_scope == ()
    assert rig.browser.cookies == {}
    response = logged_in.evidence.authorization_response
    assert response is not None
    assert "single_use: process" in response.notes
    assert [evidence.of for evidence in logged_in.evidence.each] == [
        "authorization_response",
        "id_token",
        "userinfo",
    ]


def test_a_client_that_asks_for_no_openid_starts_no_login() -> None:
    rig = new_rig(scope="email")

    error = refused(rig.start)

    assert isinstance(error, UsageError)
    assert (error.code, error.about, error.expected) == ("parameter_invalid", "scope", "openid")
    request = AuthenticationRequest(scope="openid email")
    assert rig.log_in(request).logged_in.identity.subject == "alice"


@STORES
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_three_logins_in_one_browser_finish_in_any_order(
    pending: Callable[[], Any], order: tuple[int, ...]
) -> None:
    rig = new_rig(pending=pending())
    callbacks = [rig.visit(rig.start(return_to=f"/{number}")) for number in range(3)]

    for number in order:
        assert rig.finish(callbacks[number]).logged_in.return_to == f"/{number}"

    assert rig.browser.cookies == {}


@STORES
def test_another_browser_is_refused_and_the_right_one_still_logs_in(
    pending: Callable[[], Any],
) -> None:
    rig, thief = new_rig(pending=pending()), Browser()
    callback = rig.visit(rig.start())
    sent = len(rig.transport.exchanges)

    error = refused(lambda: rig.client.finish_login(evolve(callback, cookie=thief.header)))
    thief.receive(rig.client.start_login().cookies)
    again = refused(lambda: rig.client.finish_login(evolve(callback, cookie=thief.header)))

    assert isinstance(error, CallbackError)
    assert (error.code, again.code) == ("binding_missing", "binding_missing")
    assert len(rig.transport.exchanges) == sent
    assert rig.finish(callback).logged_in.identity.subject == "alice"


@STORES
def test_a_cookie_with_another_browsers_secret_is_refused(pending: Callable[[], Any]) -> None:
    rig, other = new_rig(pending=pending()), Browser()
    callback = rig.visit(rig.start())
    other.receive(rig.client.start_login().cookies)
    (name,), (foreign,) = rig.browser.cookies, other.cookies.values()

    error = refused(lambda: rig.client.finish_login(evolve(callback, cookie=f"{name}={foreign}")))

    assert isinstance(error, CallbackError)
    assert error.code in {"binding_mismatch", "cookie_invalid"}
    assert [(cookie.name, cookie.max_age) for cookie in error.cookies] == [(name, 0)]
    assert error.return_to == ""


@STORES
def test_a_cookie_that_came_twice_is_refused(pending: Callable[[], Any]) -> None:
    rig = new_rig(pending=pending())
    callback = rig.visit(rig.start())
    header = rig.browser.header

    twice = evolve(callback, cookie=f"{header}; {header}")
    error = refused(lambda: rig.client.finish_login(twice))

    assert isinstance(error, CallbackError)
    assert error.code == "binding_duplicated"


@STORES
def test_a_cookie_that_came_twice_does_not_prevent_a_new_login(pending: Callable[[], Any]) -> None:
    rig = new_rig(pending=pending())
    rig.start()
    header = rig.browser.header

    page = rig.client.start_login(cookie=f"{header}; {header}")

    assert [cookie.max_age for cookie in page.cookies] == [600]


@STORES
def test_a_login_is_finished_once(pending: Callable[[], Any]) -> None:
    rig = new_rig(pending=pending())
    callback, header = rig.visit(rig.start()), rig.browser.header
    rig.finish(callback)
    sent = len(rig.transport.exchanges)

    error = refused(lambda: rig.client.finish_login(evolve(callback, cookie=header)))

    assert isinstance(error, CallbackError)
    assert error.code in {"state_unknown", "state_used"}
    assert len(rig.transport.exchanges) == sent


@STORES
def test_a_login_that_took_too_long_is_refused(pending: Callable[[], Any]) -> None:
    rig = new_rig(pending=pending())
    callback = rig.visit(rig.start())
    rig.clock.advance(601)

    error = refused(lambda: rig.finish(callback))

    assert error.code in {"state_unknown", "state_expired"}
    assert error.retryable == "restart"


def test_the_oldest_logins_of_a_browser_give_way_to_the_newest() -> None:
    rig = new_rig(pending=CookiePendingLogins(SEALING_SECRET))
    pages: list[Redirect] = []
    for _ in range(60):
        pages.append(rig.start())
        rig.clock.advance(1)
        assert len(rig.browser.header) <= 4_096

    assert rig.finish(rig.visit(pages[-1])).logged_in.identity.subject == "alice"
    assert refused(lambda: rig.finish(rig.visit(pages[0]))).code == "binding_missing"


def test_a_form_post_comes_back_with_its_cookie() -> None:
    rig = new_rig()
    page = rig.start(AuthenticationRequest(response_mode="form_post"))

    assert [cookie.same_site for cookie in page.cookies] == ["None"]
    assert rig.finish(rig.visit(page)).logged_in.identity.subject == "alice"


LOOPBACK = "http://localhost:8000/callback"


def test_the_development_profile_works_on_loopback() -> None:
    profile = CookieProfile.insecure_for_loopback_development()
    behind = FakeProvider(clients=(evolve(FAKE_CLIENT, redirect_uris=(LOOPBACK,)),))
    pending = MemoryPendingLogins(profile=profile)
    rig = new_rig(behind, pending=pending, redirect_uri=LOOPBACK)
    page = rig.start()

    assert not page.cookies[0].secure
    assert rig.finish(evolve(rig.visit(page), url=LOOPBACK)).logged_in.identity.subject == "alice"


@pytest.mark.parametrize("uri", ["https://rp.example/callback", "https://localhost.example/cb"])
@pytest.mark.parametrize("store", [MemoryPendingLogins, partial(CookiePendingLogins, b"k" * 32)])
def test_the_development_profile_is_for_loopback_alone(
    store: Callable[..., PendingLogins], uri: str
) -> None:
    pending = store(profile=CookieProfile.insecure_for_loopback_development())

    error = refused(lambda: new_rig(pending=pending, redirect_uri=uri))

    assert (error.code, error.about, error.found) == ("config_invalid", "profile", uri)


@pytest.mark.parametrize("query", ["", "state=", "code=c", "x=y", "=", "&"])
def test_a_callback_of_nothing_is_refused(query: str) -> None:
    incoming = Incoming(method="GET", url=REDIRECT_URI, query=query)

    assert refused(lambda: new_rig().client.finish_login(incoming)).code == "state_missing"


@pytest.mark.parametrize("url", [None, "https://rp.example/other", "https://rp.example/"])
def test_a_callback_says_at_which_redirect_uri_it_came_in(url: str | None) -> None:
    rig = new_rig()
    incoming = evolve(rig.visit(rig.start()), url=url)

    error = refused(lambda: rig.finish(incoming))

    assert error.code == ("redirect_uri_unknown" if url is None else "redirect_uri_mismatch")
    assert isinstance(error, UsageError if url is None else CallbackError)
    assert rig.finish(evolve(incoming, url=REDIRECT_URI)).logged_in.identity.subject == "alice"


@pytest.mark.parametrize("cookie", [None, {"a": "b"}, 5, ["a=b"], [("a", "b")]])
def test_cookies_that_somebody_parsed_are_refused(cookie: Any) -> None:
    rig = new_rig()

    for call in (
        lambda: rig.client.start_login(cookie=cookie),
        lambda: rig.client.start_logout(cookie=cookie),
        lambda: Incoming(method="GET", url=REDIRECT_URI, cookie=cookie),
    ):
        error = refused(call)
        assert isinstance(error, UsageError)
        assert (error.code, error.about) == ("parameter_invalid", "cookie")


def test_the_providers_error_is_raised() -> None:
    rig = new_rig()

    error = refused(lambda: rig.log_in(approve=False))

    assert isinstance(error, ProviderError)
    assert (error.code, error.error, error.issuer_verified) == (
        "provider_error",
        "access_denied",
        True,
    )


def test_a_return_to_of_the_request_stays_unless_another_is_given() -> None:
    rig = new_rig()
    request = AuthenticationRequest(return_to="/a")

    for named, expected in (({}, "/a"), ({"return_to": "/b"}, "/b")):
        callback = rig.visit(rig.start(request, **named))
        assert rig.finish(callback).logged_in.return_to == expected


def test_an_id_token_with_a_mac_is_verified_with_the_clients_secret() -> None:
    provider = honest_provider(clients=(evolve(FAKE_CLIENT, id_token_signed_response_alg="HS256"),))
    registration = ClientRegistration(
        client_id=FAKE_CLIENT.client_id,
        redirect_uris=FAKE_CLIENT.redirect_uris,
        id_token_signed_response_alg="HS256",
    )

    logged_in = new_rig(provider, registration=registration).log_in().logged_in

    assert logged_in.evidence.id_token.alg == "HS256"
    secret = "another secret of the same length or so, it does not matter here"
    other = new_rig(provider, registration=registration, client_secret=secret)
    assert refused(other.log_in).code == "provider_error"  # invalid_client
    asymmetric = new_rig(
        provider, registration=evolve(registration, id_token_signed_response_alg=None)
    )
    assert refused(asymmetric.log_in).code == "alg_not_allowed"


def test_keys_can_be_configured() -> None:
    provider = honest_provider()
    first = new_rig(provider)
    first.log_in()
    (published,) = [
        answer.body
        for request, answer in first.transport.exchanges
        if request.url.endswith("/jwks") and isinstance(answer, HttpResponse)
    ]
    rig = new_rig(provider, keys=StaticProviderKeys(parse_key_set(published)))

    assert rig.log_in().logged_in.identity.subject == "alice"
    assert "/jwks" not in {request.url[-5:] for request, _ in rig.transport.exchanges}


# --- a failed login can be answered --------------------------------------------------------------


@STORES
def test_a_failed_login_says_which_cookies_to_clear_and_where_it_was_going(
    pending: Callable[[], Any],
) -> None:
    rig = new_rig(pending=pending())
    incoming = rig.visit(rig.start(return_to="/orders"), approve=False)

    error = refused(lambda: rig.finish(incoming))

    assert isinstance(error, ProviderError)
    assert [(cookie.name, cookie.max_age) for cookie in error.cookies] == [
        (name, 0) for name in rig.browser.cookies
    ]
    assert error.return_to == "/orders"
    again = pickle.loads(pickle.dumps(error))
    assert (again.cookies, again.return_to) == (error.cookies, "/orders")


@STORES
def test_a_login_of_another_browser_tells_it_nothing(pending: Callable[[], Any]) -> None:
    rig = new_rig(pending=pending())
    incoming = rig.visit(rig.start(return_to="/orders"))

    error = refused(lambda: rig.client.finish_login(incoming))

    assert (error.code, error.cookies, error.return_to) == ("binding_missing", (), "")


@pytest.mark.parametrize(
    ("store", "longest"),
    [(MemoryPendingLogins, 1_024), (lambda: CookiePendingLogins(SEALING_SECRET), 138)],
    ids=["memory", "cookie"],
)
def test_a_return_to_that_is_too_long_is_not_kept(store: Callable[[], Any], longest: int) -> None:
    for length, kept in ((longest, True), (longest + 1, False), (3_000, False), (100_000, False)):
        rig = new_rig(pending=store())
        return_to = "/" + "x" * (length - 1)
        result = rig.finish(rig.visit(rig.start(return_to=return_to)))
        assert result.logged_in.return_to == (return_to if kept else "")


@STORES
@pytest.mark.parametrize("return_to", ["/\ud800", "\udfff", "/\udc80x"])
def test_a_return_to_that_no_store_can_keep_is_dropped(
    pending: Callable[[], Any], return_to: str
) -> None:
    rig = new_rig(pending=pending())

    assert rig.finish(rig.visit(rig.start(return_to=return_to))).logged_in.return_to == ""


# --- UserInfo ------------------------------------------------------------------------------------


def test_userinfo_can_be_asked_for_again_after_a_refresh() -> None:
    rig = new_rig()
    tokens = refreshed(rig.client, rig.log_in().logged_in.tokens).tokens

    found = rig.client.userinfo(tokens)

    assert (found.userinfo.sub, found.evidence.of) == ("alice", "userinfo")


def test_userinfo_of_another_user_is_refused() -> None:
    rig = new_rig(honest_provider(misbehave="userinfo_other_sub"), policy=Policy(userinfo="never"))
    tokens = rig.log_in().logged_in.tokens

    assert refused(lambda: rig.client.userinfo(tokens)).code == "sub_mismatch"


# --- logout --------------------------------------------------------------------------------------


def log_out(rig: Rig, page: Redirect) -> str:
    rig.browser.receive(page.cookies)
    url = rig.provider.end_session(page.url, rig.clock.now())
    assert url is not None
    return url


def test_a_logout_from_start_to_end() -> None:
    rig = new_rig()
    tokens = rig.log_in().logged_in.tokens

    url = log_out(rig, rig.client.start_logout(tokens))
    result = rig.client.finish_logout(returning(url, rig.browser.header))
    rig.browser.receive(result.cookies)

    assert result.logged_out.post_logout_redirect_uri == "https://rp.example/"
    assert rig.browser.cookies == {}


def test_a_logout_needs_no_tokens_and_keeps_the_hint_it_is_given() -> None:
    rig = new_rig()
    tokens = rig.log_in().logged_in.tokens
    earlier = rig.log_in(user="bob").logged_in.tokens.id_token

    without = rig.client.start_logout()
    given = rig.client.start_logout(tokens, LogoutRequest(id_token_hint=earlier))

    assert "id_token_hint" not in without.url
    assert f"id_token_hint={earlier}" in given.url
    assert f"id_token_hint={tokens.id_token}" in rig.client.start_logout(tokens).url


@STORES
def test_logins_do_not_push_out_a_logout(pending: Callable[[], Any]) -> None:
    rig = new_rig(pending=pending())
    url = log_out(rig, rig.client.start_logout())
    for _ in range(20):
        rig.start()

    result = rig.client.finish_logout(returning(url, rig.browser.header))

    assert result.logged_out.post_logout_redirect_uri == "https://rp.example/"


FALSE_RETURNS: Final[tuple[Callable[[str], str], ...]] = (
    lambda url: url + "x",
    lambda url: url.partition("?")[0],
    lambda _: "",
    lambda url: url.replace("state", "stat"),
)


@pytest.mark.parametrize("change", FALSE_RETURNS)
def test_a_return_that_was_not_asked_for_is_refused(change: Callable[[str], str]) -> None:
    rig = new_rig()
    url = log_out(rig, rig.client.start_logout())

    returned = returning(change(url), rig.browser.header)
    error = refused(lambda: rig.client.finish_logout(returned))

    assert isinstance(error, CallbackError)
    assert error.code == "logout_state_mismatch"


@STORES
@pytest.mark.parametrize("value", [None, "", "x", "%", "\u00e5", "e30", b64url_encode(b"[]")])
def test_a_logout_of_another_browser_is_refused(
    pending: Callable[[], Any], value: str | None
) -> None:
    rig = new_rig(pending=pending())
    url = log_out(rig, rig.client.start_logout())
    (name,) = rig.browser.cookies
    header = "" if value is None else f"{name}={value}"

    error = refused(lambda: rig.client.finish_logout(returning(url, header)))

    assert isinstance(error, CallbackError)
    assert (error.code, error.about) in {
        ("logout_state_mismatch", "cookie"),
        ("cookie_invalid", "cookie"),
    }
    assert [cookie.name for cookie in error.cookies] == ([] if value is None else [name])


@STORES
def test_a_logout_of_another_client_is_refused_and_waits_on(pending: Callable[[], Any]) -> None:
    store = pending()
    rig, other = new_rig(pending=store), new_rig(pending=store, seed=2)
    url = log_out(rig, rig.client.start_logout())
    rp = evolve(other.client.rp, client=evolve(rig.client.rp.client, client_id="b"))
    stranger = OidcClient.of(rp, other.client.shell, store)
    returned = returning(url, rig.browser.header)

    error = refused(lambda: stranger.finish_logout(returned))

    assert (error.code, error.cookies) == ("connection_mismatch", ())
    assert rig.client.finish_logout(returned).logged_out.post_logout_redirect_uri


@STORES
def test_each_logout_has_a_cookie_of_its_own(pending: Callable[[], Any]) -> None:
    rig = new_rig(pending=pending())
    urls = [log_out(rig, rig.client.start_logout()) for _ in range(3)]

    for url in reversed(urls):
        result = rig.client.finish_logout(returning(url, rig.browser.header))
        rig.browser.receive(result.cookies)

    assert rig.browser.cookies == {}


@STORES
def test_a_logout_expires(pending: Callable[[], Any]) -> None:
    rig = new_rig(pending=pending())
    url = log_out(rig, rig.client.start_logout())
    rig.clock.advance(601)

    error = refused(lambda: rig.client.finish_logout(returning(url, rig.browser.header)))

    assert error.code in {"logout_expired", "logout_state_mismatch"}
    assert [cookie.max_age for cookie in error.cookies] == [0]


def test_a_logout_that_does_not_come_back_sets_no_cookie() -> None:
    rig = new_rig(post_logout_redirect_uri="")

    assert rig.client.start_logout().cookies == ()


def test_a_provider_without_logout_has_a_local_one_and_says_so() -> None:
    provider = honest_provider()
    metadata = evolve(new_rig(provider).client.rp.provider, end_session_endpoint=None)
    rig = new_rig(provider, metadata=metadata)

    page = rig.client.start_logout()

    assert page.notes == ("local: the provider names no end_session_endpoint",)
    rig.browser.receive(page.cookies)
    url, _, query = page.url.partition("?")
    incoming = Incoming(method="GET", url=url, query=query, cookie=rig.browser.header)
    result = rig.client.finish_logout(incoming)
    assert result.logged_out.post_logout_redirect_uri == url


def test_a_logout_is_posted_by_a_page_of_the_application() -> None:
    rig = new_rig()

    page = rig.client.start_logout(request=LogoutRequest(method="POST"))

    assert page.url == rig.client.rp.provider.end_session_endpoint
    assert dict(page.form)["client_id"] == rig.client.rp.client.client_id
    assert len(page.cookies) == 1


# --- where one awaits ----------------------------------------------------------------------------


@LIBRARIES
@STORES
def test_all_of_it_awaited(run: Run, pending: Callable[[], Any]) -> None:
    provider, browser = honest_provider(), Browser()
    transport = AsyncInMemoryTransport(provider)

    async def main() -> str:
        client = await AsyncOidcClient.discover(
            setup_for(provider),
            pending(),
            transport=transport,
            clock=FrozenClock(NOW),
            entropy=FixedEntropy(1),
        )
        page = await client.start_login(return_to="/orders", cookie=browser.header)
        browser.receive(page.cookies)
        response = provider.authorize(page.url, NOW)
        result = await client.finish_login(response.incoming(browser.header))
        browser.receive(result.cookies)
        again = await refreshed_async(client, result.logged_in.tokens)
        page = await client.start_logout(again.tokens)
        browser.receive(page.cookies)
        url = provider.end_session(page.url, NOW)
        assert url is not None
        out = await client.finish_logout(returning(url, browser.header))
        browser.receive(out.cookies)
        return result.logged_in.return_to

    assert run(main) == "/orders"
    assert browser.cookies == {}


@LIBRARIES
def test_refusals_awaited(run: Run) -> None:
    provider = honest_provider()
    setup = setup_for(provider, metadata=new_rig(provider).client.rp.provider)

    async def main() -> list[str]:
        client = await AsyncOidcClient.discover(
            setup, MemoryPendingLogins(), transport=AsyncInMemoryTransport(provider)
        )
        codes: list[str] = []
        for attempt in (
            client.finish_login(returning(f"{REDIRECT_URI}?state=x&code=y")),
            client.finish_login(returning(REDIRECT_URI)),
            client.finish_logout(returning("https://rp.example/?state=x")),
        ):
            with pytest.raises(OidcError) as caught:
                await attempt
            codes.append(caught.value.code)
        return codes

    assert run(main) == ["state_unknown", "state_missing", "logout_state_mismatch"]


# --- nothing shows -------------------------------------------------------------------------------


def test_no_client_is_pickled_and_no_result_shows_a_secret() -> None:
    rig = new_rig()
    page = rig.start(return_to="/orders")
    result = rig.finish(rig.visit(page))
    tokens = result.logged_in.tokens
    goodbye = rig.client.start_logout(tokens)
    shown = f"{rig.client!r} {page!r} {page} {result!r} {result} {goodbye!r} {goodbye}"

    secrets = FixedEntropy(1).login_secrets()
    for secret in (
        FAKE_CLIENT.client_secret,
        secrets.state,
        secrets.nonce,
        secrets.code_verifier,
        secrets.binding,
        tokens.access_token,
        tokens.refresh_token or "",
        tokens.id_token,
        goodbye.cookies[0].value,
    ):
        assert secret
        assert secret not in shown
    assert REDIRECT_URI not in repr(page)
    with pytest.raises(TypeError):
        pickle.dumps(rig.client)


def test_metadata_is_what_was_published() -> None:
    """The one place where the provider's JSON becomes the client's view of it."""
    rig = new_rig()
    ((_, answer),) = rig.transport.exchanges

    assert isinstance(answer, HttpResponse)
    assert rig.client.rp.provider == metadata_of(parse_object(answer.body))
