"""The other doors into the library: the asynchronous client, and the context."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import pytest

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.context import (
    AuthServerError,
    OIDCCtx,
    flow_get_authorization_code,
    flow_get_token,
    flow_refresh_token,
    flow_request_authorization_code,
    flow_validate_id_token,
)
from oidc_adapters.transport import Transport
from oidc_adapters.transport.in_threads import InThreads
from oidc_core.model.records import Tokens
from tests.flows.rig import run_asyncio, run_trio
from tests.interop.application import CookieBox, Kind, cookie_pending, incoming_of, setup_at
from tests.interop.browser import Browser
from tests.interop.clients import (
    AWKWARD_SECRET,
    POST_LOGOUT_REDIRECT_URI,
    REDIRECT_URI,
    client_metadata,
)
from tests.interop.oidc_provider import Provider
from tests.interop.table import RecordRow
from tests.refreshing import refreshed_async as refresh_now


class Run(Protocol):
    """Runs a coroutine function under one of the libraries."""

    __name__: str

    def __call__(self, main: Callable[[], Awaitable[Any]], /) -> Any: ...


@pytest.mark.parametrize(
    "kind",
    [
        Kind(auth_method="client_secret_basic", id_token_alg="RS256"),
        Kind(auth_method="private_key_jwt", assertion_alg="ES256", id_token_alg="EdDSA"),
    ],
    ids=str,
)
@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_the_asynchronous_client_goes_the_whole_way(
    op: Provider, transport: Transport, interop_row: RecordRow, run: Run, kind: Kind
) -> None:
    interop_row(*kind.row, f"{run.__name__.removeprefix('run_')}: login, refresh, logout")
    setup = setup_at(op, kind, userinfo_signed_response_alg="ES256")
    browser, jar, stored = Browser(op.issuer), CookieBox(), list[Tokens]()

    async def whole_way() -> str:
        async with InThreads(transport, threads=2) as sender:
            client = await AsyncOidcClient.discover(setup, cookie_pending(), transport=sender)
            redirect = await client.start_login(cookie=jar.header)
            jar.take(redirect.cookies)
            incoming = incoming_of(browser.authorize(redirect.url), jar.header)
            result = await client.finish_login(incoming)
            jar.take(result.cookies)
            assert result.logged_in.identity.subject == "alice"
            _, *signed = result.logged_in.evidence.each
            assert [each.alg for each in signed] == [kind.id_token_alg, "ES256"]
            refreshed = await refresh_now(client, result.logged_in.tokens, stored.append)
            assert refreshed.claims_refreshed
            redirect = await client.start_logout(refreshed.tokens)
            jar.take(redirect.cookies)
            arrival = browser.end_session(redirect.url)
            done = await client.finish_logout(incoming_of(arrival, jar.header))
            jar.take(done.cookies)
            return done.logged_out.post_logout_redirect_uri

    assert run(whole_way) == POST_LOGOUT_REDIRECT_URI
    assert len(stored) == 1
    assert jar.cookies == {}


@pytest.fixture
def context(op: Provider, transport: Transport) -> OIDCCtx:
    metadata = client_metadata("client_secret_post", "RS256", client_id="rp-context")
    op.register(metadata)
    return OIDCCtx(
        op.issuer,
        REDIRECT_URI,
        "rp-context",
        AWKWARD_SECRET,
        transport=transport,
        insecure_allow_http_loopback=True,
        refresh_unknown_logins=True,
    )


@pytest.mark.parametrize("secret", [None, "a session identifier"], ids=["unbound", "bound"])
def test_the_context_logs_in_validates_and_refreshes(
    context: OIDCCtx, browser: Browser, interop_row: RecordRow, secret: str | None
) -> None:
    bound = "unbound" if secret is None else "bound"
    interop_row("client_secret_post", "RS256", f"context, {bound}: login, validation, refresh")
    url = flow_request_authorization_code(context, max_age=3600, browser=secret)
    query = browser.authorize(url).parameters
    code = flow_get_authorization_code(context, query, browser=secret)
    assert isinstance(code, str)
    tokens = flow_get_token(context, code)
    assert isinstance(tokens, dict)
    assert flow_validate_id_token(context, tokens["id_token"])
    evidence = context.evidence(tokens["id_token"])
    assert evidence is not None
    assert [each.of for each in evidence.each] == ["authorization_response", "id_token"]
    assert evidence.channel == "unverified"
    refreshed = flow_refresh_token(context, tokens["refresh_token"])
    assert isinstance(refreshed, dict)
    assert refreshed["access_token"] != tokens["access_token"]
    assert flow_validate_id_token(context, refreshed["id_token"])
    head, _, signature = tokens["id_token"].rpartition(".")
    assert not flow_validate_id_token(context, f"{head}.{signature[::-1]}")


def test_the_context_returns_the_provider_s_refusals(
    context: OIDCCtx, browser: Browser, interop_row: RecordRow
) -> None:
    interop_row("client_secret_post", "RS256", "context: access_denied, invalid_grant as values")
    url = flow_request_authorization_code(context)
    query = browser.authorize(url, cancel_at="login").parameters
    refusal = flow_get_authorization_code(context, query)
    assert isinstance(refusal, AuthServerError)
    assert refusal.error == "access_denied"
    no_tokens = flow_refresh_token(context, "no such refresh token")
    assert isinstance(no_tokens, AuthServerError)
    assert no_tokens.error == "invalid_grant"
