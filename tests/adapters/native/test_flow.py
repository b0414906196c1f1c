"""A login at a listener that is open, and its witness."""

import pytest
import urllib3

from oidc_adapters import ClientSetup, Credentials, Shell
from oidc_adapters.native.flow import NoWitness, log_in
from oidc_adapters.native.listener import ReceivedRequest, listening
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import FakeClient, FakeProvider, InMemoryTransport
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.evidence import Evidence
from oidc_core.operations import discovery
from oidc_core.wire.errors import CallbackError

NOW = 1_800_000_000


class Notes(NoWitness):
    """Takes notes, in order."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def arrived(self, arrival: ReceivedRequest) -> None:
        self.told.append(arrival.method)

    def accepted(self, evidence: Evidence) -> None:
        self.told.append(evidence.of)


def logged_in(witness: NoWitness | None, timeout: float = 10) -> str:
    with listening() as listener:
        client = FakeClient(redirect_uris=(listener.url,))
        provider = FakeProvider(clients=(client,), id_token_alg="ES256")
        setup = ClientSetup(
            issuer="https://op.example",
            client_id="client",
            client_secret=client.client_secret,
            redirect_uri=listener.url,
        )
        transport = InMemoryTransport(provider)
        shell = Shell(transport, Credentials(), clock=FrozenClock(NOW), entropy=FixedEntropy(1))
        rp = setup.relying_party()
        rp = shell.run(rp, discovery.discover(rp))
        shell.credentials = setup.credentials(rp)

        def visit(url: str) -> None:
            if timeout:
                with urllib3.PoolManager(retries=False, timeout=10) as pool:
                    pool.request("GET", provider.authorize(url, NOW).url)

        request = AuthenticationRequest()
        found = log_in(rp, shell, request, listener, visit, timeout=timeout, witness=witness)
        return found.identity.subject


def test_a_witness_is_told_each_acceptance_in_order() -> None:
    notes = Notes()

    assert logged_in(notes) == "alice"
    assert notes.told == ["GET", "authorization_response", "id_token", "userinfo"]


def test_a_login_needs_no_witness() -> None:
    assert logged_in(None) == logged_in(NoWitness()) == "alice"


def test_nobody_comes_back() -> None:
    with pytest.raises(CallbackError) as nobody:
        logged_in(None, 0)

    assert nobody.value.code == "state_expired"
