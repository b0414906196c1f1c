"""The TLS settings of a transport: verified, TLS 1.2 or newer, the system's CAs or your own."""

import ssl
from contextlib import suppress
from os import PathLike, fspath
from pathlib import Path
from typing import Final, TypeAlias

from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_kind

_MODERN: Final = frozenset({"TLSv1.2", "TLSv1.3"})
_UNNAMED: Final = frozenset({ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.MAXIMUM_SUPPORTED})
_STRENGTH: Final = 112  # bits, the least that RFC 9325 §4.1 lets pass
_EMPTY: Final = ssl.MemoryBIO()
_HASH: Final = frozenset("0123456789abcdef")

StrPath: TypeAlias = str | PathLike[str]
Certificate: TypeAlias = tuple[StrPath, StrPath] | tuple[StrPath, StrPath, str]


def tls_context(
    *,
    ca: StrPath | None,
    client_certificate: Certificate | None,
) -> ssl.SSLContext:
    """Return a context for connections to providers.

    Made without :func:`ssl.create_default_context`, which writes every session's keys to a file if
    the environment names one.

    Args:
        ca: a file of CA certificates, a folder of them as OpenSSL has it (``openssl rehash``), or
            their PEM text; it replaces the system's.
        client_certificate: paths of a certificate chain and its key, and the key's password
            (RFC 8705 §2).

    Raises:
        UsageError: ``config_invalid`` if something cannot be loaded.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # RFC 9525 §2
    if ca is None:
        context.load_default_certs()
    else:
        _load_ca(context, fspath(ca))
    if client_certificate is not None:
        _load_client_certificate(context, client_certificate)
    return context


def chosen_context(
    ca: StrPath | None,
    client_certificate: Certificate | None,
    ssl_context: ssl.SSLContext | None,
) -> ssl.SSLContext:
    """Return the context that a transport was given, or make it of a CA and a certificate.

    Raises:
        UsageError: ``config_invalid`` if a setting cannot be used, or if there is one too many.
    """
    check_tls_kinds(ca, client_certificate, ssl_context)
    if ssl_context is None:
        return tls_context(ca=ca, client_certificate=client_certificate)
    if ca is not None or client_certificate is not None:
        raise UsageError("config_invalid", about="ssl_context", expected="no other setting")
    check_context(ssl_context)
    return ssl_context


def check_tls_kinds(ca: object, client_certificate: object, ssl_context: object) -> None:
    """Refuse TLS settings of another type.

    Raises:
        UsageError: ``config_invalid``.
    """
    for value, kind, about in (
        (ca, StrPath | None, "ca"),
        (client_certificate, Certificate | None, "client_certificate"),
        (ssl_context, ssl.SSLContext | None, "ssl_context"),
    ):
        check_kind(value, kind, about=about, code="config_invalid")


def check_context(context: ssl.SSLContext) -> None:
    """Refuse a context of the application that does not verify or that names an old protocol.

    An operating system's Python names no version and leaves it to OpenSSL. Then the version of each
    connection decides; see :func:`is_modern`.

    Raises:
        UsageError: ``config_invalid``.
    """
    if not _verifies(context):
        raise UsageError("config_invalid", about="ssl_context", expected="a verifying context")
    for version in (context.minimum_version, context.maximum_version):
        if version not in _UNNAMED and version < ssl.TLSVersion.TLSv1_2:
            raise UsageError("config_invalid", about="ssl_context", expected="TLS 1.2 or newer")


def proves(connection: object, host: str) -> bool:
    """Whether TLS made sure that a connection leads to a host, by its own word.

    It must have demanded a certificate and compared it with exactly that name. There must have been
    a certificate, because an anonymous key exchange brings no certificate that could be refused.
    Also, what travels must be encrypted. A connection that does not tell counts as not verified.
    """
    tls = getattr(connection, "sslobj", connection)  # TLS within TLS, in urllib3's way
    if not isinstance(tls, ssl.SSLSocket | ssl.SSLObject) or not _verifies(tls.context):
        return False
    named, cipher = tls.server_hostname or "", tls.cipher()
    return (
        _spelled(named) == _spelled(host)
        and tls.getpeercert(binary_form=True) is not None
        and cipher is not None
        and cipher[2] >= _STRENGTH
    )


def is_modern(connection: object) -> bool:
    """Whether a connection speaks TLS 1.2 or newer, by its own word after the handshake.

    A name that is not known counts as old, and a connection that names no version does too.
    """
    version = getattr(connection, "version", None)
    return callable(version) and version() in _MODERN


def holds_octets(connection: object) -> bool:
    """Whether TLS has taken octets in that nobody has received yet."""
    tls = getattr(connection, "sslobj", connection)
    if isinstance(tls, ssl.SSLObject) and getattr(connection, "incoming", _EMPTY).pending:
        return True
    return isinstance(tls, ssl.SSLSocket | ssl.SSLObject) and tls.pending() > 0


def _verifies(context: ssl.SSLContext) -> bool:
    return context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname


def _spelled(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _load_ca(context: ssl.SSLContext, ca: str) -> None:
    try:
        if "-----BEGIN" in ca:
            context.load_verify_locations(cadata=ca)
        elif Path(ca).is_dir():
            _check_folder(Path(ca))
            context.load_verify_locations(capath=ca)
        else:
            context.load_verify_locations(cafile=ca)
    except (OSError, ValueError) as error:
        raise UsageError("config_invalid", about="ca", expected="CA certificates") from error


def _check_folder(folder: Path) -> None:
    """Refuse a folder in which OpenSSL would find no certificate, which it says at no time.

    It looks for a name alone: eight hexadecimal digits of the subject's hash, a dot and a number.

    Raises:
        ValueError: if no certificate can be loaded.
    """
    for each in folder.iterdir():
        digits, _, number = each.name.partition(".")
        if len(digits) == 8 and {*digits} <= _HASH and number.isdecimal():
            with suppress(OSError):
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=each)
                return
    raise ValueError("no certificate under the hash of its subject")


def _load_client_certificate(context: ssl.SSLContext, certificate: Certificate) -> None:
    chain, key, *password = certificate
    try:
        # Without a password OpenSSL would ask the terminal for one.
        context.load_cert_chain(chain, key, password[0] if password else "")
    except (OSError, ValueError) as error:
        raise UsageError(
            "config_invalid", about="client_certificate", expected="a certificate and its key"
        ) from error
