"""The tree of errors: facts survive, messages are bounded and give nothing away."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from oidc_core.wire import errors
from oidc_core.wire.causes import PROVIDER_HINTS
from oidc_core.wire.codes import CODES
from oidc_core.wire.errors import (
    CallbackError,
    OidcError,
    Place,
    ProtocolViolation,
    ProviderError,
    StoreFailure,
    TransportFailure,
    UsageError,
    fingerprint,
    note_of,
)
from oidc_core.wire.messages import SHOWN, shown

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
    assert (error.retryable, error.kind, error.answer_status) == ("no", "configuration", 502)
    assert (error.place, error.cause, error.retry_after) == (None, "", None)
    assert (error.found, error.expected, error.about, error.of) == (None, None, "", "")
    assert error.args == ("exp_expired",)


@pytest.mark.parametrize("code", ["no_such_code", "config_invalid", ""])
def test_a_code_of_another_class_is_a_fault_of_the_library(code: str) -> None:
    with pytest.raises(LookupError, match="is not a code of ProtocolViolation"):
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
    assert shown("x" * 10**6) == "'" + "x" * 97 + "..." + "x" * 98 + "'"
    assert shown("head" + "x" * 500 + "tail").endswith("xtail'")
    assert len(str(ProtocolViolation("iss_mismatch", found="x" * 10**6))) < 400


def test_what_a_provider_says_is_cut_in_the_middle() -> None:
    end = " does not match the one from the authorize request."
    error = ProviderError("e" * 300, error_description="d" * 1_024 + end, error_uri="u" * 1_025)
    assert (error.error, error.found) == ("e" * 256, "e" * 256)
    description, uri = str(error.error_description), str(error.error_uri)
    assert (len(description), len(uri)) == (1_024, 1_024)
    assert (description[:510], description[510:514]) == ("d" * 510, "...d")
    assert description.endswith(end)
    assert uri == "u" * 510 + "..." + "u" * 511
    whole = ProviderError("x", error_description="d" * 1_024)
    assert whole.error_description == "d" * 1_024
    silent = ProviderError("access_denied")
    assert (silent.error_description, silent.error_uri) == (None, None)


def test_a_message_has_what_the_provider_says_in_printable_ascii() -> None:
    told = "The code is \x1b[31m\r\nunknown \u202e"
    error = ProviderError("access_denied", error_description=told, status=400)
    assert (error.code, error.error, error.found) == (
        "provider_error",
        "access_denied",
        "access_denied",
    )
    assert (error.status, error.issuer_verified) == (400, True)
    assert str(error) == (
        "provider_error: found 'access_denied', status 400, the provider says"
        " 'The code is \\x1b[31m\\r\\nunknown \\u202e'"
        " (RFC 6749 §4.1.2.1, §5.2); the user, or a rule at the provider, said no"
    )
    assert "unknown" not in repr(error)
    bare = ProviderError("access_denied", error_uri="javascript:")
    assert "said no" in str(bare).removeprefix("provider_error: found 'access_denied' (")
    assert "javascript" not in str(bare)


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        ("access_denied", None, ("no", "user", 403)),
        ("access_denied", 400, ("no", "user", 403)),
        ("login_required", None, ("no", "interaction", 403)),
        ("interaction_required", None, ("no", "interaction", 403)),
        ("consent_required", None, ("no", "interaction", 403)),
        ("account_selection_required", None, ("no", "interaction", 403)),
        ("unmet_authentication_requirements", None, ("no", "interaction", 403)),
        ("invalid_grant", 400, ("restart", "stale", 400)),
        ("temporarily_unavailable", None, ("later", "later", 503)),
        ("server_error", None, ("later", "later", 503)),
        ("temporarily_unavailable", 400, ("later", "later", 503)),
        ("anything", 500, ("later", "later", 503)),
        ("invalid_grant", 503, ("later", "later", 503)),
        ("anything", 599, ("later", "later", 503)),
        ("anything", 408, ("later", "later", 503)),
        ("anything", 425, ("later", "later", 503)),
        ("anything", 429, ("later", "later", 503)),
        ("invalid_client", 401, ("no", "configuration", 502)),
        ("unauthorized_client", None, ("no", "configuration", 502)),
        ("anything", 499, ("no", "configuration", 502)),
        ("Access_Denied", 200, ("no", "configuration", 502)),
    ],
)
def test_a_provider_s_error_says_what_to_do(
    error: str, status: int | None, expected: tuple[str, str, int]
) -> None:
    told = ProviderError(error, status=status)
    assert (told.retryable, told.kind, told.answer_status) == expected


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CallbackError("response_mode_mismatch"), 502),
        (CallbackError("response_iss_missing"), 502),
        (CallbackError("cookie_key_unknown"), 500),
        (CallbackError("redirect_uri_mismatch"), 500),
        (StoreFailure("seal_invalid"), 500),
        (UsageError("config_invalid"), 500),
        (ProtocolViolation("alg_not_allowed"), 502),
        (ProtocolViolation("nonce_mismatch"), 400),
        (TransportFailure("tls_failed"), 502),
        (TransportFailure("http_timeout"), 503),
    ],
    ids=lambda told: getattr(told, "code", None),
)
def test_only_what_this_side_did_is_answered_with_500(error: OidcError, status: int) -> None:
    assert error.answer_status == status


@pytest.mark.parametrize("error", [*PROVIDER_HINTS, "vendor_error"])
def test_a_providers_error_says_what_to_change(error: str) -> None:
    found = ProviderError(error, status=400)
    row = CODES["provider_error"]
    assert found.hint == PROVIDER_HINTS.get(error, row.hint)
    down = PROVIDER_HINTS["temporarily_unavailable"]
    assert ProviderError(error, status=503).hint == down


def test_an_error_may_know_better_than_its_row() -> None:
    error = TransportFailure(
        "keys_unavailable",
        cause="dns",
        hint="check the name",
        retryable="no",
        kind="configuration",
        retry_after=20,
    )
    assert (error.retryable, error.kind, error.answer_status) == ("no", "configuration", 502)
    assert str(error) == (
        "keys_unavailable: because of dns (OIDC Core §10.1.1); check the name;"
        " try again in 20 seconds"
    )


@pytest.mark.parametrize(
    ("purpose", "named", "spec"),
    [
        ("discovery", "metadata at", "OIDC Discovery §4.2"),
        ("key_set", "key set at", "RFC 7517 §5"),
        ("token", "token endpoint", "OIDC Core §3.1.3.3"),
        ("refresh", "token endpoint, to refresh,", "OIDC Core §12.2"),
        ("userinfo", "UserInfo endpoint", "OIDC Core §5.3.2"),
        ("another", "another", "RFC 6749 §5"),
    ],
)
def test_an_error_names_its_exchange(purpose: str, named: str, spec: str) -> None:
    error = ProtocolViolation("http_status_unexpected", found=404, expected=200)
    error.place = Place(purpose, "https://op.example/x")
    head = f"http_status_unexpected at the {named} https://op.example/x: found 404, expected 200"
    assert str(error) == f"{head} ({spec}); {error.hint}"
    claim = ProtocolViolation("exp_expired")
    claim.place = error.place
    assert claim.spec == "OIDC Core §3.1.3.7, 9"


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
    assert shown(2**600 - 1).startswith("4149515568880992958512407863691161151012446232242")


@pytest.mark.parametrize(
    ("error", "note"),
    [
        (ProtocolViolation("json_malformed"), "json_malformed"),
        (ProtocolViolation("content_type_unexpected", found="text/html", expected="x/y"),
         "content_type_unexpected: found 'text/html', expected 'x/y'"),
        (ProviderError("invalid_token", error_description="it\nexpired", status=401),
         "provider_error: found 'invalid_token', status 401, the provider says 'it\\nexpired'"),
    ],
)  # fmt: skip
def test_a_note_of_an_error_is_short_and_has_the_providers_words(
    error: OidcError, note: str
) -> None:
    assert note_of(error) == note
    long = ProviderError("invalid_token", error_description="x" * 2_000)
    assert len(note_of(long)) == 512


SECRETS_SAID = (
    "0123456789abcdefghij",
    "eyJhbGciOiJFUzI1NiJ9",
    "tGzv3JOkF0XG5Qx2TlKWIA==",
    "a-refresh-token-of-a-user-1",
)


@pytest.mark.parametrize("secret", SECRETS_SAID)
def test_a_message_has_no_token_that_a_failing_provider_repeats(secret: str) -> None:
    """A database error of a real provider had the refresh token in it."""
    said = f"IntegrityError: [{secret}], {secret}.{secret}: duplicate key"
    error = ProviderError("server_error", error_description=said, status=500)
    print_of = fingerprint(secret)
    told = f"IntegrityError: [{print_of}], {print_of}.{print_of}: duplicate key"

    for text in (str(error), note_of(error), "".join(error.told())):
        assert secret not in text
        assert told in text
    assert error.error_description == said


@pytest.mark.parametrize(
    "said",
    [
        "Trace ID: 8c5f2c3e-0b5a-4c1e-9d3c-5a1b2c3d4e5f Timestamp: 2026-11-28 12:00:00Z",
        "check token_endpoint_auth_method and id_token_signed_response_alg",
        "https://rp.example/callback does not match",
        "0123456789abcdefghi",
    ],
)
def test_what_an_operator_needs_stays_in_the_message(said: str) -> None:
    assert f"the provider says '{said}'" in str(ProviderError("x", error_description=said))
