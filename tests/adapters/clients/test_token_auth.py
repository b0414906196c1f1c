"""The rules of ``auth=`` for httpx and httpx2, each over real connections."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import pytest

from oidc_core.machine.grants import YOUNG
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import OidcError, UsageError
from tests.adapters.clients.resources import Resources
from tests.adapters.clients.test_session_tokens import LIFETIME, Site, site
from tests.flows.rig import run_asyncio, run_trio

LIBRARIES = pytest.mark.parametrize("name", ["httpx", "httpx2"])
BOTH = pytest.mark.parametrize("run", [run_asyncio, run_trio])
AT_ONCE = 50


def library(name: str) -> Any:
    return pytest.importorskip(name)


def auth_of(name: str, here: Site, **settings: Any) -> Any:
    module = import_module(f"oidc_adapters.clients.{name}_auth")
    kind = getattr(module, f"{name.capitalize()}Auth")
    return kind(here.tokens, **settings)


@pytest.fixture
def resources() -> Iterator[Resources]:
    with Resources() as made:
        yield made


@LIBRARIES
def test_fifty_threads_at_expiry_make_one_exchange(name: str, resources: Resources) -> None:
    httpx, here = library(name), site()
    old = here.fresh().access_token
    here.clock.advance(LIFETIME)
    auth = auth_of(name, here)
    with httpx.Client(auth=auth) as client, ThreadPoolExecutor(AT_ONCE) as threads:
        answers = [*threads.map(client.get, [resources.url] * AT_ONCE)]

    assert [answer.status_code for answer in answers] == [200] * AT_ONCE
    assert here.exchanges == 1
    assert {token for token, _ in resources.seen} == {here.fresh().access_token}
    assert old not in {token for token, _ in resources.seen}


@LIBRARIES
def test_fifty_threads_with_a_refused_token_make_one_exchange(
    name: str, resources: Resources
) -> None:
    httpx, here = library(name), site()
    old = here.fresh().access_token
    resources.refused.add(old)
    here.clock.advance(YOUNG)
    with httpx.Client(auth=auth_of(name, here)) as client, ThreadPoolExecutor(AT_ONCE) as threads:
        answers = [*threads.map(client.get, [resources.url] * AT_ONCE)]

    assert [answer.status_code for answer in answers] == [200] * AT_ONCE
    assert here.exchanges == 1
    assert len({token for token, _ in resources.seen}) <= 2


async def together(run: Any, calls: list[Any]) -> list[Any]:
    found: list[Any] = []

    async def one(call: Any) -> None:
        found.append(await call())

    import anyio

    async with anyio.create_task_group() as group:
        for call in calls:
            group.start_soon(one, call)
    return found


@BOTH
@LIBRARIES
@pytest.mark.parametrize("reason", ["expiry", "refused"])
def test_fifty_tasks_make_one_exchange(
    name: str, run: Any, reason: str, resources: Resources
) -> None:
    httpx, here = library(name), site(awaits=True)
    old = here.fresh().access_token
    if reason == "expiry":
        here.clock.advance(LIFETIME)
    else:
        resources.refused.add(old)
        here.clock.advance(YOUNG)

    async def main() -> list[Any]:
        async with httpx.AsyncClient(auth=auth_of(name, here)) as client:

            async def call() -> int:
                status: int = (await client.get(resources.url)).status_code
                return status

            return await together(run, [call] * AT_ONCE)

    assert run(main) == [200] * AT_ONCE
    assert here.exchanges == 1


@LIBRARIES
def test_a_request_is_sent_again_once(name: str, resources: Resources) -> None:
    httpx, here = library(name), site()
    first = here.fresh().access_token
    resources.refused.add(first)
    here.clock.advance(YOUNG)
    with httpx.Client(auth=auth_of(name, here)) as client:
        answer = client.post(resources.url, content=b"the body")

    assert (answer.status_code, answer.content) == (200, b"the body")
    assert [body for _, body in resources.seen] == [b"the body"] * 2
    assert resources.seen[0][0] == first


class RefusesAll(set[str]):
    def __contains__(self, token: object) -> bool:
        return True


@LIBRARIES
def test_it_gives_up_after_the_second(name: str, resources: Resources) -> None:
    httpx, here = library(name), site()
    resources.refused = RefusesAll()
    here.clock.advance(YOUNG)
    with httpx.Client(auth=auth_of(name, here)) as client:
        assert client.get(resources.url).status_code == 401
    assert (len(resources.seen), here.exchanges) == (2, 1)


@LIBRARIES
def test_a_token_just_issued_that_is_refused_leaves_the_401_to_the_application(
    name: str, resources: Resources
) -> None:
    httpx, here = library(name), site()
    resources.refused = RefusesAll()
    with httpx.Client(auth=auth_of(name, here)) as client:
        assert client.get(resources.url).status_code == 401
    assert (len(resources.seen), here.exchanges) == (1, 0)

    awaited = site(awaits=True)

    async def main() -> int:
        async with httpx.AsyncClient(auth=auth_of(name, awaited)) as client:
            status: int = (await client.get(resources.url)).status_code
            return status

    assert run_asyncio(main) == 401
    assert awaited.exchanges == 0


def streams() -> dict[str, Any]:
    def generated() -> Iterator[bytes]:
        yield b"the "
        yield b"body"

    return {"a generator": generated(), "a file": io.BytesIO(b"the body")}


@LIBRARIES
@pytest.mark.parametrize("kind", ["a generator", "a file"])
def test_a_stream_is_sent_once_and_the_next_request_has_another_token(
    name: str, kind: str, resources: Resources
) -> None:
    httpx, here = library(name), site()
    resources.refused.add(here.fresh().access_token)
    here.clock.advance(YOUNG)
    with httpx.Client(auth=auth_of(name, here)) as client:
        assert client.post(resources.url, content=streams()[kind]).status_code == 401
        assert [body for _, body in resources.seen] == [b"the body"]
        assert client.post(resources.url, content=streams()[kind]).status_code == 200
    assert [body for _, body in resources.seen] == [b"the body"] * 2


@BOTH
@LIBRARIES
def test_the_same_for_a_stream_that_is_awaited(name: str, run: Any, resources: Resources) -> None:
    httpx, here = library(name), site(awaits=True)
    resources.refused.add(here.fresh().access_token)
    here.clock.advance(YOUNG)

    async def generated() -> AsyncIterator[bytes]:
        yield b"the body"

    async def main() -> list[int]:
        async with httpx.AsyncClient(auth=auth_of(name, here)) as client:
            return [
                (await client.post(resources.url, content=generated())).status_code
                for _ in range(2)
            ]

    assert run(main) == [401, 200]
    assert [body for _, body in resources.seen] == [b"the body"] * 2


@LIBRARIES
def test_no_lock_is_held_while_an_answer_streams(name: str, resources: Resources) -> None:
    httpx, here = library(name), site()
    with (
        httpx.Client(auth=auth_of(name, here)) as client,
        client.stream("POST", resources.url, content=b"x" * 100_000) as streamed,
    ):
        here.clock.advance(LIFETIME)
        assert client.get(resources.url).status_code == 200
        assert here.exchanges == 1
        assert len(streamed.read()) == 100_000


@LIBRARIES
def test_a_token_does_not_follow_a_redirect_to_elsewhere(name: str, resources: Resources) -> None:
    httpx, here = library(name), site()
    with Resources() as elsewhere, httpx.Client(auth=auth_of(name, here)) as client:
        resources.places.append(elsewhere.url)
        answer = client.get(f"{resources.url}elsewhere", follow_redirects=True)
        assert (answer.status_code, answer.url) == (401, elsewhere.url)
        assert elsewhere.seen == [("", b"")]
    assert here.exchanges == 0


@LIBRARIES
@pytest.mark.parametrize(("status", "times"), [(302, 1), (303, 1), (307, 2), (308, 2)])
def test_what_a_redirect_made_a_get_of_is_not_sent_again(
    name: str, status: int, times: int, resources: Resources
) -> None:
    httpx, here = library(name), site()
    resources.refused = RefusesAll()
    resources.places.append(resources.url)
    here.clock.advance(YOUNG)
    with httpx.Client(auth=auth_of(name, here)) as client:
        url = f"{resources.url}elsewhere?{status}"
        answer = client.post(url, content=b"pay", follow_redirects=True)
    first = [body for _, body in resources.seen[::2]]

    assert (answer.status_code, first) == (401, [b"pay"] * times)


@LIBRARIES
@pytest.mark.parametrize("url", ["http://api.example/", "ftp://127.0.0.1/"])
def test_a_token_goes_over_tls_or_to_this_machine(name: str, url: str) -> None:
    httpx, here = library(name), site()
    with httpx.Client(auth=auth_of(name, here)) as client, pytest.raises(UsageError) as refused:
        client.get(url)
    assert refused.value.code in {"url_scheme_not_allowed", "url_invalid"}


@LIBRARIES
def test_a_token_goes_to_the_named_origins_only(name: str, resources: Resources) -> None:
    httpx, here = library(name), site()
    auth = auth_of(name, here, origins=[resources.url.removesuffix("/")])
    with Resources() as other, httpx.Client(auth=auth) as client:
        assert client.get(resources.url).status_code == 200
        with pytest.raises(UsageError) as refused:
            client.get(other.url)
        assert (refused.value.code, refused.value.about) == ("url_invalid", "origins")
        assert other.seen == []


@LIBRARIES
def test_a_session_that_has_ended_is_told_and_nothing_is_sent(
    name: str, resources: Resources
) -> None:
    httpx, here = library(name), site()
    here.tokens.end()
    with httpx.Client(auth=auth_of(name, here)) as client, pytest.raises(OidcError) as refused:
        client.get(resources.url)
    assert refused.value.code == "grant_ended"
    assert resources.seen == []


@LIBRARIES
def test_tokens_of_the_other_kind_are_refused(name: str, resources: Resources) -> None:
    httpx = library(name)
    with (
        httpx.Client(auth=auth_of(name, site(awaits=True))) as client,
        pytest.raises(UsageError) as refused,
    ):
        client.get(resources.url)
    assert (refused.value.code, refused.value.about) == ("config_invalid", "tokens")

    async def main() -> None:
        async with httpx.AsyncClient(auth=auth_of(name, site())) as awaited:
            await awaited.get(resources.url)

    with pytest.raises(UsageError) as refused:
        run_asyncio(main)
    assert (refused.value.code, refused.value.about) == ("config_invalid", "tokens")


@LIBRARIES
@pytest.mark.parametrize(
    "odd",
    [
        {"leeway": "1"},
        {"leeway": -1},
        {"scope": 1},
        {"resource": "https://api.example"},
        {"origins": "https://api.example"},
        {"origins": ["api.example"]},
        {"origins": ["https://api.example/path"]},
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(name: str, odd: dict[str, Any]) -> None:
    library(name)
    with pytest.raises(UsageError) as refused:
        auth_of(name, site(), **odd)
    assert refused.value.about in odd


@LIBRARIES
def test_less_scope_is_asked_for(name: str, resources: Resources) -> None:
    httpx, here = library(name), site(policy=Policy(userinfo="never"))
    with httpx.Client(auth=auth_of(name, here, scope="openid")) as client:
        assert client.get(resources.url).status_code == 200
    assert (
        resources.seen[0][0] == here.fresh(scope="openid").access_token != here.fresh().access_token
    )
