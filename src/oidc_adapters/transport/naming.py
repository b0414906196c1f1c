"""Why an exchange failed, in one word out of :data:`oidc_core.wire.causes.CAUSES`.

A library wraps what it met, several times over.  So the whole chain of errors is looked at, the
outermost first: the first one that says something decides.  No library is imported here: the few
of their classes that matter are known by their names.
"""

import errno
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from http.client import HTTPException
from types import MappingProxyType
from typing import Final

from oidc_adapters.transport.exchange import Exchange

_DEPTH: Final = 16
"""How many errors of a chain are looked at."""

_CERTIFICATES: Final = MappingProxyType(
    {
        2: "certificate_unknown_ca",
        9: "certificate_not_yet_valid",
        10: "certificate_expired",
        18: "certificate_self_signed",
        19: "certificate_unknown_ca",
        20: "certificate_unknown_ca",
        21: "certificate_unknown_ca",
        23: "certificate_revoked",
        62: "certificate_name",
        64: "certificate_name",
        66: "certificate_weak",
        67: "certificate_weak",
        68: "certificate_weak",
    }
)
"""OpenSSL's ``X509_V_ERR_…`` (``x509_vfy.h``)."""

_ALERTS: Final = MappingProxyType(
    {
        "HTTP_REQUEST": "plain_http",
        "HTTPS_PROXY_REQUEST": "plain_http",
        "PACKET_LENGTH_TOO_LONG": "plain_http",
        "RECORD_LAYER_FAILURE": "plain_http",
        "UNKNOWN_PROTOCOL": "plain_http",
        "WRONG_VERSION_NUMBER": "plain_http",
        "TLSV1_ALERT_PROTOCOL_VERSION": "tls_too_old",
        "UNSUPPORTED_PROTOCOL": "tls_too_old",
        "VERSION_TOO_LOW": "tls_too_old",
        "WRONG_SSL_VERSION": "tls_too_old",
        "SSLV3_ALERT_BAD_CERTIFICATE": "client_certificate",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED": "client_certificate",
        "SSLV3_ALERT_CERTIFICATE_REVOKED": "client_certificate",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "client_certificate",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "client_certificate",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED": "client_certificate",
        "TLSV1_ALERT_ACCESS_DENIED": "client_certificate",
        "TLSV1_ALERT_UNKNOWN_CA": "client_certificate",
    }
)
"""OpenSSL's reasons (``sslerr.h``): what the server said, and what it took for TLS."""

_ERRNOS: Final = MappingProxyType(
    {
        errno.ECONNREFUSED: "refused",
        errno.ECONNRESET: "reset",
        errno.ECONNABORTED: "reset",
        errno.EPIPE: "reset",
        errno.EHOSTUNREACH: "unreachable",
        errno.EHOSTDOWN: "unreachable",
        errno.ENETUNREACH: "unreachable",
        errno.ENETDOWN: "unreachable",
        errno.EADDRNOTAVAIL: "unreachable",
    }
)


def _called(*names: str) -> Callable[[object], bool]:
    """Return a test: whether an error's class, or a base of it, has one of these names."""
    return lambda error: any(each.__name__ in names for each in type(error).__mro__)


_NO_PLACE: Final = _called("EmptyPoolError", "PoolTimeout")
_OF_PROXY: Final = _called("ProxyError", "ClientProxyConnectionError", "ClientHttpProxyError")
_BROKEN_OFF: Final = _called("IncompleteRead", "ClientPayloadError", "ServerDisconnectedError")


def cause_of(exchange: Exchange, error: Exception, code: str) -> str:
    """Return the cause of a failure, or an empty string where nothing tells it.

    Args:
        exchange: the exchange that failed.
        error: what ended it.
        code: what the failure is called.
    """
    chain = [*chain_of(error, exchange.handled)]
    if code == "http_timeout":
        return "busy" if any(map(_NO_PLACE, chain)) else "timeout"
    if exchange.cause or code not in _TOLD:
        return exchange.cause
    named = [*filter(None, map(_named, chain))]
    if named:
        return named[0]
    if any(map(_OF_PROXY, chain)):
        return "proxy"
    return _TOLD[code]


_TOLD: Final = MappingProxyType(
    {"http_connect_failed": "", "tls_failed": "tls_handshake", "http_malformed": ""}
)
"""The codes that have more than one cause; each with that of which nothing says more."""


def chain_of(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """Return an error and all errors that it was made of, the nearest first.

    Python adds to them the exception that the application ``handled`` when it made its call, which
    says nothing about the exchange.
    """
    waiting, seen = deque[object]([error]), {id(handled)}
    while waiting and len(seen) < _DEPTH:
        each = waiting.popleft()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting.extend((*each.args, each.__cause__, each.__context__))


def _named(error: BaseException) -> str:
    """Return what one error says, or an empty string."""
    if isinstance(error, ssl.SSLCertVerificationError):
        # A library's own error of this kind has no number; the one that it was made of has.
        number = getattr(error, "verify_code", 0)
        own = type(error) is not ssl.SSLCertVerificationError and not number
        return "" if own else _CERTIFICATES.get(number, "certificate_invalid")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "reset"
    if isinstance(error, ssl.SSLError):
        return _ALERTS.get(getattr(error, "reason", None) or "", "")
    if isinstance(error, socket.gaierror):
        return "dns"
    if _BROKEN_OFF(error):
        return "reset"
    if isinstance(error, OSError):
        return _ERRNOS.get(error.errno or 0, "reset" if isinstance(error, ConnectionError) else "")
    return "not_http" if type(error) is HTTPException and error.args else ""
