"""Challenges, as servers write them: what is meant is found, what does not fit is passed over."""

from __future__ import annotations

import pytest

from oidc_core.wire.challenge import Challenge, challenges
from oidc_core.wire.http import HttpResponse
from tests.parties import NOW


def found(*values: str) -> tuple[Challenge, ...]:
    headers = [("www-authenticate", value) for value in values]
    return challenges(HttpResponse(401, (("date", "x"), *headers), b"", NOW))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ()),
        ("Bearer", ()),
        ('Bearer a="1"', (("bearer", "a", "1"),)),
        ("BEARER A=x-y", (("bearer", "a", "x-y"),)),
        ('Bearer a = "1" , b\t=\t2', (("bearer", "a", "1"), ("bearer", "b", "2"))),
        (',, Bearer  a="1",,b="2",', (("bearer", "a", "1"), ("bearer", "b", "2"))),
        (r'Bearer a="x \"y\" \\ z"', (("bearer", "a", r'x "y" \ z'),)),
        ('Bearer a="x, DPoP b=1"', (("bearer", "a", "x, DPoP b=1"),)),
        ('Bearer a="1", DPoP a="2"', (("bearer", "a", "1"), ("dpop", "a", "2"))),
        ('Negotiate abc/+==, Bearer a="1"', (("bearer", "a", "1"),)),
        ('Bearer a="1", a="2"', (("bearer", "a", "1"), ("bearer", "a", "2"))),
        ('Bearer a=""', (("bearer", "a", ""),)),
        ('Bearer a="1" b="2"', (("bearer", "a", "1"), ("bearer", "b", "2"))),
        ('a="1"', ()),
        ('Bearer a="1', ()),
        ('Bearer a="1", @, b="2"', (("bearer", "a", "1"), ("bearer", "b", "2"))),
        ('Bearer realm=My Realm, a="1"', (("bearer", "a", "1"),)),
        ('Bearer realm=https://a.example/?x=1, a="1"', (("bearer", "a", "1"),)),
        ('Bearer a="1"; b="2"', (("bearer", "a", "1"), ("bearer", "b", "2"))),
        ('Bearer @ "x, b=2" @, a="1"', (("bearer", "a", "1"),)),
        ('Bearer @ "x, a="1"', ()),
    ],
)
def test_a_challenge_is_taken_apart(value: str, expected: tuple[tuple[str, str, str], ...]) -> None:
    """J19."""
    assert found(value) == expected


def test_headers_follow_each_other_and_a_scheme_ends_with_its_header() -> None:
    assert found('Bearer a="1"', 'b="2"', "DPoP c=3") == (("bearer", "a", "1"), ("dpop", "c", "3"))
    assert challenges(HttpResponse(401, (("x", 'Bearer a="1"'),), b"", NOW)) == ()


def test_no_more_than_8_kib_of_a_header_are_read() -> None:
    """J19."""
    before = f"Bearer a={'x' * 8_176}, "
    assert len(before) + len("b=2") == 8_192 - 2
    assert [name for _, name, _ in found(f"{before}b=2")] == ["a", "b"]
    assert [name for _, name, _ in found(f"{before}  b=2,c=3")] == ["a", "b"]
    assert [name for _, name, _ in found(f"{before}    b=2")] == ["a"]
