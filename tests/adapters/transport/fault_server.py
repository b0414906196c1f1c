"""A server on loopback that answers each connection with a script of octets and timings.

A script is a tuple of acts, carried out in order on one connection::

    with FaultServer((Read(), Send(b"HTTP/1.1 200 OK\\r\\n"), Reset())) as server:
        ...  # server.url("/token")

Given several scripts, the first connection gets the first, and so on; the last one repeats.
"""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LONGEST = 20.0
"""Seconds after which a connection is given up, even in the middle of its script."""


@dataclass(frozen=True)
class Read:
    """Read one whole request and remember it."""


@dataclass(frozen=True)
class Send:
    """Send octets at once, so many times (or until the client has gone)."""

    octets: bytes
    times: int = 1


@dataclass(frozen=True)
class Drip:
    """Send octets in pieces, a pause before each; begin again at the end if endless."""

    octets: bytes
    every: float = 0.05
    piece: int = 1
    endless: bool = False


@dataclass(frozen=True)
class Wait:
    """Do nothing until the client closes the connection, and remember what it says meanwhile."""


@dataclass(frozen=True)
class HalfClose:
    """Send no more, but stay."""


@dataclass(frozen=True)
class Reset:
    """Drop the connection with a TCP reset."""


@dataclass(frozen=True)
class Handshake:
    """Speak TLS from here on, as after the answer to ``CONNECT``."""

    context: ssl.SSLContext


Act: TypeAlias = Read | Send | Drip | Wait | HalfClose | Reset | Handshake
Script: TypeAlias = tuple[Act, ...]


class FaultServer:
    """Listens on a free port of 127.0.0.1 until closed."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.unasked = b""
        self.spoken: list[str | None] = []
        self.connections = 0
        self.heard = threading.Semaphore(0)
        self.closed_by_client = threading.Event()
        self.ended = threading.Semaphore(0)
        self._scripts = scripts
        self._tls = tls
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def url(self, path: str = "/", *, host: str = "127.0.0.1") -> str:
        return f"http{'' if self._tls is None else 's'}://{host}:{self.port}{path}"

    def close(self) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LONGEST)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._play, args=(connection, script))
            self._open.append(connection)
            self._threads.append(thread)
            thread.start()

    def _play(self, connection: socket.socket, script: Script) -> None:
        connection.settimeout(LONGEST)
        stream = connection
        with contextlib.suppress(OSError):
            if self._tls is not None:
                stream = self._secured(self._tls, connection)
            for act in script:
                stream = self._perform(act, stream)
                if isinstance(act, Reset):
                    break
        connection.close()
        stream.close()
        self.ended.release()

    def _secured(self, context: ssl.SSLContext, stream: socket.socket) -> ssl.SSLSocket:
        try:
            secured = context.wrap_socket(stream.dup(), server_side=True)
        except ssl.SSLError:
            # Octets that the client still sends must cause no reset, which could overtake the
            # alert.
            stream.shutdown(socket.SHUT_WR)
            while stream.recv(4_096):
                pass
            raise
        self.spoken.append(secured.version())
        return secured

    def _perform(self, act: Act, stream: socket.socket) -> socket.socket:
        match act:
            case Read():
                self.requests.append(_request(stream))
                self.heard.release()
            case Send():
                for _ in range(act.times):
                    stream.sendall(act.octets)
            case Drip():
                self._drip(act, stream)
            case Wait():
                while heard := stream.recv(4_096):
                    self.unasked += heard
                self.closed_by_client.set()
            case HalfClose():
                stream.shutdown(socket.SHUT_WR)
            case Reset():
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case Handshake():
                return self._secured(act.context, stream)
        return stream

    def _drip(self, act: Drip, stream: socket.socket) -> None:
        for _ in range(10_000 if act.endless else 1):
            for start in range(0, len(act.octets), act.piece):
                if self._stopped.wait(act.every):
                    return
                stream.sendall(act.octets[start : start + act.piece])


def _request(stream: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        octets = stream.recv(4_096)
        if not octets:
            raise ConnectionError
        received += octets
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        body += stream.recv(4_096)
    return head + b"\r\n\r\n" + body


def ok(body: bytes = b"{}", *headers: bytes) -> bytes:
    """Return a plain good answer."""
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


_EARLIER = dt.timedelta(days=-2)
_Key: TypeAlias = ec.EllipticCurvePrivateKey


class Authority:
    """A CA that lives in a folder for the time of a test."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self._name, self._key, ca=True)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.path = folder / f"{name}.pem"
        self.path.write_text(self.pem)

    def issue(
        self,
        name: str = "leaf",
        *,
        host: str | None = "127.0.0.1",
        expired: bool = False,
        begins: dt.timedelta = _EARLIER,
    ) -> tuple[Path, Path]:
        """Return the paths of a certificate for a host or a client and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key, host=host, expired=expired, begins=begins)
        return self._written(name, certificate, key)

    def own(self) -> tuple[Path, Path]:
        """Return the paths of the authority's own certificate and key."""
        return self._written("own", self.certificate, self._key)

    def _written(self, name: str, certificate: x509.Certificate, key: _Key) -> tuple[Path, Path]:
        paths = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return paths

    def server(
        self,
        name: str = "server",
        *,
        host: str = "127.0.0.1",
        expired: bool = False,
        begins: dt.timedelta = _EARLIER,
        ask_client: bool = False,
    ) -> ssl.SSLContext:
        """Return a server's TLS settings with a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, host=host, expired=expired, begins=begins))
        if ask_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.path)
        return context

    def _sign(
        self,
        subject: x509.Name,
        key: _Key,
        *,
        host: str | None = None,
        expired: bool = False,
        begins: dt.timedelta = _EARLIER,
        ca: bool = False,
    ) -> x509.Certificate:
        day = dt.timedelta(days=1)
        now = dt.datetime.now(dt.UTC)
        end = now - day if expired else now + 2 * day
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            # The demands of the strict verification that Python 3.13 has by default (RFC 5280
            # §4.2).
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(_key_usage(ca=ca), critical=True)
        )
        if host is not None:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(host)]), critical=False
            )
        return builder.sign(self._key, hashes.SHA256())


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
