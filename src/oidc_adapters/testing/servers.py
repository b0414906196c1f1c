"""A fake provider on a loopback port, for clients and browsers that speak real HTTP or HTTPS."""

import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket
from ssl import SSLContext
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.served_provider import MAX_BODY, ServedProvider
from oidc_adapters.testing.transports import TellsTime
from oidc_adapters.transport.conversation import StrictConversation
from oidc_core.wire.http import NoAnswer
from oidc_core.wire.settings import check_kind

_HOST: Final = "127.0.0.1"
_HANDSHAKE: Final = 10


class _Server(ThreadingHTTPServer):
    """Remembers its connections, so that closing it leaves no thread behind."""

    daemon_threads = False

    def __init__(
        self, conversation: "type[_Conversation]", port: int, tls: SSLContext | None = None
    ) -> None:
        super().__init__((_HOST, port), conversation)
        self._open: set[socket] = set()
        self._changing = Lock()
        self._tls = tls

    def process_request(
        self, request: socket | tuple[bytes, socket], client_address: object
    ) -> None:
        self._open.add(request if isinstance(request, socket) else request[1])
        super().process_request(request, client_address)

    def finish_request(
        self, request: socket | tuple[bytes, socket], client_address: object
    ) -> None:
        """Answer what comes on a connection, in its own thread; the handshake is part of that."""
        plain = request if isinstance(request, socket) else request[1]
        if self._tls is None:
            super().finish_request(plain, client_address)
            return
        with self._changing:  # what is being wrapped is not found by who closes connections
            wrapped = self._tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            self._open.add(wrapped)
        with wrapped as secured:
            secured.settimeout(_HANDSHAKE)
            secured.do_handshake()
            super().finish_request(secured, client_address)

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Do not report a client that went away; every other error is a defect."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        """End the connections that clients keep open."""
        with self._changing:
            for connection in self._open:
                with suppress(OSError):  # closed long ago
                    socket.shutdown(connection, SHUT_RDWR)  # of its base: TLS is its thread's


class _Conversation(StrictConversation):
    """One connection: requests in, the provider's answers out."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    max_body = MAX_BODY
    disable_nagle_algorithm = True  # headers and body go out in two writes
    served: ClassVar[ServedProvider]

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the date of an answer, by the provider's own clock."""
        return super().date_time_string(self.served.time if timestamp is None else timestamp)

    def converse(self) -> None:
        """Have the provider answer."""
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        body = self.body if self.command == "POST" else None
        answer = self.served.answer(self.served.request(self.command, self.path, headers, body))
        if isinstance(answer, NoAnswer):
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)


@contextmanager
def serve(
    provider: FakeProvider,
    clock: TellsTime,
    *,
    interactive: bool = False,
    port: int = 0,
    tls: bool = False,
    issuer: str | None = None,
) -> Generator[ServedProvider]:
    """Serve a provider on 127.0.0.1, as long as the context lasts.

    Args:
        provider: what to serve.  It moves to its issuer: the provider served, without the memory of
            the one given, is the context's ``provider``.
        clock: tells the time; a frozen one is fine.
        interactive: whether a browser sees a page to sign in on; otherwise users consent at once.
        port: where to listen; a free port by default.
        tls: whether it speaks TLS, with a certificate of ``served.ca``, which is made for it.
        issuer: the issuer identifier; ``http://127.0.0.1:PORT`` by default, or ``https`` with TLS.
            Behind another one, such as ``https://op.example``, a client reaches the provider with
            ``Policy(back_channel=served.back_channel)``, and a browser at ``served.reached(url)``.

    Yields:
        The provider being served.
    """
    _check((provider, FakeProvider, "provider"), (port, int, "port"), (tls, bool, "tls"))
    _check((issuer, str | None, "issuer"))

    class Conversation(_Conversation):
        """The conversations of this server."""

    with _secured(issuer) if tls else nullcontext((None, "")) as (context, ca):
        server = _Server(Conversation, port, context)
        origin = f"{'https' if tls else 'http'}://{_HOST}:{server.server_address[1]}"
        with _running(server):
            moved = provider.moved_to(issuer or origin)
            served = ServedProvider(moved, clock, interactive=interactive, origin=origin, ca=ca)
            Conversation.served = served
            yield served


def _check(*settings: tuple[object, Any, str]) -> None:
    for value, kind, about in settings:
        check_kind(value, kind, about=about, code="config_invalid")


@contextmanager
def _secured(issuer: str | None) -> Generator[tuple[SSLContext, str]]:
    """Make a certificate, and yield the TLS settings of a server and the CA to trust."""
    named = urlsplit(issuer or "").hostname
    with TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        hosts = (_HOST, "localhost", *([named] if named else []))
        yield authority.server(host=hosts), authority.pem


@contextmanager
def _running(server: _Server) -> Generator[None]:
    """Let a server answer, and end its threads."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.close_connections()
        server.server_close()
        thread.join()
