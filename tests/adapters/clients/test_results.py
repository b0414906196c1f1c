"""The results of a client's calls."""

from __future__ import annotations

from oidc_adapters.clients.results import (
    EndedSession,
    LoginResult,
    LogoutResult,
    Redirect,
)
from oidc_adapters.stores.pending import CookiePendingLogins
from oidc_core.wire.cookies import SetCookie
from tests.flows.rig import SEALING_SECRET, new_rig, returning

COOKIE = SetCookie("__Host-oidc-12345678", "a-sealed-secret", 600, "Lax", secure=True)


def test_a_redirect_shows_neither_its_url_nor_a_cookie_s_value() -> None:
    redirect = Redirect(url="https://op.example/authorize?state=a-secret", cookies=(COOKIE,))

    assert "secret" not in f"{redirect} {redirect!r}"
    assert "__Host-oidc-12345678" in repr(redirect)


def test_the_result_of_a_login_names_the_client_and_has_the_browser_forget_it() -> None:
    rig = new_rig(pending=CookiePendingLogins(SEALING_SECRET), connection_id="tenant-1")
    redirect = rig.start(return_to="/orders")
    (set_cookie,) = redirect.cookies
    result = rig.finish(rig.visit(redirect))

    assert isinstance(result, LoginResult)
    assert result.connection == rig.client.rp.connection
    assert result.connection.connection_id == "tenant-1"
    assert result.logged_in.return_to == "/orders"
    assert [(each.name, each.max_age) for each in result.cookies] == [(set_cookie.name, 0)]
    assert set_cookie.value not in repr(result)


def test_an_ended_session_shows_no_token() -> None:
    tokens = new_rig().log_in().logged_in.tokens
    ended = EndedSession(tokens, ("an-access-token",), "a-newer-id-token")
    for secret in ("an-access-token", "a-newer-id-token", tokens.id_token):
        assert secret not in repr(ended)


def test_the_result_of_a_logout_has_the_browser_forget_it() -> None:
    rig = new_rig()
    page = rig.client.start_logout()
    rig.browser.receive(page.cookies)
    url = rig.provider.end_session(page.url, rig.clock.now())
    assert url is not None
    result = rig.client.finish_logout(returning(url, rig.browser.header))

    assert isinstance(result, LogoutResult)
    assert result.logged_out.post_logout_redirect_uri == "https://rp.example/"
    assert [(each.name, each.max_age) for each in result.cookies] == [(page.cookies[0].name, 0)]
