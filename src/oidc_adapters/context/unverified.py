"""The transport of ``verify=False``, which no other part of the library can reach.

The original system lets a caller skip verification, so its context does.  A transport of the
library cannot be told to: this one has connections of its own kind.
"""

import ssl
from typing import Any

from urllib3 import PoolManager

from oidc_adapters.runtime.caller import warn_caller
from oidc_adapters.transport.guarded import GuardedTlsConnection
from oidc_adapters.transport.pooled import PooledTransport
from oidc_adapters.transport.pools import TlsPool, made_pools
from oidc_adapters.transport.tls import StrPath, tls_context
from oidc_core.wire.way import Channel


class UnverifiedTransport(PooledTransport):
    """Sends requests to any server that answers, over TLS 1.2 or newer, and says so each time.

    Args:
        ca: as for a transport that verifies; what cannot be loaded is refused here too.

    Raises:
        UsageError: ``config_invalid`` if that cannot be loaded.
    """

    def __init__(self, ca: StrPath | None) -> None:
        context = tls_context(ca=ca, client_certificate=None)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        warn_caller("the provider's TLS certificate is not verified")

        def renew() -> PoolManager:
            pools = made_pools(None, 16, context)
            pools.pool_classes_by_scheme = {
                **pools.pool_classes_by_scheme,
                "https": _UnverifiedPool,
            }
            return pools

        super().__init__(renew(), renew)

    def channel(self, _url: str, /) -> Channel:
        """Say that the server was not verified."""
        return Channel("unverified", self.judges_addresses)


class _UnverifiedConnection(GuardedTlsConnection):
    """A connection to any server that answers."""

    def check(self) -> None:
        self.check_version()


class _UnverifiedPool(TlsPool):
    """Pools of a transport that has warned once and does not repeat it at every request."""

    ConnectionCls: Any = _UnverifiedConnection

    def _validate_conn(self, conn: Any) -> None:
        if conn.is_closed:
            conn.connect()
