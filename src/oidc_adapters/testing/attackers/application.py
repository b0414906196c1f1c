"""The application under attack: two clients, in two processes that share their stores."""

from functools import cache
from typing import Final

from attrs import frozen

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.connections import Connections
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import LoginResult, Redirect
from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import (
    CookiePendingLogins,
    MemoryPendingLogins,
    PendingLogins,
    RecordSpent,
)
from oidc_adapters.stores.records import MemoryRecords, Records
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing.attackers.network import Network
from oidc_adapters.testing.parties import FakeClient
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.transports import InMemoryTransport
from oidc_core.model.client import ResponseIss
from oidc_core.model.policy import Policy
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import discovery
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.replies import Reply

PROCESSES: Final = 2
HOME: Final = "https://rp.example"
LOGGED_OUT: Final = f"{HOME}/logged-out"
BACKCHANNEL: Final = f"{HOME}/backchannel-logout"
FRONTCHANNEL: Final = f"{HOME}/frontchannel-logout"
SCOPE: Final = "openid profile offline_access"
_SEALING: Final = b"the sealing secret of the attacked application"

REDIRECT_URIS: Final = {
    "own path": (f"{HOME}/callback/honest", f"{HOME}/callback/hostile"),
    "shared path": (f"{HOME}/callback", f"{HOME}/callback"),
    "query differs": (f"{HOME}/callback?at=honest", f"{HOME}/callback?at=hostile"),
}
"""The redirect URIs at the honest and at the hostile provider, by layout."""


@frozen
class Party:
    """A client of the application, made once for all runs: nothing in it changes."""

    rp: RelyingParty
    credentials: Credentials


@cache
def party(issuer: str, client: FakeClient, response_iss: ResponseIss, policy: Policy) -> Party:
    """Return the client at a provider, which is discovered."""
    setup = ClientSetup(
        issuer=issuer,
        client_id=client.client_id,
        client_secret=client.client_secret,
        redirect_uri=client.redirect_uris[0],
        post_logout_redirect_uri=LOGGED_OUT,
        scope=SCOPE,
        response_iss=response_iss,
        policy=policy,
    )
    bare = setup.relying_party()
    provider = FakeProvider(issuer=issuer, clients=(client,), id_token_alg="EdDSA")
    shell = Shell(InMemoryTransport(provider), Credentials(), clock=FrozenClock(0))
    rp = shell.run(bare, discovery.discover(bare))
    return Party(rp, setup.credentials(rp))


class Application:
    """The application, as the machine calls it; a subclass may call another one.

    Args:
        parties: its clients.
        network: reaches the providers.
        clock: of the application.
        pending: where logins wait.
        records: where its processes keep grants and sessions.

    Attributes:
        processes: the connections of each process.
        ended: the sessions that it was told to end, in that order.
    """

    def __init__(
        self,
        parties: tuple[Party, ...],
        network: Network,
        clock: FrozenClock,
        *,
        pending: PendingLogins,
        records: Records,
    ) -> None:
        self.ended: list[str] = []
        grants = Grants(records, _SEALING, trusted=0, patience=0)
        index = SessionIndex(records, _SEALING, end_session=self.ended.append)
        self.processes = tuple(
            [
                Connections(
                    *[
                        OidcClient.of(
                            each.rp,
                            Shell(
                                network,
                                each.credentials,
                                clock=clock,
                                entropy=FixedEntropy(10 * process + place),
                            ),
                            pending,
                            grants=grants,
                            sessions=index,
                        )
                        for place, each in enumerate(parties)
                    ]
                )
                for process in range(PROCESSES)
            ]
        )

    def _client(self, process: int, issuer: str) -> OidcClient:
        clients = self.processes[process].clients
        return next(each for each in clients if each.rp.issuer == issuer)

    def start(self, process: int, issuer: str, cookie: str) -> Redirect:
        """Start a login."""
        return self._client(process, issuer).start_login(cookie=cookie)

    def finish(self, process: int, incoming: Incoming) -> LoginResult:
        """Finish a login."""
        return self.processes[process].finish_login(incoming)

    def fresh(self, process: int, issuer: str, session: str, *, refused: str | None = None) -> str:
        """Return a usable access token of a session."""
        return self._client(process, issuer).tokens(session).fresh(refused=refused).access_token

    def leave(self, process: int, issuer: str, session: str, cookie: str) -> Redirect:
        """Log a user out."""
        return self._client(process, issuer).start_logout(session=session, cookie=cookie)

    def returned(self, process: int, incoming: Incoming) -> object:
        """Take a browser that comes back from a logout."""
        return self.processes[process].finish_logout(incoming)

    def backchannel(self, process: int, incoming: Incoming) -> Reply:
        """Take a logout token."""
        return self.processes[process].backchannel_logout(incoming)

    def frontchannel(self, process: int, incoming: Incoming) -> Reply:
        """Take a frame of a logout."""
        return self.processes[process].frontchannel_logout(incoming)


def memory_records(clock: FrozenClock) -> MemoryRecords:
    """Return records in memory that go by the clock of the run."""
    return MemoryRecords(clock=clock, elapsed=lambda: float(clock.now()))


def pending_logins(store: str, records: Records) -> PendingLogins:
    """Return a place where logins wait, which all processes share."""
    if store == "memory":
        return MemoryPendingLogins()
    return CookiePendingLogins(_SEALING, spent=RecordSpent(records))
