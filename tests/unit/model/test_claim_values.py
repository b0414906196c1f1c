"""The values of claims: what counts as a time, a text or a list."""

from __future__ import annotations

import pytest

from oidc_core.model.claim_values import (
    MAX_DATE,
    audience,
    filled,
    numeric_date,
    text,
    texts,
    verified_as_text,
    with_booleans,
)
from oidc_core.wire.jsontypes import JsonObject, JsonValue

NO_TEXTS: list[JsonValue] = [None, 5, True, ("a", 5), (None,), JsonObject({"a": 1}), "a"]


@pytest.mark.req("RFC7519-2-01")
@pytest.mark.parametrize(
    ("value", "date"),
    [
        (0, 0),
        (1_700_000_000, 1_700_000_000),
        (1_700_000_000.9, 1_700_000_000),
        (1.7e9, 1_700_000_000),
        (0.5, 0),
        (MAX_DATE - 1, MAX_DATE - 1),
        (MAX_DATE, None),
        (float(MAX_DATE), None),
        (1e300, None),
        (-1, None),
        (-0.5, None),
        (True, None),
        (False, None),
        ("1700000000", None),
        (None, None),
        ((1,), None),
        (JsonObject({}), None),
    ],
)
def test_a_numeric_date_is_a_number_of_seconds(value: JsonValue, date: int | None) -> None:
    found = numeric_date(value)
    assert found == date
    assert type(found) is type(date)


def test_a_text_is_a_string() -> None:
    assert text("a") == "a"
    assert [text(value) for value in (None, 5, True, ("a",), JsonObject({}))] == [None] * 5


@pytest.mark.parametrize("value", NO_TEXTS, ids=repr)
def test_texts_are_strings_all_of_them(value: JsonValue) -> None:
    assert texts(value) is None


def test_a_text_that_is_blank_says_nothing() -> None:
    assert filled(" a ") == " a "
    odd: list[JsonValue] = ["", " ", None, 5, True, ("a",), JsonObject({})]
    assert [filled(value) for value in odd] == [None] * 7


def test_texts_may_be_none_at_all() -> None:
    assert texts(()) == ()
    assert texts(("a", "")) == ("a", "")


def test_an_audience_is_one_string_or_several() -> None:
    assert audience("a") == ("a",)
    assert audience(("a", "b")) == ("a", "b")
    assert [audience(value) for value in NO_TEXTS if value != "a"] == [None] * 6


def test_only_the_words_true_and_false_are_read_as_booleans() -> None:
    claims = JsonObject(
        {
            "a_verified": "true",
            "b_verified": "false",
            "c_verified": "True",
            "d_verified": 1,
            "e_verified": ("true",),
            "f_verified": JsonObject({}),
            "g_verified": True,
            "verified": "true",
        }
    )
    assert verified_as_text(claims) == ("a_verified", "b_verified")
    assert with_booleans(claims) == {**claims, "a_verified": True, "b_verified": False}
    clear = JsonObject({"a_verified": True})
    assert with_booleans(clear) is clear
