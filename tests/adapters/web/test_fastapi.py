"""A FastAPI application, by its own test client and a fake provider."""

import asyncio
import runpy
import textwrap
from pathlib import Path
from typing import Annotated, Any

import pytest

from oidc_adapters.runtime.clock import SystemClock
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import StoreFailure
from tests.adapters.web.asgi_site import AsgiSite, settings_for
from tests.adapters.web.visiting import BASE, CLIENT, FETCH, Visitor, house
from tests.flows.rig import honest_provider

fastapi: Any = pytest.importorskip("fastapi", reason="FastAPI is not installed")
httpx: Any = pytest.importorskip("httpx", reason="the test client needs httpx")


def made(config: Any = None, **named: Any) -> tuple[Any, Any]:
    """Return the application, and the door."""
    from fastapi import Depends, FastAPI

    from oidc_adapters.web.fastapi import Oidc, WebSession
    from oidc_core.model.records import Tokens

    oidc = Oidc(config or {}, **named)
    app = FastAPI(exception_handlers=oidc.exception_handlers)
    app.include_router(oidc.router)

    @app.get("/")
    async def index(user: Annotated[WebSession | None, Depends(oidc.optional_user)]) -> str:
        return "nobody" if user is None else "somebody"

    @app.get("/orders")
    async def orders(user: Annotated[WebSession, Depends(oidc.user)]) -> str:
        return f"{user.identity.subject} {user.claims['name']}"

    @app.post("/orders")
    async def order(user: Annotated[WebSession, Depends(oidc.user)]) -> str:
        return user.identity.subject

    @app.get("/tokens")
    async def tokens(found: Annotated[Tokens, Depends(oidc.tokens)]) -> str:
        return found.access_token

    @app.get("/later")
    async def later() -> str:
        raise StoreFailure("refresh_busy", retry_after=3)

    return app, oidc


def a_site(**config: Any) -> AsgiSite:
    provider = config.pop("provider", None) or honest_provider(clients=(CLIENT,))
    app, _ = made(settings_for(provider, **config))
    return AsgiSite(app, provider)


def test_an_operation_is_for_users_who_are_logged_in() -> None:
    site = a_site()

    assert site.ask("/").json() == "nobody"
    asked = site.ask("/orders?page=2")
    location = "/login?return_to=%2Forders%3Fpage%3D2"
    assert (asked.status_code, asked.headers["location"]) == (303, location)
    assert site.log_in("/orders?page=2").headers["location"] == "/orders?page=2"
    assert site.ask("/orders").json() == "alice Alice Adams"
    assert site.ask("/orders", "POST").json() == "alice"
    assert site.ask("/tokens").json()
    assert site.ask("/").json() == "somebody"


def test_a_script_gets_a_status_and_htmx_a_header() -> None:
    site = a_site()

    script = site.ask("/orders", headers=FETCH)
    assert script.status_code == 401
    assert script.json() == {"error": "login_required", "login_url": "/login"}
    assert site.ask("/tokens", headers=FETCH).status_code == 401
    htmx = site.ask("/orders", headers={"hx-request": "true", "hx-current-url": f"{BASE}/a"})
    assert (htmx.status_code, htmx.headers["hx-redirect"]) == (401, "/login?return_to=%2Fa")


def test_a_logout_here_and_at_the_provider() -> None:
    site = a_site()
    site.log_in()

    left = site.ask("/logout", "POST")
    back = site.provider.end_session(left.headers["location"], now=SystemClock().now())
    assert back is not None

    assert site.ask(back).headers["location"] == "/"
    assert site.ask("/orders").status_code == 303


def test_the_provider_logs_a_user_out() -> None:
    site = a_site()
    site.log_in()
    told = site.provider.backchannel_logout(SystemClock().now(), sub="alice")

    headers = {"content-type": told.content_type}
    reply = site.ask("/backchannel-logout", "POST", content=told.form, headers=headers)

    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    assert site.ask("/orders").status_code == 303


def test_an_error_is_a_page_or_json() -> None:
    site = a_site()

    page = site.ask("/later")
    assert (page.status_code, page.headers["retry-after"]) == (503, "3")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "Please try again in a few minutes" in page.text
    told = site.ask("/later", headers=FETCH)
    assert (told.status_code, told.json()["error"]) == (503, "refresh_busy")


def test_the_application_starts_without_its_provider() -> None:
    site = a_site(provider=honest_provider(clients=(CLIENT,), misbehave="metadata_500"))

    with site.browser:
        page = site.ask("/login?return_to=/orders")

        assert page.status_code == 503
        assert int(page.headers["retry-after"]) > 0
        assert "Please try again in a few minutes" in page.text
        assert site.ask("/").json() == "nobody"


def test_a_provider_that_is_down_at_the_callback() -> None:
    site = a_site()
    callback = site.arrive(site.ask("/login?return_to=/orders"))
    site.provider.misbehave = "token_500"

    page = site.ask(callback)

    assert page.status_code == 503
    assert 'href="/login?return_to=%2Forders"' in page.text
    site.provider.misbehave = None
    assert site.log_in().headers["location"] == "/orders"


def test_including_the_router_closes_the_client_in_the_end() -> None:
    app, oidc = made(settings_for(honest_provider(clients=(CLIENT,))))
    site = AsgiSite(app)

    with site.browser:
        used = oidc.web
        assert site.ask("/login").status_code == 303
    assert oidc.web is not used


def test_five_requests_at_expiry_refresh_once() -> None:
    home = house(awaits=True)
    browser = Visitor(at=home)
    browser.log_in()
    home.clock.advance(4_000)
    sent = len(home.transport.exchanges)
    app, _ = made(web=home.web)

    async def five() -> list[Any]:
        transport = httpx.ASGITransport(app)
        headers = {"cookie": browser.header}
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
            return await asyncio.gather(*(client.get("/tokens") for _ in range(5)))

    found = asyncio.run(five())

    assert [each.status_code for each in found] == [200] * 5
    assert len({each.json() for each in found}) == 1
    asked = [request.url for request, _ in home.transport.exchanges[sent:]]
    assert len([url for url in asked if url.endswith("/token")]) == 1


def test_tokens_that_are_over_ask_for_a_login() -> None:
    home = house(awaits=True)
    browser = Visitor(at=home)
    browser.log_in()
    home.clock.advance(4_000)
    home.provider.misbehave = "refresh_invalid_grant"
    app, _ = made(web=home.web)
    site = AsgiSite(app)
    site.browser.cookies.update(browser.cookies)

    reply = site.ask("/tokens")

    assert (reply.status_code, reply.headers["location"]) == (303, "/login?return_to=%2Ftokens")
    assert browser.session is None


def test_the_schema_shows_what_is_protected() -> None:
    schema = a_site().ask("/openapi.json").json()

    assert schema["components"]["securitySchemes"] == {
        "oidc": {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Host-session",
            "description": "A session in a cookie; it begins at /login.",
        }
    }
    operations = {
        f"{method} {path}": operation.get("security")
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }
    assert operations == {
        "get /": None,
        "get /orders": [{"oidc": []}],
        "post /orders": [{"oidc": []}],
        "get /tokens": [{"oidc": []}],
        "get /later": None,
    }


def test_tests_override_a_dependency() -> None:
    home = house(awaits=True, setup={"policy": Policy()})
    browser = Visitor(at=home)
    browser.log_in()
    session = browser.session
    app, oidc = made(web=home.web)
    site = AsgiSite(app)

    app.dependency_overrides[oidc.user] = lambda: session
    assert site.ask("/orders").json() == "alice Alice Adams"
    assert site.ask("/tokens").json()
    app.dependency_overrides.clear()
    assert site.ask("/orders").status_code == 303


def test_a_websocket_is_for_users_who_are_logged_in() -> None:
    from fastapi import Depends
    from starlette.websockets import WebSocket, WebSocketDisconnect

    from oidc_adapters.web.fastapi import WebSession

    app, oidc = made(settings_for(provider := honest_provider(clients=(CLIENT,))))

    async def talk(websocket: WebSocket, user: Annotated[WebSession, Depends(oidc.user)]) -> None:
        await websocket.accept()
        await websocket.send_text(user.identity.subject)
        await websocket.close()

    app.add_api_websocket_route("/talk", talk)
    site = AsgiSite(app, provider)
    url = f"{BASE.replace('https', 'wss')}/talk"

    def answer(**headers: str) -> str:
        with site.browser.websocket_connect(url, headers=headers) as socket:
            text: str = socket.receive_text()
            return text

    refused: Any = pytest.raises(WebSocketDisconnect)
    with refused as nobody:
        answer(origin=BASE)
    assert nobody.value.status_code == 401
    site.log_in()
    assert answer(origin=BASE) == "alice"
    with refused as elsewhere:
        answer(origin="https://other.rp.example")
    assert elsewhere.value.status_code == 401


def test_an_application_that_is_mounted() -> None:
    from fastapi import FastAPI

    uri = f"{BASE}/app/callback"
    provider = honest_provider(clients=(type(CLIENT)(redirect_uris=(uri,)),))
    config = settings_for(provider, OIDC_REDIRECT_URI=uri, OIDC_POST_LOGOUT_REDIRECT_URI=None)
    app, _ = made(config, root_path="/app")
    outer = FastAPI()
    outer.mount("/app", app)
    site = AsgiSite(outer, provider)

    assert site.ask("/app/orders").headers["location"] == "/app/login?return_to=%2Fapp%2Forders"
    assert site.log_in("/app/orders").headers["location"] == "/app/orders"
    assert site.ask("/app/orders").json() == "alice Alice Adams"
    assert site.ask("/app/logout", "POST").status_code == 303
    assert site.ask("/app/orders").status_code == 303


def test_cookies_of_the_session() -> None:
    cookies = a_site().log_in().headers.get_list("set-cookie")

    assert any(each.startswith("__Host-session=") for each in cookies)
    assert all("HttpOnly" in each and "Secure" in each for each in cookies)


def test_ten_lines_are_an_application(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from oidc_adapters.web import fastapi as door

    text = textwrap.dedent(
        (door.__doc__ or "").partition(":: python\n")[2].partition("\nSessions")[0]
    )
    assert len([line for line in text.splitlines() if line.strip()]) == 10
    provider = honest_provider(clients=(CLIENT,))
    config = settings_for(provider)
    monkeypatch.setattr("os.environ", config)
    (tmp_path / "app.py").write_text(text, encoding="utf-8")

    site = AsgiSite(runpy.run_path(str(tmp_path / "app.py"))["app"], provider)

    assert site.ask("/", headers=FETCH).status_code == 401
    site.log_in("/")
    assert site.ask("/").json() == "Hello Alice Adams"
