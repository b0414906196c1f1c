"""Serve the example on this machine: with your provider, or with a fake one."""

from __future__ import annotations

import argparse
import socket
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from examples.webapp.application import web_application
from examples.webapp.configuration import Configuration, read
from examples.webapp.fake import fake_provider
from werkzeug.serving import WSGIRequestHandler, make_server

from oidc_adapters import OidcError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from werkzeug.serving import BaseWSGIServer

    Configured = Callable[[str], AbstractContextManager[Configuration]]

PORT: Final = 8000
HERE: Final = Path(__file__).parent
OWN: Final = HERE / "config.toml"


class _Quiet(WSGIRequestHandler):
    """Writes no line for each request: its URL may hold an authorization code."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


def _not_ready(_environ: object, _start: object) -> list[bytes]:
    message = "the server is started only with its application"
    raise RuntimeError(message)


@contextmanager
def bound(configured: Configured, port: int) -> Generator[tuple[BaseWSGIServer, str]]:
    """Bind a port, 0 for a free one, and make the application for its origin.

    Args:
        configured: makes the settings for an origin, as in ``http://localhost:8000``.
        port: the port.
    """
    with socket.create_server(("127.0.0.1", port)) as listening:
        port = listening.getsockname()[1]
        server = make_server(
            "127.0.0.1",
            port,
            _not_ready,
            threaded=True,
            request_handler=_Quiet,
            fd=listening.fileno(),
        )
    origin = f"http://localhost:{port}"
    try:
        with configured(origin) as configuration:
            server.app = web_application(configuration)
            yield server, origin
    finally:
        server.server_close()


@contextmanager
def running(configured: Configured, port: int = 0) -> Generator[str]:
    """Serve the example in a thread as long as the block lasts; yield its origin."""
    with bound(configured, port) as (server, origin):
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield origin
        finally:
            server.shutdown()
            thread.join()


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C; the exit status is 2 if it cannot start."""
    parser = argparse.ArgumentParser(
        prog="examples/webapp/start",
        description="The example web application. Without CONFIG it reads config.toml in its own "
        "folder; without that file it starts a fake provider.",
    )
    parser.add_argument("config", nargs="?", type=Path, help="a file like config.toml.example")
    parser.add_argument("--fake", action="store_true", help="start a fake provider")
    parser.add_argument("--port", type=int, help="where to listen, with the fake provider")
    chosen = parser.parse_args(arguments)
    path: Path | None = chosen.config or (OWN if OWN.exists() else None)
    try:
        if path is None or chosen.fake:
            return _serve(fake_provider, PORT if chosen.port is None else chosen.port)
        configuration = read(path)
        port = urlsplit(configuration.redirect_uri).port or PORT
        return _serve(lambda _origin: nullcontext(configuration), port)
    except OidcError as error:
        sys.stderr.write(f"The settings do not fit: {error}\n{error.hint}\n")
    except OSError as error:
        sys.stderr.write(f"The example cannot start: {error}\n")
    return 2


def _serve(configured: Configured, port: int) -> int:
    with bound(configured, port) as (server, origin):
        print(f"The example is at {origin}/ - open it in a browser. Ctrl-C ends it.", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
