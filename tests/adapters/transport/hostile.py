"""Servers that want an exchange to last, to cost or to confuse; each must end in time.

``python -m tests.adapters.transport.hostile`` prints a table of how long each one held out.
"""

from __future__ import annotations

import gzip
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import (
    Act,
    Drip,
    FaultServer,
    HalfClose,
    Read,
    Reset,
    Script,
    Send,
    Wait,
    ok,
)
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.wire.http import HttpResponse
from tests.adapters.transport.exchanges import CHUNKED, CLOCK, HEAD, request

if TYPE_CHECKING:
    from collections.abc import Generator

DEADLINE: Final = 0.5
GRACE: Final = 0.3
"""Seconds by which an exchange may end after its deadline."""

OK: Final = b"HTTP/1.1 200 OK\r\n"
TIMEOUT: Final = "http_timeout"
MALFORMED: Final = "http_malformed"
TOO_LARGE: Final = "http_too_large"
TLS: Final = "tls_failed"


class Hostile(NamedTuple):
    """A server and the outcome of an exchange with it.

    Attributes:
        name: what it does.
        expected: the code of the failure, or ``"answered"``.
        acts: what it does once it has read the request; with ``raw`` at once.
        tls: whether it speaks TLS; ``None``: it is asked over TLS, and does not.
        raw: whether it does not wait for a request.
    """

    name: str
    expected: str
    acts: Script
    tls: bool | None = False
    raw: bool = False


def hostile(name: str, expected: str, *acts: Act) -> Hostile:
    return Hostile(name, expected, acts)


ALERT: Final = b"\x15\x03\x03\x00\x02\x02\x28"  # fatal, handshake_failure
RECORD: Final = b"\x16\x03\x03\x40\x00" + b"x" * 16_384
BOMB: Final = gzip.compress(bytes(30_000_000))

SERVERS: Final = (
    hostile("never answers", TIMEOUT, Wait()),
    hostile("drips the status line", TIMEOUT, Drip(OK * 9)),
    hostile("drips a header", TIMEOUT, Send(OK), Drip(b"X: " + b"y" * 999)),
    hostile("drips many headers", TIMEOUT, Send(OK), Drip(b"X: y\r\n", piece=6, endless=True)),
    hostile("drips the body", TIMEOUT, Send(HEAD), Drip(b"x" * 9_999)),
    hostile("drips chunks", TIMEOUT, Send(CHUNKED), Drip(b"1\r\nx\r\n", piece=6, endless=True)),
    hostile("drips a chunk's size", TIMEOUT, Send(CHUNKED), Drip(b"1;" + b"e" * 999)),
    hostile("drips trailers", TIMEOUT, Send(CHUNKED + b"0\r\n"), Drip(b"a: b\r\n", endless=True)),
    hostile("drips interim answers", TIMEOUT, Drip(b"HTTP/1.1 103 x\r\n\r\n", endless=True)),
    hostile("stops in the status line", TIMEOUT, Send(b"HTTP/1.1 2"), Wait()),
    hostile("stops in the body", TIMEOUT, Send(HEAD + b"x"), Wait()),
    hostile("never ends the body", TIMEOUT, Send(OK + b"\r\n{}"), Wait()),
    hostile("headers without end", MALFORMED, Send(OK), Send(b"X: y\r\n", 99_999)),
    hostile("one header without end", MALFORMED, Send(OK + b"X: "), Send(b"y" * 9_999, 9_999)),
    hostile("interim answers without end", MALFORMED, Send(b"HTTP/1.1 100 x\r\n\r\n", 99_999)),
    hostile("a body without end", TOO_LARGE, Send(OK + b"\r\n"), Send(b"x" * 9_999, 9_999)),
    hostile("chunks without end", TOO_LARGE, Send(CHUNKED), Send(b"1\r\nx\r\n", 999_999)),
    hostile(
        "trailers without end", TOO_LARGE, Send(CHUNKED + b"0\r\n"), Send(b"a: b\r\n", 999_999)
    ),
    hostile("says more than it sends", MALFORMED, Send(OK + b"Content-Length: 9\r\n\r\n{}")),
    hostile("sends more than it says", "answered", Send(ok(b"{}") + ok(b"poison") * 99), Wait()),
    hostile(
        "a length of 5,000 digits",
        MALFORMED,
        Send(OK + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n"),
    ),
    hostile(
        "a length beyond the limit",
        TOO_LARGE,
        Send(OK + b"Content-Length: 999999999\r\n\r\n"),
        Wait(),
    ),
    hostile("resets at once", MALFORMED, Reset()),
    hostile("resets in the body", MALFORMED, Send(HEAD + b"x"), Reset()),
    hostile("closes one half", MALFORMED, HalfClose(), Wait()),
    hostile("closes at once", MALFORMED),
    hostile(
        "a bomb of gzip", "content_encoding_unexpected", Send(ok(BOMB, b"Content-Encoding: gzip"))
    ),
    hostile(
        "redirects to itself",
        "answered",
        Send(b"HTTP/1.1 307 x\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
        Wait(),
    ),
    hostile("junk before", MALFORMED, Send(b"\x00\xff junk\r\n" * 99 + ok())),
    hostile(
        "spaces before a line feed", "answered", Send(OK + b"X: a" + b" " * 60_000 + b"\n\r\n")
    ),
    hostile(
        "spaces between folds",
        "answered",
        Send(OK + b"X: a\r\n" + (b" " * 600 + b"\n") * 99 + b"\r\n"),
    ),
    hostile("another protocol", MALFORMED, Send(b"SSH-2.0-OpenSSH_9.6\r\n"), Wait()),
    hostile("a line of NUL", MALFORMED, Send(b"\x00" * 99_999), Wait()),
    Hostile("is silent in the handshake", TIMEOUT, (Wait(),), None, raw=True),
    Hostile("drips the handshake", TIMEOUT, (Drip(RECORD),), None, raw=True),
    Hostile("ends the handshake by an alert", TLS, (Send(ALERT), Wait()), None, raw=True),
    Hostile("speaks plain HTTP for TLS", TLS, (Send(ok()), Wait()), None, raw=True),
    Hostile("resets in the handshake", "http_connect_failed", (Reset(),), None, raw=True),
    Hostile("never answers over TLS", TIMEOUT, (Wait(),), True),
    Hostile("drips the body over TLS", TIMEOUT, (Send(HEAD), Drip(b"x" * 9_999)), True),
    Hostile(
        "sends more than it says over TLS",
        "answered",
        (Send(ok(b"{}") + ok(b"poison")), Wait()),
        True,
    ),
)


class Outcome(NamedTuple):
    """The outcome of an exchange.

    Attributes:
        code: of the failure, or ``"answered"``.
        took: seconds until then.
        worst: seconds that the slowest exchange of another thread took meanwhile.
        beside: how many of these there were.
    """

    code: str
    took: float
    worst: float
    beside: int

    @property
    def in_time(self) -> bool:
        return self.took <= DEADLINE + GRACE and self.worst <= GRACE


@contextmanager
def bystander() -> Generator[list[float]]:
    """Have another thread exchange requests with an honest server; note what each one took."""
    took: list[float] = []
    stop = threading.Event()
    with FaultServer(((Read(), Send(ok(b"{}"))) * 50), (Wait(),)) as honest:

        def exchange() -> None:
            with Urllib3Transport() as transport:
                while not (took and stop.wait(0.02)) and len(took) < 50:
                    start = monotonic()
                    answer = transport.send(request(honest.url(), deadline=5), CLOCK)
                    if not isinstance(answer, HttpResponse):
                        took.append(float("inf"))
                        return
                    took.append(monotonic() - start)

        thread = threading.Thread(target=exchange)
        thread.start()
        try:
            yield took
        finally:
            stop.set()
            thread.join(10)


def outcome(server: Hostile, authority: Authority) -> Outcome:
    """Exchange one request with a hostile server."""
    tls = authority.server("hostile") if server.tls else None
    script = server.acts if server.raw else (Read(), *server.acts)
    with (
        FaultServer(script, tls=tls) as there,
        Urllib3Transport(ca=authority.path) as transport,
        bystander() as beside,
    ):
        url = there.url() if server.tls is not None else there.url().replace("http:", "https:")
        start = monotonic()
        answer = transport.send(request(url, deadline=DEADLINE), CLOCK)
        took = monotonic() - start
    code = "answered" if isinstance(answer, HttpResponse) else answer.code
    return Outcome(code, took, max(beside, default=0), len(beside))


def main() -> None:
    """Print the table."""
    line = "{:<36} {:<28} {:>8} {:>9} {:>12} {:>7}"
    print(line.format("server", "outcome", "deadline", "took (s)", "beside: worst", "of"))
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        for server in SERVERS:
            found = outcome(server, authority)
            row = (server.name, found.code, DEADLINE, f"{found.took:.3f}", f"{found.worst:.3f}")
            print(line.format(*row, found.beside))


if __name__ == "__main__":
    main()
