"""The text of JSON before it is parsed."""

from functools import partial

import pytest

from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontext import (
    finite_number,
    malformed,
    no_number,
    refuse_nesting,
    short_number,
    start_of,
)
from tests.parties import refused


def test_white_space_stands_before_the_value() -> None:
    assert (start_of(" \r\n\t{}"), start_of("{}"), start_of("")) == (4, 0, 0)
    refused(ProtocolViolation, "json_not_utf8", lambda: start_of("\ufeff{}"))


def test_text_full_of_nul_is_another_encoding() -> None:
    assert malformed("{\0}\0").code == "json_not_utf8"
    assert malformed("{").code == "json_malformed"


def test_numbers_are_finite_and_short() -> None:
    assert (finite_number("1e2"), short_number("-5")) == (100.0, -5)
    for read, text in ((finite_number, "1e400"), (short_number, "1" * 20), (no_number, "NaN")):
        refused(ProtocolViolation, "json_number_invalid", partial(read, text))


@pytest.mark.parametrize(
    ("limit", "most", "code", "expected"),
    [(2, 9, "json_too_deep", "up to 2"), (3, 4, "json_too_large", "up to 4")],
)
def test_what_is_too_deep_or_too_much_is_told_with_its_limit(
    limit: int, most: int, code: str, expected: str
) -> None:
    error = refused(
        ProtocolViolation, code, lambda: refuse_nesting('{"a":[{}],"b":[{}]}', limit, most)
    )
    assert error.expected == expected
    refuse_nesting('{"a":[{}],"b":[{}]}', 3, 5)
