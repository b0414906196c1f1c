"""A login succeeds if clocks differ by seconds; if by minutes, the refusal has both times."""

from __future__ import annotations

import pytest

from oidc_core.wire.errors import OidcError
from tests.flows.rig import NOW, honest_provider, new_rig


@pytest.mark.parametrize("ahead", [4, -4, 60, -60])
def test_clocks_that_differ_by_up_to_a_minute_log_in(ahead: int) -> None:
    rig = new_rig(honest_provider(skew=ahead))

    assert rig.log_in().logged_in.identity.subject == "alice"


def test_ten_minutes_are_refused_and_the_difference_is_told() -> None:
    rig = new_rig(honest_provider(skew=600))

    with pytest.raises(OidcError) as refused:
        rig.log_in()

    error = refused.value
    assert (error.code, error.about) == ("iat_in_future", "iat")
    assert (error.found, error.expected) == (NOW + 600, f"up to {NOW}, 600 seconds earlier")
    assert error.hint == "this clock is behind the provider's; check both"
