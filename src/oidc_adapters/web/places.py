"""The clients of an application, each named by its place among them."""

from collections.abc import Sequence

from oidc_adapters.web.sessions import WebSession
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import OidcError, UsageError


class Places:
    """Which client a session, a user's choice or a failed login is of.

    Args:
        rps: the relying parties, in order.

    Attributes:
        names: what a user sees of each: its ``connection_id``, or its issuer.
    """

    __slots__ = ("_connections", "_uris", "names")

    def __init__(self, rps: Sequence[RelyingParty]) -> None:
        self._connections = [rp.connection[:3] for rp in rps]
        self._uris = [[uri.partition("?")[0] for uri in rp.client.redirect_uris] for rp in rps]
        self.names = [rp.connection.connection_id or rp.connection.issuer for rp in rps]

    def known(self, session: WebSession) -> int | None:
        """Return the place of the client that a session is of, ``None`` if it is gone."""
        own = session.connection[:3]
        return self._connections.index(own) if own in self._connections else None

    def of(self, session: WebSession) -> int:
        """Return the place of the client that a session is of.

        Raises:
            UsageError: ``config_invalid`` if there is none any more.
        """
        place = self.known(session)
        if place is None:
            found = session.connection.issuer
            raise UsageError("config_invalid", about="clients", found=found, expected="its client")
        return place

    def named(self, name: str) -> int | None:
        """Return the place of the client that a user chose, or of the only one."""
        if len(self.names) == 1:
            return 0
        return self.names.index(name) if name in self.names else None

    def to_restart(self, error: OidcError, url: str) -> int | None:
        """Return the place of the client at which a new login starts by itself, if one may.

        As long as it is not certain that this browser started the login, a stranger's link may have
        caused the failure: that starts a login only where any link may do so.

        Args:
            error: the failure of a callback.
            url: the redirect URI that it came to, or empty where no link may start a login.
        """
        began = error.connection[:3]
        if began:
            known = [place for place, own in enumerate(self._connections) if own == began]
        else:
            known = [place for place, own in enumerate(self._uris) if url in own]
        return known[0] if len(known) == 1 else None
