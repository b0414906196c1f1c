"""Codes in words."""

import pytest

from oidc_adapters.cli.explaining.codes import FAULTS, KINDS, code_json, facts_of, known, near
from oidc_core.wire.causes import CAUSES, PROVIDER_HINTS
from oidc_core.wire.codes import CODES


def test_every_fault_and_kind_has_its_words() -> None:
    assert {row.fault for row in CODES.values()} == set(FAULTS)
    assert {row.kind for row in CODES.values()} == set(KINDS)


@pytest.mark.parametrize("word", [*CODES, *PROVIDER_HINTS, *CAUSES])
def test_each_word_has_a_fault_a_kind_and_a_hint(word: str) -> None:
    told = dict(facts_of(word))

    assert known(word)
    assert {"class", "fault", "retry", "kind", "hint"} <= told.keys()
    assert code_json(word)["code"] == word


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("NONCE_MISMATCH", "nonce_mismatch"),
        ("invalid_grand", "invalid_grant"),
        ("certificate_expire", "certificate_expired"),
    ],
)
def test_a_misspelt_word_is_near(misspelt: str, meant: str) -> None:
    assert not known(misspelt)
    assert meant in near(misspelt)


def test_nothing_is_near_nonsense() -> None:
    assert near("8f14e45fceea167a5a36dedd4bea2543") == []
