"""The parts of a message that may be shown."""

import pytest

from oidc_adapters.cli.redaction import (
    SECRETS,
    printable,
    shown_header,
    text_of,
    without_secrets,
)
from oidc_core.wire.errors import fingerprint
from oidc_core.wire.jsontypes import JsonObject, JsonValue, render

SECRET = "a-very-secret-value"


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_shows_as_its_fingerprint(name: str) -> None:
    assert without_secrets(name, SECRET) == fingerprint(SECRET)


def test_an_absent_secret_stays_absent() -> None:
    assert without_secrets("nonce", None) is None


def test_a_secret_is_found_at_any_depth() -> None:
    members = JsonObject({"a": (JsonObject({"sid": SECRET, "b": 1}),), "sub": "alice"})

    shown = without_secrets("", members)

    mark = fingerprint(SECRET)
    assert shown == JsonObject({"a": (JsonObject({"sid": mark, "b": 1}),), "sub": "alice"})


def test_a_secret_that_is_no_string_is_one_too() -> None:
    assert without_secrets("code", JsonObject({"a": SECRET})) == fingerprint(f'{{"a":"{SECRET}"}}')


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", "a"), (("a", "b"), "a, b"), ((), "[]"), (("a", 1), '["a",1]'), (True, "true"), (7, "7")],
)
def test_a_value_is_text(value: JsonValue, expected: str) -> None:
    assert text_of(value) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("authorization", f"Bearer {SECRET}", f"Bearer {fingerprint(SECRET)}"),
        ("www-authenticate", f"Basic {SECRET}", f"Basic {fingerprint(SECRET)}"),
        ("cookie", f"a={SECRET}; b=c", f"a={fingerprint(SECRET)}; b={fingerprint('c')}"),
        ("set-cookie", f"a={SECRET}; Path=/", f"a={fingerprint(SECRET)}; Path=/"),
        ("set-cookie", f"a={SECRET}", f"a={fingerprint(SECRET)}"),
        ("accept", "application/json", "application/json"),
    ],
)
def test_a_header_shows_no_credential(name: str, value: str, expected: str) -> None:
    assert shown_header(name, value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("naïve ✓", "naïve ✓"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb", "a\\nb"),
        ("\u202eabc", "\\u202eabc"),
    ],
)
def test_text_cannot_steer_a_terminal(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_a_token_within_a_value_is_a_fingerprint() -> None:
    token = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl"
    value = JsonObject({"nested": JsonObject({"vp": (token,)}), "version": "1.2.3"})

    shown = render(without_secrets("", value))

    assert token not in shown
    assert "1.2.3" in shown
