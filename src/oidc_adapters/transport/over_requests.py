"""A transport over a session of requests, for an application that has one."""

from types import MappingProxyType
from typing import Any, Final, cast

from requests import Request, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from urllib3 import PoolManager
from urllib3.connectionpool import HTTPConnectionPool

from oidc_adapters.transport.pooled import PooledTransport
from oidc_adapters.transport.pools import check_manager
from oidc_core.wire.addresses import Reach
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import Url

_LACKS: Final = MappingProxyType(
    {
        "addresses": "the application may change how its session connects",
        "channel": "the application may change how its session verifies",
        "environment": "urllib3 writes TLS secrets to the file that `SSLKEYLOGFILE` names",
    }
)


class RequestsTransport(PooledTransport):
    """A :class:`~oidc_adapters.transport.Transport` over the application's session of requests.

    It takes the session's connections, ``verify``, ``cert``, ``proxies`` and mounted adapters, as
    they are at each request, and nothing else: no headers, credentials, cookies, hooks or
    redirects of the session, and no proxy of the environment.  An adapter that sends in its own
    way cannot keep to a deadline and is refused.  The session is never closed here.

    An application without a session needs only
    :class:`~oidc_adapters.transport.over_urllib3.Urllib3Transport`.

    Args:
        session: the application's session; it must verify servers.

    Attributes:
        lacks: the duties that it does not fulfil.

    Raises:
        UsageError: ``config_invalid`` for a session that does not verify, or an adapter that sends
            in its own way.
    """

    lacks = _LACKS

    def __init__(self, session: Session) -> None:
        check_kind(session, Session, about="session", code="config_invalid")
        self._session = session
        for prefix in session.adapters:
            _adapter(session, f"{prefix}op.example/")
        _check_verifies(session)
        super().__init__(PoolManager(), None)

    def pool_at(self, endpoint: Url, /) -> HTTPConnectionPool:
        """Return the session's pool for an origin.

        Raises:
            UsageError: ``config_invalid`` for a session whose settings cannot be used.
        """
        session = self._session
        _check_verifies(session)
        adapter = _adapter(session, endpoint.text)
        verify: Any = session.verify
        try:
            prepared = Request("GET", endpoint.text).prepare()
            pool = adapter.get_connection_with_tls_context(
                prepared, verify, cast("Any", session.proxies), cast("Any", session.cert)
            )
            adapter.cert_verify(pool, endpoint.text, verify, session.cert)
        except (RequestException, OSError, ValueError, AttributeError, TypeError) as error:
            raise UsageError("config_invalid", about="session") from error
        return pool

    def _route(self, url: str, reach: Reach) -> Any:
        """Look at the session each time: it is the application's, which may change it."""
        self._routes.clear()
        return super()._route(url, reach)


def _adapter(session: Session, url: str) -> HTTPAdapter:
    """Return the adapter for a URL, if it leaves sending to urllib3.

    Raises:
        UsageError: ``config_invalid`` for any other.
    """
    found: object = session.get_adapter(url)
    if not isinstance(found, HTTPAdapter) or type(found).send is not HTTPAdapter.send:
        raise UsageError("config_invalid", about="session", found=type(found).__name__)
    check_manager(found.poolmanager)
    return found


def _check_verifies(session: Session) -> None:
    if session.verify is not True and not isinstance(session.verify, str):
        raise UsageError("config_invalid", about="session", found="verify")
