"""Providers leave members out of their answer to a refresh, and the old values stay."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import evolve

from tests.parties import ACCESS_TOKEN, NOW
from tests.unit.operations.test_refresh import TOKENS, renewed

USUAL: Final = {"access_token": ACCESS_TOKEN, "expires_at": NOW + 3_600}
ANSWERS: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "nothing but an access token": ({}, USUAL),
    "a new refresh token": (
        {"refresh_token": "refresh-1"},
        {**USUAL, "refresh_token": "refresh-1"},
    ),
    "no refresh token": ({"refresh_token": None}, USUAL),
    "an empty refresh token": ({"refresh_token": ""}, USUAL),
    "a refresh token of another type": ({"refresh_token": 7}, USUAL),
    "no lifetime": ({"expires_in": None}, {**USUAL, "expires_at": None}),
    "a short lifetime": ({"expires_in": 60}, {**USUAL, "expires_at": NOW + 60}),
    "a lifetime in text": ({"expires_in": "60"}, {**USUAL, "expires_at": NOW + 60}),
    "a lifetime that is none": ({"expires_in": "soon"}, {**USUAL, "expires_at": None}),
    "no scope": ({"scope": None}, USUAL),
    "the same scope": ({"scope": "openid profile"}, USUAL),
    "less scope": ({"scope": "openid"}, {**USUAL, "scope": "openid"}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_an_answer_leaves_out_stays(name: str) -> None:
    members, changed = ANSWERS[name]

    assert renewed(**members).tokens == evolve(TOKENS, **changed)


def test_there_are_twelve_answers() -> None:
    assert len(ANSWERS) == 12
