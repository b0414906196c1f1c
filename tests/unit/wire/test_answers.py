"""The common parts of every endpoint's answer: status, media type, and the one parser of errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from oidc_core.wire.answers import (
    answered,
    document,
    json_body,
    oauth_error,
    refusal_in_body,
    refusal_in_challenge,
    spelled_error,
    unexpected_media_type,
    unexpected_status,
)
from oidc_core.wire.causes import CAUSES
from oidc_core.wire.codes import CODES
from oidc_core.wire.errors import OidcError, ProtocolViolation, ProviderError, TransportFailure
from oidc_core.wire.http import HttpResponse, NoAnswer
from oidc_core.wire.jsontypes import JsonObject, JsonValue, unreadable
from oidc_core.wire.messages import ERROR_CODE
from tests.parties import NOW, json_response, refused
from tests.unit.parties import told

if TYPE_CHECKING:
    from oidc_core.wire.causes import CauseRow
    from oidc_core.wire.http import Sent

GOOD = json_response({"a": 1})


def facts(error: OidcError) -> tuple[str, object, object]:
    """All that an error which is returned and not raised tells."""
    assert type(error) is ProtocolViolation
    return error.code, error.found, error.expected


def of_provider(error: OidcError | None) -> tuple[str, str | None, str | None, int | None, bool]:
    assert isinstance(error, ProviderError)
    return (
        error.error,
        error.error_description,
        error.error_uri,
        error.status,
        error.issuer_verified,
    )


# --- that there is an answer ---------------------------------------------------------------------


@pytest.mark.parametrize("sent", ["no", "maybe"])
def test_a_failed_exchange_fails_with_its_own_code(sent: Sent) -> None:
    failure = NoAnswer(sent, "tls_failed", NOW)
    error = refused(TransportFailure, "tls_failed", lambda: answered(failure))
    assert isinstance(error, TransportFailure)
    assert error.sent == sent


@pytest.mark.parametrize("row", CAUSES.values(), ids=lambda row: row.cause)
def test_the_cause_of_a_failed_exchange_says_what_to_do(row: CauseRow) -> None:
    failure = NoAnswer("no", "http_connect_failed", NOW, row.cause)
    error = refused(TransportFailure, "http_connect_failed", lambda: answered(failure))
    assert (error.cause, error.retryable, error.kind, error.hint) == row
    assert f"because of {row.cause}" in str(error)


def test_a_transport_need_not_tell_the_cause() -> None:
    failure = NoAnswer("no", "http_connect_failed", NOW)
    error = refused(TransportFailure, "http_connect_failed", lambda: answered(failure))
    row = CODES["http_connect_failed"]
    facts_of_row = ("", row.hint, row.retryable, row.kind)
    assert (error.cause, error.hint, error.retryable, error.kind) == facts_of_row


@pytest.mark.parametrize(
    ("location", "found"),
    [
        ("https://op.example/a/b?c=secret#d", "302 to https://op.example/a/b"),
        ("/login;jsessionid=secret", "302 to /login"),
        ("https://user:secret@op.example/", 302),
        ("?code=secret", 302),
        ("", 302),
        ("https://op.example/" + "x" * 5_000, "302 to https://op.example/" + "x" * 1_005),
    ],
)
def test_a_redirect_says_where_it_leads_and_no_secret(location: str, found: object) -> None:
    response = evolve(GOOD, status=302, headers=(("location", location),))
    assert told(lambda: answered(response)) == ("http_redirect_refused", "", found, None)


@pytest.mark.parametrize("code", [300, 301, 302, 303, 307, 308, 399])
def test_a_redirect_is_never_followed(code: int) -> None:
    response = evolve(GOOD, status=code)
    assert told(lambda: answered(response)) == ("http_redirect_refused", "", code, None)


@pytest.mark.parametrize("code", [200, 299, 400, 500])
def test_any_other_status_is_an_answer(code: int) -> None:
    response = evolve(GOOD, status=code)
    assert answered(response) is response


# --- documents -----------------------------------------------------------------------------------


def test_a_document_is_taken_with_its_status_and_its_media_type() -> None:
    assert document(GOOD) == GOOD.body
    jwks = json_response(b"x", content_type="application/jwk-set+json; charset=utf-8")
    assert document(jwks, "application/jwk-set+json", "") == b"x"
    assert document(HttpResponse(200, (), b"x", NOW), "application/jwk-set+json", "") == b"x"


@pytest.mark.parametrize("status", [201, 204, 206, 400, 404, 500])
def test_a_document_has_one_status(status: int) -> None:
    response = evolve(GOOD, status=status)
    assert told(lambda: document(response)) == ("http_status_unexpected", "", status, 200)


@pytest.mark.parametrize("content_type", ["text/html", "application/jwk-set+json", "text/json", ""])
def test_a_document_of_another_media_type_is_refused(content_type: str) -> None:
    response = json_response({}, content_type=content_type)
    assert told(lambda: document(response)) == (
        "content_type_unexpected", "", content_type, "application/json",
    )  # fmt: skip


# --- bodies --------------------------------------------------------------------------------------


def test_a_body_is_a_json_object() -> None:
    assert json_body(GOOD) == {"a": 1}
    assert json_body(json_response({"error": None, "b": 2})) == {"error": None, "b": 2}


@pytest.mark.parametrize("content_type", ["text/html", "application/jwt", ""])
def test_a_body_of_another_media_type_is_refused(content_type: str) -> None:
    response = json_response({"error": "invalid_grant"}, content_type=content_type)
    assert told(lambda: json_body(response)) == (
        "content_type_unexpected", "", content_type, "application/json",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{", "json_malformed"), (b"[]", "json_not_object"), (b"", "json_malformed")],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes, code: str) -> None:
    refused(ProtocolViolation, code, lambda: json_body(json_response(body)))


def test_a_string_may_be_as_long_as_its_answer() -> None:
    longer = json_response({"a": "x" * 40_000})
    assert len(str(json_body(longer)["a"])) == 40_000


def test_an_odd_member_costs_itself_and_not_the_answer() -> None:
    body = b'{"a":1,"b":"\\ud800","c":11111111111111111111}'
    assert unreadable(json_body(answer_of(body))) == ("b", "c")


def test_an_error_of_the_provider_is_read_beside_odd_members() -> None:
    body = b'{"error":"invalid_grant","error_description":"\\ud800","x":1e999}'
    for status in (200, 400):
        answer = answer_of(body, status)
        error = refused(ProviderError, "provider_error", partial(json_body, answer))
        assert of_provider(error) == ("invalid_grant", None, None, status, True)


def answer_of(body: bytes, status: int = 200) -> HttpResponse:
    return HttpResponse(status, (("content-type", "application/json"),), body, 0)


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_an_error_of_the_provider_is_one_whatever_its_status(status: int) -> None:
    response = json_response({"error": "invalid_grant", "error_description": "x"}, status=status)
    error = refused(ProviderError, "provider_error", lambda: json_body(response))
    assert of_provider(error) == ("invalid_grant", "x", None, status, True)


@pytest.mark.parametrize("odd", [5, "", "\u00e9", 'a"b', "a\\b", "a\nb", [], {}, False])
def test_an_error_that_is_none_is_refused_for_its_status_or_by_name(odd: object) -> None:
    response = json_response({"error": odd}, status=400)
    assert told(partial(json_body, response)) == ("http_status_unexpected", "", 400, 200)
    code, about, _, expected = told(partial(json_body, json_response({"error": odd})))
    assert (code, about, expected) == ("token_response_invalid", "error", "an error code")


@pytest.mark.parametrize(
    ("body", "found", "said"),
    [
        ({"error": "", "error_description": "no such code"}, "an empty string", "no such code"),
        ({"error": {"code": 190, "message": "Invalid code"}}, "an object", "Invalid code"),
        ({"error": {"error_description": "a"}, "message": "b"}, "an object", "a"),
        ({"error": {"message": 5}, "error_description": "b"}, "an object", "b"),
        ({"error": [], "message": "b"}, "a list", "b"),
        ({"error": 'no "such" code'}, "other characters", 'no "such" code'),
        ({"error": {}}, "an object", ""),
        ({"error": 5, "error_description": "x" * 2_000}, "a number", "x" * 510 + "..." + "x" * 511),
    ],
)
def test_an_odd_error_is_named_and_what_the_provider_says_is_kept(
    body: dict[str, object], found: str, said: str
) -> None:
    named = refused(
        ProtocolViolation, "token_response_invalid", lambda: json_body(json_response(body))
    )
    assert (named.found, named.about, named.said) == (found, "error", said)
    assert ("the provider says" in str(named)) == bool(said)
    for status in (400, 401, 500):
        response = json_response(body, status=status)
        silent = refused(ProtocolViolation, "http_status_unexpected", partial(json_body, response))
        assert (silent.found, silent.said) == (status, said)


def test_what_a_challenge_without_an_error_says_is_kept() -> None:
    headers = (("www-authenticate", 'Bearer error_description="it expired"'),)
    response = HttpResponse(401, headers, b"<html>", NOW)
    assert unexpected_status(response).said == "it expired"
    assert unexpected_status(HttpResponse(401, (), b"", NOW)).said == ""


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":"a","error":"b"}'])
def test_a_refusal_that_spells_no_error_is_its_status(body: bytes) -> None:
    response = json_response(body, status=502)
    assert refusal_in_body(response) is None
    assert told(lambda: json_body(response)) == ("http_status_unexpected", "", 502, 200)


def test_the_status_of_success_is_the_caller_s() -> None:
    made = json_response({"a": 1}, status=201)
    assert json_body(made, status=201) == {"a": 1}
    assert told(lambda: json_body(made)) == ("http_status_unexpected", "", 201, 200)
    assert told(lambda: json_body(GOOD, status=201)) == ("http_status_unexpected", "", 200, 201)


def test_a_refusal_is_read_whatever_its_media_type() -> None:
    response = json_response({"error": "slow_down"}, status=400, content_type="text/html")
    assert of_provider(refusal_in_body(response)) == ("slow_down", None, None, 400, True)


# --- media types, for all endpoints alike --------------------------------------------------------


def called(*types: str, status: int = 200, body: object = None) -> HttpResponse:
    made = json_response({"a": 1} if body is None else body, status=status)
    return evolve(made, headers=tuple([("content-type", each) for each in types]))


JSON_READERS = pytest.mark.parametrize("read", [document, json_body])
DIFFERENT = pytest.mark.parametrize(
    "types",
    [
        ("application/json", "text/html"),
        ("text/html", "application/json"),
        ("application/json", ""),
        ("", "application/json"),
        ("application/json", "application/jwt"),
        ("application/json", "application/json", "text/plain"),
        ("application/json, text/html",),
    ],
)


@JSON_READERS
@DIFFERENT
def test_an_answer_that_is_called_two_things_is_refused(
    read: Callable[[HttpResponse], object], types: tuple[str, ...]
) -> None:
    found = ", ".join(dict.fromkeys(types))
    assert told(lambda: read(called(*types))) == (
        "content_type_unexpected", "", found, "application/json",
    )  # fmt: skip


@JSON_READERS
def test_an_answer_that_is_called_one_thing_twice_is_that(
    read: Callable[[HttpResponse], object],
) -> None:
    assert read(called("application/json", "Application/JSON; charset=utf-8"))


@DIFFERENT
def test_a_refusal_that_is_called_two_things_is_not_read(types: tuple[str, ...]) -> None:
    response = called(*types, status=400, body={"error": "invalid_grant"})
    assert refusal_in_body(response) is None
    assert told(lambda: json_body(response)) == ("http_status_unexpected", "", 400, 200)


# --- challenges ----------------------------------------------------------------------------------


def challenged(*values: str, status: int = 401, body: bytes = b"") -> HttpResponse:
    headers = tuple([("www-authenticate", value) for value in values])
    return HttpResponse(status, headers, body, NOW)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "DPoP"])
def test_a_challenge_spells_the_error(scheme: str) -> None:
    response = challenged(
        f'{scheme} realm="x", error="invalid_token", error_description="old", error_uri="u"'
    )
    expected = ("invalid_token", "old", "u", 401, True)
    assert of_provider(refusal_in_challenge(response)) == expected


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (('DPoP error="use_dpop_nonce"', 'Bearer error="invalid_token"'), "invalid_token"),
        (('DPoP error="use_dpop_nonce", Bearer realm="x"',), "use_dpop_nonce"),
        (('DPoP error="use_dpop_nonce"', 'Bearer error=""'), "use_dpop_nonce"),
        (('Bearer error="first", error="second"',), "first"),
    ],
)
def test_of_several_challenges_that_of_a_bearer_token_comes_first(
    values: tuple[str, ...], error: str
) -> None:
    assert of_provider(refusal_in_challenge(challenged(*values)))[0] == error


@pytest.mark.parametrize(
    "response",
    [
        challenged(),
        challenged('Basic error="invalid_token"'),
        challenged("Bearer"),
        challenged('Bearer realm="x"'),
        challenged(status=503, body=b'{"error":"invalid_token"}'),
    ],
)
def test_without_a_challenge_that_spells_one_the_status_is_the_error(
    response: HttpResponse,
) -> None:
    """The body of a resource is nobody's to read."""
    assert refusal_in_challenge(response) is None
    assert facts(unexpected_status(response)) == ("http_status_unexpected", response.status, 200)


# --- the error itself ----------------------------------------------------------------------------


def spelled(
    error: str, *, issuer_verified: bool = True, text: bool = True, **members: JsonValue
) -> OidcError:
    member = JsonObject(members).members.get
    return oauth_error(error, member, GOOD, issuer_verified=issuer_verified, text=text)


@pytest.mark.parametrize("error", ["access_denied", "a b!", "x", "~"])
def test_an_error_keeps_the_grammar(error: str) -> None:
    """RFC 6749 appendix A.7."""
    found = spelled_error(JsonObject({"error": error}).members.get, GOOD)
    assert of_provider(found) == (error, None, None, 200, True)


def test_what_is_kept_of_an_error_is_bounded() -> None:
    found = spelled(error="e" * 300, error_description="d" * 300, error_uri="u" * 300)
    assert of_provider(found) == ("e" * ERROR_CODE, "d" * 300, "u" * 300, 200, True)
    beyond = JsonObject({"error": "e" * ERROR_CODE + "\n"}).members.get
    assert of_provider(spelled_error(beyond, GOOD))[0] == "e" * ERROR_CODE


@pytest.mark.parametrize("odd", [5, (), JsonObject({}), True, None])
def test_a_text_that_is_none_is_left_out(odd: JsonValue) -> None:
    found = spelled(error="x", error_description=odd, error_uri=odd)
    assert of_provider(found) == ("x", None, None, 200, True)


def test_what_may_not_be_passed_on_is_left_out() -> None:
    found = spelled(error="x", error_description="d", error_uri="u", text=False)
    assert of_provider(found) == ("x", None, None, 200, True)
    assert of_provider(spelled(error="x", issuer_verified=False))[-1] is False


def test_an_authorization_response_has_no_status() -> None:
    named: dict[str, Any] = {"error_description": "no"}
    found = oauth_error("access_denied", named.get)
    assert of_provider(found) == ("access_denied", "no", None, None, True)


def test_members_without_an_error_spell_none() -> None:
    assert spelled_error(JsonObject({}).members.get, GOOD) is None


def test_what_is_unexpected_is_told_with_what_was_expected() -> None:
    odd = json_response({}, status=418, content_type="text/html")
    assert facts(unexpected_status(odd)) == ("http_status_unexpected", 418, 200)
    assert facts(unexpected_media_type(odd, "application/jwt")) == (
        "content_type_unexpected", "text/html", "application/jwt",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0), (" 120 ", 120), ("99999", 86_400), ("100000", None), ("-1", None), ("1.5", None),
     ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("", None), ("\u0661", None), (None, None)],
)  # fmt: skip
def test_what_the_server_says_of_trying_again_is_kept(
    value: str | None, seconds: int | None
) -> None:
    headers = () if value is None else (("retry-after", value),)
    for status, expected in ((429, seconds), (503, seconds), (404, None)):
        response = HttpResponse(status, headers, b"{}", NOW)
        assert unexpected_status(response).retry_after == expected
        error = spelled_error({"error": "slow_down"}.get, response)
        assert error is not None
        assert error.retry_after == expected
    busy = HttpResponse(400, headers, b"{}", NOW)
    error = spelled_error({"error": "temporarily_unavailable"}.get, busy)
    assert error is not None
    assert error.retry_after == seconds
