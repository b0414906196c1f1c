"""Short digests of values, and the text they are of."""

from hashlib import sha256

import pytest
from attrs import frozen

from oidc_core.model.digests import short_digest, written_fields


@frozen
class Sample:
    text: str
    names: frozenset[str]


def test_a_digest_is_short_and_depends_on_each_part_and_its_place() -> None:
    assert short_digest(["a", "b"]) == sha256(b"a\nb").hexdigest()[:16]
    assert len({short_digest(parts) for parts in (["a", "b"], ["b", "a"], ["a"], ["ab"])}) == 4


@pytest.mark.parametrize("text", ["\ud800", "é", ""])
def test_any_text_has_one(text: str) -> None:
    assert len(short_digest([text])) == 16


def test_fields_are_written_alike_in_every_process() -> None:
    written = written_fields(Sample("x", frozenset({"b", "a", "c"})))
    assert written == ["text x", "names ['a', 'b', 'c']"]
