"""Answers that no cache keeps, and that tell no other site where the browser was."""

from __future__ import annotations

from oidc_adapters.web import answers
from oidc_adapters.web.pages import Failure, Page, WayOn, page_html
from oidc_core.wire.cookies import SetCookie

COOKIES = (SetCookie("a", "1", 60, "Lax", True), SetCookie("b", "", 0, "Lax", True))
FORM = WayOn(label="Log in", url="/login", method="post")
LINK = WayOn(label="Home", url="/")


def test_a_redirect_sets_its_cookies_in_order() -> None:
    reply = answers.redirect("/caf\xe9 \r\n<", COOKIES)

    assert reply.status == 303
    assert reply.headers == (
        ("cache-control", "no-store"),
        ("location", "/caf%C3%A9%20%0D%0A<"),
        ("referrer-policy", "no-referrer"),
        ("set-cookie", COOKIES[0].header),
        ("set-cookie", COOKIES[1].header),
    )


def test_a_url_keeps_its_escapes() -> None:
    url = "https://op.example/authorize?scope=openid%20email&state=%2B"

    assert answers.redirect(url).header("location") == url


def test_htmx() -> None:
    reply = answers.led_by_htmx(401, "/login", COOKIES)

    assert (reply.status, reply.header("hx-redirect")) == (401, "/login")
    assert reply.header("location") is None
    assert reply.header("cache-control") == "no-store"


def test_json() -> None:
    reply = answers.told(503, {"error": "x"}, COOKIES, after=3)

    assert (reply.status, reply.body) == (503, b'{"error":"x"}')
    assert reply.header("retry-after") == "3"
    assert answers.told(401, {}).header("retry-after") is None


def test_a_page_with_a_form_names_its_origin_and_no_more() -> None:
    form = answers.shown(Page(title="t", text="x", ways=(FORM, LINK)), page_html)
    link = answers.shown(Page(title="t", text="x", ways=(LINK,)), page_html)

    assert form.header("referrer-policy") == "strict-origin"
    assert link.header("referrer-policy") == "no-referrer"
    for reply in (form, link):
        assert reply.header("cache-control") == "no-store"
        assert reply.header("x-content-type-options") == "nosniff"
        policy = reply.header("content-security-policy") or ""
        assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_a_page_of_the_application_has_its_own_policy() -> None:
    page = Failure(title="t", text="x", ways=(), kind="later", code="c", status=503, retry_after=9)
    reply = answers.shown(page, lambda each: f"own {each.title}", COOKIES)

    assert (reply.status, reply.body) == (503, b"own t")
    assert reply.header("content-security-policy") is None
    assert reply.header("retry-after") == "9"


def test_a_method_that_is_not_taken() -> None:
    reply = answers.only("GET, POST")

    assert (reply.status, reply.header("allow")) == (405, "GET, POST")
