"""Requests to an application without sockets, and what a server makes of its failures."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from oidc_adapters.testing.applications.callers import (
    LARGEST_COOKIE,
    AsgiCaller,
    WsgiCaller,
    caller_of,
)
from oidc_adapters.testing.applications.visits import SentRequest

REQUEST = SentRequest(
    method="POST",
    url="https://app.example:8443/a%20%C3%A9/b?q=%2F",
    headers=(("content-type", "text/plain"), ("x-own", "1")),
    body=b"body",
)


class Closed:
    """The parts of an answer, which are closed."""

    closed = False

    def __iter__(self) -> Any:
        yield b"hello "
        yield b"world"

    def close(self) -> None:
        Closed.closed = True


def test_a_wsgi_application_is_asked_as_a_server_does() -> None:
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start: Any) -> Any:
        seen.update(environ)
        seen["body"] = environ["wsgi.input"].read()
        environ["wsgi.errors"].write("told")
        start("201 Created", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return Closed()

    answer = WsgiCaller(application).ask(REQUEST)

    assert (answer.status, answer.body, answer.told) == (201, b"hello world", "told")
    assert answer.every("set-cookie") == ("a=1", "b=2")
    assert Closed.closed
    assert seen["PATH_INFO"] == "/a \xc3\xa9/b"
    assert (seen["QUERY_STRING"], seen["REQUEST_METHOD"]) == ("q=%2F", "POST")
    assert (seen["CONTENT_TYPE"], seen["HTTP_X_OWN"], seen["body"]) == ("text/plain", "1", b"body")
    assert (seen["HTTP_HOST"], seen["SERVER_PORT"]) == ("app.example:8443", "8443")
    assert (seen["wsgi.url_scheme"], seen["REQUEST_URI"]) == ("https", "/a%20%C3%A9/b?q=%2F")


def test_an_asgi_application_is_asked_as_a_server_does() -> None:
    seen: dict[str, Any] = {}
    lived: list[str] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for name in ("startup", "shutdown"):
                lived.append((await receive())["type"])
                await send({"type": f"lifespan.{name}.complete"})
            return
        seen.update(scope)
        seen["messages"] = [await receive(), await receive()]
        await send(
            {"type": "http.response.start", "status": 201, "headers": [(b"Set-Cookie", b"a=1")]}
        )
        await send({"type": "http.response.body", "body": b"hello ", "more_body": True})
        await send({"type": "http.response.body", "body": b"world"})

    caller = AsgiCaller(application)
    assert lived == ["lifespan.startup"]
    answer = caller.ask(REQUEST)
    caller.close()

    assert lived == ["lifespan.startup", "lifespan.shutdown"]
    assert (answer.status, answer.body, answer.every("set-cookie")) == (
        201, b"hello world", ("a=1",),
    )  # fmt: skip
    assert (seen["path"], seen["raw_path"]) == ("/a \xe9/b", b"/a%20%C3%A9/b")
    assert (seen["query_string"], seen["method"], seen["scheme"]) == (b"q=%2F", "POST", "https")
    assert (b"host", b"app.example:8443") in seen["headers"]
    assert [each["type"] for each in seen["messages"]] == ["http.request", "http.disconnect"]


def test_an_asgi_application_may_have_no_life() -> None:
    async def application(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError(scope["type"])
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    caller = AsgiCaller(application)
    assert caller.ask(REQUEST).status == 204
    caller.close()


def test_what_an_application_lets_go_is_a_500() -> None:
    def waits(_environ: dict[str, Any], _start: Any) -> Any:
        raise LookupError("waits")

    async def awaits(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.sleep(0)
        raise LookupError("awaits")

    caller = AsgiCaller(awaits)
    for found, word in ((WsgiCaller(waits).ask(REQUEST), "waits"), (caller.ask(REQUEST), "awaits")):
        assert found.status == 500
        assert f"LookupError: {word}" in found.told
    caller.close()


def test_an_application_that_answers_nothing_is_a_500() -> None:
    async def application(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.sleep(0)

    caller = AsgiCaller(application)
    assert caller.ask(REQUEST).status == 500
    caller.close()


def test_an_end_of_the_process_is_none_of_an_application() -> None:
    def application(_environ: dict[str, Any], _start: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        WsgiCaller(application).ask(REQUEST)


def test_a_header_with_a_line_end_is_a_500() -> None:
    def application(_environ: dict[str, Any], start: Any) -> Any:
        start("303 See Other", [("Location", "/\r\nSet-Cookie: a=1")])
        return []

    answer = WsgiCaller(application).ask(REQUEST)
    assert (answer.status, answer.headers) == (500, ())
    assert "location" in answer.told


def test_too_many_cookies_are_refused_before_the_application() -> None:
    cookie = "a" * (LARGEST_COOKIE + 1)
    request = SentRequest(method="GET", url="https://app.example/", headers=(("cookie", cookie),))
    caller = AsgiCaller(Called())

    assert WsgiCaller(nothing).ask(request).status == 431
    assert caller.ask(request).status == 431
    caller.close()


def nothing(_environ: dict[str, Any], _start: Any) -> list[bytes]:
    return []


class Called:
    """An application that is an object."""

    async def __call__(self, _scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.sleep(0)


def test_an_application_says_by_its_kind_how_it_is_asked() -> None:
    async def awaits(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.sleep(0)

    for application in (awaits, Called()):
        caller = caller_of(application)
        assert isinstance(caller, AsgiCaller)
        caller.close()
    waiting = caller_of(nothing)
    assert isinstance(waiting, WsgiCaller)
    waiting.close()
