"""The ports of the transports: each implementation answers alike."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing import AsyncInMemoryTransport, FakeProvider, InMemoryTransport, serve
from oidc_adapters.transport import AsyncTransport, Transport, judges_addresses
from oidc_adapters.transport.in_threads import InThreads
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest

NOW: Final = 1_800_000_000
CLOCK: Final = FrozenClock(NOW)
Send: TypeAlias = Callable[[WireRequest], HttpResponse | NoAnswer]


def blocking(transport: Transport) -> Send:
    return lambda request: transport.send(request, CLOCK)


def awaited(transport: AsyncTransport) -> Send:
    return lambda request: asyncio.run(transport.send(request, CLOCK))


def request_to(provider: FakeProvider, *, max_body: int = 65_536) -> WireRequest:
    return WireRequest(
        reach="any",
        method="GET",
        url=f"{provider.issuer}/.well-known/openid-configuration",
        headers=(("accept", "application/json"),),
        body=None,
        resend="never",
        max_body=max_body,
        deadline=5,
    )


class Served:
    """A provider over HTTP and in memory, and every transport that there is."""

    def __init__(self, provider: FakeProvider, over_http: Transport, threads: InThreads) -> None:
        self.provider = provider
        self.sends: dict[str, Send] = {
            "memory": blocking(InMemoryTransport(provider)),
            "async-memory": awaited(AsyncInMemoryTransport(provider)),
            "urllib3": blocking(over_http),
            "threads": awaited(threads),
        }


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    misbehave: str | None = getattr(request, "param", None)
    provider = FakeProvider() if misbehave is None else FakeProvider(misbehave=misbehave)
    with serve(provider, CLOCK) as server, Urllib3Transport() as over_http:
        threads = InThreads(over_http)
        yield Served(server.provider, over_http, threads)
        threads.close()


ALL: Final = ("memory", "async-memory", "urllib3", "threads")


@pytest.mark.parametrize("kind", ALL)
def test_an_answer_is_stamped_with_the_clocks_time(served: Served, kind: str) -> None:
    answer = served.sends[kind](request_to(served.provider))

    assert isinstance(answer, HttpResponse)
    assert (answer.status, answer.received_at) == (200, NOW)
    assert answer.media_type == "application/json"
    expected = served.sends["memory"](request_to(served.provider))
    assert isinstance(expected, HttpResponse)
    assert answer.body == expected.body


@pytest.mark.parametrize("kind", ALL)
def test_a_body_beyond_its_limit_is_no_answer(served: Served, kind: str) -> None:
    answer = served.sends[kind](request_to(served.provider, max_body=10))

    assert answer == NoAnswer("maybe", "http_too_large", NOW)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("served", "code"),
    [("metadata_encoded", "content_encoding_unexpected"), ("metadata_dropped", "http_malformed")],
    indirect=["served"],
)
def test_what_the_network_does_is_said_and_not_raised(served: Served, kind: str, code: str) -> None:
    answer = served.sends[kind](request_to(served.provider))

    dropped = code == "http_malformed" and kind in {"urllib3", "threads"}
    assert answer == NoAnswer("maybe", code, NOW, "reset" if dropped else "")


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("served", ["metadata_redirect"], indirect=True)
def test_a_redirect_is_an_answer_like_any_other(served: Served, kind: str) -> None:
    answer = served.sends[kind](request_to(served.provider))

    assert isinstance(answer, HttpResponse)
    assert 300 <= answer.status < 400
    assert answer.header("location")


class Claims:
    def __init__(self, judges: object) -> None:
        self.judges_addresses = judges


def test_a_transport_judges_addresses_only_if_it_says_so() -> None:
    assert judges_addresses(Claims(True))
    for silent in (object(), Claims(False), Claims(None), Claims(1), Claims("yes")):
        assert not judges_addresses(silent)
