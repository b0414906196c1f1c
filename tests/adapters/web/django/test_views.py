"""Logins and logouts in a project, through Django's own test clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from oidc_adapters.runtime.clock import SystemClock
from oidc_core.endpoints.authorization import AuthenticationRequest
from tests.adapters.web.django.project import (
    ALWAYS,
    MIDDLEWARE,
    Project,
    User,
    async_to_sync,
    user_logged_in,
    user_logged_out,
)
from tests.adapters.web.visiting import BASE, CLIENT, FETCH
from tests.flows.rig import honest_provider

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[..., Project]


def test_a_page_is_for_users_who_are_logged_in(project: Made) -> None:
    site = project()

    assert site.ask("/").content == b"nobody 1"
    asked = site.ask("/orders?page=2")
    assert (asked.status_code, asked["location"]) == (302, "/login?next=/orders%3Fpage%3D2")
    assert site.log_in("/orders?page=2")["location"] == "/orders?page=2"
    (user,) = User.objects.all()
    assert site.ask("/orders").content.decode() == f"{user.username} Alice alice@op.example"
    assert site.ask("/mine").content == b"alice Alice Adams"
    assert site.ask("/tokens").content == b"True"
    assert site.ask("/").content == b"somebody 2"
    assert not user.is_staff


def test_a_user_is_made_once_for_issuer_and_subject(project: Made) -> None:
    site = project()
    site.log_in()
    site.log_in(browser=site.another())
    assert User.objects.count() == 1

    other = project(provider=honest_provider(issuer="https://other.example", clients=(CLIENT,)))
    other.log_in(browser=other.another())

    assert User.objects.count() == 2


def test_a_view_asks_for_more(project: Made) -> None:
    site = project(CLAIMS=("name", "acr"))
    site.log_in()

    asked = site.ask("/safe?door=2")
    back = site.bring(site.at_provider(asked["location"]))

    assert back["location"] == "/safe?door=2"
    assert site.ask("/safe").content == b"open"
    assert User.objects.count() == 1


def test_the_key_of_the_session_is_rotated(project: Made) -> None:
    site = project()
    site.ask("/")
    before = site.browser.cookies["sessionid"].value

    site.log_in()
    first = site.browser.cookies["sessionid"].value
    site.bring(site.at_provider(site.ask("/login?return_to=/", browser=site.another())["location"]))
    assert len({before, first}) == 2
    assert site.ask("/").content == b"somebody 2"


def test_a_second_login_of_the_same_user_rotates_it_too(project: Made) -> None:
    site = project()
    second = site.ask("/login")
    site.log_in()
    first = site.browser.cookies["sessionid"].value

    assert site.bring(site.at_provider(second["location"])).status_code == 303

    assert site.browser.cookies["sessionid"].value != first
    assert site.ask("/mine").status_code == 200


def test_another_user_gets_no_data_of_the_first(project: Made) -> None:
    site = project(LOGIN_BY_GET=True)
    second = site.ask("/login")
    site.log_in()
    site.ask("/")

    site.bring(site.at_provider(second["location"], user="bob"))

    assert site.ask("/mine").content == b"bob Bob Brown"
    assert site.ask("/").content == b"somebody 1"


def test_a_logout_here_and_at_the_provider(project: Made) -> None:
    site = project()
    site.log_in()

    left = site.post("/logout")
    back = site.provider.end_session(left["location"], now=SystemClock().now())

    assert back is not None
    assert site.ask(back.removeprefix(BASE))["location"] == "/"
    assert site.ask("/orders").status_code == 302
    assert site.ask("/").content == b"nobody 1"


def test_a_logout_of_a_user_with_a_password(project: Made) -> None:
    site = project()
    site.browser.force_login(User.objects.create_user("carol"), backend=_PASSWORDS)
    assert site.ask("/").content == b"somebody 1"
    assert site.ask("/mine").status_code == 303

    assert site.post("/logout")["location"] == "/"
    assert site.ask("/").content == b"nobody 1"


def test_users_of_djangos_test_client(project: Made) -> None:
    """``force_login`` works as in each project, with our backend first."""
    site = project()
    site.browser.force_login(User.objects.create_user("carol"))

    assert site.ask("/orders").status_code == 200


@pytest.mark.parametrize(
    "engine",
    [
        "django.contrib.sessions.backends.db",
        "django.contrib.sessions.backends.cache",
        "django.contrib.sessions.backends.cached_db",
        "django.contrib.sessions.backends.signed_cookies",
    ],
)
def test_the_provider_logs_a_user_out(project: Made, engine: str) -> None:
    site = project(SESSION_ENGINE=engine)
    site.log_in()
    assert site.ask("/orders").status_code == 200

    assert site.told(sub="alice").status_code == 200

    assert site.ask("/orders").status_code == 302
    assert site.ask("/").content == b"nobody 1"


def test_the_provider_logs_a_user_out_before_the_session_begins(project: Made) -> None:
    site = project()

    def told(name: str, key: str) -> None:
        if name == "create" and key.startswith("web-session:"):
            site.records.before = lambda _name, _key: None
            assert site.told(sub="alice").status_code == 200

    site.records.before = told
    reply = site.log_in()

    assert (reply.status_code, "session_ended" in reply.content.decode()) == (400, True)
    assert site.ask("/orders").status_code == 302


def test_djangos_own_logout_ends_the_session(project: Made) -> None:
    site = project()
    site.log_in()
    stolen = site.browser.cookies["sessionid"].value

    assert site.ask("/leave").content == b"bye"

    site.browser.cookies["sessionid"] = stolen
    assert site.ask("/").content == b"nobody 1"


def test_wrong_state_and_replay(project: Made) -> None:
    site = project(LOGIN_BY_GET=False)
    began = site.post("/login", "return_to=/orders")
    response = site.at_provider(began["location"])
    wrong = site.ask("/callback?state=wrong&code=c")
    assert (wrong.status_code, "binding_missing" in wrong.content.decode()) == (400, True)

    assert site.bring(response)["location"] == "/orders"
    assert site.bring(response)["location"] == "/"
    replayed = site.bring(response, browser=site.another())
    assert replayed.status_code == 400


def test_the_provider_is_down(project: Made) -> None:
    site = project()
    began = site.ask("/login?next=/orders")
    response = site.at_provider(began["location"])
    site.transport.down = True

    reply = site.bring(response)

    assert reply.status_code == 503
    assert site.ask("/").content == b"nobody 1"


def test_forms_need_djangos_token(project: Made) -> None:
    site = project(LOGIN_BY_GET=False)
    strict = site.another(enforce_csrf_checks=True)
    named: dict[str, Any] = {"browser": strict, "headers": {"referer": f"{BASE}/"}}

    assert site.post("/login", **named).status_code == 403
    page = site.ask("/login?next=/orders", browser=strict)
    assert "default-src 'none'" in page["content-security-policy"]
    began = site.post("/login", _form(page.content.decode()), **named)
    assert began.status_code == 303
    assert site.bring(site.at_provider(began["location"]), browser=strict)["location"] == "/orders"

    assert site.post("/logout", **named).status_code == 403
    assert site.ask("/mine", browser=strict).status_code == 200
    page = site.ask("/logout", browser=strict)
    assert site.post("/logout", _form(page.content.decode()), **named).status_code == 303
    assert site.ask("/mine", browser=strict).status_code == 303


def test_a_form_of_another_site_is_refused(project: Made) -> None:
    site = project(LOGIN_BY_GET=False)

    assert site.post("/login", headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_the_callback_may_be_a_form(project: Made) -> None:
    site = project(REQUEST=AuthenticationRequest(response_mode="form_post"))
    strict = site.another(enforce_csrf_checks=True)

    assert site.log_in(browser=strict)["location"] == "/orders"
    assert site.ask("/mine", browser=strict).content == b"alice Alice Adams"


def test_a_form_of_several_parts_is_no_trouble(project: Made) -> None:
    site = project(LOGIN_BY_GET=False)

    reply = site.browser.post("/login", {"next": "/orders"}, secure=True, headers=SAME_SITE)

    assert site.bring(site.at_provider(reply["location"]))["location"] == "/orders"


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_next_leads_nowhere_else(project: Made, place: str) -> None:
    site = project()
    began = site.ask(f"/login?next={place}")

    assert site.bring(site.at_provider(began["location"]))["location"] == "/"


def test_a_page_for_others_does_not_go_round_in_circles(project: Made) -> None:
    site = project()
    site.log_in()
    asked = site.ask("/staff")
    assert asked.status_code == 302

    reply = site.ask(asked["location"])

    assert reply.status_code == 403
    assert '<a href="/staff">Try the page again</a>' in reply.content.decode()
    assert "csrfmiddlewaretoken" in reply.content.decode()


def test_a_closed_account_does_not_go_round_in_circles(project: Made) -> None:
    site = project()
    site.log_in()
    User.objects.update(is_active=False)

    asked = site.ask("/orders")
    began = site.ask(asked["location"])
    reply = site.bring(site.at_provider(began["location"]))

    assert (reply.status_code, "account_refused" in reply.content.decode()) == (403, True)
    assert site.ask("/").content.startswith(b"nobody")


def test_a_script_gets_a_status(project: Made) -> None:
    site = project()

    reply = site.ask("/mine", headers=FETCH)
    htmx = site.ask("/mine", headers={"hx-request": "true"})

    assert (reply.status_code, reply.json()["error"]) == (401, "login_required")
    assert (htmx.status_code, htmx["hx-redirect"]) == (401, "/login")


def test_an_error_in_a_view_is_a_page(project: Made) -> None:
    site = project()
    reply = site.ask("/later")

    assert (reply.status_code, reply["retry-after"]) == (503, "3")
    assert "Please try again in a few minutes" in reply.content.decode()


def test_a_session_that_is_gone_at_the_provider_ends(project: Made) -> None:
    site = project()
    site.log_in()

    assert site.ask("/ended").status_code == 400
    assert site.ask("/orders").status_code == 302


def test_the_tokens_of_nobody(project: Made) -> None:
    site = project()
    site.browser.raise_request_exception = False

    assert site.ask("/wrong").status_code == 500


def test_views_that_await(project: Made) -> None:
    site = project()
    reply = _awaited(site, "/awaiting")
    assert (reply.status_code, reply["location"]) == (303, "/login?return_to=%2Fawaiting")
    site.log_in()

    assert _awaited(site, "/awaiting", site.browser).content == b"alice Alice True"
    assert _awaited(site, "/orders", site.browser).status_code == 200
    later = _awaited(site, "/awaited-later", site.browser)
    assert (later.status_code, later["retry-after"]) == (503, "3")
    site.told(sub="alice")
    assert _awaited(site, "/awaiting", site.browser).status_code == 303


def test_a_whole_login_by_asgi(project: Made) -> None:
    site = project()
    client = site.awaiting()

    async def visit() -> Any:
        asked = await client.get("/mine", secure=True, headers=SAME_SITE)
        began = await client.get(asked["location"], secure=True, headers=SAME_SITE)
        response = site.at_provider(began["location"])
        back = await client.get(response.url.removeprefix(BASE), secure=True, headers=SAME_SITE)
        return await client.get(back["location"], secure=True, headers=SAME_SITE)

    assert async_to_sync(visit)().content == b"alice Alice Adams"


def test_a_project_whose_pages_all_need_a_login(project: Made) -> None:
    site = project(MIDDLEWARE=(*MIDDLEWARE, ALWAYS))
    assert site.log_in("/orders")["location"] == "/orders"
    assert site.ask("/").content == b"somebody 1"
    assert site.told(sub="alice").status_code == 200

    assert site.ask("/").status_code == 302


def test_the_signals_are_djangos(project: Made) -> None:
    heard: list[str] = []

    def entered(user: Any, **_: Any) -> None:
        heard.append(f"in {user.first_name}")

    def left(user: Any, **_: Any) -> None:
        heard.append(f"out {user.first_name}")

    user_logged_in.connect(entered)
    user_logged_out.connect(left)
    site = project()
    try:
        site.log_in()
        site.post("/logout")
    finally:
        user_logged_in.disconnect(entered)
        user_logged_out.disconnect(left)

    assert heard == ["in Alice", "out Alice"]


def test_the_admin_is_entered_by_the_provider(project: Made) -> None:
    site = project(USER_OF="tests.adapters.web.django.test_accounts.a_superuser")
    site.log_in()

    page = site.ask("/admin/")

    assert (page.status_code, "Site administration" in page.content.decode()) == (200, True)
    assert site.post("/admin/logout/").status_code == 200
    assert site.ask("/mine").status_code == 303


def test_a_frame_of_the_provider(project: Made) -> None:
    site = project()
    response = None
    began = site.ask("/login")
    response = site.at_provider(began["location"])
    site.bring(response)
    assert response.session is not None

    query = f"iss={site.provider.issuer}&sid={response.session.sid}"
    reply = site.ask(f"/frontchannel-logout?{query}")

    assert reply.status_code == 200
    assert "x-frame-options" not in reply
    assert site.ask("/orders").status_code == 302


_PASSWORDS = "django.contrib.auth.backends.ModelBackend"
SAME_SITE = {
    "accept": "text/html",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": "same-origin",
}


def _awaited(site: Project, target: str, browser: Any = None) -> Any:
    client = site.awaiting()
    if browser is not None:
        client.cookies = browser.cookies
    return async_to_sync(client.get)(target, secure=True, headers=SAME_SITE)


def _form(page: str) -> str:
    """Return the body that the form of a page posts."""
    import re
    from html import unescape
    from urllib.parse import urlencode

    found = re.findall(r'name="([^"]*)" value="([^"]*)"', page)
    return urlencode([(unescape(name), unescape(value)) for name, value in found])
