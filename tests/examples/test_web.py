"""The applications in `examples/web`: a whole login in each, by the framework's own test client."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.testing import InMemoryTransport
from tests.adapters.web.asgi_site import client_of, settings_for
from tests.adapters.web.visiting import BASE, CLIENT, FETCH, NAVIGATION
from tests.flows.rig import honest_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from oidc_adapters.testing import FakeProvider

    Ask = Callable[..., "Answer"]


class Answer:
    """An answer, as each of the test clients tells it."""

    def __init__(self, status: int, headers: Any, text: str) -> None:
        self.status = status
        self.headers = headers
        self.text = text


@contextmanager
def wsgi(config: dict[str, Any], provider: FakeProvider) -> Generator[Ask]:
    werkzeug: Any = pytest.importorskip("werkzeug.test", reason="werkzeug is not installed")
    from examples.web.wsgi import application

    transport = InMemoryTransport(provider)
    client = werkzeug.Client(application({**config, "OIDC_TRANSPORT": transport}))

    def ask(path: str, method: str = "GET", content: bytes = b"", **headers: str) -> Answer:
        found = client.open(
            path, method=method, data=content, headers=_plain(headers), base_url=BASE
        )
        return Answer(found.status_code, found.headers, found.text)

    yield ask


@contextmanager
def asgi(config: dict[str, Any], provider: FakeProvider) -> Generator[Ask]:
    pytest.importorskip("starlette", reason="Starlette's test client is used")
    from examples.web.asgi import application

    with client_of(application(config)) as client:
        yield _asking(client)


@contextmanager
def litestar(config: dict[str, Any], provider: FakeProvider) -> Generator[Ask]:
    testing: Any = pytest.importorskip("litestar.testing", reason="Litestar is not installed")
    from examples.web.litestar_app import application

    with testing.TestClient(application(config), base_url=BASE) as client:
        client.follow_redirects = False
        yield _asking(client)


def _asking(client: Any) -> Ask:
    def ask(path: str, method: str = "GET", content: bytes = b"", **headers: str) -> Answer:
        found = client.request(method, path, content=content, headers=_plain(headers))
        return Answer(found.status_code, found.headers, found.text)

    return ask


@contextmanager
def aiohttp(config: dict[str, Any], provider: FakeProvider) -> Generator[Ask]:
    package: Any = pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    utils: Any = pytest.importorskip("aiohttp.test_utils")
    from examples.web.aiohttp_app import application

    with asyncio.Runner() as runner:

        async def opened() -> Any:
            port = utils.unused_port()
            jar = package.CookieJar(unsafe=True, treat_as_secure_origin=f"http://127.0.0.1:{port}")
            server = utils.TestServer(application(config), port=port)
            client = utils.TestClient(server, cookie_jar=jar)
            await client.start_server()
            return client

        client = runner.run(opened())

        def ask(path: str, method: str = "GET", content: bytes = b"", **headers: str) -> Answer:
            async def asked() -> Answer:
                found = await client.request(
                    method, path, data=content, headers=_plain(headers), allow_redirects=False
                )
                return Answer(found.status, found.headers, await found.text())

            answer: Answer = runner.run(asked())
            return answer

        try:
            yield ask
        finally:
            runner.run(client.close())


def _plain(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in (headers or NAVIGATION).items()}


SITES: Final[list[Any]] = [wsgi, asgi, litestar, aiohttp]
EACH: Final = pytest.mark.parametrize("site", SITES, ids=lambda site: site.__name__)


@EACH
def test_a_whole_visit(site: Any) -> None:
    provider = honest_provider(clients=(CLIENT,))
    with site(settings_for(provider), provider) as ask:
        challenge = ask("/?page=2")
        assert challenge.status == 303
        started = ask(challenge.headers["location"])
        arrived = provider.authorize(started.headers["location"], SystemClock().now())
        back = ask(arrived.url.removeprefix(BASE))
        assert (back.status, back.headers["location"]) == (303, "/?page=2")
        page = ask("/?page=2")
        assert (page.status, page.headers["cache-control"]) == (200, "no-store")
        assert "Hello Alice Adams" in page.text

        left = ask("/logout", "POST")
        assert left.status == 303
        home = provider.end_session(left.headers["location"], now=SystemClock().now())
        assert home is not None
        assert ask(home.removeprefix(BASE)).headers["location"] == "/"
        assert ask("/").status == 303


@EACH
def test_a_script_gets_a_status(site: Any) -> None:
    provider = honest_provider(clients=(CLIENT,))
    with site(settings_for(provider), provider) as ask:
        told = ask("/", **FETCH)

        assert told.status == 401
        assert told.headers["content-type"] == "application/json"
        assert told.text == '{"error":"login_required","login_url":"/login"}'


@EACH
def test_the_provider_logs_a_user_out(site: Any) -> None:
    provider = honest_provider(clients=(CLIENT,))
    with site(settings_for(provider), provider) as ask:
        started = ask("/login")
        arrived = provider.authorize(started.headers["location"], SystemClock().now())
        ask(arrived.url.removeprefix(BASE))
        assert ask("/").status == 200

        told = provider.backchannel_logout(SystemClock().now(), sub="alice")
        kind = {"content_type": told.content_type}
        assert ask("/backchannel-logout", "POST", told.form, **kind).status == 200

        assert ask("/").status == 303
        too_long = ask("/backchannel-logout", "POST", b"a" * 131_073, **kind)
        assert too_long.status == 413


@EACH
def test_a_provider_that_is_down(site: Any) -> None:
    provider = honest_provider(clients=(CLIENT,), misbehave="metadata_500")
    with site(settings_for(provider), provider) as ask:
        page = ask("/login")

        assert page.status == 503
        assert "Please try again in a few minutes" in page.text


@pytest.mark.parametrize("site", [litestar, aiohttp], ids=["litestar", "aiohttp"])
def test_tokens(site: Any) -> None:
    provider = honest_provider(clients=(CLIENT,))
    with site(settings_for(provider), provider) as ask:
        assert ask("/tokens").status == 303
        started = ask("/login")
        arrived = provider.authorize(started.headers["location"], SystemClock().now())
        ask(arrived.url.removeprefix(BASE))

        assert '"expires_at":' in ask("/tokens").text
