"""The classes of characters, against the ranges that RFC 6749, appendix A, spells out."""

import re

import pytest

from oidc_core.wire.grammar import NQCHAR, NQSCHAR, VSCHAR

VISIBLE = {*range(0x20, 0x7F)}


@pytest.mark.parametrize(
    ("grammar", "members"),
    [
        (VSCHAR, VISIBLE),
        (NQCHAR, VISIBLE - {0x20, 0x22, 0x5C}),
        (NQSCHAR, VISIBLE - {0x22, 0x5C}),
    ],
)
def test_a_class_has_exactly_its_characters(grammar: str, members: set[int]) -> None:
    matched = {at for at in range(0x200) if re.fullmatch(grammar, chr(at))}
    assert matched == members
