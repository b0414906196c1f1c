"""What a request says: navigation or script, this site or another, and the way back."""

from __future__ import annotations

from typing import Any, Final

import pytest

from oidc_adapters.web.requests import WebRequest, path_below
from oidc_core.wire.errors import CallbackError, UsageError
from tests.parties import refused

ORIGIN: Final = "https://rp.example:443"
HTML: Final = {"accept": "text/html,*/*;q=0.8"}
NAVIGATE: Final = {**HTML, "sec-fetch-mode": "navigate"}


def request(headers: dict[str, str], method: str = "GET", **named: Any) -> WebRequest:
    return WebRequest.of(method, "/orders", headers=headers.items(), **named)


@pytest.mark.parametrize(
    ("headers", "navigates"),
    [
        ({**NAVIGATE, "sec-fetch-dest": "document"}, True),
        ({**NAVIGATE, "sec-fetch-dest": "iframe"}, True),
        ({**NAVIGATE, "sec-fetch-dest": "object"}, False),
        ({**HTML, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, False),
        ({"accept": "*/*", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, False),
        ({**NAVIGATE, "hx-request": "true"}, False),
        ({**NAVIGATE, "sec-purpose": "prefetch;prerender"}, False),
        ({**NAVIGATE, "purpose": "prefetch"}, False),
        (HTML, True),
        ({"accept": "*/*"}, False),
        ({"accept": "application/json"}, False),
        ({"accept": "text/html, application/json"}, False),
        ({**HTML, "x-requested-with": "XMLHttpRequest"}, False),
        ({}, False),
    ],
)
def test_a_navigation_is_told_from_everything_else(
    headers: dict[str, str], navigates: bool
) -> None:
    assert request(headers).navigates is navigates


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://rp.example"}, False),
        ({"origin": "https://rp.example"}, True),
        ({"origin": "https://RP.example:443"}, True),
        ({"origin": "http://rp.example"}, False),
        ({"origin": "https://rp.example.evil.example"}, False),
        ({"origin": "null"}, False),
        ({}, False),
    ],
)
def test_a_form_of_this_application_is_told_from_others(
    headers: dict[str, str], ours: bool
) -> None:
    assert request(headers, "POST").is_from(ORIGIN) is ours


@pytest.mark.parametrize(
    ("made", "way_back"),
    [
        (request(NAVIGATE), "/orders"),
        (request(NAVIGATE, query="page=2"), "/orders?page=2"),
        (request(NAVIGATE, "POST"), ""),
        (request({"accept": "*/*"}), ""),
        (WebRequest.of("GET", "//evil.example", headers=NAVIGATE.items()), ""),
        (WebRequest.of("GET", "/" + 1024 * "a", headers=NAVIGATE.items()), ""),
        (request({"hx-request": "true", "hx-current-url": "https://rp.example/a?b#c"}), "/a?b"),
        (request({"hx-request": "true", "hx-current-url": "https://rp.example"}), "/"),
        (request({"hx-request": "true", "hx-current-url": "https://evil.example/a"}), ""),
        (request({"hx-request": "true"}), ""),
    ],
)
def test_the_way_back_is_the_page_of_the_user(made: WebRequest, way_back: str) -> None:
    assert made.way_back(ORIGIN) == way_back


def test_wsgi() -> None:
    environ: dict[str, object] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/app",
        "PATH_INFO": "/caf\xc3\xa9 1",
        "QUERY_STRING": "a=%20",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "HTTP_COOKIE": "a=b",
        "HTTP_SEC_FETCH_MODE": "navigate",
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "wsgi.input": object(),
    }
    made = WebRequest.of_wsgi(environ, b"c=d")

    assert (made.method, made.path, made.query) == ("POST", "/app/caf%C3%A9%201", "a=%20")
    assert dict(made.headers) == {
        "content-type": "application/x-www-form-urlencoded",
        "cookie": "a=b",
        "sec-fetch-mode": "navigate",
    }
    assert (made.parameter("c"), made.parameter("a"), made.parameter("z")) == ("d", " ", "")


@pytest.mark.parametrize("raw", [b"/app/caf%C3%A9", None])
def test_asgi(raw: bytes | None) -> None:
    scope: dict[str, object] = {
        "method": "GET",
        "path": "/app/caf\xe9",
        "raw_path": raw,
        "query_string": b"a=b",
        "headers": [(b"cookie", b"a=b"), (b"Cookie", b"c=d"), (b"accept", b"x"), (b"accept", b"y")],
    }
    made = WebRequest.of_asgi(scope)

    assert (made.method, made.path, made.query) == ("GET", "/app/caf%C3%A9", "a=b")
    assert dict(made.headers) == {"cookie": "a=b; c=d", "accept": "x, y"}


@pytest.mark.parametrize(
    ("path", "raw", "root", "expected"),
    [
        ("/app/login", b"/app/login", "/app", "/app/login"),  # uvicorn --root-path
        ("/app/login", b"/app/login", "/app/", "/app/login"),
        ("/login", b"/login", "/app", "/app/login"),  # FastAPI(root_path=...), test clients
        ("/app/login", b"/login", "/app", "/app/login"),
        ("/app", None, "/app", "/app"),
        ("/application", None, "/app", "/app/application"),
        ("/caf\xe9/a", b"/caf%c3%a9/a", "/caf\xe9", "/caf%c3%a9/a"),
        ("/a", b"/a", "/caf\xe9", "/caf%C3%A9/a"),
        ("/login", b"/login?a=b", "", "/login"),
    ],
)
def test_the_mount_of_an_asgi_application_is_part_of_the_path(
    path: str, raw: bytes | None, root: str, expected: str
) -> None:
    scope: dict[str, object] = {"path": path, "raw_path": raw, "root_path": root}

    assert WebRequest.of_asgi(scope).path == expected


def test_a_request_that_opens_a_websocket() -> None:
    assert WebRequest.of_asgi({"type": "websocket", "path": "/"}).is_websocket
    assert WebRequest.of("GET", "/", headers=[("Upgrade", "WebSocket")]).is_websocket
    assert not WebRequest.of_asgi({"type": "http", "path": "/"}).is_websocket


@pytest.mark.parametrize(
    ("path", "root", "below"),
    [
        ("/app/a", "/app", "/a"),
        ("/app", "/app", "/"),
        ("/app/", "/app", "/"),
        ("/a", "", "/a"),
        ("/application", "/app", None),
        ("/", "/app", None),
    ],
)
def test_a_path_below_a_mount(path: str, root: str, below: str | None) -> None:
    assert path_below(path, root) == below


def test_the_request_as_a_client_takes_it() -> None:
    made = WebRequest.of("GET", "/callback", query="code=c", headers=[("cookie", "a=b")])
    incoming = made.incoming("https://rp.example/callback")

    assert (incoming.url, incoming.query) == ("https://rp.example/callback", "code=c")
    assert incoming.cookies == (("a", "b"),)
    other = WebRequest.of("PUT", "/callback")
    refused(CallbackError, "method_unexpected", lambda: other.incoming("https://rp.example/"))


def test_no_secret_shows() -> None:
    made = WebRequest.of("GET", "/callback", query="code=secret", headers=[("cookie", "secret")])

    assert "secret" not in repr(made)


def test_values_are_judged() -> None:
    wrong: Any = 1
    for call in (
        lambda: WebRequest.of(wrong, "/"),
        lambda: WebRequest.of("GET", wrong),
        lambda: WebRequest.of("GET", "/", query=wrong),
        lambda: WebRequest.of("GET", "/", headers=[("cookie", wrong)]),
        lambda: WebRequest.of("GET", "/", body=wrong),
    ):
        refused(UsageError, "parameter_invalid", call)
