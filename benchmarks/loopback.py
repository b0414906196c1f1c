"""A server on 127.0.0.1, in a separate process, that answers each POST with the same JSON.

``python -m benchmarks.loopback`` prints its port and serves until its input ends.
"""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

_BODY: Final = b'{"access_token":"%s","token_type":"Bearer","expires_in":3600}' % (b"x" * 1_200)
_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\n"
    b"content-length: %d\r\n\r\n%s"
) % (len(_BODY), _BODY)


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.wfile.write(_ANSWER)


def main() -> None:
    """Serve until standard input ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Conversation)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


@contextmanager
def served() -> Generator[int]:
    """Run the server as long as the context lasts; its port is the context's value."""
    command = [sys.executable, "-m", "benchmarks.loopback"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        try:
            yield int(it.stdout.readline() if it.stdout else "")
        finally:
            it.terminate()


if __name__ == "__main__":
    main()
