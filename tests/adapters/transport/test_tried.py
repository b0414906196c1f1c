"""Each transport does its duties; one that it says it lacks is really lacking."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_adapters.testing import SHARED_CLIENT, AsyncTransportDuty, TransportDuty, lacking
from tests.adapters.transport.tried import TRIED, Mode, Tried, duties, innermost, perform

# The other transports and modes run in the full suite.
CASES = [
    pytest.param(
        tried,
        mode,
        duty,
        id=f"{tried.title}-{mode}-{duty}",
        marks=() if tried is TRIED[0] else pytest.mark.slow,
    )
    for tried in TRIED
    for mode in tried.modes
    for duty in duties(mode)
]


@pytest.mark.parametrize(("tried", "mode", "duty"), CASES)
def test_a_transport_does_its_duty(
    tried: Tried, mode: Mode, duty: TransportDuty | AsyncTransportDuty
) -> None:
    pytest.importorskip(tried.package)
    reason = lacking(tried.kind, duty)
    if not reason:
        perform(duty, tried.opened, mode)
        return
    with pytest.raises(BaseException) as caught:
        perform(duty, tried.opened, mode)
    assert isinstance(innermost(caught.value), Exception)


@pytest.mark.parametrize(
    "tried",
    [each for each in TRIED if each.shared is not None],
    ids=lambda tried: tried.title,
)
def test_a_client_of_the_application_is_never_closed(tried: Tried) -> None:
    pytest.importorskip(tried.package)
    shared: Any = tried.shared
    SHARED_CLIENT(lambda: shared(tried.kind))


@pytest.mark.parametrize("tried", TRIED, ids=lambda tried: tried.title)
def test_a_transport_lacks_only_duties_that_there_are(tried: Tried) -> None:
    pytest.importorskip(tried.package)
    lacks: Any = getattr(tried.kind, "lacks", {})
    lacks = {} if isinstance(lacks, property) else lacks

    assert {*lacks} <= {str(duty) for mode in tried.modes for duty in duties(mode)}
    assert all(reason and not reason.endswith(".") for reason in lacks.values())
