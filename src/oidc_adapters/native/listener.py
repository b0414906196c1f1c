"""A loopback listener for the one callback of one login (RFC 8252 §7.3, §8.3).

It listens on 127.0.0.1 only and takes one request for its path: the first whose ``state`` names the
login that is waited for.  Any page that the browser shows can send others, so they end nothing.  It
believes none of it: what the callback is worth is for
:func:`oidc_core.operations.login.finish` to say.
"""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from html import escape
from http.server import ThreadingHTTPServer
from queue import Empty, Queue
from socket import socket
from threading import Lock, Thread
from typing import ClassVar, Final

from attrs import field, frozen

from oidc_adapters.transport.conversation import StrictConversation
from oidc_core.endpoints.authorization import Callback, pending_id
from oidc_core.model.pending import pending_id_of
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.limits import UPPER_BOUNDS

HOST: Final = "127.0.0.1"
_PATIENCE: Final = 10
_HEADERS: Final = (
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"),
    ("connection", "close"),
)


@frozen(kw_only=True)
class ReceivedRequest:
    """A request for the callback's URL.

    Attributes:
        method: ``GET`` or ``POST``.
        url: the redirect URI it came to.
        query: the query of its URL.
        body: what was posted.
    """

    method: str
    url: str
    query: str = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def parameters(self) -> str:
        """The parameters, form-encoded, from the URL or the body."""
        return self.body.decode("utf-8", "replace") if self.method == "POST" else self.query

    @property
    def callback(self) -> Callback:
        """The callback, as the core takes it.

        Raises:
            CallbackError: ``parameter_too_long`` or ``parameter_malformed``.
        """
        return Callback.of(
            Incoming(method=self.method, url=self.url, query=self.query, body=self.body)
        )


class CallbackListener:
    """Waits for the browser.

    Attributes:
        url: the redirect URI.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._login_id = ""
        self._foreign: CallbackError | None = None
        self._arrivals: Queue[ReceivedRequest] = Queue()
        self._claimed = Lock()

    def expect(self, login_id: str) -> None:
        """Name the login to wait for; before this call the listener expects no callback."""
        self._login_id = login_id

    def awaits(self, received: ReceivedRequest) -> bool:
        """Return whether the login that is waited for is among those that a request names.

        One that names two is not for this listener to judge.
        """
        try:
            callback = received.callback
            states = [value for name, value in callback.parameters if name == "state"]
            if self._login_id in map(pending_id_of, states):
                return True
            pending_id(callback)
            self._foreign = CallbackError("state_unknown", about="state")
        except CallbackError as fault:
            self._foreign = fault
        return False

    def claim(self) -> bool:
        """Return whether this is the first received; only that one may be delivered."""
        return self._claimed.acquire(blocking=False)

    def deliver(self, received: ReceivedRequest) -> None:
        """Hand the received to the one who waits for it."""
        self._arrivals.put(received)

    def wait(self, seconds: float) -> ReceivedRequest:
        """Return the received, as soon as there is one.

        Raises:
            CallbackError: ``state_expired`` if nobody came in time; if only callbacks of no login
                or of another came, what is wrong with the last one.
        """
        try:
            return self._arrivals.get(timeout=seconds)
        except Empty:
            in_time = f"a callback within {seconds:g} seconds"
            late = CallbackError("state_expired", expected=in_time)
            raise self._foreign or late from None


class _Server(ThreadingHTTPServer):
    # A thread for each connection: browsers open some on which they never say a word.
    daemon_threads = True
    # A page that opens many at once must not keep the callback's out.
    request_queue_size = 128
    # Elsewhere the option lets another process listen on the same port.
    allow_reuse_address = os.name == "posix"

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Do not report a browser that went away; every other error is a defect."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Conversation(StrictConversation):
    """One connection of a browser."""

    timeout = _PATIENCE
    max_body = UPPER_BOUNDS.callback
    listener: ClassVar[CallbackListener]

    def converse(self) -> None:
        """Take the callback, and show the browser a page."""
        path, _, query = self.path.partition("?")
        # Another Host is another site whose name leads here (DNS rebinding).
        url = f"http://{self.headers.get('host', '')}{path}"
        received = ReceivedRequest(method=self.command, url=url, query=query, body=self.body)
        if url != self.listener.url or not self.listener.awaits(received):
            self._answer(404, "Not here", "There is no page under this address.")
            return
        if not self.listener.claim():
            self._answer(410, "Over", "This login has had its answer. Start a new one.")
            return
        try:
            text = "Go back to the terminal: it shows the result. This page can be closed."
            self._answer(200, "Thank you", text)
        finally:  # The page first: the process may end as soon as it has its answer.
            self.listener.deliver(received)

    def _answer(self, status: int, title: str, text: str) -> None:
        page = (
            "<!doctype html>\n"
            f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            "<style>body{font:1.1rem/1.5 system-ui,sans-serif;margin:12vh auto;max-width:32rem}"
            f"</style></head>\n<body><h1>{escape(title)}</h1><p>{escape(text)}</p></body></html>\n"
        ).encode()
        self.send_response(status)
        for name, value in (*_HEADERS, ("content-length", str(len(page)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)


@contextmanager
def listening(port: int = 0, path: str = "/callback") -> Generator[CallbackListener]:
    """Listen for one callback, as long as the context lasts.

    Args:
        port: the port; any that is free by default (RFC 8252 §7.3).
        path: the path of the redirect URI.

    Raises:
        UsageError: ``config_invalid`` if the port is not available.
    """

    class Conversation(_Conversation):
        """The conversations of this listener."""

    try:
        server = _Server((HOST, port), Conversation)
    except OSError:
        raise UsageError(
            "config_invalid", about="port", found=port, expected="a port that is free"
        ) from None
    Conversation.listener = CallbackListener(f"http://{HOST}:{server.server_address[1]}{path}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Conversation.listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
