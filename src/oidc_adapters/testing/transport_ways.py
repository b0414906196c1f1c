"""The duties of a transport that are about where its octets go, and through whom."""

import os
import ssl
import warnings
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import Act, Drip, FaultServer, Handshake, Read, Send, Wait
from oidc_adapters.testing.transport_place import (
    BRIEF,
    PLAIN,
    Place,
    answering,
    check,
    check_answered,
    check_failed,
)
from oidc_core.wire.http import HttpResponse

_CONNECTED: Final = b"HTTP/1.1 200 Connected\r\n\r\n"


async def authority(place: Place) -> None:
    """It takes a certificate of its CA, and none of another, before a request has left."""
    with answering((Read(), Send(PLAIN), Wait()), tls=place.authority.server()) as server:
        check_answered(await place.send(place.transport(ca=place.authority.path), server.url()))
        stranger = Authority(place.folder, "stranger")
        for setup in ({}, {"ca": stranger.path}):
            answer = await place.send(place.transport(**setup), server.url())
            check_failed(answer, "tls_failed", sent="no", about="a CA that it was not given")
        check(len(server.requests) == 1, "a request reached a server of an unknown CA")


async def host_name(place: Place) -> None:
    """It takes a certificate only for the host of the URL, and while it is valid."""
    for about, tls in (
        ("another name", place.authority.server("wrong", host="other.example")),
        ("another address", place.authority.server("wrong", host="127.0.0.2")),
        ("an expired one", place.authority.server("old", expired=True)),
    ):
        await _check_refused(place, tls, about)
    named = place.authority.server("named", host="localhost")
    with answering((Read(), Send(PLAIN), Wait()), tls=named) as server:
        transport = place.transport(ca=place.authority.path)
        check_answered(await place.send(transport, server.url(host="localhost")))
        check_failed(await place.send(transport, server.url()), "tls_failed", sent="no")


async def tls_version(place: Place) -> None:
    """It speaks no TLS that is older than 1.2."""
    old = place.authority.server("old")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    await _check_refused(place, old, "TLS 1.1")


async def _check_refused(place: Place, tls: ssl.SSLContext, about: str) -> None:
    with answering((Read(), Send(PLAIN)), tls=tls) as server:
        answer = await place.send(place.transport(ca=place.authority.path), server.url())
        check_failed(answer, "tls_failed", sent="no", about=about)
        check(not server.requests, f"a request reached a server with {about}")


async def client_certificate(place: Place) -> None:
    """It shows the client's certificate to a server that asks for it."""
    tls = place.authority.server(ask_client=True)
    shown = place.authority.issue("client", host=None)
    with answering((Read(), Send(PLAIN), Wait()), tls=tls) as server:
        ca = place.authority.path
        transport = place.transport(ca=ca, client_certificate=shown)
        check_answered(await place.send(transport, server.url()))
        answer = await place.send(place.transport(ca=ca), server.url())
        check(not isinstance(answer, HttpResponse), "a server took a client without certificate")


# --- what is known of the way --------------------------------------------------------------------


async def channel(place: Place) -> None:
    """Each answer says whether the server was verified: over https it was, over http not."""
    with answering((Read(), Send(PLAIN), Wait()), tls=place.authority.server()) as server:
        transport = place.transport(ca=place.authority.path)
        _check_channel(transport, await place.send(transport, server.url()), "verified")
    with answering((Read(), Send(PLAIN), Wait())) as server:
        transport = place.transport()
        _check_channel(transport, await place.send(transport, server.url()), "unverified")


def _check_channel(transport: object, answer: Any, server: str) -> None:
    found = check_answered(answer).channel
    check(found.server == server, f"the server is {found.server!r}, not {server!r}")
    judges = getattr(transport, "judges_addresses", False)
    check(found.addresses_judged == judges, "answer and transport differ about judged addresses")


async def addresses(place: Place) -> None:
    """It connects only to an address that may be reached, also where a connection is reused."""
    transport = place.transport()
    check(getattr(transport, "judges_addresses", False) is True, "judges_addresses is not True")
    script = (Read(), Send(PLAIN), Read(), Send(PLAIN), Wait())
    with answering(script, tls=place.authority.server("both", host="localhost")) as server:
        transport = place.transport(ca=place.authority.path)
        url = server.url(host="localhost")
        answer = await place.send(transport, url, reach="public")
        check_failed(answer, "address_not_allowed", sent="no", about="a name")
        check(server.connections == 0, "it connected to an address that may not be reached")
        for reach in ("private", "any"):
            told = check_answered(await place.send(transport, url, reach=reach)).channel
            check(told.addresses_judged, "the channel does not say that the address was judged")
        answer = await place.send(transport, url, reach="public")
        check_failed(answer, "address_not_allowed", sent="no", about="a connection that is open")
        check(len(server.requests) == 2, "a request reached an address that it may not reach")
        numbered = server.url().replace("localhost", "127.0.0.1")
        answer = await place.send(transport, numbered, reach="public")
        check_failed(answer, "address_not_allowed", sent="no", about="an address")
    answer = await place.send(transport, "https://192.0.2.1/", reach="public")
    check_failed(answer, "address_not_allowed", sent="no", about="another address")


# --- proxies -------------------------------------------------------------------------------------


def _tunnel(place: Place, *acts: Act) -> tuple[Act, ...]:
    return (Read(), Send(_CONNECTED), Handshake(place.authority.server()), *acts)


async def proxy(place: Place) -> None:
    """It goes through the proxy it is given, by CONNECT, and verifies the server behind it."""
    with answering(_tunnel(place, Read(), Send(PLAIN), Wait())) as server:
        there = f"http://us%40er:p%3Aw@127.0.0.1:{server.port}"
        transport = place.transport(ca=place.authority.path, proxy=there)
        answer = check_answered(await place.send(transport, "https://127.0.0.1:9/token?a=b"))
        asked, request = server.requests
        check(asked.startswith(b"CONNECT 127.0.0.1:9 HTTP/1."), f"it asked {asked[:40]!r}")
        credentials = b64encode(b"us@er:p:w")
        check(b"\r\nproxy-authorization: basic " in asked.lower(), "it sent no credentials")
        check(credentials in asked, "the credentials are not those of the proxy's URL")
        check(request.startswith(b"POST /token?a=b HTTP/1.1\r\n"), f"it sent {request[:40]!r}")
        check(b"proxy-" not in request.lower(), "the server sees the proxy's credentials")
        check(not answer.channel.addresses_judged, "it says that it judged an address")
        judges = getattr(transport, "judges_addresses", False)
        check(judges is False, "it says that it judges addresses through a proxy")


async def proxy_refuses(place: Place) -> None:
    """A proxy that refuses, is slow or leads to another server has carried no request."""
    for about, acts, code in (
        ("407", (Read(), Send(b"HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n"), Wait()), _CONNECT),
        ("a break", (Read(),), _CONNECT),
        ("junk", (Read(), Send(b"junk\r\n\r\n"), Wait()), _CONNECT),
        ("silence", (Read(), Wait()), "http_timeout"),
        ("a drip", (Read(), Drip(b"HTTP/1.1 200 x\r\nX: " + b"y" * 60)), "http_timeout"),
        ("another server", _elsewhere(place), "tls_failed"),
    ):
        with answering(acts) as server:
            there = f"http://127.0.0.1:{server.port}"
            transport = place.transport(ca=place.authority.path, proxy=there)
            deadline = BRIEF if code == "http_timeout" else 5
            answer = await place.send(transport, "https://127.0.0.1:9/", deadline=deadline)
            check_failed(answer, code, sent="no", about=about)


_CONNECT: Final = "http_connect_failed"


def _elsewhere(place: Place) -> tuple[Act, ...]:
    wrong = place.authority.server("wrong", host="other.example")
    return (Read(), Send(_CONNECTED), Handshake(wrong), Wait())


async def proxy_plain(place: Place) -> None:
    """Plain http goes through a proxy to this machine only."""
    with answering((Read(), Send(PLAIN), Wait())) as server:
        transport = place.transport(proxy=f"http://127.0.0.1:{server.port}")
        answer = await place.send(transport, "http://10.0.0.1/token", reach="private")
        check_failed(answer, "address_not_allowed", sent="no")
        check(server.connections == 0, "it asked the proxy")


@contextmanager
def _environment(changed: dict[str, str]) -> Generator[None]:
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _ambient(proxy: str, folder: Path) -> dict[str, str]:
    (folder / "netrc").write_text("machine 127.0.0.1 login ambient password secret\n")
    (folder / "netrc").chmod(0o600)
    names = [f"{scheme}_proxy" for scheme in ("http", "https", "all")]
    return {
        **dict.fromkeys([*names, *map(str.upper, names)], proxy),
        "NO_PROXY": "",
        "no_proxy": "",
        "NETRC": f"{folder / 'netrc'}",
        "SSLKEYLOGFILE": f"{folder / 'keys.log'}",
        "REQUESTS_CA_BUNDLE": f"{folder / 'nothing.pem'}",
    }


async def environment(place: Place) -> None:
    """It takes no proxy, no credentials and no file for TLS secrets from the environment."""
    scripts = (Read(), Send(PLAIN), Wait())
    with (
        FaultServer((Read(), Wait())) as trap,
        FaultServer(scripts) as plain,
        FaultServer(scripts, tls=place.authority.server()) as secure,
        _environment(_ambient(f"http://127.0.0.1:{trap.port}", place.folder)),
    ):
        for server in (plain, secure):
            transport = place.transport(ca=place.authority.path)
            check_answered(await place.send(transport, server.url(), deadline=2))
            head = server.requests[0].lower()
            check(b"authorization" not in head, "it sent credentials of the user's home")
        check(trap.connections == 0, "it asked a proxy of the environment")
        check(not (place.folder / "keys.log").exists(), "it wrote secrets of TLS to a file")
