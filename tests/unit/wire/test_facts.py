"""Values as facts of an error."""

from __future__ import annotations

import pytest

from oidc_core.wire.errors import fingerprint
from oidc_core.wire.facts import described, kind_of, private
from oidc_core.wire.jsontypes import parse_object


@pytest.mark.parametrize(
    ("text", "kind", "fact", "hidden"),
    [
        ("null", "absent", "absent", "absent"),
        ('"x"', "a string", "x", fingerprint("x")),
        ('""', "a string", "", "an empty string"),
        ("5", "a number", 5, "a number"),
        ("1.5", "a number", 1.5, "a number"),
        ("true", "a boolean", True, "a boolean"),
        ('["a","b"]', "a list", ("a", "b"), "a list"),
        ('["a",1]', "a list", "a list", "a list"),
        ('{"a":1}', "an object", "an object", "an object"),
    ],
)
def test_a_value_is_told_in_the_words_of_json(
    text: str, kind: str, fact: object, hidden: str
) -> None:
    value = parse_object(f'{{"a":{text}}}'.encode())["a"]
    assert (kind_of(value), described(value), private(value)) == (kind, fact, hidden)
