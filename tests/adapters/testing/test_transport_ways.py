"""Each duty about where octets go is failed by a transport that neglects it."""

from __future__ import annotations

import pytest

from oidc_adapters.testing import TransportSetup
from tests.adapters.testing import bent_transports as bent
from tests.adapters.testing.bent_transports import DUTY_OF, Bent


@pytest.mark.parametrize(
    ("duty", "kind", "told"),
    [
        ("authority", bent.TakesAnything, "a CA that it was not given"),
        ("authority", bent.Unsure, "sent="),
        ("host-name", bent.TakesAnything, "another name"),
        ("tls-version", bent.TakesAnything, "TLS 1.1"),
        ("client-certificate", bent.Anonymous, "came, not an answer"),
        ("client-certificate", bent.TakesAnything, "without certificate"),
        ("channel", bent.Boasts, "not .unverified"),
        ("addresses", bent.Anywhere, "it took|the code is"),
        ("addresses", bent.Unjudged, "judges_addresses is not True"),
        ("proxy", bent.Direct, "came, not an answer"),
        ("proxy", bent.Boasts, "it says that it judged"),
        ("proxy-refuses", bent.Unsure, "sent="),
        ("proxy-plain", bent.Direct, "the code is|it took"),
        ("environment", bent.Ambient, "came, not an answer"),
        ("environment", bent.BasicOfHome, "credentials"),
    ],
)
def test_a_transport_that_neglects_it_is_told(duty: str, kind: type[Bent], told: str) -> None:
    def opened(setup: TransportSetup) -> Bent:
        return kind(setup)

    with pytest.raises(AssertionError, match=told):
        DUTY_OF[duty](opened)
