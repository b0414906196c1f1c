"""What is counted of an answer over the engine of httpx, and when its connection is used again."""

from http.client import HTTPException
from time import monotonic

import pytest

from oidc_adapters.transport.engine_streams import (
    Body,
    Chunks,
    GuardedBackend,
    Ledger,
    checked_tls,
)
from oidc_adapters.transport.exchange import Exchange

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


def exchange() -> Exchange:
    return Exchange(monotonic() + 5, max_body=9, reach="any")


@pytest.mark.parametrize(
    ("octets", "length", "body", "clean"),
    [
        (HEAD + b"{}", "2", 2, True),
        (HEAD.replace(b"\r", b"") + b"{}", "2", 2, True),
        (b"HTTP/1.1 103 x\r\nLink: y\r\n\r\nHTTP/1.1 100 x\r\n\r\n" + HEAD + b"{}", "2", 2, True),
        (HEAD + b"{}x", "2", 2, False),
        (HEAD + b"{}", "3", 2, True),
        (HEAD + b"{}", None, 2, False),
        (HEAD + b"{}", "+2", 2, False),
        (b"HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", "0", 0, True),
        (b"HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\nHTTP", "0", 0, False),
        (b"", "0", 0, True),
    ],
)
def test_the_end_of_an_answer_is_certain_if_every_octet_is_counted(
    octets: bytes, length: str | None, body: int, *, clean: bool
) -> None:
    ledger, busy = Ledger(), exchange()
    ledger.begin(busy)
    ledger.take(octets, busy)
    ledger.end(length, body)

    assert ledger.is_clean is clean


def test_it_counts_for_one_exchange_after_the_other() -> None:
    ledger, first, second = Ledger(), exchange(), exchange()
    for busy in (first, second):
        ledger.begin(busy)
        assert not ledger.is_clean
        ledger.take(HEAD, busy)
        busy.expect_body()
        ledger.begin(busy)
        ledger.take(b"{}", busy)
        assert ledger.head == HEAD
        ledger.end("2", 2)
        assert ledger.is_clean


def test_a_body_has_a_limit_which_the_next_read_notices() -> None:
    busy = exchange()
    busy.expect_body()
    body = Body(3, busy)
    body.add(b"ab")
    body.add(b"c")
    assert body.whole() == b"abc"
    body.add(b"d")
    with pytest.raises(HTTPException):
        busy.take(1)
    assert busy.fault == "http_too_large"
    with pytest.raises(HTTPException):
        body.whole()


def test_what_does_not_tell_of_its_tls_is_refused() -> None:
    busy = exchange()
    with pytest.raises(HTTPException):
        checked_tls(object(), "op.example", busy)
    assert busy.fault == "tls_failed"


def test_a_network_has_no_other_places_and_does_not_sleep() -> None:
    network = GuardedBackend()
    with pytest.raises(HTTPException):
        network.connect_unix_socket("/place")
    with pytest.raises(HTTPException):
        network.sleep(1)
    with pytest.raises(HTTPException, match="no exchange"):
        network.connect_tcp("127.0.0.1", 9)


BLANKS = b" " * 300


@pytest.mark.parametrize(
    "octets",
    [
        b"X:" + BLANKS,
        b"X:" + b"\r\n " * 100,
        b"X: y" + b"\t" * 300 + b"z",
        b"HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nX:" + BLANKS,
    ],
)
@pytest.mark.parametrize("piece", [1, 100, 9_999])
def test_many_blanks_in_a_head_are_refused(octets: bytes, piece: int) -> None:
    ledger, busy = Ledger(), exchange()
    ledger.begin(busy)

    def take() -> None:
        for start in range(0, len(octets), piece):
            ledger.take(octets[start : start + piece], busy)

    with pytest.raises(HTTPException, match="blanks"):
        take()


@pytest.mark.parametrize(
    "octets",
    [HEAD + BLANKS, HEAD + b"\r\n" * 300, b"HTTP/1.1 200 OK\r\nX:" + b" " * 200 + b"\r\n\r\n"],
)
def test_blanks_of_a_body_are_its_own(octets: bytes) -> None:
    ledger, busy = Ledger(), exchange()
    ledger.begin(busy)
    ledger.take(octets, busy)
    assert ledger.received == len(octets)


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 999])
@pytest.mark.parametrize(
    "octets",
    [
        b"2\r\n{}\r\n0\r\n\r\n",
        b"3;x=y\r\n\n\r\n\r\na\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
        b"12c\r\n" + BLANKS + b"\r\n0\r\n\r\n",
    ],
)
def test_chunks_are_followed_piece_by_piece(octets: bytes, piece: int) -> None:
    follow(octets, piece)


def follow(octets: bytes, piece: int) -> None:
    chunks = Chunks()
    for start in range(0, len(octets), piece):
        chunks.take(octets[start : start + piece])


@pytest.mark.parametrize("piece", [1, 7, 9_999])
@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"2;" + BLANKS + b"\n\r\n{}", "chunk size"),
        (b"2;" + b"x" * 4_096, "too long"),
        (b"2\r\n{}\r\n+2\r\n", "chunk size"),
        (b"0\r\nX:" + BLANKS, "blanks"),
        (b"0\r\nX:" + b"\r\n " * 100, "blanks"),
    ],
)
def test_framing_that_is_hard_to_read_is_refused(octets: bytes, told: str, piece: int) -> None:
    with pytest.raises(HTTPException, match=told):
        follow(octets, piece)


def test_chunks_that_came_with_the_head_are_looked_at() -> None:
    ledger, busy = Ledger(), exchange()
    ledger.begin(busy)
    ledger.take(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX:", busy)
    busy.expect_body()
    ledger.expect_chunks()
    with pytest.raises(HTTPException, match="blanks"):
        ledger.take(BLANKS, busy)
