"""A server's side of HTTP/1.1, for the loopback listener and the fake provider.

``http.server`` takes requests apart as Python reads numbers and e-mail reads headers. Here they are
read by the same grammar as a provider's answers; every request outside of it is answered with 400
and ends the connection.
"""

from abc import ABC, abstractmethod
from http.client import HTTPException, HTTPMessage
from http.server import BaseHTTPRequestHandler

from oidc_adapters.transport.framing import (
    Fields,
    content_length,
    is_chunked,
    read_fields,
    request_line,
    values_of,
)


class StrictConversation(BaseHTTPRequestHandler, ABC):
    """One connection, whose requests are beyond doubt.

    Attributes:
        max_body: how many octets the body of a request may have.
        body: the body of the request at hand.
    """

    raw_requestline: bytes
    max_body = 65_536
    body = b""

    def do_GET(self) -> None:
        """Answer a request."""
        self.converse()

    def do_POST(self) -> None:
        """Answer a request that brought a body."""
        self.converse()

    @abstractmethod
    def converse(self) -> None:
        """Answer the request at hand."""

    def parse_request(self) -> bool:
        """Read a request; return whether it may be answered by its method."""
        self.command, self.path, self.requestline = "", "", ""
        self.request_version, self.close_connection = self.protocol_version, True
        try:
            self.command, self.path, minor = request_line(self.raw_requestline)
            self.requestline, self.request_version = self.command, f"HTTP/1.{minor}"
            fields = read_fields(self.rfile)
            length = _length(fields, minor)
        except HTTPException:
            self.send_error(400)
            return False
        self.headers = HTTPMessage()
        for name, value in fields:
            self.headers[name] = value
        if length is None or length > self.max_body:
            self.send_error(411 if length is None else 413)
            return False
        if not self._read_body(length):
            return False
        persistent = minor > 0 and self.protocol_version >= "HTTP/1.1"
        closes = "close" in ",".join(values_of(fields, "connection")).lower()
        self.close_connection = closes or not persistent
        return True

    def _read_body(self, length: int) -> bool:
        if length and self.headers.get("expect", "").lower() == "100-continue":
            self.handle_expect_100()
        self.body = self.rfile.read(length)
        if len(self.body) < length:
            self.send_error(400)
        return len(self.body) == length

    def log_message(self, *args: object, **kwargs: object) -> None:
        """Say nothing: requests hold codes and tokens."""


def _length(fields: Fields, minor: int) -> int | None:
    """Return how long the body is; ``None`` for chunks, which nobody sends here.

    Raises:
        HTTPException: if that is in doubt, or which host was asked (RFC 9112 §3.2, §6.3).
    """
    hosts = values_of(fields, "host")
    if len(hosts) > 1 or (minor > 0 and not hosts):
        raise HTTPException("not one host")
    length = content_length(values_of(fields, "content-length"))
    if not is_chunked(values_of(fields, "transfer-encoding"), minor):
        return length or 0
    if length is not None:
        raise HTTPException("a length and chunks")
    return None
