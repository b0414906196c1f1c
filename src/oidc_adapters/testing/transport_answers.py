"""The duties of a transport that are about requests and answers as they are on the wire."""

import gzip
from operator import itemgetter
from typing import Final

from oidc_adapters.testing.fault_server import Drip, Read, Reset, Send, Wait, ok
from oidc_adapters.testing.transport_place import (
    CLOCK,
    PLAIN,
    Place,
    answering,
    check,
    check_answered,
    check_failed,
    wire,
)
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import WireRequest

_STATUS: Final = b"HTTP/1.1 200 OK\r\n"
_OWN_HEADERS: Final = frozenset(
    {b"host", b"content-length", b"user-agent", b"accept-encoding", b"connection"}
)
_REDIRECTS: Final = (301, 302, 303, 307, 308)


async def request_as_is(place: Place) -> None:
    """Method, URL, headers and body arrive as they are, with no header of its own but a few."""
    target = "/t%6Fken/../x//y;z=%7e%E4%b8?a=1+2&b=%2F&a='~!$()*,:@&%C3%A9="
    sent = (
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", "Basic YWJj"),
        ("dpop", "a.b.c"),
        ("accept", "application/json"),
    )
    body = b"grant_type=authorization_code&code=%2B\xff\x00"
    for method, content in (("POST", body), ("GET", None), ("POST", b"")):
        with answering((Read(), Send(PLAIN))) as server:
            answer = await place.send(
                place.transport(), server.url(target), method=method, headers=sent, body=content
            )
            check_answered(answer)
            head, _, arrived = server.requests[0].partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        expected = f"{method} {target} HTTP/1.1".encode()
        check(first == expected, f"the request line is {first!r}, not {expected!r}")
        check(arrived == (content or b""), f"the body is {arrived!r}, not {content!r}")
        _check_headers(lines, sent)


def _check_headers(lines: list[bytes], sent: tuple[tuple[str, str], ...]) -> None:
    found = [
        (name.lower(), value.strip()) for name, _, value in (li.partition(b":") for li in lines)
    ]
    for name, value in sent:
        values = [v for n, v in found if n == name.encode()]
        check(values == [value.encode()], f"the header {name} is {values!r}, not {value!r}")
    own = {name for name, _ in found} - {name.encode() for name, _ in sent}
    check(own <= _OWN_HEADERS, f"it adds the headers {sorted(own - _OWN_HEADERS)!r}")
    codings = [value for name, value in found if name == b"accept-encoding"]
    check(codings == [b"identity"], f"accept-encoding is {codings!r}")
    check(len(own) == len(found) - len(sent), "it sends a header twice")


async def no_injection(place: Place) -> None:
    """A method, a header or a URL that would break out of its line is refused, not sent."""
    with answering((Read(), Send(PLAIN))) as server:
        for method, headers in (
            ("GET", (("x", "y\r\nz: z"),)),
            ("GET", (("x\r\ny", "z"),)),
            ("GET", (("x", "y\x00"),)),
            ("GET", (("x y", "z"),)),
            ("GET / HTTP/1.1\r\nx:", ()),
        ):
            request = wire(server.url(), method=method, headers=headers, body=None)
            code = await _refusal(place, request)
            check(code == "parameter_invalid", f"{method!r} {headers!r} ended with {code!r}")
        for url in (server.url("/ HTTP/1.1\r\nx: y"), server.url("/\x00"), "http://192.0.2.1/"):
            code = await _refusal(place, wire(url, method="GET", body=None))
            check(code.startswith("url_"), f"{url!r} ended with {code!r}")
        check(server.connections == 0, "it connected for a request that must not be sent")


async def _refusal(place: Place, request: WireRequest) -> str:
    transport = place.transport()
    try:
        answer = await place.world.settled(transport.send(request, CLOCK))
    except UsageError as refusal:
        return refusal.code
    return f"{answer!r}"


async def redirects(place: Place) -> None:
    """It follows no redirect: the answer is the redirect itself."""
    with answering((Read(), Send(PLAIN))) as elsewhere:
        for status in _REDIRECTS:
            script = b"HTTP/1.1 %d x\r\nLocation: %s\r\nContent-Length: 2\r\n\r\n{}"
            moved = Send(script % (status, elsewhere.url().encode()))
            for method in ("GET", "POST"):
                answer = await place.exchange(Read(), moved, Wait(), method=method)
                check_answered(answer, status=status)
        check(elsewhere.connections == 0, "it followed a redirect")


async def statuses(place: Place) -> None:
    """It brings every status as an answer, after interim answers and without a body too."""
    for status in (400, 401, 403, 429, 500, 503):
        raw = b"HTTP/1.1 %d x\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\n{}" % status
        check_answered(await place.exchange(Read(), Send(raw), Wait()), status=status)
    interim = b"HTTP/1.1 103 x\r\nLink: y\r\n\r\n" + PLAIN
    check_answered(await place.exchange(Read(), Send(interim), Wait()))
    nothing = b"HTTP/1.1 204 No Content\r\n\r\n"
    check_answered(await place.exchange(Read(), Send(nothing), Wait()), b"", 204)
    check_answered(await place.exchange(Read(), Send(b"HTTP/1.0 200 OK\r\n\r\n{}")))
    chunked = (
        _STATUS + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\nT: r\r\n\r\n"
    )
    check_answered(await place.exchange(Read(), Send(chunked), Wait()))


async def headers(place: Place) -> None:
    """It brings each header, in lower case and octet for octet, repeated ones in their order.

    The order of different names means nothing (RFC 9110 §5.3).
    """
    lines = (b"X-One: 1", b"Set-Cookie: a=b, c", b"x-two:  2 ", b"SET-COOKIE: d=e", b"X-One: \xe9")
    answer = check_answered(await place.exchange(Read(), Send(ok(b"{}", *lines)), Wait()))
    named = [each for each in answer.headers if each[0] != "content-length"]
    found = sorted(named, key=itemgetter(0))
    expected = [
        ("set-cookie", "a=b, c"), ("set-cookie", "d=e"), ("x-one", "1"), ("x-one", "é"),
        ("x-two", "2"),
    ]  # fmt: skip
    check(found == expected, f"the headers are {found!r}, not {expected!r}")


async def cookies(place: Place) -> None:
    """It keeps no cookie."""
    script = (Read(), Send(ok(b"{}", b"Set-Cookie: a=b; Path=/")))
    with answering(script * 2 + (Wait(),)) as server:
        transport = place.transport()
        for _ in range(2):
            check_answered(await place.send(transport, server.url()))
        check(b"cookie" not in server.requests[-1].lower(), "it sent a cookie back")


async def encodings(place: Place) -> None:
    """It decodes no Content-Encoding and refuses each."""
    bomb = gzip.compress(bytes(3_000_000))
    for coding, body in (
        (b"gzip", gzip.compress(b"{}")),
        (b"gzip", bomb),
        (b"br", b"x"),
        (b"x", b""),
        (b"identity\r\nContent-Encoding: gzip", gzip.compress(b"{}")),
    ):
        raw = ok(body, b"Content-Encoding: " + coding)
        answer = await place.exchange(Read(), Send(raw), Wait())
        check_failed(
            answer, "content_encoding_unexpected", sent="maybe", about=f"{coding.decode()}"
        )
    plain = ok(b"{}", b"Content-Encoding: identity")
    check_answered(await place.exchange(Read(), Send(plain), Wait()))


# --- what is not an answer -----------------------------------------------------------------------

_NOT_HTTP: Final = (
    ("another protocol", b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    ("octets of zero", b"\x00" * 999 + b"\r\n\r\n"),
    ("junk before", b"\x00\xff junk\r\n" + PLAIN),
    ("a status of letters", b"HTTP/1.1 2xx OK\r\n\r\n{}"),
    ("an old protocol", b"{}"),
    ("another version", b"HTTP/3.0 200 OK\r\n\r\n{}"),
)
_BROKEN: Final = (
    ("no answer", b""),
    ("half a status line", b"HTTP/1.1 2"),
    ("half a header", _STATUS + b"Conte"),
    ("half a body", _STATUS + b"Content-Length: 9\r\n\r\n{}"),
    ("half a chunk", _STATUS + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{}"),
    ("no last chunk", _STATUS + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
)
_AMBIGUOUS: Final = (
    ("two lengths", _STATUS + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "),
    ("a length with a sign", _STATUS + b"Content-Length: +2\r\n\r\n{}"),
    ("a length of no digits", _STATUS + b"Content-Length: 0x2\r\n\r\n{}"),
    ("a length of 5,000 digits", _STATUS + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n"),
    ("an unknown transfer coding", _STATUS + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    (
        "a chunk's size with a sign",
        _STATUS + b"Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n",
    ),
    (
        "a chunk's size with 0x",
        _STATUS + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    ),
    ("a chunk without its end", _STATUS + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n"),
    ("a header without a colon", _STATUS + b"Content-Length: 2\r\nnonsense\r\n\r\n{}"),
    ("a space before the colon", _STATUS + b"Content-Length : 2\r\n\r\n{}"),
    ("a header with NUL", _STATUS + b"X: a\x00b\r\nContent-Length: 2\r\n\r\n{}"),
)


async def not_http(place: Place) -> None:
    """What is not HTTP/1.1 is no answer."""
    await _check_malformed(place, _NOT_HTTP)


async def broken_off(place: Place) -> None:
    """An answer that breaks off is no answer, and neither is a connection that is reset."""
    await _check_malformed(place, _BROKEN)
    answer = await place.exchange(Read(), Reset())
    check_failed(answer, "http_malformed", sent="maybe", about="a reset")
    answer = await place.exchange(Read(), Send(_STATUS + b"Content-Length: 9\r\n\r\n{}"), Reset())
    check_failed(answer, "http_malformed", sent="maybe", about="a reset in the body")


async def ambiguous(place: Place) -> None:
    """An answer whose framing two readers could understand differently is no answer."""
    await _check_malformed(place, _AMBIGUOUS)


async def _check_malformed(place: Place, rows: tuple[tuple[str, bytes], ...]) -> None:
    for about, octets in rows:
        answer = await place.exchange(Read(), Send(octets))
        check_failed(answer, "http_malformed", sent="maybe", about=about)


# --- connections ---------------------------------------------------------------------------------


async def surplus(place: Place) -> None:
    """What follows an answer is never taken for the next answer."""
    poison = ok(b"poison")
    for first in (
        (Read(), Send(ok(b"first") + poison), Wait()),
        (Read(), Send(ok(b"first")), Drip(poison, every=0.05, piece=len(poison)), Wait()),
        (Read(), Send(_STATUS + b"Content-Length: 5\r\nConnection: close\r\n\r\nfirst"), Wait()),
        (
            Read(),
            Send(b"HTTP/1.1 204 x\r\nContent-Length: 9\r\n\r\n" + poison),
            Wait(),
        ),
    ):
        with answering(first, (Read(), Send(ok(b"second")), Wait())) as server:
            transport = place.transport()
            await place.send(transport, server.url())
            await place.world.pause(0.15)
            check_answered(await place.send(transport, server.url(), deadline=2), b"second")
    over_tls = (Read(), Send(ok(b"first")), Send(poison), Wait())
    tls = place.authority.server()
    with answering(over_tls, (Read(), Send(ok(b"second")), Wait()), tls=tls) as server:
        transport = place.transport(ca=place.authority.path)
        await place.send(transport, server.url())
        await place.world.pause(0.15)
        check_answered(await place.send(transport, server.url(), deadline=2), b"second")


async def stale(place: Place) -> None:
    """A connection that the server has closed meanwhile fails no request that is sent once."""
    with answering((Read(), Send(PLAIN))) as server:
        transport = place.transport()
        for _ in range(3):
            check_answered(await place.send(transport, server.url()))
            await place.world.pause(0.05)
        check(server.connections == 3, f"{server.connections} connections for 3 requests")


async def resends(place: Place) -> None:
    """It sends again only as allowed, once, and says that the request may have arrived."""
    for resend, expected in (("never", 1), ("if_unsent", 1), ("safe", 2)):
        with answering((Read(),), (Read(),), (Read(), Send(PLAIN))) as server:
            answer = await place.send(
                place.transport(), server.url(), method="GET", body=None, resend=resend
            )
            check_failed(answer, "http_malformed", sent="maybe", about=f"resend={resend}")
            check(server.connections == expected, f"resend={resend}: {server.connections} attempts")
    with answering((Read(),), (Read(), Send(PLAIN))) as server:
        answer = await place.send(
            place.transport(), server.url(), method="GET", body=None, resend="safe"
        )
        check_answered(answer)


async def after_failures(place: Place) -> None:
    """After exchanges that failed, the next ones succeed over the same transport."""
    failing = ((Read(), Reset()), (Read(), Send(b"junk\r\n\r\n")), (Read(), Send(_STATUS)))
    with answering(*failing * 8, (Read(), Send(PLAIN))) as server:
        transport = place.transport()
        for _ in range(len(failing) * 8):
            await place.send(transport, server.url())
        check_answered(await place.send(transport, server.url()))
