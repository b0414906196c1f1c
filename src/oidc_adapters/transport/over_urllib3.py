"""The default transport: urllib3's connection pools, only with servers that were verified."""

import ssl

from urllib3 import PoolManager

from oidc_adapters.transport.pooled import PooledTransport
from oidc_adapters.transport.pools import check_manager, made_pools
from oidc_adapters.transport.tls import Certificate, StrPath, check_tls_kinds, chosen_context
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import as_count, check_kind


class Urllib3Transport(PooledTransport):
    """A :class:`~oidc_adapters.transport.Transport` over urllib3.

    Connections are kept per origin.  An instance has one TLS identity and one set of TLS settings,
    so two clients with different certificates need two instances. It may be used by any number of
    threads, and in a process forked from the one that made it, with separate connections.

    Args:
        ca: a file of CA certificates, a folder of them as ``openssl rehash`` makes it, or their PEM
            text, in place of the system's.
        client_certificate: paths of the client's certificate and key, and the key's password, for
            mutual TLS (RFC 8705).
        ssl_context: TLS settings made by the application, in place of those two.  Where they leave
            the version open, a connection that is older than TLS 1.2 carries no request.
        proxy: the URL of a proxy; ``https`` goes through it by ``CONNECT``, and ``http`` to
            loopback only, if the proxy is on this machine too; elsewhere ``address_not_allowed``.
            No proxy is ever taken from the environment.
        pool_size: how many connections to an origin may be open at a time; a further request
            waits for its turn, within its deadline.
        pool_manager: the application's own pools, in place of all of the above.  Their connections
            are used and put back, and they are never closed here; those that were made before an
            origin is first used are replaced. A forked process needs separate pools.

    Attributes:
        judges_addresses: whether it holds every address that it connects to against the request.
            Through a proxy it sees no addresses, and an application's own pools may do as they
            like.

    Raises:
        UsageError: ``config_invalid`` if a setting cannot be used.
    """

    def __init__(
        self,
        *,
        ca: StrPath | None = None,
        client_certificate: Certificate | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        pool_size: int = 16,
        pool_manager: PoolManager | None = None,
    ) -> None:
        for value, kind, about in (
            (proxy, str | None, "proxy"),
            (pool_manager, PoolManager | None, "pool_manager"),
        ):
            check_kind(value, kind, about=about, code="config_invalid")
        check_tls_kinds(ca, client_certificate, ssl_context)
        as_count(pool_size, "pool_size")
        if pool_manager is None:
            context = chosen_context(ca, client_certificate, ssl_context)
        elif (ca, client_certificate, ssl_context, proxy) == (None,) * 4:
            check_manager(pool_manager)
            super().__init__(pool_manager, None)
            return
        else:
            raise UsageError("config_invalid", about="pool_manager", expected="no other setting")

        def renew() -> PoolManager:
            return made_pools(proxy, pool_size, context)

        super().__init__(renew(), renew)
