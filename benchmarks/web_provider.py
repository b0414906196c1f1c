"""The fake provider behind a lean server, in a separate process.

``python -m benchmarks.web_provider FD URI ...`` serves on an open socket until its input ends; the
URIs are the redirect URIs of its client.  The server answers a thousand connections without
threads, so that the provider takes as little of the machine as it can.
"""

import asyncio
import sys
from http import HTTPStatus
from itertools import count
from socket import socket
from typing import Final

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.testing import ALICE, FakeClient, FakeProvider, FakeUser, ServedProvider
from oidc_core.wire.http import HttpResponse, WireRequest

_MOST: Final = 65_536
_USERS: Final = tuple([FakeUser(sub=f"user-{at}", claims=ALICE.claims) for at in range(500)])
"""Each login is of the next one: the sessions of a user stay few, as they do elsewhere."""

_LOGINS: Final = count()


async def _converse(
    served: ServedProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer the requests of one connection, until it ends."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            request = await _request(served.issuer, head, reader)
            answer = served.answer(request)
            assert isinstance(answer, HttpResponse)
            writer.write(_octets(answer))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _request(issuer: str, head: bytes, reader: asyncio.StreamReader) -> WireRequest:
    first, *lines = head.decode("latin-1").splitlines()[:-1]
    method, target, _ = first.split(" ")
    pairs = [line.partition(":") for line in lines]
    headers = tuple([(name.lower(), value.strip()) for name, _, value in pairs])
    body = await reader.readexactly(int(dict(headers).get("content-length", "0")))
    if target.startswith("/authorize?"):  # the user signs in, as by a form
        method, body = "POST", f"user=user-{next(_LOGINS) % len(_USERS)}".encode()
    return WireRequest(
        method="POST" if method == "POST" else "GET",
        url=issuer + target,
        headers=headers,
        body=body if method == "POST" else None,
        resend="never",
        max_body=_MOST,
        deadline=30,
    )


def _octets(answer: HttpResponse) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines += [f"content-length: {len(answer.body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + answer.body


async def _serve(listening: socket, uris: tuple[str, ...]) -> None:
    issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
    client = FakeClient(redirect_uris=uris)
    provider = FakeProvider(issuer=issuer, clients=(client,), users=_USERS)
    served = ServedProvider(provider, SystemClock(), interactive=False)
    server = await asyncio.start_server(
        lambda reader, writer: _converse(served, reader, writer), sock=listening
    )
    print("ready", flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(socket(fileno=int(sys.argv[1])), tuple(sys.argv[2:])))
