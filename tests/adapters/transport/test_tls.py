import ssl
import warnings
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from oidc_adapters.transport.tls import Certificate, StrPath, check_context, is_modern, tls_context
from oidc_core.wire.errors import UsageError
from tests.adapters.transport.fault_server import Authority


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


def test_authorities_in_a_folder_are_read_when_they_are_needed(tmp_path: Path) -> None:
    assert made(tmp_path).get_ca_certs() == []


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
