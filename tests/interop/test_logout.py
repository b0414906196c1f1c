"""RP-initiated logout: the session ends, and the return is the one that was asked for."""

from time import time
from typing import Final

import pytest

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.transport import Transport
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.machine.grants import YOUNG
from oidc_core.wire.errors import CallbackError, ProviderError
from tests.interop.application import Application, Kind, cookie_pending, incoming_of, setup_at
from tests.interop.browser import Stranded
from tests.interop.clients import POST_LOGOUT_REDIRECT_URI
from tests.interop.oidc_provider import Provider
from tests.interop.table import RecordRow
from tests.refreshing import grants_by
from tests.refreshing import refreshed as refresh_now

SILENT: Final = AuthenticationRequest(prompt="none")
KINDS: Final = (
    Kind(auth_method="none", id_token_alg="ES256"),
    Kind(auth_method="client_secret_basic", id_token_alg="RS256"),
    Kind(auth_method="client_secret_basic", id_token_alg="HS256"),
    Kind(auth_method="private_key_jwt", assertion_alg="EdDSA", id_token_alg="EdDSA"),
)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_logout_ends_the_session_and_comes_back(
    op: Provider, transport: Transport, interop_row: RecordRow, kind: Kind
) -> None:
    interop_row(*kind.row, "logout, state checked")
    app = Application(setup_at(op, kind), transport)
    logged_in = app.log_in()
    assert app.log_in_silently(SILENT).identity == logged_in.identity

    logged_out = app.log_out(logged_in.tokens)

    assert logged_out.post_logout_redirect_uri == POST_LOGOUT_REDIRECT_URI
    assert app.browser.pages[-1] == "logout"
    assert app.jar.cookies == {}
    with pytest.raises(ProviderError) as refusal:
        app.log_in_silently(SILENT)
    assert refusal.value.error == "login_required"


def test_a_logout_works_without_an_id_token(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "logout without id_token_hint")
    app = Application(setup_at(op, kind), transport)
    app.log_in()
    app.log_out(None, LogoutRequest(logout_hint="alice", ui_locales="de en"))
    with pytest.raises(ProviderError) as refusal:
        app.log_in_silently(SILENT)
    assert refusal.value.error == "login_required"


def test_a_logout_takes_the_id_token_of_a_refresh(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "logout after a refresh")
    app = Application(setup_at(op, kind), transport)
    refreshed = refresh_now(app.client, app.log_in().tokens, lambda _: None)
    assert app.log_out(refreshed.tokens).post_logout_redirect_uri == POST_LOGOUT_REDIRECT_URI


def test_a_session_logs_out_after_the_key_of_its_login_was_dropped(
    own_op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "logout of a session, its first key dropped")
    app = Application(setup_at(own_op, kind), transport)
    tokens = app.log_in().tokens
    clock = FrozenClock(int(time()))
    grants, rp, shell = grants_by(clock), app.client.rp, app.client.shell
    app.client = OidcClient.of(rp, shell, cookie_pending(), grants=grants)
    grant_id = app.client.keep(tokens)
    own_op.rotate_keys()
    clock.advance(YOUNG)
    app.client.tokens(grant_id).fresh(refused=tokens.access_token)

    with pytest.raises(Stranded) as refusal:
        app.log_out(tokens)
    assert refusal.value.status == 400
    returned = app.leave(app.client.start_logout(session=grant_id))

    assert returned.post_logout_redirect_uri == POST_LOGOUT_REDIRECT_URI
    with pytest.raises(ProviderError) as refused:
        app.log_in_silently(SILENT)
    assert refused.value.error == "login_required"


def test_a_return_that_nobody_asked_for_is_refused(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "return with another state: logout_state_mismatch")
    app = Application(setup_at(op, kind), transport)
    tokens = app.log_in().tokens
    first = app.client.start_logout(tokens)
    second = app.client.start_logout(tokens)
    app.jar.take(second.cookies)
    of_the_first = app.browser.end_session(first.url, confirm=False)
    of_the_second = app.browser.end_session(second.url)
    for callback, cookie in ((of_the_first, app.jar.header), (of_the_second, "")):
        with pytest.raises(CallbackError) as refusal:
            app.client.finish_logout(incoming_of(callback, cookie))
        assert refusal.value.code == "logout_state_mismatch"
    returned = app.client.finish_logout(incoming_of(of_the_second, app.jar.header))
    assert returned.logged_out.post_logout_redirect_uri == POST_LOGOUT_REDIRECT_URI


def test_two_logouts_under_way_do_not_disturb_each_other(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "two logouts under way")
    app = Application(setup_at(op, kind), transport)
    tokens = app.log_in().tokens
    redirects = [app.client.start_logout(tokens) for _ in range(2)]
    for redirect in redirects:
        app.jar.take(redirect.cookies)
    for redirect, confirm in zip(redirects, (False, True), strict=True):
        callback = app.browser.end_session(redirect.url, confirm=confirm)
        returned = app.client.finish_logout(incoming_of(callback, app.jar.header))
        assert returned.logged_out.post_logout_redirect_uri == POST_LOGOUT_REDIRECT_URI


def test_who_stays_logged_in_comes_back_all_the_same(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "logout not confirmed")
    app = Application(setup_at(op, kind), transport)
    tokens = app.log_in().tokens
    assert app.log_out(tokens, confirm=False).post_logout_redirect_uri == POST_LOGOUT_REDIRECT_URI
    assert app.log_in().identity.subject == "alice"
    assert app.browser.pages == ["login", "consent", "logout", "consent"]
