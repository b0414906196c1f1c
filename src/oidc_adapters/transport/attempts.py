"""The rules of an attempt that are the same over every library.

What may be sent, where to, whether a second attempt may follow, and what a failure is called.
"""

import re
import ssl
from collections.abc import Iterable
from http.client import HTTPException
from typing import Final

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.transport.exchange import Exchange
from oidc_adapters.transport.naming import cause_of, chain_of
from oidc_core.wire.addresses import Reach
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.urls import NO_ORIGINS, Url, origin_of, parse_url

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_METHOD: Final = re.compile(r"[A-Z]+")
_DEFAULT_PORTS: Final = frozenset({("http", 80), ("https", 443)})
_USER_AGENT: Final = "oidc-core"


def checked_headers(request: WireRequest) -> dict[str, str]:
    """Return the headers to send, but for ``Host`` and ``Content-Length``.

    Text that would end its line and begin another is refused; only our own mistakes can.

    Raises:
        UsageError: ``parameter_invalid`` for a method or header that breaks the grammar.
    """
    if not _METHOD.fullmatch(request.method):
        raise UsageError("parameter_invalid", about="method", found=request.method)
    headers = {"user-agent": _USER_AGENT}
    for name, value in request.headers:
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise UsageError("parameter_invalid", about="header", found=name)
        headers[name] = value
    headers["accept-encoding"] = "identity"
    return headers


def whole_headers(
    request: WireRequest, headers: dict[str, str], endpoint: Url
) -> list[tuple[str, str]]:
    """Return all headers of a request, for a library that adds none."""
    named = (endpoint.scheme, endpoint.port) in _DEFAULT_PORTS
    host = endpoint.host if named else f"{endpoint.host}:{endpoint.port}"
    length = len(request.body or b"")
    has_length = request.body is not None or request.method == "POST"
    lengths = [("Content-Length", f"{length}")] if has_length else []
    return [("Host", host), *headers.items(), *lengths]


def endpoint_of(url: str, reach: Reach) -> Url:
    """Take the URL of a request apart.

    Without TLS only what is near may be reached, and dialling makes sure that it is.

    Raises:
        UsageError: a ``url_`` code for a URL that must not be sent to.
    """
    near = {origin_of(url)} if reach == "private" else NO_ORIGINS
    return parse_url(url, http=True, http_origins=near)


def target_of(endpoint: Url) -> str:
    """Return the target of a request: path and query, as they were written."""
    query = "" if endpoint.query is None else f"?{endpoint.query}"
    return (endpoint.path or "/") + query


def named_fields(raw: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Return the headers of an answer as a library read them, names in lower case.

    Raises:
        HTTPException: for a name or a value beyond the grammar (RFC 9110 §5.1, §5.5).
    """
    fields = tuple(
        [(n.decode("latin-1").lower(), v.decode("latin-1").strip(" \t")) for n, v in raw]
    )
    if all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in fields):
        return fields
    raise HTTPException("no header field")


def check_coding(coding: str | None, exchange: Exchange) -> None:
    """Refuse an answer with a Content-Encoding, which nobody asked for.

    Raises:
        HTTPException: for any but ``identity``.
    """
    if coding is not None and coding.strip().lower() not in {"", "identity"}:
        exchange.refuse("content_encoding_unexpected")


def may_resend(request: WireRequest, answer: HttpResponse | NoAnswer) -> bool:
    """Whether a second attempt is allowed and might end otherwise."""
    if isinstance(answer, HttpResponse):
        return False
    if answer.code == "http_connect_failed":
        return request.resend != "never"
    return answer.code == "http_malformed" and request.resend == "safe"


def after_both(
    first: HttpResponse | NoAnswer, second: HttpResponse | NoAnswer
) -> HttpResponse | NoAnswer:
    """Return the outcome of two attempts: the second, but what the first sent may have arrived."""
    if isinstance(second, NoAnswer) and isinstance(first, NoAnswer) and first.sent == "maybe":
        return NoAnswer("maybe", second.code, second.at, second.cause)
    return second


def no_answer(
    exchange: Exchange, error: Exception, clock: Clock, *, as_if: Exception | None = None
) -> NoAnswer:
    """Return what is known of an attempt that failed.

    Args:
        exchange: its limits and facts.
        error: what ended it.
        clock: stamps the failure.
        as_if: that error without the words of a library around it.
    """
    code = _failure(exchange, as_if or error)
    cause = cause_of(exchange, error, code)
    return NoAnswer("maybe" if exchange.sent else "no", code, clock.now(), cause)


def told_by(error: Exception, exchange: Exchange) -> Exception:
    """Return what TLS, or a clock, said within an error of a library; or that error itself."""
    for each in chain_of(error, exchange.handled):
        if isinstance(each, ssl.SSLError | TimeoutError):
            return each
    return error


def _failure(exchange: Exchange, error: Exception) -> str:
    """Name a failure; what fails at the deadline failed because of it."""
    if exchange.is_over or isinstance(error, TimeoutError):
        return "http_timeout"
    if exchange.fault is not None:
        return exchange.fault
    if isinstance(error, ssl.SSLError):
        return "tls_failed"
    return "http_malformed" if exchange.sent else "http_connect_failed"


NETWORK_FAILURES: Final = (HTTPException, OSError, ValueError)
"""What ends an attempt over sockets; ``ValueError`` if one was closed under its reader."""
