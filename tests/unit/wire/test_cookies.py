"""Cookies as they are set, and as a ``Cookie`` header brings them back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_core.wire.cookies import SetCookie, cookie_pairs


@pytest.mark.parametrize(
    ("cookie", "header"),
    [
        (
            SetCookie("__Host-a", "v", 600, "Lax", secure=True),
            "__Host-a=v; Max-Age=600; Path=/; HttpOnly; SameSite=Lax; Secure",
        ),
        (
            SetCookie("a", "v", 600, "None", secure=True),
            "a=v; Max-Age=600; Path=/; HttpOnly; SameSite=None; Secure",
        ),
        (
            SetCookie("a", "", 0, "Lax", secure=False),
            "a=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
        ),
    ],
    ids=["secure", "across-sites", "deletion"],
)
def test_a_cookie_is_set_for_the_whole_host_and_no_script(cookie: SetCookie, header: str) -> None:
    assert cookie.header == header


def test_the_value_of_a_cookie_does_not_show() -> None:
    cookie = SetCookie("name", "canary", 600, "Lax", secure=True)

    assert f"{cookie!r} {cookie}" == "SetCookie('name', max_age=600) SetCookie('name', max_age=600)"


@pytest.mark.parametrize(
    ("header", "pairs"),
    [
        ("", ()),
        (";", ()),
        ("a", ()),
        ("a; b=1", (("b", "1"),)),
        ("a=1", (("a", "1"),)),
        ("a=1; b=2", (("a", "1"), ("b", "2"))),
        ("a=1;b=2", (("a", "1"), ("b", "2"))),
        (" a=1 ;\t b=2\t", (("a", "1"), ("b", "2"))),
        ("a=1; a=2; a=1", (("a", "1"), ("a", "2"), ("a", "1"))),
        ("b=2; a=1", (("b", "2"), ("a", "1"))),
        ("a=b=c", (("a", "b=c"),)),
        ("a=", (("a", ""),)),
        ("=a", (("", "a"),)),
        ("a= 1", (("a", " 1"),)),
        ('a="x y"', (("a", '"x y"'),)),
        ("a=1, b=2", (("a", "1, b=2"),)),
        ("a=%41", (("a", "%41"),)),
        ("A=1; a=2", (("A", "1"), ("a", "2"))),
    ],
)
def test_names_and_values_are_those_of_the_header(
    header: str, pairs: tuple[tuple[str, str], ...]
) -> None:
    assert cookie_pairs(header) == pairs


@pytest.mark.parametrize(
    "space", ["\xa0", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\r", "\n"], ids=ascii
)
def test_what_is_space_to_python_only_is_part_of_the_name(space: str) -> None:
    """No browser guards this name, so it must not be taken for the one that it does guard."""
    name = f"{space}__Host-oidc-x"

    assert cookie_pairs(f"a=1; {name}=planted") == (("a", "1"), (name, "planted"))


@given(st.lists(st.tuples(st.text("ab_-", min_size=1), st.text('x=" \t')), max_size=6))
def test_whatever_was_sent_is_read_in_order(pairs: list[tuple[str, str]]) -> None:
    header = "; ".join(f"{name}={value}" for name, value in pairs)

    assert cookie_pairs(header) == tuple((name, value.rstrip(" \t")) for name, value in pairs)


@given(st.text())
def test_no_header_breaks_it(header: str) -> None:
    for name, _ in cookie_pairs(header):
        assert name in header
