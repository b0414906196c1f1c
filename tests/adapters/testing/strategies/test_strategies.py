"""The strategies together: the library judges what they draw as the sample says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oidc_adapters.testing import strategies
from oidc_adapters.testing.samples import judged
from tests.meta.source_rules import in_order

if TYPE_CHECKING:
    from oidc_adapters.testing.samples.judges import Judged


@settings(max_examples=25)
@given(
    st.one_of(
        strategies.key_sets(),
        strategies.metadata(),
        strategies.callbacks(),
        strategies.token_responses(),
        strategies.tokens(),
    )
)
def test_the_library_judges_what_is_drawn_as_the_sample_says(sample: Judged) -> None:
    assert judged(sample) == sample.code


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        strategies.key_sets(),
        strategies.metadata(),
        strategies.callbacks(),
        strategies.token_responses(),
        strategies.tokens(kind=("id_token", "logout_token", "userinfo")),
        strategies.tokens(kind=("id_token", "logout_token", "userinfo"), encrypted=True),
    )
)
def test_the_library_judges_everything_that_is_drawn_as_the_sample_says(sample: Judged) -> None:
    assert judged(sample) == sample.code


def test_the_public_names_are_in_order() -> None:
    assert in_order([*strategies.__all__]) == [*strategies.__all__]
