"""Transports over the engine of httpx2, ``httpcore2``: one that waits, and one for event loops."""

import ssl

import httpcore2

from oidc_adapters.transport.engine import AwaitedEngineTransport, BlockingEngineTransport
from oidc_adapters.transport.tls import Certificate, StrPath


class Httpx2Transport(BlockingEngineTransport):
    """A :class:`~oidc_adapters.transport.Transport` over the engine of httpx2.

    Connections are kept per origin.  One whose answer had no length is not used again.  An instance
    may be used by any number of threads, and in a process forked from the one that made it.

    Args:
        ca: a file of CA certificates, a folder of them as ``openssl rehash`` makes it, or their PEM
            text, in place of the system's.
        client_certificate: paths of the client's certificate and key, and the key's password, for
            mutual TLS (RFC 8705).
        ssl_context: TLS settings made by the application, in place of those two.
        proxy: the ``http`` URL of a proxy; ``https`` goes through it by ``CONNECT``, and ``http``
            to loopback only.  No proxy is ever taken from the environment.
        pool_size: how many connections to an origin may be open at a time.

    Attributes:
        judges_addresses: whether it holds every address that it connects to against the request;
            through a proxy it sees no addresses.

    Raises:
        UsageError: ``config_invalid`` if a setting cannot be used.
    """

    def __init__(
        self,
        *,
        ca: StrPath | None = None,
        client_certificate: Certificate | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        pool_size: int = 16,
    ) -> None:
        super().__init__(
            httpcore2,
            ca=ca,
            client_certificate=client_certificate,
            ssl_context=ssl_context,
            proxy=proxy,
            pool_size=pool_size,
        )


class AsyncHttpx2Transport(AwaitedEngineTransport):
    """An :class:`~oidc_adapters.transport.AsyncTransport` over the engine of httpx2.

    It runs under asyncio and trio, with no thread but for looking names up.  Everything else is as
    in :class:`Httpx2Transport`.
    """

    def __init__(
        self,
        *,
        ca: StrPath | None = None,
        client_certificate: Certificate | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        pool_size: int = 16,
    ) -> None:
        super().__init__(
            httpcore2,
            ca=ca,
            client_certificate=client_certificate,
            ssl_context=ssl_context,
            proxy=proxy,
            pool_size=pool_size,
        )
