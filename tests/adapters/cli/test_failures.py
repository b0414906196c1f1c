"""How failures are told."""

from io import StringIO

import pytest

from oidc_adapters.cli.failures import CLASS_NAMES, failure_json, row_facts, tell_failure
from oidc_adapters.cli.layout import WIDTH, Page
from oidc_core.wire.codes import CODES
from oidc_core.wire.errors import (
    CallbackError,
    OidcError,
    Place,
    ProtocolViolation,
    ProviderError,
    TransportFailure,
)


def told(error: OidcError) -> str:
    out = StringIO()
    tell_failure(Page(out, {}), error)
    return out.getvalue()


def test_a_refusal_says_what_was_found_and_expected_and_the_rule() -> None:
    text = told(ProtocolViolation("iss_mismatch", found="a", expected="b", about="iss"))

    assert text.splitlines() == [
        "refused: iss_mismatch (iss)",
        "   class     ProtocolViolation",
        "   found     'a'",
        "   expected  'b'",
        "   rule      OIDC Core §3.1.3.7, 2",
        "   hint      the token is from another issuer",
        "   retry     no: something must be changed first",
    ]


def test_a_failure_says_where_and_why_and_when_to_try_again() -> None:
    error = TransportFailure("keys_unavailable", cause="throttled", retry_after=20)
    error.place = Place("key_set", "https://op.example/jwks")
    text = told(error)

    assert "   at     the key set at https://op.example/jwks\n" in text
    assert "   cause  throttled\n" in text
    assert text.endswith("   retry  later: the same may succeed in a while, in 20 seconds\n")
    where = ("purpose", "url", "cause", "retry_after")
    assert tuple(failure_json(error).get(name) for name in where) == (
        "key_set",
        "https://op.example/jwks",
        "throttled",
        20,
    )


def test_a_failure_is_no_refusal() -> None:
    assert told(TransportFailure("http_connect_failed")).startswith("failed: http_connect_failed\n")


def test_the_providers_text_is_quoted() -> None:
    error = ProviderError("access_denied", error_description="\x1b[2J<b>")

    assert "the provider says  '\\x1b[2J<b>'" in told(error)
    assert "\x1b" not in told(error)


def test_a_store_has_no_rule() -> None:
    assert [name for name, _ in row_facts(CODES["seal_invalid"])] == [
        "class",
        "stage",
        "retry",
        "kind",
        "hint",
    ]


@pytest.mark.parametrize("code", CODES)
def test_each_row_can_be_told_in_a_terminal(code: str) -> None:
    out = StringIO()

    Page(out, {}).facts(row_facts(CODES[code]), indent=3)

    assert max(map(len, out.getvalue().splitlines())) <= WIDTH
    assert CLASS_NAMES[CODES[code].fault] in out.getvalue()


def test_a_failure_is_an_object_with_the_code() -> None:
    failure = failure_json(CallbackError("parameter_duplicated", about="state"))

    assert failure == {
        "error": "parameter_duplicated",
        "class": "CallbackError",
        "about": "state",
        "found": None,
        "expected": None,
        "spec": "RFC 6749 §3.1",
        "hint": "each parameter may be given once",
        "retryable": "no",
        "kind": "suspicious",
        "cause": "",
        "purpose": None,
        "url": None,
        "retry_after": None,
    }
