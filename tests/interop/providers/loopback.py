"""Serves a provider's WSGI application on a free port of 127.0.0.1 until standard input ends.

A provider's virtual environment has neither the library nor the packages of the tests, so this
module imports only the standard library. The current folder is empty, and a provider may write
there.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from typing import Any, TypeAlias
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

WsgiApplication: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, kw_only=True)
class Given:
    """The user and the client that a provider knows from the start.

    A provider with open registration ignores the client's id and secret, and makes them itself.
    """

    login: str
    password: str
    email: str
    client_id: str
    client_secret: str
    redirect_uri: str
    post_logout_redirect_uri: str


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: the provider writes its refusals to standard error itself."""


def serve(application_at: Callable[[str, Given], WsgiApplication]) -> None:
    """Bind, make the application for that origin, print ``ready ORIGIN`` and serve.

    The application is made when the port is known, since a provider names itself by it.
    """
    given = Given(**json.loads(sys.argv[1]))
    with _Server(("127.0.0.1", 0), _Silent) as server:
        origin = f"http://127.0.0.1:{server.server_port}"
        server.set_app(application_at(origin, given))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(f"ready {origin}\n")
        sys.stdout.flush()
        sys.stdin.read()
        server.shutdown()
