"""A Starlette application, by Starlette's own test client and a fake provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oidc_adapters.runtime.clock import SystemClock
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.wire.errors import StoreFailure, UsageError
from tests.adapters.web.asgi_site import AsgiSite, settings_for
from tests.adapters.web.visiting import BASE, CLIENT, FETCH, house
from tests.flows.rig import honest_provider
from tests.parties import refused

SECOND_FACTOR = "urn:example:two-factor"

starlette: Any = pytest.importorskip("starlette", reason="Starlette is not installed")
pytest.importorskip("httpx", reason="Starlette's test client needs httpx")


def made(config: Any = None, *, handled: bool = True, **named: Any) -> tuple[Any, Any]:
    """Return the application, and the door."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from oidc_adapters.web.starlette import Oidc

    oidc = Oidc(config or {}, **named)

    async def index(request: Request) -> PlainTextResponse:
        return PlainTextResponse(
            "nobody" if await oidc.optional_user(request) is None else "somebody"
        )

    async def orders(request: Request) -> PlainTextResponse:
        session = await oidc.required(request)
        return PlainTextResponse(f"{session.identity.subject} {session.claims['name']}")

    async def tokens(request: Request) -> PlainTextResponse:
        found = await oidc.tokens_of(await oidc.required(request)).fresh()
        return PlainTextResponse(str(bool(found.access_token)))

    async def later(request: Request) -> PlainTextResponse:
        raise StoreFailure("refresh_busy", retry_after=3)

    async def safe(request: Request) -> PlainTextResponse:
        session = await oidc.required(request)
        if session.claims.get("acr") != SECOND_FACTOR:
            await oidc.step_up(request, AuthenticationRequest(acr_values=SECOND_FACTOR))
        return PlainTextResponse("open")

    views = {"/": index, "/orders": orders, "/tokens": tokens, "/later": later, "/safe": safe}
    app = Starlette(
        routes=[*(Route(path, view) for path, view in views.items()), *oidc.routes],
        exception_handlers=oidc.exception_handlers if handled else {},
        lifespan=oidc.lifespan,
    )
    return app, oidc


def a_site(**config: Any) -> AsgiSite:
    provider = config.pop("provider", None) or honest_provider(clients=(CLIENT,))
    app, _ = made(settings_for(provider, **config))
    return AsgiSite(app, provider)


def test_a_page_is_for_users_who_are_logged_in() -> None:
    site = a_site()

    assert site.ask("/").text == "nobody"
    asked = site.ask("/orders?page=2")
    assert (asked.status_code, asked.headers["location"]) == (
        303,
        "/login?return_to=%2Forders%3Fpage%3D2",
    )
    assert asked.headers["cache-control"] == "no-store"
    assert site.log_in("/orders?page=2").headers["location"] == "/orders?page=2"
    assert site.ask("/orders").text == "alice Alice Adams"
    assert site.ask("/tokens").text == "True"
    assert site.ask("/").text == "somebody"


def test_a_script_gets_a_status_and_htmx_a_header() -> None:
    site = a_site()

    script = site.ask("/orders", headers=FETCH)
    assert script.status_code == 401
    assert script.json() == {"error": "login_required", "login_url": "/login"}
    htmx = site.ask("/orders", headers={"hx-request": "true", "hx-current-url": f"{BASE}/a"})
    assert (htmx.status_code, htmx.headers["hx-redirect"]) == (401, "/login?return_to=%2Fa")


def test_a_challenge_without_our_handlers() -> None:
    app, _ = made(settings_for(honest_provider(clients=(CLIENT,))), handled=False)
    site = AsgiSite(app)

    asked = site.ask("/orders")

    assert (asked.status_code, asked.headers["location"]) == (303, "/login?return_to=%2Forders")
    assert site.ask("/orders", headers=FETCH).status_code == 401


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

    reply = site.ask(
        "/backchannel-logout",
        "POST",
        content=told.form,
        headers={"content-type": told.content_type},
    )

    assert reply.status_code == 200
    assert site.ask("/orders").status_code == 303


def test_an_error_in_a_view_is_a_page_or_json() -> None:
    site = a_site()

    page = site.ask("/later")
    assert (page.status_code, page.headers["retry-after"]) == (503, "3")
    assert "Please try again in a few minutes" in page.text
    told = site.ask("/later", headers=FETCH)
    assert (told.status_code, told.json()["error"]) == (503, "refresh_busy")


def test_a_view_asks_for_more() -> None:
    site = a_site(OIDC_CLAIMS=("name", "acr"))
    site.log_in()

    asked = site.ask("/safe?door=2")
    back = site.ask(site.arrive(asked))

    assert back.headers["location"] == "/safe?door=2"
    assert site.ask("/safe?door=2").text == "open"
    assert site.ask("/safe", headers=FETCH).text == "open"


def test_a_script_is_told_of_a_step_up() -> None:
    site = a_site(OIDC_CLAIMS=("name", "acr"))
    site.log_in()

    asked = site.ask("/safe", headers=FETCH)

    assert (asked.status_code, asked.json()["error"]) == (401, "login_required")


def test_a_step_up_that_no_view_can_see_is_refused() -> None:
    app, oidc = made(settings_for(honest_provider(clients=(CLIENT,))))
    site = AsgiSite(app, oidc.web.clients[0].shell.transport.provider)
    site.log_in()

    assert site.ask("/safe").status_code == 500


def test_a_body_that_no_route_takes() -> None:
    site = a_site()

    assert site.ask("/backchannel-logout", "POST", content=b"a" * 131_073).status_code == 413
    assert site.ask("/backchannel-logout", "POST", content=b"a" * 131_072).status_code == 400


def test_the_application_starts_without_its_provider() -> None:
    site = a_site(provider=honest_provider(clients=(CLIENT,), misbehave="metadata_500"))

    with site.browser:
        page = site.ask("/login")

        assert page.status_code == 503
        assert "Please try again in a few minutes" in page.text
        assert site.ask("/").text == "nobody"


def test_an_application_that_is_started_twice(tmp_path: Path) -> None:
    site = a_site(OIDC_RECORDS=str(tmp_path / "oidc.db"))

    with site.browser:
        site.log_in()
        assert site.ask("/orders").status_code == 200
    with site.browser:
        assert site.ask("/orders").status_code == 200
        assert site.ask("/tokens").text == "True"


def test_the_maker_of_a_client_closes_it() -> None:
    home = house(awaits=True)
    app, oidc = made(web=home.web)
    site = AsgiSite(app)

    with site.browser:
        assert site.ask("/orders").status_code == 303
    assert oidc.web is home.web
    assert site.ask("/login").status_code == 303


def test_an_application_that_is_mounted() -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    provider = honest_provider(
        clients=(type(CLIENT)(redirect_uris=(f"{BASE}/app/callback",)),),
    )
    config = settings_for(provider, OIDC_REDIRECT_URI=f"{BASE}/app/callback")
    del config["OIDC_POST_LOGOUT_REDIRECT_URI"]
    app, _ = made(config, root_path="/app")
    site = AsgiSite(Starlette(routes=[Mount("/app", app)]), provider)

    challenge = site.ask("/app/orders")
    assert challenge.headers["location"] == "/app/login?return_to=%2Fapp%2Forders"
    assert site.log_in("/app/orders").headers["location"] == "/app/orders"
    assert site.ask("/app/orders").text == "alice Alice Adams"

    proxied = AsgiSite(app, provider, root_path="/app")
    assert proxied.ask("/orders").headers["location"] == challenge.headers["location"]
    reply = proxied.ask("/login?return_to=/app/orders")
    callback = proxied.arrive(reply).replace("/app/callback", "/callback")
    assert proxied.ask(callback).headers["location"] == "/app/orders"
    assert proxied.ask("/orders").text == "alice Alice Adams"


def test_a_path_that_is_not_below_the_mount() -> None:
    config = settings_for(honest_provider(clients=(CLIENT,)), OIDC_LOGIN_PATH="/enter")

    refused(UsageError, "config_invalid", lambda: made(config, root_path="/app"))


def test_two_applications_in_one_process() -> None:
    one, other = a_site(), a_site()
    one.log_in()

    assert one.ask("/orders").status_code == 200
    other.browser.cookies = one.browser.cookies
    assert other.ask("/orders").status_code == 303


@pytest.mark.parametrize(
    "wrong",
    [{"OIDC_SECRET": None}, {"OIDC_SECRET": "short"}, {"OIDC_ISSUER": "op.example"}],
)
def test_settings_are_judged(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        made(settings_for(honest_provider(clients=(CLIENT,)), **wrong))
