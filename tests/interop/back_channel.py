"""The route at which a provider tells an application about logouts, served on loopback."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from oidc_core.wire.incoming import Incoming
from oidc_core.wire.replies import Reply

PATH: Final = "/backchannel-logout"

Answer = Callable[[Incoming], Reply]


class BackChannel:
    """A running route.

    `uri` is what a client registers. `requests` are those of the provider, and `replies` what it
    was answered; `answer` is set to what takes them.
    """

    def __init__(self, origin: str) -> None:
        self.uri = origin + PATH
        self.requests: list[Incoming] = []
        self.replies: list[Reply] = []
        self.answer: Answer = nobody

    def take(self, incoming: Incoming) -> Reply:
        """Answer a request, and write both down."""
        self.requests.append(incoming)
        reply = self.answer(incoming)
        self.replies.append(reply)
        return reply


def nobody(_incoming: Incoming) -> Reply:
    """Be an application that is out of order."""
    return Reply(status=503)


@contextmanager
def served() -> Generator[BackChannel]:
    """A route on a free port of 127.0.0.1, for as long as the block lasts."""

    class Conversation(BaseHTTPRequestHandler):
        """One request of the provider."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = self.headers["Content-Type"]
            reply = route.take(Incoming(method="POST", url=route.uri, body=body, content_type=kind))
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Conversation)
    route = BackChannel(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield route
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
