from __future__ import annotations

from hypothesis import given, settings

from oidc_adapters.testing.samples import SampleCallback, SampleMetadata, SampleTokenResponse
from oidc_adapters.testing.strategies import callbacks, metadata, token_responses

FEW = settings(max_examples=10)


@FEW
@given(metadata(valid=True), metadata(valid=False))
def test_metadata_is_as_it_was_asked_for(good: SampleMetadata, faulty: SampleMetadata) -> None:
    assert (good.code, bool(faulty.code), len(faulty.members)) == ("", True, 0)


@FEW
@given(callbacks(valid=True), callbacks(valid=False))
def test_a_callback_is_as_it_was_asked_for(good: SampleCallback, faulty: SampleCallback) -> None:
    assert (good.code, bool(faulty.code)) == ("", True)


@FEW
@given(token_responses(valid=True), token_responses(valid=False))
def test_a_token_answer_is_as_it_was_asked_for(
    good: SampleTokenResponse, faulty: SampleTokenResponse
) -> None:
    assert (good.code, bool(faulty.code)) == ("", True)
    assert bool(faulty.fault) != bool(faulty.id_token.fault)
