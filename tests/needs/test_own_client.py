"""An application brings its own HTTP client, with its own idea of patience."""

from __future__ import annotations

from time import monotonic
from typing import Final

import pytest
from attrs import evolve, frozen

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import Clock, FrozenClock
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing import serve
from oidc_adapters.testing.fault_server import FaultServer, Read, Wait
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import Answer, WireRequest
from tests.adapters.transport.exchanges import LATE
from tests.flows.rig import NOW, honest_provider, setup_for

LOOPBACK: Final = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))


@frozen
class Impatient:
    """A transport of the application: each exchange ends a second after its beginning."""

    inner: Urllib3Transport
    judges_addresses: bool = True

    def send(self, request: WireRequest, clock: Clock) -> Answer:
        return self.inner.send(evolve(request, deadline=min(1, request.deadline)), clock)


@pytest.mark.slow
def test_a_key_set_that_never_comes_fails_after_the_applications_own_deadline() -> None:
    clock = FrozenClock(NOW)
    with (
        FaultServer((Read(), Wait())) as silent,
        serve(honest_provider(), clock) as server,
        Urllib3Transport() as inner,
    ):
        setup = setup_for(
            server.provider, policy=LOOPBACK, metadata_overrides={"jwks_uri": silent.url()}
        )
        transport = Impatient(inner)
        client = OidcClient(setup, MemoryPendingLogins(), transport=transport, clock=clock)
        page = client.start_login()
        header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)
        incoming = server.provider.authorize(page.url, NOW).incoming(header)

        begun = monotonic()
        with pytest.raises(OidcError) as refused:
            client.finish_login(incoming)

        assert 0.95 <= monotonic() - begun <= 1 + LATE
    assert (refused.value.code, refused.value.cause) == ("keys_unavailable", "timeout")
