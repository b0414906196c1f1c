"""A proxy that an application names: where it is, and what may go through it."""

from base64 import b64encode
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import Url, parse_url


class Proxy(NamedTuple):
    """A proxy without TLS of its own.

    Attributes:
        host: its name or address.
        port: its port.
        credentials: the value of ``Proxy-Authorization``, or an empty string.
    """

    host: str
    port: int
    credentials: str

    @property
    def url(self) -> str:
        """Its URL, without the credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def proxy_of(text: str | None) -> Proxy | None:
    """Take the URL of a proxy apart.

    Raises:
        UsageError: ``config_invalid`` for other text than an http URL.
    """
    check_kind(text, str | None, about="proxy", code="config_invalid")
    if text is None:
        return None
    try:
        url = urlsplit(text)
        host, port = url.hostname, 80 if url.port is None else url.port
    except ValueError:
        host, port = None, 0
    else:
        if url.scheme == "http" and host and port and url.path in {"", "/"}:
            return Proxy(host, port, _credentials(url.username, url.password))
    raise UsageError("config_invalid", about="proxy", expected="an http URL") from None


def _credentials(name: str | None, password: str | None) -> str:
    if name is None:
        return ""
    pair = f"{unquote(name)}:{unquote(password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def is_unseen(proxy: Proxy | None, endpoint: Url) -> bool:
    """Whether octets without TLS would go through a proxy to where nobody here can judge.

    To loopback they may go, if the proxy is on this machine too.

    Raises:
        UsageError: a ``url_`` code for a proxy elsewhere, which must not see such octets.
    """
    if proxy is None or endpoint.scheme == "https":
        return False
    if endpoint.is_loopback:
        parse_url(proxy.url, about="proxy", http=True)
    return not endpoint.is_loopback
