"""Answers over any socket, by the clock and by the octet."""

import select
import socket
from http.client import HTTPException
from time import monotonic

import pytest

from oidc_adapters.testing.fault_server import ok
from oidc_adapters.transport.exchange import CURRENT, Exchange
from oidc_adapters.transport.receiving import GuardedResponse, Source
from tests.adapters.transport.exchanges import LATE


def busy(seconds: float = 5) -> Exchange:
    return Exchange(monotonic() + seconds, max_body=1_000, reach="any")


def test_without_an_exchange_no_answer_is_read() -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(ok())
        with pytest.raises(HTTPException):
            GuardedResponse(here)


def test_what_is_left_over_is_told_once_and_the_connection_given_up() -> None:
    told: list[str] = []
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"an answer and more")
        exchange = busy()
        exchange.discard = lambda: told.append("discarded")
        reader = Source(here, exchange).makefile("rb")
        assert reader.read(9) == b"an answer"
        reader.close()
        reader.close()
    assert told == ["discarded"]


def test_a_reader_at_its_end_waits_for_nothing_more() -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"answer")
        exchange = busy()
        reader = Source(here, exchange).makefile("rb")
        assert reader.read(6) == b"answer"
        start = monotonic()
        reader.close()  # would wait for the deadline if it asked the socket
        assert monotonic() - start < LATE
    assert exchange.fault is None


@pytest.mark.parametrize("polls", [True, False])
def test_what_comes_after_an_answer_is_noticed(
    monkeypatch: pytest.MonkeyPatch, *, polls: bool
) -> None:
    if not polls:
        monkeypatch.delattr(select, "poll", raising=False)
    told: list[str] = []
    here, there = socket.socketpair()
    with here, there:
        exchange = CURRENT.exchange = busy()
        try:
            there.sendall(ok(b"{}"))
            answer = GuardedResponse(here, method="GET")
            answer.begin()
            exchange.discard = lambda: told.append("discarded")
            assert (answer.status, answer.length) == (200, 2)
            there.sendall(b"more")
            assert answer.read() == b"{}"
        finally:
            CURRENT.exchange = None
    assert told == ["discarded"]
