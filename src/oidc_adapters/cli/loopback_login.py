"""A login on the command line: the browser comes back to a loopback listener (RFC 8252)."""

from collections.abc import Callable

from attrs import frozen

from oidc_adapters.cli.recording import WatchedShell
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.native.flow import log_in
from oidc_adapters.native.listener import CallbackListener
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import backchannel_logout, discovery, refresh
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.operations.refresh import Refreshed
from oidc_core.wire.incoming import Incoming


@frozen(kw_only=True)
class LoopbackLogin:
    """One login, step by step, with a witness.

    Attributes:
        rp: the relying party, with the metadata that was discovered.
        shell: the world; its witness is told what happens.
    """

    rp: RelyingParty
    shell: WatchedShell

    @classmethod
    def discover(cls, setup: ClientSetup, shell: WatchedShell) -> "LoopbackLogin":
        """Discover the provider, and give the shell the client's credentials."""
        rp = setup.relying_party()
        rp = shell.run(rp, discovery.discover(rp))
        shell.credentials = setup.credentials(rp)
        shell.witness.discovered(rp.provider)
        return cls(rp=rp, shell=shell)

    def log_in(
        self,
        request: AuthenticationRequest,
        listener: CallbackListener,
        visit: Callable[[str], None],
        *,
        timeout: float,
    ) -> LoggedIn:
        """Log somebody in.

        Args:
            request: what is asked of the provider.
            listener: where the browser comes back to.
            visit: sends a browser to a URL.
            timeout: seconds until the listener stops waiting.

        Raises:
            OidcError: the refusal of the login.
        """
        shell = self.shell
        return log_in(
            self.rp, shell, request, listener, visit, timeout=timeout, witness=shell.witness
        )

    def refresh(self, logged_in: LoggedIn) -> Refreshed:
        """Renew the tokens of a login; the new ones are not kept.

        Raises:
            OidcError: the refusal of the refresh.
        """
        shell = self.shell
        renewed = shell.run(self.rp, refresh.renew(self.rp, logged_in.tokens))
        now = shell.clock.now()
        refreshed = shell.run(self.rp, refresh.verify(self.rp, renewed, now=now))
        if refreshed.evidence is not None:
            shell.witness.accepted(refreshed.evidence)
        return refreshed

    def log_out(self, incoming: Incoming, used: set[str]) -> None:
        """Receive the end of the session from the provider; no session is kept here.

        Args:
            incoming: the provider's request.
            used: the names of the logout tokens that came before; this one's is added.

        Raises:
            OidcError: the refusal of the logout.
        """
        shell = self.shell
        step = backchannel_logout.receive(self.rp, incoming, now=shell.clock.now())
        notice = shell.run(self.rp, step)
        shell.witness.accepted(notice.evidence)
        backchannel_logout.refuse_repeat(notice, used=notice.once in used)
        used.add(notice.once)
