"""The fake provider on a loopback port, reached by real HTTP."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import urllib3

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import LoginResult
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing import FakeClient, FakeProvider, ServedProvider, serve
from oidc_adapters.testing.servers import _Conversation, _Server
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import UsageError
from tests.flows.rig import honest_provider, returning, setup_for

from .raw_client import NOW, VERIFIER, authorization_url, basic, claims_of, verify
from .test_transports import Stopped

HOSTILE = FakeClient(redirect_uris=('https://rp.example/"><script>alert(1)</script>',))


@pytest.fixture(name="pool")
def _pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        yield pool


@pytest.fixture(name="served")
def _served() -> Iterator[ServedProvider]:
    with serve(FakeProvider(id_token_alg="ES256"), Stopped()) as served:
        yield served


def callback_of(response: urllib3.BaseHTTPResponse) -> dict[str, str]:
    assert response.status == 303
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


def test_a_whole_login_over_loopback(served: ServedProvider, pool: urllib3.PoolManager) -> None:
    client = served.provider.clients[0]
    metadata = pool.request("GET", f"{served.issuer}/.well-known/openid-configuration").json()
    callback = callback_of(pool.request("GET", authorization_url(served.provider), redirect=False))
    form = {
        "grant_type": "authorization_code",
        "code": callback["code"],
        "redirect_uri": client.redirect_uris[0],
        "code_verifier": VERIFIER,
    }
    tokens = pool.request(
        "POST",
        metadata["token_endpoint"],
        body=urlencode(form),
        headers=dict([basic(client), ("Content-Type", "application/x-www-form-urlencoded")]),
    ).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    userinfo = pool.request("GET", metadata["userinfo_endpoint"], headers=bearer).json()

    verify(tokens["id_token"], pool.request("GET", metadata["jwks_uri"]).json()["keys"])
    claims = claims_of(tokens["id_token"])
    assert (served.issuer, "alice", NOW) == (claims["iss"], claims["sub"], claims["iat"])
    assert (metadata["issuer"], callback["iss"]) == (served.issuer, served.issuer)
    assert userinfo["email"] == "alice@op.example"
    paths = [urlsplit(request.url).path for request, _ in served.exchanges]
    assert paths == ["/.well-known/openid-configuration", "/token", "/userinfo", "/jwks"]


def test_it_listens_on_loopback_only(served: ServedProvider) -> None:
    assert urlsplit(served.issuer).hostname == "127.0.0.1"


def test_a_session_lasts_until_the_logout(
    served: ServedProvider, pool: urllib3.PoolManager
) -> None:
    silent = authorization_url(served.provider, prompt="none")
    first = pool.request("GET", authorization_url(served.provider), redirect=False)
    cookie = {"Cookie": first.headers["set-cookie"].partition(";")[0]}

    assert callback_of(pool.request("GET", silent, redirect=False))["error"] == "login_required"
    again = pool.request("GET", silent, redirect=False, headers=cookie)
    assert "code" in callback_of(again)
    gone = pool.request("GET", f"{served.issuer}/end-session", headers=cookie)
    assert "signed out" in gone.data.decode()
    after = pool.request("GET", silent, redirect=False, headers=cookie)
    assert callback_of(after)["error"] == "login_required"


def test_a_logout_sends_the_browser_back(served: ServedProvider, pool: urllib3.PoolManager) -> None:
    query = urlencode(
        {"client_id": "client", "post_logout_redirect_uri": "https://rp.example/", "state": "s"}
    )

    answer = pool.request("GET", f"{served.issuer}/end-session?{query}", redirect=False)

    assert (answer.status, answer.headers["location"]) == (303, "https://rp.example/?state=s")


def test_a_logout_may_be_posted(served: ServedProvider, pool: urllib3.PoolManager) -> None:
    fields = {"client_id": "client", "post_logout_redirect_uri": "https://rp.example/"}
    url = f"{served.issuer}/end-session"
    for place in (url, f"{url}?state=s"):
        answer = pool.request("POST", place, body=urlencode(fields), redirect=False)
        state = "?state=s" if "state" in place else ""
        assert (answer.status, answer.headers["location"]) == (303, f"https://rp.example/{state}")
    assert pool.request("POST", url, body="").status == 200


def test_the_clients_of_a_session_are_told_in_frames(pool: urllib3.PoolManager) -> None:
    client = FakeClient(frontchannel_logout_uri="https://rp.example/frame")
    with serve(FakeProvider(id_token_alg="ES256", clients=(client,)), Stopped()) as served:
        first = pool.request("GET", authorization_url(served.provider), redirect=False)
        cookie = {"Cookie": first.headers["set-cookie"].partition(";")[0]}
        form = {
            "grant_type": "authorization_code",
            "code": callback_of(first)["code"],
            "redirect_uri": client.redirect_uris[0],
            "code_verifier": VERIFIER,
        }
        headers = dict([basic(client), ("Content-Type", "application/x-www-form-urlencoded")])
        url = f"{served.issuer}/token"
        tokens = pool.request("POST", url, body=urlencode(form), headers=headers).json()
        sid = claims_of(tokens["id_token"])["sid"]

        page = pool.request("GET", f"{served.issuer}/end-session", headers=cookie)

        assert page.status == 200
        (url,) = served.provider.frontchannel_logout_urls(sid)
        assert url.replace("&", "&amp;") in page.data.decode()
        again = pool.request("GET", f"{served.issuer}/end-session", headers=cookie)
        assert "iframe" not in again.data.decode()


def test_a_cookie_that_is_none_is_no_session(
    served: ServedProvider, pool: urllib3.PoolManager
) -> None:
    silent = authorization_url(served.provider, prompt="none")

    for cookie in ("a=b", "fake_provider_session", "fake_provider_session=x", "a@b=c"):
        answer = pool.request("GET", silent, redirect=False, headers={"Cookie": cookie})
        assert callback_of(answer)["error"] == "login_required"


def test_a_form_post_page_submits_itself_and_escapes(pool: urllib3.PoolManager) -> None:
    with serve(FakeProvider(clients=(HOSTILE,)), Stopped()) as served:
        url = authorization_url(
            served.provider, response_mode="form_post", state='"><img src=x onerror=alert(1)>'
        )
        answer = pool.request("GET", url)

    page = answer.data.decode()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "document.forms[0].submit()" in page
    assert 'method="post"' in page
    assert "<img" not in page
    assert page.count("<script>") == 1
    assert 'value="&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"' in page


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"user": "bob", "decision": "approve"}, "code"),
        ({"user": "bob", "decision": "deny"}, "error"),
    ],
)
def test_somebody_signs_in_on_the_page(
    pool: urllib3.PoolManager, choice: dict[str, str], expected: str
) -> None:
    with serve(FakeProvider(), Stopped(), interactive=True) as served:
        url = authorization_url(served.provider)
        page = pool.request("GET", url).data.decode()
        answer = pool.request("POST", url, body=urlencode(choice), redirect=False)

    assert "<h1>Sign in</h1>" in page
    assert 'value="bob"' in page
    assert expected in callback_of(answer)
    if expected == "code":
        (issued,) = served.provider.ledger.codes.values()
        assert issued.family.grant.sub == "bob"


def test_choosing_another_user_ends_the_session_of_the_first(pool: urllib3.PoolManager) -> None:
    with serve(FakeProvider(), Stopped(), interactive=True) as served:
        url = authorization_url(served.provider)
        first = pool.request("POST", url, body="user=alice", redirect=False)
        cookie = {"Cookie": first.headers["set-cookie"].partition(";")[0]}
        pool.request("POST", url, body="user=bob", redirect=False, headers=cookie)
        pool.request("POST", url, body="user=bob", redirect=False, headers=cookie)

    subs = [code.family.grant.sub for code in served.provider.ledger.codes.values()]
    assert subs == ["alice", "bob", "bob"]


def test_prompt_none_shows_no_page(pool: urllib3.PoolManager) -> None:
    with serve(FakeProvider(), Stopped(), interactive=True) as served:
        url = authorization_url(served.provider, prompt="none")
        answer = pool.request("GET", url, redirect=False)

    assert callback_of(answer)["error"] == "login_required"


@pytest.mark.parametrize("body", ["user=nobody", "user", "user=\xff"])
def test_an_impossible_choice_is_refused(
    served: ServedProvider, pool: urllib3.PoolManager, body: str
) -> None:
    url = authorization_url(served.provider)

    assert pool.request("POST", url, body=body.encode("latin-1"), redirect=False).status == 400


def test_a_request_of_nobody_is_answered_with_an_escaped_page(
    served: ServedProvider, pool: urllib3.PoolManager
) -> None:
    answer = pool.request("GET", authorization_url(served.provider, client_id="<b>"))

    assert answer.status == 400
    assert "unauthorized_client: the client is unknown" in answer.data.decode()
    assert "<b>" not in answer.data.decode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": "65537"}, 413),
        ({"Content-Length": "x"}, 400),
        ({"Content-Length": "9" * 5_000}, 400),
        ({"Content-Length": "0", "Transfer-Encoding": "chunked"}, 400),
        ({"Transfer-Encoding": "gzip"}, 400),
    ],
)
def test_a_body_of_unknown_or_great_length_is_refused(
    served: ServedProvider, headers: dict[str, str], status: int
) -> None:
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        answer = pool.request("POST", f"{served.issuer}/token", headers=headers, body=b"")

    assert answer.status == status


def test_a_dropped_connection_gives_no_answer(pool: urllib3.PoolManager) -> None:
    with (
        serve(FakeProvider(misbehave="metadata_dropped"), Stopped()) as served,
        pytest.raises(urllib3.exceptions.ProtocolError),
    ):
        pool.request("GET", f"{served.issuer}/.well-known/openid-configuration")


def test_the_served_provider_can_be_changed_between_requests(
    served: ServedProvider, pool: urllib3.PoolManager
) -> None:
    url = f"{served.issuer}/jwks"
    before = [key["kid"] for key in pool.request("GET", url).json()["keys"]]

    served.provider.rotate_keys(keep_previous=False)

    assert before == ["es256-1"]
    assert [key["kid"] for key in pool.request("GET", url).json()["keys"]] == ["es256-2"]


def test_closing_it_leaves_no_thread_behind(pool: urllib3.PoolManager) -> None:
    before = threading.active_count()

    with serve(FakeProvider(), Stopped()) as served:
        answer = pool.request("GET", f"{served.issuer}/.well-known/openid-configuration")
        assert json.loads(answer.data)["issuer"] == served.issuer

    assert threading.active_count() == before


def test_it_serves_on_the_port_that_is_asked_for() -> None:
    with serve(FakeProvider(), Stopped()) as first:
        port = urlsplit(first.issuer).port or 0
        with pytest.raises(OSError, match="in use"), serve(FakeProvider(), Stopped(), port=port):
            pass
    with serve(FakeProvider(), Stopped(), port=port) as second:
        assert second.issuer == first.issuer


def _raise(error: type[Exception]) -> None:
    raise error


@pytest.mark.parametrize(("error", "told"), [(ConnectionResetError, False), (KeyError, True)])
def test_a_client_may_go_away(
    error: type[Exception], told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    server = _Server(_Conversation, 0)
    try:
        _raise(error)
    except error:
        server.handle_error(server.socket, ("127.0.0.1", 1))
    finally:
        server.server_close()

    assert ("Traceback" in capsys.readouterr().err) is told


def test_an_authorization_request_may_be_posted(
    served: ServedProvider, pool: urllib3.PoolManager
) -> None:
    url, _, query = authorization_url(served.provider).partition("?")
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

    answer = pool.request("POST", url, body=query, headers=form, redirect=False)

    assert "code" in callback_of(answer)
    assert pool.request("POST", url, body=query, redirect=False).status == 400


def test_a_posted_request_leads_to_the_page_too(pool: urllib3.PoolManager) -> None:
    with serve(FakeProvider(id_token_alg="ES256"), Stopped(), interactive=True) as served:
        url, _, query = authorization_url(served.provider).partition("?")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        page = pool.request("POST", url, body=f"{query}&user=bob", headers=form)
        action = unescape(page.data.decode().partition('action="')[2].partition('"')[0])
        answer = pool.request("POST", action, body="user=bob", redirect=False)

    assert "<h1>Sign in</h1>" in page.data.decode()
    assert "code" in callback_of(answer)


def logged_in(served: ServedProvider, pool: urllib3.PoolManager, **policy: Any) -> LoginResult:
    """Log in by a client with the transport of every application, over real HTTP."""
    provider = served.provider
    client = OidcClient(
        setup_for(provider, policy=Policy(name="here", **policy)),
        MemoryPendingLogins(),
        transport=Urllib3Transport(ca=served.ca or None),
        clock=FrozenClock(NOW),
    )
    with client:
        page = client.start_login()
        url = served.reached(page.url)
        came = pool.request("GET", url, redirect=False).headers["location"]
        cookie = "; ".join(f"{each.name}={each.value}" for each in page.cookies)
        return client.finish_login(returning(came, cookie))


def trusting(served: ServedProvider) -> urllib3.PoolManager:
    context = ssl.create_default_context(cadata=served.ca)
    return urllib3.PoolManager(retries=False, timeout=10, ssl_context=context)


def test_a_login_over_tls() -> None:
    with (
        serve(honest_provider(), Stopped(), tls=True) as served,
        trusting(served) as pool,
    ):
        assert served.issuer == served.origin
        assert served.issuer.startswith("https://127.0.0.1:")
        assert served.back_channel == {}
        result = logged_in(served, pool, quirks={"insecure_allow_http_loopback"})

    assert result.logged_in.identity.issuer == served.issuer
    assert result.logged_in.evidence.each


@pytest.mark.parametrize("tls", [True, False])
def test_a_login_behind_a_named_issuer(tls: bool) -> None:
    issuer = "https://op.example/realms/main"
    with (
        serve(honest_provider(), Stopped(), tls=tls, issuer=issuer) as served,
        trusting(served) if tls else urllib3.PoolManager(retries=False, timeout=10) as pool,
    ):
        assert served.back_channel == {"https://op.example": served.origin}
        assert served.reached(f"{issuer}/authorize?x") == f"{served.origin}/realms/main/authorize?x"
        plain = {} if tls else {"insecure_http_origins": {served.origin}}
        result = logged_in(served, pool, back_channel=served.back_channel, **plain)

    assert result.logged_in.identity.issuer == issuer


def test_its_certificate_is_for_the_named_host_too() -> None:
    with (
        serve(
            FakeProvider(id_token_alg="ES256"), Stopped(), tls=True, issuer="https://op.example"
        ) as served,
        urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            urlsplit(served.origin).port,
            ssl_context=ssl.create_default_context(cadata=served.ca),
            server_hostname="op.example",
            assert_hostname="op.example",
            retries=False,
            timeout=10,
        ) as pool,
    ):
        answer = pool.request("GET", "/.well-known/openid-configuration")
        assert answer.json()["issuer"] == "https://op.example"


def test_who_does_not_trust_its_ca_gets_nothing() -> None:
    with (
        serve(FakeProvider(id_token_alg="ES256"), Stopped(), tls=True) as served,
        urllib3.PoolManager(retries=False, timeout=10) as pool,
        pytest.raises(urllib3.exceptions.SSLError),
    ):
        pool.request("GET", served.issuer)


def test_closing_it_ends_connections_over_tls_too() -> None:
    before = threading.active_count()

    with (
        serve(FakeProvider(id_token_alg="ES256"), Stopped(), tls=True) as served,
        trusting(served) as pool,
    ):
        assert pool.request("GET", f"{served.issuer}/jwks").status == 200
        place = ("127.0.0.1", urlsplit(served.issuer).port or 0)
        open_connection = socket.create_connection(place)  # and never a handshake
    open_connection.close()

    assert threading.active_count() == before


@pytest.mark.parametrize("setting", [{"tls": 1}, {"issuer": 1}, {"port": "1"}])
def test_settings_of_a_server_are_judged(setting: dict[str, Any]) -> None:
    with (
        pytest.raises(UsageError, match="config_invalid"),
        serve(FakeProvider(), Stopped(), **setting),
    ):
        pass
