"""The duties of a transport that bound an exchange: its time and its octets."""

import socket
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final

from oidc_adapters.testing.fault_server import Drip, FaultServer, Read, Send, Wait, ok
from oidc_adapters.testing.transport_place import (
    BRIEF,
    LATE,
    PLAIN,
    Place,
    answering,
    check,
    check_answered,
    check_failed,
)

_STATUS: Final = b"HTTP/1.1 200 OK\r\n"
_CHUNKED: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_LONG: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"
_BLANKS: Final = b"X: " + b" \t" * 30_000 + b"\0\r\n\r\n"
_ENDLESS: Final = 999_999
_RECORD: Final = b"\x16\x03\x03\x40\x00" + b"x" * 16_384
_SOON: Final = 4.0
"""Seconds in which too much is noticed: by its amount, and not only by the deadline."""


async def _in_time(place: Place, url: str, *, sent: Any = "maybe", **setup: Any) -> None:
    start = monotonic()
    answer = await place.send(place.transport(**setup), url, deadline=BRIEF)
    took = monotonic() - start
    check(took <= BRIEF + LATE, f"with {BRIEF} s it ended after {took:.2f} s")
    check(took >= BRIEF / 2, f"with {BRIEF} s it gave up after {took:.2f} s")
    check_failed(answer, "http_timeout", sent=sent)


async def silence(place: Place) -> None:
    """It ends at the deadline if the server never answers."""
    with answering((Read(), Wait())) as server:
        await _in_time(place, server.url())


async def dripping_head(place: Place) -> None:
    """It ends at the deadline while a header drips, or header after header."""
    for script in (
        (Read(), Drip(_STATUS + b"X: " + b"y" * 60)),
        (Read(), Send(_STATUS), Drip(b"X: y\r\n" * 60, piece=6)),
        (Read(), Drip(b"HTTP/1.1 103 x\r\n\r\n" * 60, piece=18)),
    ):
        with answering(script) as server:
            await _in_time(place, server.url())


async def dripping_body(place: Place) -> None:
    """It ends at the deadline while a body drips, with a length or in chunks."""
    for script in (
        (Read(), Send(_LONG), Drip(b"x" * 60)),
        (Read(), Send(_CHUNKED), Drip(b"1\r\nx\r\n" * 60, piece=6)),
        (Read(), Send(_STATUS + b"\r\n"), Drip(b"x" * 60)),
    ):
        with answering(script) as server:
            await _in_time(place, server.url())


async def dripping_handshake(place: Place) -> None:
    """It ends at the deadline in a TLS handshake that is silent or drips; nothing was sent."""
    for act in (Wait(), Drip(_RECORD[:60])):
        with answering((act,)) as server:
            url = server.url().replace("http:", "https:")
            await _in_time(place, url, sent="no", ca=place.authority.path)


async def dripping_tls(place: Place) -> None:
    """The same holds for an answer that drips over TLS."""
    tls = place.authority.server()
    with answering((Read(), Send(_LONG), Drip(b"x" * 60)), tls=tls) as server:
        await _in_time(place, server.url(), ca=place.authority.path)


async def no_room(place: Place) -> None:
    """Waiting for a place among its connections counts too, and a place becomes free again."""
    with answering((Read(), Wait())) as server:
        transport = place.transport()
        start = monotonic()
        await place.send(transport, server.url(), deadline=BRIEF)
        await place.send(transport, server.url(), deadline=BRIEF)
        took = monotonic() - start
    check(took <= 2 * (BRIEF + LATE), f"two exchanges ended after {took:.2f} s")


# --- octets --------------------------------------------------------------------------------------


async def _soon(place: Place, script: Sequence[Any], *codes: str, about: str) -> None:
    start = monotonic()
    answer = await place.exchange(Read(), *script)
    took = monotonic() - start
    check_failed(answer, *codes, sent="maybe", about=about)
    check(took <= _SOON, f"{about}: it read on for {took:.1f} s")


async def large_head(place: Place) -> None:
    """It gives up on headers, or interim answers, that do not end or that are hard to read."""
    for about, script in (
        ("headers without end", (Send(_STATUS), Send(b"X: y\r\n", 99_999))),
        ("one header without end", (Send(_STATUS + b"X: "), Send(b"y" * 9_999, 999))),
        ("a status line without end", (Send(b"HTTP/1.1 200 "), Send(b"y" * 9_999, 999))),
        ("interim answers without end", (Send(b"HTTP/1.1 100 x\r\n\r\n", _ENDLESS),)),
        ("blanks in a header that ends in NUL", (Send(_STATUS + _BLANKS + b"{}"),)),
        ("blanks in folds", (Send(_STATUS + b"X:" + b"\r\n " * 20_000 + b"\0\r\n\r\n{}"),)),
    ):
        await _soon(place, script, "http_malformed", "http_too_large", about=about)


async def large_body(place: Place) -> None:
    """It reads no more of a body than allowed, and as much as allowed."""
    for about, script in (
        ("a length beyond the limit", (Send(_STATUS + b"Content-Length: 999999999\r\n\r\n"),)),
        ("one octet beyond it", (Send(ok(b"x" * 65_537)),)),
        ("a body without end", (Send(_STATUS + b"\r\n"), Send(b"x" * 9_999, 9_999))),
        ("chunks without end", (Send(_CHUNKED), Send(b"2000\r\n" + b"x" * 8_192 + b"\r\n", 9_999))),
    ):
        await _soon(place, (*script, Wait()), "http_too_large", about=about)
    for answer in (
        ok(b"x" * 65_536),
        _CHUNKED + b"10000\r\n" + b"x" * 65_536 + b"\r\n0\r\n\r\n",
        _STATUS + b"\r\n" + b"x" * 65_536,
    ):
        check_answered(await place.exchange(Read(), Send(answer)), b"x" * 65_536)


async def large_frame(place: Place) -> None:
    """It gives up on framing that costs more than the body: tiny chunks, endless trailers."""
    blanks = b" " * 60_000
    for about, script in (
        ("tiny chunks", (Send(_CHUNKED), Send(b"1\r\nx\r\n" * 99, 9_999))),
        ("a chunk's size without end", (Send(_CHUNKED + b"1;"), Send(b"e" * 9_999, 999))),
        ("trailers without end", (Send(_CHUNKED + b"0\r\n"), Send(b"a: b\r\n" * 99, 9_999))),
        ("blanks behind a chunk's size", (Send(_CHUNKED + b"2;" + blanks + b"\n\r\n{}\r\n"),)),
    ):
        await _soon(place, script, "http_too_large", "http_malformed", about=about)
    start = monotonic()
    await place.exchange(Read(), Send(_CHUNKED + b"0\r\n" + _BLANKS))
    check(monotonic() - start <= _SOON, "it takes long over blanks in a trailer")


# --- failures to connect -------------------------------------------------------------------------


async def refused(place: Place) -> None:
    """A port that refuses is told as such, and nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    for resend in ("never", "safe"):
        answer = await place.send(place.transport(), f"http://127.0.0.1:{port}/", resend=resend)
        check_failed(answer, "http_connect_failed", sent="no")


async def causes(place: Place) -> None:
    """It says why an exchange failed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    answer = await place.send(place.transport(), f"http://127.0.0.1:{port}/")
    _check_cause(answer, "refused")
    _check_cause(await place.exchange(Read(), Wait(), deadline=BRIEF), "timeout")
    with FaultServer((Read(), Send(PLAIN)), tls=place.authority.server()) as server:
        _check_cause(await place.send(place.transport(), server.url()), "certificate_unknown_ca")
    named = place.authority.server("named", host="other.example")
    with FaultServer((Read(), Send(PLAIN)), tls=named) as server:
        transport = place.transport(ca=place.authority.path)
        _check_cause(await place.send(transport, server.url()), "certificate_name")
    with FaultServer((Send(PLAIN), Wait())) as server:
        transport = place.transport(ca=place.authority.path)
        url = server.url().replace("http:", "https:")
        _check_cause(await place.send(transport, url), "plain_http")


def _check_cause(answer: object, cause: str) -> None:
    found = getattr(answer, "cause", None)
    check(found == cause, f"the cause is {found!r}, not {cause!r}")
