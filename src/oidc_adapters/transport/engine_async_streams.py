"""Streams for the engine of httpx under an event loop: asyncio, or trio."""

import ssl
from http.client import HTTPException
from typing import Any

import anyio

from oidc_adapters.runtime.concurrency import settled
from oidc_adapters.transport.dialling import RESOLVER, admitted
from oidc_adapters.transport.engine_streams import PIECE, Ledger, checked_tls
from oidc_adapters.transport.receiving import under_way


class AsyncGuardedStream:
    """A connection as the engine takes it (``AsyncNetworkStream``).

    The deadline is the task's, which is cancelled then; here octets are counted.

    Args:
        inner: the engine's own stream.
        secure: whether it speaks TLS.
    """

    def __init__(self, inner: Any, *, secure: bool = False) -> None:
        self._inner = inner
        self._secure = secure
        self._ledger = Ledger()

    async def read(self, max_bytes: int, *_: Any, **__: Any) -> bytes:
        """Receive octets."""
        exchange = under_way()
        self._ledger.begin(exchange)
        octets: bytes = await self._inner.read(min(max_bytes, PIECE))
        self._ledger.take(octets, exchange)
        return octets

    async def write(self, buffer: bytes, *_: Any, **__: Any) -> None:
        """Send octets."""
        exchange = under_way()
        if self._secure or not exchange.dialling:
            exchange.sent = True
        await self._inner.write(buffer)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        *_: Any,
        **__: Any,
    ) -> "AsyncGuardedStream":
        """Speak TLS from here on, with the server that the URL names."""
        exchange = under_way()
        try:
            stream = await self._inner.start_tls(ssl_context, server_hostname)
            checked_tls(stream.get_extra_info("ssl_object"), server_hostname, exchange)
        except BaseException:  # the engine leaves it open when it is cancelled
            with anyio.CancelScope(shield=True):
                await self._inner.aclose()
            raise
        exchange.dialling = False
        return AsyncGuardedStream(stream, secure=True)

    def get_extra_info(self, info: str) -> Any:
        """Tell what the engine asks about a connection."""
        if info == "is_readable":
            return not self._ledger.is_clean or self._has_more()
        return self._ledger if info == "ledger" else self._inner.get_extra_info(info)

    def _has_more(self) -> bool:
        """Whether octets have arrived that nobody waits for, or the end."""
        tls = self._inner.get_extra_info("ssl_object")
        if tls is not None:
            try:
                tls.read(1)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                return True
            else:
                return True
        return bool(self._inner.get_extra_info("is_readable"))


class AsyncGuardedBackend:
    """A network under an event loop, as the engine takes it (``AsyncNetworkBackend``).

    Args:
        inner: the engine's own network.
        failures: what it raises if it cannot connect.
    """

    def __init__(self, inner: Any, failures: tuple[type[Exception], ...]) -> None:
        self._inner = inner
        self._failures = failures

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> AsyncGuardedStream:
        """Connect to the first address that answers and that the exchange may reach."""
        exchange = under_way()
        found = admitted(await settled(RESOLVER.lookup(host.strip("[]"), port)), exchange)
        failure: Exception = OSError("no address")
        for tried, address in enumerate(found):
            share = exchange.remaining() / (len(found) - tried)
            try:
                with anyio.fail_after(share):
                    stream = await self._inner.connect_tcp(f"{address[4][0]!s}", port)
                return AsyncGuardedStream(stream)
            except self._failures as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, *_: Any, **__: Any) -> AsyncGuardedStream:
        """Refuse: a URL names no such place."""
        raise HTTPException

    async def sleep(self, *_: Any, **__: Any) -> None:
        """Refuse: the engine sleeps between attempts to connect, of which there is one."""
        raise HTTPException
