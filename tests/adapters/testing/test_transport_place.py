"""What is seen at a place where a transport is tried."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_adapters.testing.transport_place import CLOCK, check_answered, check_failed, closed, wire
from oidc_adapters.testing.transport_worlds import Tasks, Waits
from oidc_core.wire.http import HttpResponse, NoAnswer
from tests.flows.rig import run_asyncio, run_trio

AT = CLOCK.now()


def test_an_answer_is_compared() -> None:
    check_answered(HttpResponse(200, (), b"{}", AT))
    for answer in (
        HttpResponse(201, (), b"{}", AT),
        HttpResponse(200, (), b"", AT),
        HttpResponse(200, (), b"{}", AT + 1),
        NoAnswer("no", "http_timeout", AT),
    ):
        with pytest.raises(AssertionError):
            check_answered(answer)


def test_a_failure_is_compared() -> None:
    check_failed(NoAnswer("no", "http_timeout", AT), "tls_failed", "http_timeout", sent="no")
    for answer in (
        NoAnswer("maybe", "http_timeout", AT),
        NoAnswer("no", "http_malformed", AT),
        NoAnswer("no", "http_timeout", AT + 1),
        HttpResponse(200, (), b"{}", AT),
    ):
        with pytest.raises(AssertionError):
            check_failed(answer, "http_timeout", sent="no")


def test_a_request_is_no_get_by_default() -> None:
    assert wire("http://127.0.0.1/").method == "POST"


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_a_transport_is_closed_whichever_way_it_has(run: Any) -> None:
    done: list[str] = []

    class Waiting:
        def close(self) -> None:
            done.append("close")

    class Awaited(Waiting):
        async def aclose(self) -> None:
            done.append("aclose")

    async def close_all() -> None:
        for each in (Waiting(), Awaited(), object()):
            await closed(each, Tasks())
        await closed(Waiting(), Waits())

    run(close_all)
    assert done == ["close", "aclose", "close"]
