"""Requests that a server must not take apart in two ways, each on a separate socket."""

import contextlib
import socket
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest

from oidc_adapters.transport.conversation import StrictConversation

HOST = b"Host: 127.0.0.1\r\n"
GET = b"GET /a HTTP/1.1\r\n" + HOST
POST = b"POST /a HTTP/1.1\r\n" + HOST


class Echo(StrictConversation):
    """Answers with its own reading of the request."""

    protocol_version = "HTTP/1.1"
    max_body = 1_000
    seen: ClassVar[list[tuple[str, str, bytes]]]

    def converse(self) -> None:
        self.seen.append((self.command, self.path, self.body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()


@pytest.fixture(name="port")
def _port() -> Iterator[int]:
    Echo.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def told(port: int, octets: bytes) -> list[int]:
    """Send octets and nothing more; return the statuses of all answers until the end."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while more := connection.recv(4_096):
                received += more
    return [int(each[:3]) for each in received.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize(
    ("octets", "seen"),
    [
        (GET + b"\r\n", ("GET", "/a", b"")),
        (GET.replace(b"\r\n", b"\n") + b"\n", ("GET", "/a", b"")),
        (b"GET /a HTTP/1.0\r\n\r\n", ("GET", "/a", b"")),
        (b"GET //a/b?c=d HTTP/1.1\r\n" + HOST + b"\r\n", ("GET", "//a/b?c=d", b"")),
        (POST + b"Content-Length: 2\r\n\r\nab", ("POST", "/a", b"ab")),
        (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", ("POST", "/a", b"ab")),
        (POST + b"\r\n", ("POST", "/a", b"")),
    ],
)
def test_a_request_is_taken(port: int, octets: bytes, seen: tuple[str, str, bytes]) -> None:
    assert told(port, octets) == [200]
    assert Echo.seen == [seen]


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"GET /a\r\n\r\n", id="http-0.9"),
        pytest.param(b"GET /a HTTP/2.0\r\n\r\n", id="another-version"),
        pytest.param(b"GET /a HTTP/1.\xb2\r\n\r\n", id="superscript"),
        pytest.param(b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", id="space-in-the-target"),
        pytest.param(b"\r\n" + GET + b"\r\n", id="empty-line-first"),
        pytest.param(GET + b"X : y\r\n\r\n", id="space-before-the-colon"),
        pytest.param(GET + b"X\r\n\r\n", id="no-colon"),
        pytest.param(GET + b"X: a\rb\r\n\r\n", id="bare-cr"),
        pytest.param(GET + b"X: a\0b\r\n\r\n", id="nul"),
        pytest.param(GET + b"X: " + b"y" * 70_000 + b"\r\n\r\n", id="long-line"),
        pytest.param(GET + b"X: y\r\n" * 101 + b"\r\n", id="many-lines"),
        pytest.param(GET + b"X: y\r\n", id="no-empty-line"),
        pytest.param(b"GET /a HTTP/1.1\r\n\r\n", id="no-host"),
        pytest.param(GET + HOST + b"\r\n", id="two-hosts"),
        pytest.param(POST + b"Content-Length: +2\r\n\r\nab", id="length-signed"),
        pytest.param(POST + b"Content-Length: 0_2\r\n\r\nab", id="length-underscore"),
        pytest.param(POST + "Content-Length: ٢\r\n\r\nab".encode(), id="length-foreign-digit"),
        pytest.param(POST + b"Content-Length: \xb2\r\n\r\nab", id="length-superscript"),
        pytest.param(POST + b"Content-Length: 2,2\r\n\r\nab", id="length-list"),
        pytest.param(POST + b"Content-Length: \r\n\r\nab", id="length-empty"),
        pytest.param(POST + b"Content-Length: " + b"2" * 5_000 + b"\r\n\r\nab", id="5000-digits"),
        pytest.param(
            POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", id="lengths-that-differ"
        ),
        pytest.param(POST + b"Transfer-Encoding: gzip\r\n\r\n", id="coding-unknown"),
        pytest.param(
            POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nab",
            id="length-and-chunks",
        ),
    ],
)
def test_a_request_in_doubt_is_answered_with_400_and_ends_the_connection(
    port: int, octets: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(port, octets + GET + b"\r\n") in ([400], [])  # a reset may overtake the answer
    assert Echo.seen == []
    assert capsys.readouterr().err == ""


def test_a_body_that_breaks_off_is_answered_with_400(port: int) -> None:
    assert told(port, POST + b"Content-Length: 3\r\n\r\nab") == [400]
    assert Echo.seen == []


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (POST + b"Content-Length: 1001\r\n\r\n", 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", 411),
        (b"PUT /a HTTP/1.1\r\n" + HOST + b"\r\n", 501),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    ],
)
def test_what_is_clear_but_not_taken_says_why(port: int, octets: bytes, status: int) -> None:
    assert told(port, octets) in ([status], [])
    assert Echo.seen == []


def test_a_body_of_a_request_that_needs_none_is_not_the_next_request(port: int) -> None:
    inner = GET + b"\r\n"
    octets = GET + b"Content-Length: %d\r\n\r\n" % len(inner) + inner
    assert told(port, octets) == [200]
    assert Echo.seen == [("GET", "/a", inner)]


def test_a_connection_is_kept_unless_somebody_wants_it_closed(port: int) -> None:
    assert told(port, (GET + b"\r\n") * 3) == [200, 200, 200]
    closing = GET + b"Connection: x, close\r\n\r\n"
    assert told(port, closing + GET + b"\r\n") == [200]
    assert told(port, b"GET /a HTTP/1.0\r\n\r\n" + GET + b"\r\n") == [200]


def test_who_asks_first_is_told_to_go_on(port: int) -> None:
    octets = POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab"
    assert told(port, octets) == [100, 200]


def test_what_answers_is_told_by_the_servers_themselves() -> None:
    """A class that says no answer serves no connection."""
    unfinished: Any = StrictConversation
    with pytest.raises(TypeError, match="converse"):
        unfinished(None, None, None)
