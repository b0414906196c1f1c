"""Each duty about requests and answers is failed by a transport that neglects it."""

from __future__ import annotations

import pytest

from oidc_adapters.testing import TransportSetup
from tests.adapters.testing import bent_transports as bent
from tests.adapters.testing.bent_transports import DUTY_OF, Bent


@pytest.mark.parametrize(
    ("duty", "kind", "told"),
    [
        ("request-as-is", bent.AddsHeader, "it adds the headers"),
        ("request-as-is", bent.LosesQuery, "the request line is"),
        ("no-injection", bent.Swallows, "ended with"),
        ("redirects", bent.Follows, "the status is 200"),
        ("statuses", bent.OnlyGoodNews, "came, not an answer"),
        ("statuses", bent.Unstamped, "stamped"),
        ("headers", bent.JoinsHeaders, "the headers are"),
        ("cookies", bent.KeepsCookies, "it sent a cookie back"),
        ("encodings", bent.Decodes, "it took"),
        ("not-http", bent.TakesAnything, "another protocol"),
        ("broken-off", bent.TakesAnything, "no answer"),
        ("ambiguous", bent.TakesAnything, "two lengths"),
        ("surplus", bent.Stuck, "came, not an answer"),
        ("stale", bent.Stuck, "came, not an answer"),
        ("resends", bent.Repeats, "resend=never: 2 attempts"),
        ("resends", bent.NeverRepeats, "resend=safe: 1 attempts"),
        ("after-failures", bent.Breaks, "came, not an answer"),
    ],
)
def test_a_transport_that_neglects_it_is_told(duty: str, kind: type[Bent], told: str) -> None:
    def opened(setup: TransportSetup) -> Bent:
        return kind(setup)

    with pytest.raises(AssertionError, match=told):
        DUTY_OF[duty](opened)
