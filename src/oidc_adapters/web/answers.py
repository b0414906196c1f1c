"""Answers of the web routes: redirects, pages and JSON, none of which a cache keeps."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from attrs import evolve

from oidc_adapters.web.pages import PAGE_POLICY, Failure, Page, page_html
from oidc_adapters.web.web_setup import Draw
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.jsontypes import JsonObject, render
from oidc_core.wire.replies import NO_STORE, Reply

_NO_REFERRER: Final = ("referrer-policy", "no-referrer")
_ORIGIN_ONLY: Final = ("referrer-policy", "strict-origin")
_HTML: Final = ("content-type", "text/html; charset=utf-8")
_JSON: Final = ("content-type", "application/json")
_NO_SNIFFING: Final = ("x-content-type-options", "nosniff")
_ASCII: Final = "".join([chr(each) for each in range(0x21, 0x7F)])


def redirect(url: str, cookies: Iterable[SetCookie] = ()) -> Reply:
    """Send a browser elsewhere, with a GET (303, RFC 9110 §15.4.4)."""
    return _reply(303, (("location", ascii_url(url)), _NO_REFERRER), cookies)


def led_by_htmx(status: int, url: str, cookies: Iterable[SetCookie] = ()) -> Reply:
    """Have HTMX send the whole page elsewhere."""
    return _reply(status, (("hx-redirect", ascii_url(url)), _NO_REFERRER), cookies)


def told(
    status: int,
    members: dict[str, str],
    cookies: Iterable[SetCookie] = (),
    after: int | None = None,
) -> Reply:
    """Answer a script with JSON."""
    later = () if after is None else (("retry-after", str(after)),)
    headers = (_JSON, _NO_REFERRER, *later)
    return _reply(status, headers, cookies, render(JsonObject(members)).encode("ascii"))


def shown(page: Page, draw: Draw, cookies: Iterable[SetCookie] = ()) -> Reply:
    """Show a page.

    A page with a form names its origin to where the form goes: browsers that know no
    ``Sec-Fetch-Site`` would say ``Origin: null`` otherwise.
    """
    posts = any(each.method == "post" for each in page.ways)
    headers: list[tuple[str, str]] = [_HTML, _ORIGIN_ONLY if posts else _NO_REFERRER, _NO_SNIFFING]
    if draw is page_html:
        headers.append(("content-security-policy", PAGE_POLICY))
    if isinstance(page, Failure) and page.retry_after is not None:
        headers.append(("retry-after", str(page.retry_after)))
    return _reply(page.status, headers, cookies, draw(page).encode("utf-8", "replace"))


def only(methods: str) -> Reply:
    """Refuse a method (RFC 9110 §15.5.6)."""
    return _reply(405, (("allow", methods), _NO_REFERRER), ())


def private(reply: Reply) -> Reply:
    """Return an answer to a provider, which tells no other site where it was."""
    return evolve(reply, headers=(*reply.headers, _NO_REFERRER))


def ascii_url(url: str) -> str:
    """Return a URL with everything escaped that no header takes."""
    return quote(url, safe=_ASCII)


def _reply(
    status: int,
    headers: Iterable[tuple[str, str]],
    cookies: Iterable[SetCookie],
    body: bytes = b"",
) -> Reply:
    set_cookies = [("set-cookie", cookie.header) for cookie in cookies]
    return Reply(status=status, headers=(NO_STORE, *headers, *set_cookies), body=body)
