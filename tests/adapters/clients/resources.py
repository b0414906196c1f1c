"""A resource server on loopback: it takes the access tokens that are told to it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Resources:
    """Answers 200 with the body of a request if its token is good, and 401 otherwise.

    Attributes:
        good: the access tokens that it takes; empty for all but those that are refused.
        refused: the access tokens that it does not take.
        seen: the token and the body of each request.
    """

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.seen: list[tuple[str, bytes]] = []
        self.places: list[str] = []
        outer = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def answer(self) -> None:
                body = self.body()
                token = (self.headers["authorization"] or "").removeprefix("Bearer ")
                outer.seen.append((token, body))
                if self.path.startswith("/elsewhere"):
                    self.send_response(int(self.path.partition("?")[2] or 302))
                    self.send_header("location", outer.places[0])
                    body = b""
                else:
                    self.send_response(200 if token and token not in outer.refused else 401)
                self.send_header("content-length", f"{len(body)}")
                self.end_headers()
                self.wfile.write(body)

            def body(self) -> bytes:
                if self.headers["transfer-encoding"] is None:
                    return self.rfile.read(int(self.headers["content-length"] or 0))
                found = b""
                while size := int(self.rfile.readline(), 16):
                    found += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return found

            def log_message(self, *args: object, **kwargs: object) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
