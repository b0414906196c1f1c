"""Each duty about time and octets is failed by a transport that neglects it."""

from __future__ import annotations

import pytest

from oidc_adapters.testing import TransportSetup
from tests.adapters.testing import bent_transports as bent
from tests.adapters.testing.bent_transports import DUTY_OF, Bent

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("duty", "kind", "told"),
    [
        ("silence", bent.Late, "it ended after"),
        ("silence", bent.Hasty, "it gave up after"),
        ("silence", bent.TooSure, "sent="),
        ("dripping-head", bent.Late, "it ended after"),
        ("dripping-body", bent.Late, "it ended after"),
        ("dripping-handshake", bent.Late, "it ended after"),
        ("dripping-handshake", bent.Unsure, "sent="),
        ("dripping-tls", bent.Late, "it ended after"),
        ("no-room", bent.Late, "two exchanges"),
        ("large-head", bent.TakesAnything, "it took .* .headers without end"),
        ("large-body", bent.Greedy, "one octet beyond"),
        ("large-body", bent.Modest, "came, not an answer"),
        ("large-frame", bent.TakesAnything, "tiny chunks"),
        ("refused", bent.Unsure, "sent="),
        ("causes", bent.Curt, "the cause is"),
    ],
)
def test_a_transport_that_neglects_it_is_told(duty: str, kind: type[Bent], told: str) -> None:
    def opened(setup: TransportSetup) -> Bent:
        return kind(setup)

    with pytest.raises(AssertionError, match=told):
        DUTY_OF[duty](opened)
