"""The tree of errors: facts survive, messages are bounded and give nothing away."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from oidc_core.wire import errors
from oidc_core.wire.codes import CODES
from oidc_core.wire.errors import (
    SHOWN,
    CallbackError,
    OidcError,
    ProtocolViolation,
    ProviderError,
    StoreFailure,
    TransportFailure,
    UsageError,
    fingerprint,
    shown,
)

EVERY_CLASS: list[OidcError] = [
    ProtocolViolation(
        "iss_mismatch", found="https://a", expected=("https://b",), about="iss", of="id_token"
    ),
    CallbackError("state_unknown", about="state"),
    TransportFailure("http_timeout", found=1.5, expected=2, about="token", of="x", sent="no"),
    StoreFailure("record_version_unknown", found=True, expected=1),
    UsageError("config_invalid", found=None, about="leeway"),
    ProviderError(
        "access_denied",
        error_description="no <b>way</b>",
        error_uri="https://op.example/why",
        status=400,
        issuer_verified=False,
    ),
]
COPIES: list[Callable[[OidcError], OidcError]] = [
    copy.copy,
    copy.deepcopy,
    *[
        lambda error, version=version: pickle.loads(pickle.dumps(error, version))
        for version in range(2, pickle.HIGHEST_PROTOCOL + 1)
    ],
]


@pytest.mark.parametrize("error", EVERY_CLASS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_keeps_class_and_facts(
    error: OidcError, copied: Callable[[OidcError], OidcError]
) -> None:
    twin = copied(error)
    assert type(twin) is type(error)
    assert vars(twin) == vars(error)
    assert (str(twin), twin.args) == (str(error), error.args)


def test_every_class_is_copied_above() -> None:
    kinds = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, OidcError) and kind is not OidcError
    }
    assert {type(error) for error in EVERY_CLASS} == kinds
    assert {kind.fault for kind in kinds} == {row.fault for row in CODES.values()}


def test_an_error_tells_what_the_table_knows_of_its_code() -> None:
    error = ProtocolViolation("exp_expired")
    assert error.row is CODES["exp_expired"]
    assert error.spec == "OIDC Core §3.1.3.7, 9"
    assert error.hint == CODES["exp_expired"].hint
    assert error.retryable == "restart"
    assert (error.found, error.expected, error.about, error.of) == (None, None, "", "")
    assert error.args == ("exp_expired",)


@pytest.mark.parametrize("code", ["no_such_code", "config_invalid", ""])
def test_a_code_of_another_class_is_a_fault_of_the_library(code: str) -> None:
    with pytest.raises(LookupError, match="is no code of ProtocolViolation"):
        ProtocolViolation(code)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            ProtocolViolation("exp_expired", found=1, expected=2, about="exp"),
            "exp_expired (exp): found 1, expected 2 (OIDC Core §3.1.3.7, 9); ",
        ),
        (ProtocolViolation("exp_expired", expected="now"), "exp_expired: expected 'now' (OIDC "),
        (
            ProtocolViolation("exp_expired", found=1, about="exp", of="userinfo"),
            "exp_expired (exp of userinfo): found 1 (OIDC Core §3.1.3.7, 9); ",
        ),
        (
            ProtocolViolation("signature_invalid", of="id_token"),
            "signature_invalid (id_token) (OIDC Core §3.1.3.7, 6); ",
        ),
        (StoreFailure("store_unavailable"), "store_unavailable; the store failed"),
    ],
)
def test_a_message_says_what_was_found_and_expected(error: OidcError, message: str) -> None:
    assert str(error).startswith(message)
    assert str(error).endswith(error.hint)


@pytest.mark.parametrize(
    "hostile", ["\x1b[31m\r\nSet-Cookie: a=b", "\u202e\u2028", "\x00", "é", "'\"", "\ud800"]
)
def test_a_fact_is_shown_in_printable_ascii(hostile: str) -> None:
    error = ProtocolViolation("iss_mismatch", found=hostile, expected=(hostile,))
    text = str(error).removesuffix(error.hint).replace("§", "S")
    assert text.isascii()
    assert text.isprintable()


def test_a_fact_is_shown_up_to_a_limit() -> None:
    assert shown("x" * (SHOWN - 2)) == f"'{'x' * (SHOWN - 2)}'"
    assert len(shown("x" * (SHOWN - 1))) == SHOWN
    assert shown("x" * 10**6).endswith("xxx...")
    assert len(str(ProtocolViolation("iss_mismatch", found="x" * 10**6))) < 400


def test_what_a_provider_says_is_cut() -> None:
    error = ProviderError("e" * 300, error_description="d" * 300, error_uri="u" * 257)
    assert (error.error, error.found) == ("e" * 256, "e" * 256)
    assert (error.error_description, error.error_uri) == ("d" * 256, "u" * 256)
    silent = ProviderError("access_denied")
    assert (silent.error_description, silent.error_uri) == (None, None)


def test_text_of_the_provider_stays_out_of_the_message() -> None:
    error = ProviderError("access_denied", error_description="<script>", error_uri="javascript:")
    assert (error.code, error.error, error.found) == (
        "provider_error",
        "access_denied",
        "access_denied",
    )
    assert (error.status, error.issuer_verified) == (None, True)
    assert "script" not in str(error)
    assert "script" not in repr(error)


def test_a_failure_may_have_reached_the_provider_unless_it_says_no() -> None:
    assert TransportFailure("http_connect_failed").sent == "maybe"
    assert TransportFailure("http_connect_failed", sent="no").sent == "no"


def test_a_fingerprint_tells_secrets_apart_without_showing_them() -> None:
    assert fingerprint("secret") == "#2bb80d53"
    assert fingerprint("secret") != fingerprint("Secret")
    assert len(fingerprint("\ud800" * 999)) == 9


@pytest.mark.parametrize("secret", [None, b"secret", 5, ["secret"]])
def test_a_fingerprint_is_of_text(secret: Any) -> None:
    with pytest.raises(UsageError) as caught:
        fingerprint(secret)
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", "secret")
    assert "secret'" not in str(caught.value)


@pytest.mark.parametrize("number", [10**5000, -(10**5000), 2**600], ids=["long", "negative", "601"])
def test_a_number_of_any_length_can_be_told(number: int) -> None:
    error = UsageError("config_invalid", found=number, expected=number)
    assert str(error).count("a number of ") == 2
    assert len(str(error)) < 200
    assert errors.shown(2**600 - 1).startswith("4149515568880992958512407863691161151012446232242")
