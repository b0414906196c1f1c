"""The content of a message."""

import pytest

from oidc_core.wire.errors import fingerprint
from oidc_core.wire.messages import cut, print_of, shown, shown_name, without_secrets


def test_a_text_is_cut_in_the_middle() -> None:
    assert cut("abcdefghij", 10) == "abcdefghij"
    assert cut("abcdefghijk", 10) == "abc...hijk"
    assert cut("abcdefghijkl", 9) == "abc...jkl"


def test_a_print_is_that_of_a_fingerprint() -> None:
    assert print_of("secret") == fingerprint("secret") == "#2bb80d53"


@pytest.mark.parametrize("name", ["scope", "x" * 64, "a b", ""])
def test_a_plain_name_stays_as_it_is(name: str) -> None:
    assert shown_name(name) == name


@pytest.mark.parametrize("name", ["x" * 65, "é", "a\nb", "\x1b[2J", "\ud800"])
def test_a_name_that_a_provider_made_up_is_quoted(name: str) -> None:
    assert shown_name(name) == shown(name)
    assert shown_name(name).isprintable()
    assert len(shown_name("y" * 10**6)) == 200


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ""),
        ("no secret here", "no secret here"),
        ("a" * 30, "a" * 30),
        ("a" * 19 + "1", print_of("a" * 19 + "1")),
        ("1" * 19, "1" * 19),
        (f"({'a1' * 10})", f"({print_of('a1' * 10)})"),
        ("8C5F2C3E-0b5a-4c1e-9d3c-5a1b2c3d4e5f", "8C5F2C3E-0b5a-4c1e-9d3c-5a1b2c3d4e5f"),
        (
            "8c5f2c3e-0b5a-4c1e-9d3c-5a1b2c3d4e5f0",
            print_of("8c5f2c3e-0b5a-4c1e-9d3c-5a1b2c3d4e5f0"),
        ),
    ],
)
def test_a_long_word_with_a_digit_may_be_a_secret(text: str, told: str) -> None:
    assert without_secrets(text) == told
