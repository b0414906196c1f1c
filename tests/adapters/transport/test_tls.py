import socket
import ssl
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from urllib3.util.ssltransport import SSLTransport

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import FaultServer, Read, Send, Wait, ok
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_adapters.transport.tls import (
    Certificate,
    StrPath,
    check_context,
    holds_octets,
    is_modern,
    proves,
    tls_context,
)
from oidc_core.wire.errors import UsageError
from tests.adapters.transport.exchanges import CLOCK, failed, request


def made(
    ca: StrPath | None = None,
    client_certificate: Certificate | None = None,
) -> ssl.SSLContext:
    return tls_context(ca=ca, client_certificate=client_certificate)


def about_of(
    ca: StrPath | None = None, client_certificate: Certificate | None = None
) -> str | None:
    with pytest.raises(UsageError) as caught:
        made(ca, client_certificate)
    assert caught.value.code == "config_invalid"
    return caught.value.about


# --- the context made here -----------------------------------------------------------------------


@pytest.mark.req("OIDCC-16.17-01", "RFC6749-10.9-01")
def test_a_context_verifies_certificate_and_name_under_tls_1_2_or_newer() -> None:
    context = made()

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    check_context(context)  # what is made here is good enough to be given from outside


def test_no_session_key_is_written_to_a_file_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))

    assert made().keylog_filename is None


# --- authorities ---------------------------------------------------------------------------------


def test_authorities_are_a_file_or_text_in_place_of_the_systems(authority: Authority) -> None:
    for ca in (authority.path, str(authority.path), authority.pem):
        found = made(ca).get_ca_certs(binary_form=True)
        assert found == [authority.certificate.public_bytes(serialization.Encoding.DER)]


def test_authorities_in_a_folder_are_read_when_they_are_needed(
    authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "readme.txt").write_text("other files are nobody's affair")
    (tmp_path / "0a1b2c3d.0").write_text("nor is one that holds nothing")
    (tmp_path / "0a1b2c3d.1").write_text(authority.pem)
    assert made(tmp_path).get_ca_certs() == []


@pytest.mark.parametrize(
    "name",
    ["ca.pem", "0a1b2c3d", "0a1b2c3d.pem", "0a1b2c3.0", "0a1b2c3dd.0", "0a1b2c3g.0", "0a1b2c3d.r0"],
)
def test_a_folder_in_which_openssl_would_find_no_authority_is_refused(
    authority: Authority, tmp_path: Path, name: str
) -> None:
    assert about_of(tmp_path) == "ca"
    (tmp_path / name).write_text(authority.pem)
    assert about_of(tmp_path) == "ca"


def test_a_folder_of_which_no_file_holds_an_authority_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0a1b2c3d.0").write_text("x")
    (tmp_path / "0a1b2c3d.1").mkdir()
    assert about_of(tmp_path) == "ca"


def test_what_holds_no_authority_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()

    for ca in ("/nowhere.pem", tmp_path / "empty.pem", "-----BEGIN CERTIFICATE-----\nnonsense", ""):
        assert about_of(ca) == "ca"


def test_a_path_with_a_zero_octet_is_refused() -> None:
    assert about_of("ca\0.pem") == "ca"


# --- the client's certificate --------------------------------------------------------------------


@pytest.fixture
def locked(authority: Authority, tmp_path: Path) -> tuple[Path, Path]:
    """A certificate and its key, which "open sesame" opens."""
    certificate, key = authority.issue("locked", host=None)
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    path = tmp_path / "locked.key"
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"open sesame"),
        )
    )
    return certificate, path


def test_a_certificate_and_its_key_are_loaded(authority: Authority) -> None:
    assert made(None, authority.issue("client", host=None)).verify_mode == ssl.CERT_REQUIRED


def test_a_key_with_a_password_opens_with_it_only(locked: tuple[Path, Path]) -> None:
    assert made(None, (*locked, "open sesame")).verify_mode == ssl.CERT_REQUIRED
    for wrong in (locked, (*locked, "wrong")):
        assert about_of(None, wrong) == "client_certificate"


def test_a_certificate_that_is_not_there_or_not_the_keys_is_refused(authority: Authority) -> None:
    certificate, key = authority.issue("one", host=None)
    other, _ = authority.issue("other", host=None)

    assert about_of(None, ("/nowhere.pem", "/nowhere.key")) == "client_certificate"
    assert about_of(None, (certificate, "/nowhere.key")) == "client_certificate"
    assert about_of(None, (other, key)) == "client_certificate"


# --- a context of the application ----------------------------------------------------------------


def unverifying() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def optional() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def nameless() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    return context


def old(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = version
    return context


def held_back(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.maximum_version = version
    return context


@pytest.mark.req("OIDCC-16.17-01")
@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (unverifying(), "a verifying context"),
        (optional(), "a verifying context"),
        (nameless(), "a verifying context"),
        (old(ssl.TLSVersion.TLSv1_1), "TLS 1.2 or newer"),
        (held_back(ssl.TLSVersion.TLSv1_1), "TLS 1.2 or newer"),
        (held_back(ssl.TLSVersion.MINIMUM_SUPPORTED), "TLS 1.2 or newer"),
    ],
)
def test_a_lax_context_is_refused(context: ssl.SSLContext, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_context(context)

    assert (caught.value.code, caught.value.about) == ("config_invalid", "ssl_context")
    assert caught.value.expected == expected


def test_a_strict_context_is_taken() -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context()
        context.minimum_version = version
        check_context(context)
        assert context.minimum_version == version


def test_a_context_that_leaves_the_version_open_is_taken() -> None:
    """As an operating system's Python makes it: the connection's version decides."""
    context = old(ssl.TLSVersion.MINIMUM_SUPPORTED)
    context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    assert (context.minimum_version, context.maximum_version) == (-2, -1)

    check_context(context)
    check_context(ssl.create_default_context())


# --- the version of a connection -----------------------------------------------------------------


class Speaking:
    """A connection that gives the version it is told to."""

    def __init__(self, name: str | None) -> None:
        self._name = name

    def version(self) -> str | None:
        return self._name


@pytest.mark.parametrize("name", ["TLSv1.2", "TLSv1.3"])
def test_a_known_new_version_is_modern(name: str) -> None:
    assert is_modern(Speaking(name))


@pytest.mark.parametrize(
    "name", ["TLSv1.1", "TLSv1", "SSLv3", "SSLv2", "TLSv1.4", "tlsv1.2", "unknown", "", None]
)
def test_any_other_version_is_not(name: str | None) -> None:
    assert not is_modern(Speaking(name))


def test_a_connection_that_names_no_version_is_not_modern() -> None:
    assert not is_modern(object())
    assert not is_modern(None)


# --- what a connection proves --------------------------------------------------------------------


def by_socket(sock: socket.socket, context: ssl.SSLContext, name: str | None) -> Any:
    return context.wrap_socket(sock, server_hostname=name)


def by_transport(sock: socket.socket, context: ssl.SSLContext, name: str | None) -> Any:
    """As urllib3 has TLS within TLS."""
    return SSLTransport(sock, context, server_hostname=name)


BOTH = pytest.mark.parametrize("wrapped", [by_socket, by_transport])


@contextmanager
def connected(
    server: FaultServer,
    context: ssl.SSLContext,
    wrapped: Callable[[socket.socket, ssl.SSLContext, str | None], Any],
    name: str | None = "op.example",
) -> Generator[Any]:
    with socket.create_connection(("127.0.0.1", server.port), 5) as sock:
        tls = wrapped(sock, context, name)
        try:
            yield tls
        finally:
            tls.close()


@BOTH
def test_a_connection_proves_the_name_that_was_compared(
    authority: Authority, wrapped: Callable[..., Any]
) -> None:
    tls = authority.server("proof", host="op.example")
    with (
        FaultServer((Wait(),), tls=tls) as server,
        connected(server, made(authority.path), wrapped) as connection,
    ):
        for same in ("op.example", "OP.example", "op.example."):
            assert proves(connection, same)
        for other in ("other.example", "example", "", "op.example.org", "127.0.0.1"):
            assert not proves(connection, other)


@BOTH
@pytest.mark.parametrize("mode", [ssl.CERT_NONE, ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED])
def test_a_connection_without_a_name_or_a_certificate_proves_nothing(
    authority: Authority, wrapped: Callable[..., Any], mode: ssl.VerifyMode
) -> None:
    context = made(authority.path)
    context.check_hostname = False
    context.verify_mode = mode
    tls = authority.server("proof", host="op.example")
    with (
        FaultServer((Wait(),), tls=tls) as server,
        connected(server, context, wrapped) as connection,
    ):
        assert not proves(connection, "op.example")


def test_what_is_no_tls_proves_nothing() -> None:
    here, there = socket.socketpair()
    with here, there:
        assert not proves(here, "op.example")
    assert not proves(None, "op.example")


def anonymous(ciphers: str) -> ssl.SSLContext:
    """A server's settings that need no certificate, or encrypt nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    return context


def test_a_server_without_any_certificate_is_told_nothing() -> None:
    """A verifying context finds nothing wrong with a certificate that is not there."""
    ciphers = "AECDH:@SECLEVEL=0"
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    with FaultServer((Wait(),), tls=anonymous(ciphers)) as server:
        transport = Urllib3Transport(ssl_context=context)
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert server.ended.acquire(timeout=5)
        assert (server.spoken, server.unasked) == (["TLSv1.2"], b"")


def test_a_server_that_encrypts_nothing_is_told_nothing(authority: Authority) -> None:
    open_server = authority.server("open")
    context = ssl.create_default_context(cafile=str(authority.path))
    for settings in (open_server, context):
        settings.maximum_version = ssl.TLSVersion.TLSv1_2
        settings.set_ciphers("eNULL:@SECLEVEL=0")
    with FaultServer((Wait(),), tls=open_server) as server:
        transport = Urllib3Transport(ssl_context=context)
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert server.ended.acquire(timeout=5)
        assert (server.spoken, server.unasked) == (["TLSv1.2"], b"")


def test_a_common_name_is_no_name(authority: Authority) -> None:
    """RFC 9525 §2: only the alternative names of a certificate count."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue("localhost", host=None))
    with (
        FaultServer((Read(), Send(ok())), tls=tls) as server,
        Urllib3Transport(ca=authority.path) as transport,
    ):
        wire = request(server.url(host="localhost"))
        assert failed(transport.send(wire, CLOCK)) == ("tls_failed", "no")
        assert server.requests == []


# --- what TLS holds ------------------------------------------------------------------------------


@BOTH
def test_what_nobody_has_received_yet_is_held(
    authority: Authority, wrapped: Callable[..., Any]
) -> None:
    tls = authority.server("proof", host="op.example")
    with (
        FaultServer((Send(b"ab"), Wait()), tls=tls) as server,
        connected(server, made(authority.path), wrapped) as connection,
    ):
        assert connection.recv(1) == b"a"
        assert holds_octets(connection)
        assert connection.recv(1) == b"b"
        assert not holds_octets(connection)


def test_a_record_that_was_not_opened_yet_is_held(authority: Authority) -> None:
    """TLS within TLS has a separate buffer in front of it."""
    tls = authority.server("proof", host="op.example")
    tls.num_tickets = 0
    with (
        FaultServer((Send(b"ab"), Send(b"cd"), Wait()), tls=tls) as server,
        connected(server, made(authority.path), by_transport) as connection,
    ):
        assert connection.recv(2) == b"ab"
        connection.incoming.write(b"the next record")
        assert holds_octets(connection)


def test_without_tls_nothing_is_held() -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"x")
        assert not holds_octets(here)
    assert not holds_octets(None)
