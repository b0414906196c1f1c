"""Applications under comparison: how one asks them, in memory, without a framework's own client.

An answer is what a server would send, an exception of the application a 500.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@frozen(kw_only=True)
class Request:
    """A request with all its headers."""

    path: str
    headers: Mapping[str, str]
    method: str = "GET"
    body: bytes = b""


@frozen(kw_only=True)
class Answer:
    """An answer.

    Attributes:
        status: the status.
        location: where it sends a browser, or empty.
        cookies: its ``Set-Cookie`` headers, in order.
        text: its body.
    """

    status: int
    location: str = ""
    cookies: tuple[str, ...] = ()
    text: str = field(default="", repr=False)


class Site(Protocol):
    """An application."""

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """Send requests at the same time, and return their answers in order."""
        ...

    def close(self) -> None:
        """End the application."""
        ...


class WsgiSite:
    """A WSGI application; each request has its thread."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """Send requests at the same time."""
        if len(requests) == 1:
            return [self._answer(requests[0])]
        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(self._answer, requests))

    def close(self) -> None:
        """Do nothing: WSGI tells no application that it ends."""

    def _answer(self, request: Request) -> Answer:
        from werkzeug.test import Client

        client = Client(self._app, use_cookies=False)
        response = client.open(
            request.path, method=request.method, headers=dict(request.headers), data=request.body
        )
        return _answer(response.status_code, response.headers.items(), response.get_data())


class AsgiSite:
    """An ASGI application; all requests are in one event loop."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._runner = asyncio.Runner()
        self._life = app.router.lifespan_context(app)
        self._runner.run(self._life.__aenter__())

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """Send requests at the same time."""
        return self._runner.run(self._ask(requests))

    def close(self) -> None:
        """Let the application end, and then its loop."""
        self._runner.run(self._life.__aexit__(None, None, None))
        self._runner.close()

    async def _ask(self, requests: Sequence[Request]) -> list[Answer]:
        return list(await asyncio.gather(*[self._answer(each) for each in requests]))

    async def _answer(self, request: Request) -> Answer:
        import httpx

        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            response = await client.request(
                request.method, request.path, headers=dict(request.headers), content=request.body
            )
        return _answer(response.status_code, response.headers.multi_items(), response.content)


def _answer(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
    named = [(name.lower(), value) for name, value in headers]
    return Answer(
        status=status,
        location=next((value for name, value in named if name == "location"), ""),
        cookies=tuple([value for name, value in named if name == "set-cookie"]),
        text=body.decode("utf-8", "replace"),
    )
