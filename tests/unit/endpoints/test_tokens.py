"""The token endpoint: what is sent there, and what is taken from its answers."""

from __future__ import annotations

from base64 import b64decode
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

import pytest
from attrs import evolve

from oidc_core.endpoints.tokens import (
    Session,
    TokenResponse,
    authorization_code_request,
    check_owner,
    check_scope,
    parse_token_response,
    refresh_request,
    refresh_token_of,
    token_answer,
    tokens_of,
)
from oidc_core.machine.credentials import ASSERTION_TYPE, assertion_payload, basic_credentials
from oidc_core.model.policy import Policy
from oidc_core.model.records import Tokens
from oidc_core.wire.errors import ProtocolViolation, ProviderError, TransportFailure, UsageError
from oidc_core.wire.http import (
    BasicCredentials,
    ClientAssertion,
    ClientSecret,
    HttpRequest,
    HttpResponse,
    NoAnswer,
)
from oidc_core.wire.jsontypes import parse_object
from oidc_core.wire.way import CHANNELS, Channel
from tests.parties import (
    ACCESS_TOKEN,
    CLIENT_ID,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    REDIRECT_URI,
    RP,
    SUB,
    json_response,
    refused,
    relying_party,
    started,
)
from tests.parties import token_answer as answer
from tests.signing import SECRET

METHODS = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
)
TOKENS = Tokens(
    issuer=ISSUER,
    client_id=CLIENT_ID,
    access_token=ACCESS_TOKEN,
    refresh_token="refresh-1",
    id_token="a.b.c",
    scope="openid profile",
    subject=SUB,
)


def sent(method: str = "client_secret_basic", **client: Any) -> HttpRequest:
    rp = relying_party(client={"token_endpoint_auth_method": method, **client})
    return authorization_code_request(rp, started(rp).pending, "code-1")


def form(request: HttpRequest) -> dict[str, Any]:
    assert request.form is not None
    assert len({name for name, _ in request.form}) == len(request.form)
    return dict(request.form)


def violation(code: str, response: HttpResponse) -> ProtocolViolation:
    error = refused(ProtocolViolation, code, lambda: parse_token_response(response))
    assert isinstance(error, ProtocolViolation)
    return error


# --- requests ------------------------------------------------------------------------------------


@pytest.mark.req(
    "OIDCC-3.1.3.1-02",
    "OIDCC-3.1.3.2-01",
    "OIDCC-9-01",
    "RFC6749-3.2-01",
    "RFC6749-4.1.3-01",
    "RFC7636-4.5-01",
    "OAUTH21-4.1.3-01",
)
def test_a_code_is_exchanged_with_what_the_login_was_started_with() -> None:
    """C01, C07."""
    login = started(redirect_uri="https://rp.example/other?x=1")
    request = authorization_code_request(RP, login.pending, "code/1 +é")

    assert (request.method, request.url) == ("POST", f"{ISSUER}/token")
    assert request.headers[0] == ("accept", "application/json")
    assert request.headers[1][0] == "authorization"
    assert form(request) == {
        "grant_type": "authorization_code",
        "code": "code/1 +é",
        "redirect_uri": "https://rp.example/other?x=1",
        "code_verifier": login.pending.code_verifier,
    }


@pytest.mark.req("OIDCC-3.1.3.2-01")
def test_the_redirect_uri_is_the_login_s_though_the_configuration_changed() -> None:
    """C07."""
    moved = relying_party(client={"redirect_uris": ("https://rp.example/new",)})
    assert (
        form(authorization_code_request(moved, started().pending, "c"))["redirect_uri"]
        == REDIRECT_URI
    )


@pytest.mark.req("RFC6749-4.1.2-01", "OIDCC-3.1.3-01", "OIDCC-5.3-01")
def test_a_token_request_goes_once_and_only_to_the_authorization_server() -> None:
    """B11, C18."""
    request = sent()
    assert (request.resend, request.role, request.issuer) == (
        "if_unsent",
        "authorization_server",
        ISSUER,
    )
    assert (request.purpose, request.client_id, request.max_body) == ("token", CLIENT_ID, 524_288)
    for endpoint in ("token_endpoint", "userinfo_endpoint"):
        url = {endpoint: "http://op.example/x"}
        refused(UsageError, "url_scheme_not_allowed", partial(relying_party, provider=url))


@pytest.mark.req(
    "OIDCC-3.1.3.1-01",
    "RFC6749-2.3-01",
    "RFC6749-2.3.1-02",
    "RFC6749-2.3.1-03",
    "RFC6749-3.2.1-01",
    "RFC6749-3.2.1-02",
    "OIDCC-9-04",
    "OIDCC-9-07",
    "RFC7523-2.2-01",
    "OAUTH21-2.4.1-01",
)
@pytest.mark.parametrize("method", METHODS)
def test_each_method_sends_its_own_credentials_and_no_others(method: str) -> None:
    """C09, J28."""
    request = sent(method)
    credentials = {
        name: value for name, value in form(request).items() if name.startswith("client_")
    }
    headers = dict(request.headers)

    basic = BasicCredentials(issuer=ISSUER, client_id=CLIENT_ID, raw=False)
    assert headers.get("authorization") == (basic if method == "client_secret_basic" else None)
    if method == "client_secret_basic":
        assert credentials == {}
    elif method == "none":
        assert credentials == {"client_id": CLIENT_ID}
    elif method == "client_secret_post":
        secret = ClientSecret(issuer=ISSUER, client_id=CLIENT_ID)
        assert credentials == {"client_id": CLIENT_ID, "client_secret": secret}
    else:
        assertion = ClientAssertion(
            issuer=ISSUER,
            client_id=CLIENT_ID,
            audience=ISSUER,
            alg="HS256" if method == "client_secret_jwt" else "RS256",
            lifetime=60,
        )
        assert credentials == {
            "client_id": CLIENT_ID,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
    assert SECRET not in repr(request)
    assert "?" not in request.url


@pytest.mark.req("OIDCR-2-11", "OIDCD-3-08")
@pytest.mark.parametrize(
    ("method", "alg"),
    [("private_key_jwt", "ES256"), ("private_key_jwt", "EdDSA"), ("client_secret_jwt", "HS384")],
)
def test_an_assertion_is_signed_by_the_registered_algorithm(method: str, alg: str) -> None:
    request = sent(method, token_endpoint_auth_signing_alg=alg)
    assert form(request)["client_assertion"].alg == alg
    for odd in ("none", "HS256" if method == "private_key_jwt" else "RS256"):
        refused(
            UsageError,
            "config_invalid",
            partial(sent, method, token_endpoint_auth_signing_alg=odd),
        )


@pytest.mark.req("OIDCC-9-05", "OIDCC-E3-9-01", "RFC7523BIS-01", "OAUTH21-2.4-01")
def test_an_assertion_is_for_the_issuer_even_if_the_endpoint_is_another_s() -> None:
    """C15."""
    hostile = relying_party(
        provider={"issuer": OTHER_ISSUER, "token_endpoint": f"{ISSUER}/token"},
        client={"token_endpoint_auth_method": "private_key_jwt"},
    )
    assertion = form(authorization_code_request(hostile, started(hostile).pending, "c"))[
        "client_assertion"
    ]
    assert assertion.audience == OTHER_ISSUER
    claims = parse_object(assertion_payload(assertion, now=NOW, jti="j1").encode())
    assert claims["aud"] == OTHER_ISSUER


@pytest.mark.req("OIDCC-9-05")
def test_only_a_quirk_makes_the_endpoint_the_audience() -> None:
    quirk = Policy(quirks=frozenset({"assertion_audience_token_endpoint"}))
    rp = relying_party(client={"token_endpoint_auth_method": "private_key_jwt"}, policy=quirk)
    assertion = form(authorization_code_request(rp, started(rp).pending, "c"))["client_assertion"]
    assert assertion.audience == f"{ISSUER}/token"


@pytest.mark.req("OIDCC-9-02", "OIDCC-9-03", "RFC7523-3-01", "RFC7523-3-02", "RFC7521-5.2-01")
def test_an_assertion_lives_a_minute_and_is_told_apart_by_its_jti() -> None:
    """C16."""
    assertion = form(sent("private_key_jwt"))["client_assertion"]
    first, second = (
        parse_object(assertion_payload(assertion, now=NOW, jti=jti).encode())
        for jti in ("j1", "j2")
    )
    assert first == {
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "aud": ISSUER,
        "jti": "j1",
        "iat": NOW,
        "exp": NOW + 60,
    }
    assert {**second.members, "jti": "j1"} == first


@pytest.mark.req("RFC6749-2.3.1-01")
def test_basic_credentials_are_encoded_first() -> None:
    """C17."""
    client_id, secret = "1PpG/Q 1:%+", "s€c:r+t /=%"
    value = basic_credentials(client_id, secret, raw=False)
    parts = b64decode(value.removeprefix("Basic ")).decode("ascii").split(":")
    assert [unquote(part) for part in parts] == [client_id, secret]
    raw = basic_credentials("id", "s+c", raw=True)
    assert b64decode(raw.removeprefix("Basic ")) == b"id:s+c"


def test_only_a_quirk_leaves_the_verifier_out() -> None:
    rp = relying_party(policy=Policy(quirks=frozenset({"omit_pkce"})))
    assert "code_verifier" not in form(authorization_code_request(rp, started(rp).pending, "c"))


@pytest.mark.req("RFC6749-3.2-01")
def test_the_endpoint_keeps_its_query_and_has_to_be_there() -> None:
    rp = relying_party(provider={"token_endpoint": f"{ISSUER}/token?a=1"})
    assert authorization_code_request(rp, started(rp).pending, "c").url == f"{ISSUER}/token?a=1"
    none = relying_party(provider={"token_endpoint": None})
    refused(
        UsageError,
        "unsupported_by_provider",
        lambda: authorization_code_request(none, started(none).pending, "c"),
    )


@pytest.mark.req("OIDCC-12.1-01")
@pytest.mark.parametrize("method", METHODS)
def test_a_refresh_token_is_sent_with_the_registered_method(method: str) -> None:
    rp = relying_party(client={"token_endpoint_auth_method": method})
    request = refresh_request(rp, TOKENS)

    kept = {n: v for n, v in form(request).items() if not n.startswith("client_")}
    assert kept == {"grant_type": "refresh_token", "refresh_token": "refresh-1"}
    assert (request.method, request.purpose, request.resend) == ("POST", "refresh", "if_unsent")
    assert ("authorization" in dict(request.headers)) == (method == "client_secret_basic")
    assert "refresh-1" not in repr(request)


@pytest.mark.req("RFC6749-6-01")
def test_a_refresh_asks_for_no_more_than_was_granted() -> None:
    assert form(refresh_request(RP, TOKENS, scope="profile"))["scope"] == "profile"
    assert "scope" not in form(refresh_request(RP, TOKENS))
    for scope in ("openid profile email", "admin", "Profile"):
        refused(
            UsageError,
            "parameter_invalid",
            partial(refresh_request, RP, TOKENS, scope=scope),
        )


@pytest.mark.req("RFC8707-2.2-01")
def test_a_refresh_may_name_resources() -> None:
    request = refresh_request(RP, TOKENS, resource=("https://api.example/", "urn:x"))
    assert request.form is not None
    named = [value for name, value in request.form if name == "resource"]
    assert named == ["https://api.example/", "urn:x"]
    assert "resource" not in form(refresh_request(RP, TOKENS))
    for odd in (("/api",), ("https://api.example/#f",), ("",), ["urn:x"], "urn:x", (5,)):
        wrong: Any = odd
        error = refused(
            UsageError, "parameter_invalid", partial(refresh_request, RP, TOKENS, resource=wrong)
        )
        assert error.about == "resource"


def test_without_a_refresh_token_there_is_no_refresh() -> None:
    bare = evolve(TOKENS, refresh_token=None)
    refused(UsageError, "refresh_token_missing", lambda: refresh_request(RP, bare))


@pytest.mark.parametrize(
    "change", [{"issuer": OTHER_ISSUER}, {"issuer": f"{ISSUER}/"}, {"client_id": "client-2"}]
)
def test_tokens_go_nowhere_but_to_their_issuer_and_client(change: dict[str, Any]) -> None:
    """B25, J07."""
    foreign = evolve(TOKENS, **change)
    refused(UsageError, "client_issuer_mismatch", lambda: refresh_request(RP, foreign))
    refused(UsageError, "client_issuer_mismatch", lambda: check_owner(RP, foreign))


def test_a_registration_is_not_used_at_another_issuer() -> None:
    """B25."""
    refused(
        UsageError, "client_issuer_mismatch", lambda: relying_party(client={"issuer": OTHER_ISSUER})
    )
    assert relying_party(client={"issuer": ISSUER}).issuer == ISSUER


# --- answers -------------------------------------------------------------------------------------


@pytest.mark.req(
    "OIDCC-3.1.3.3-03", "RFC6749-5.1-01", "RFC6749-5.1-03", "RFC6749-5.1-04", "RFC6749-4.1.2-03"
)
def test_a_good_answer_is_taken_with_whatever_else_it_says() -> None:
    response = answer("a.b.c", refresh_token="r", scope="openid x", foo={"bar": [1]})
    tokens = parse_token_response(evolve(response, received_at=NOW + 5))

    assert (tokens.access_token, tokens.expires_in, tokens.refresh_token) == (
        ACCESS_TOKEN,
        3600,
        "r",
    )
    assert (tokens.id_token, tokens.scope, tokens.notes) == ("a.b.c", "openid x", ())
    assert tokens.received_at == NOW + 5
    assert ACCESS_TOKEN not in repr(tokens)
    assert parse_token_response(answer("a", access_token="x" * 20_000)).expires_in == 3600


@pytest.mark.req("OIDCC-3.1.3.3-01", "RFC6749-5.1-02")
@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER"])
def test_the_token_type_is_bearer_in_any_case(token_type: str) -> None:
    assert parse_token_response(answer(None, token_type=token_type)).id_token is None


@pytest.mark.req("OIDCC-3.1.3.3-01", "RFC6749-5.1-01")
@pytest.mark.parametrize("token_type", [None, "", "mac", "DPoP", "Bearer ", 5, ["Bearer"], True])
def test_another_token_type_is_refused(token_type: object) -> None:
    """I17."""
    violation("token_type_mismatch", answer(None, token_type=token_type))


@pytest.mark.req("RFC6749-5.1-01")
@pytest.mark.parametrize("access_token", [None, 5, ["a"], True, {}])
def test_an_access_token_is_a_string(access_token: object) -> None:
    """I16."""
    violation("token_response_invalid", answer(None, access_token=access_token))


@pytest.mark.parametrize("access_token", ["", "a b", "a\r\nX: y", "a\0", "é", "a\n", "\t"])
def test_an_access_token_cannot_break_out_of_its_header(access_token: str) -> None:
    """I19."""
    error = violation("access_token_malformed", answer(None, access_token=access_token))
    assert error.found is None


ODD: Final[list[object]] = [5, ["a"], True, False, {}, 0]


@pytest.mark.parametrize("value", ODD)
def test_an_id_token_of_another_type_is_refused(value: object) -> None:
    """I16."""
    members = {"access_token": "a", "token_type": "Bearer", "id_token": value}
    error = violation("token_response_invalid", json_response(members))
    assert error.about == "id_token"
    assert error.found in {"a number", "a list", "a boolean", "an object"}


@pytest.mark.parametrize("value", [5, 0, ["a"], [], True, False, {"a": 1}, {}, "é", "a\nb"])
def test_a_malformed_refresh_token_is_absent_with_a_note(value: object) -> None:
    """I16."""
    tokens = parse_token_response(answer(None, refresh_token=value))
    assert (tokens.refresh_token, tokens.notes) == (None, ("refresh_token is malformed",))


JOINED: Final = "scope is malformed: its parts were joined"
NOTHING_GRANTED: Final = "scope is malformed: nothing counts as granted"


@pytest.mark.req("RFC6749-3.3-02")
@pytest.mark.parametrize(
    ("scope", "granted", "note"),
    [
        ("openid email", "openid email", ""),
        (["openid", "x"], "openid x", JOINED),
        (["openid"], "openid", JOINED),
        ([], "", JOINED),
        (" openid  email ", "openid email", JOINED),
        (["openid email"], "", NOTHING_GRANTED),
        (["openid", ""], "", NOTHING_GRANTED),
        (["openid", 5], "", NOTHING_GRANTED),
        (["openid", None], "", NOTHING_GRANTED),
        ([["openid"]], "", NOTHING_GRANTED),
        ('openid "x"', "", NOTHING_GRANTED),
        ("openid\nemail", "", NOTHING_GRANTED),
        ("openid é", "", NOTHING_GRANTED),
        (5, "", NOTHING_GRANTED),
        (True, "", NOTHING_GRANTED),
        (False, "", NOTHING_GRANTED),
        ({"openid": True}, "", NOTHING_GRANTED),
    ],
)
def test_a_malformed_scope_is_never_the_one_that_was_asked_for(
    scope: object, granted: str, note: str
) -> None:
    """C20, I16."""
    tokens = parse_token_response(answer(None, scope=scope))
    assert (tokens.scope, tokens.notes) == (granted, (note,) if note else ())


@pytest.mark.parametrize(
    ("response", "kept"),
    [
        (json_response({"refresh_token": "r2"}), "r2"),
        (json_response({"refresh_token": "r2", "access_token": 5, "token_type": []}), "r2"),
        (json_response({"refresh_token": "r2", "error": "server_error"}), "r2"),
        (json_response({"refresh_token": 5}), None),
        (json_response({"refresh_token": ""}), None),
        (json_response({}), None),
        (json_response(b"{"), None),
        (json_response({"refresh_token": "r2"}, content_type="text/html"), None),
        (json_response({"refresh_token": "r2"}, status=500), None),
        (json_response({"refresh_token": "r2"}, status=400), None),
    ],
)
def test_a_refused_answer_may_bring_a_refresh_token(
    response: HttpResponse, kept: str | None
) -> None:
    assert refresh_token_of(response) == kept


@pytest.mark.req("OIDCC-E3-2-01")
def test_null_counts_as_absent_and_an_empty_token_too() -> None:
    """I16."""
    members = {"access_token": "a", "token_type": "Bearer"}
    nulls = dict.fromkeys(("refresh_token", "id_token", "scope", "expires_in", "error"))
    tokens = parse_token_response(json_response({**members, **nulls}))
    assert (tokens.refresh_token, tokens.id_token, tokens.scope) == (None, None, None)
    assert (tokens.expires_in, tokens.notes) == (None, ())
    empty = parse_token_response(json_response({**members, "refresh_token": "", "id_token": ""}))
    assert (empty.refresh_token, empty.id_token) == (None, None)


@pytest.mark.req("RFC6749-3.3-02")
def test_an_empty_scope_is_not_the_scope_that_was_asked_for() -> None:
    """C20."""
    assert parse_token_response(answer(None, scope="")).scope == ""
    assert parse_token_response(answer(None)).scope is None


@pytest.mark.req("RFC6749-5.1-03")
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (3600, 3600),
        (0, 0),
        (1.9, 1),
        ("3600", 3600),
        (10**18, 2**31),
        (1e300, 2**31),
        (2**31, 2**31),
        ("9" * 50, 2**31),
        ("00000000000005", 5),
        ("0" * 5_000 + "60", 60),
        ("0" * 5_000, 0),
        ("0", 0),
        ("00", 0),
        ("02147483649", 2**31),
        ("0" * 20 + "9" * 20, 2**31),
        ("2147483647", 2**31 - 1),
        ("09999999999", 2**31),
    ],
)
def test_a_lifetime_is_a_number_and_clamped(value: object, seconds: int) -> None:
    """I18."""
    assert parse_token_response(answer(None, expires_in=value)).expires_in == seconds


@pytest.mark.req("RFC6749-5.1-03")
@pytest.mark.parametrize("value", [True, -1, -0.5, "soon", "-1", "", "٣", [], {}, "1.5"])
def test_a_lifetime_that_is_none_is_absent_and_noted(value: object) -> None:
    """I18."""
    tokens = parse_token_response(answer(None, expires_in=value))
    assert (tokens.expires_in, tokens.notes) == (None, ("expires_in is malformed",))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"access_token":"a","access_token":"b"}', "json_member_duplicated"),
        (b'{"x":{"a":1,"a":2}}', "json_member_duplicated"),
        (b"[]", "json_not_object"),
        (b"null", "json_not_object"),
        (b'"a"', "json_not_object"),
        (b"", "json_malformed"),
        (b'{"a":1', "json_malformed"),
        (b"<html>", "json_malformed"),
        (b'{"expires_in":NaN}', "json_number_invalid"),
        (b"\xef\xbb\xbf{}", "json_not_utf8"),
        ('{"access_token":"a"}'.encode("utf-16"), "json_not_utf8"),
        (b'{"access_token":"\xff"}', "json_not_utf8"),
    ],
)
@pytest.mark.req("RFC6749-5.1-01")
def test_an_answer_that_is_no_strict_json_is_refused(body: bytes, code: str) -> None:
    """I13, I16."""
    violation(code, json_response(body))


@pytest.mark.req("RFC6749-5.1-01")
@pytest.mark.parametrize(
    "content_type",
    [
        "text/html",
        "text/plain",
        "text/json",
        "",
        "application/jwt",
        "application/xml",
        "application/jsonp",
        "application/json5",
        "application/x-www-form-urlencoded",
        "application",
        ";application/json",
    ],
)
def test_an_answer_of_another_media_type_is_refused(content_type: str) -> None:
    """I12."""
    violation(
        "content_type_unexpected", evolve(answer(None), headers=(("content-type", content_type),))
    )


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON ; charset=UTF-16", "application/json;x"],
)
def test_parameters_of_the_media_type_change_nothing(content_type: str) -> None:
    """I12, I13."""
    response = evolve(answer(None), headers=(("content-type", content_type),))
    assert parse_token_response(response).access_token == ACCESS_TOKEN


def test_an_answer_without_a_media_type_is_refused() -> None:
    """I12."""
    violation("content_type_unexpected", evolve(answer(None), headers=()))


@pytest.mark.req(
    "OIDCC-3.1.3.4-01", "RFC6749-5.2-01", "OIDCC-12.3-01", "RFC7523-3.2-01", "RFC8707-2.1-01"
)
@pytest.mark.parametrize("status", [400, 401, 403, 500, 200])
@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client", "invalid_target", "x-own !"])
def test_an_error_is_the_provider_s_whatever_status_it_has(status: int, code: str) -> None:
    """I14: an error in an answer with status 200, tokens or not, is the provider's error."""
    body = {"error": code, "error_description": "d" * 999, "error_uri": "u", "access_token": "a"}
    error = refused(
        ProviderError,
        "provider_error",
        lambda: parse_token_response(json_response(body, status=status)),
    )
    assert isinstance(error, ProviderError)
    assert (error.error, error.status, error.error_uri) == (code, status, "u")
    assert error.error_description == "d" * 999


@pytest.mark.req("RFC6749-5.2-01", "RFC6749-4.1.2.1-02")
@pytest.mark.parametrize("text", [None, 5, ["x"]])
def test_text_of_another_type_is_dropped(text: object) -> None:
    body = {"error": "e", "error_description": text, "error_uri": text}
    error = refused(
        ProviderError,
        "provider_error",
        lambda: parse_token_response(json_response(body, status=400)),
    )
    assert isinstance(error, ProviderError)
    assert (error.error_description, error.error_uri) == (None, None)


@pytest.mark.req("OIDCC-3.1.3.4-01", "RFC6749-5.2-01")
@pytest.mark.parametrize("error", [5, "", "a\nb", 'a"b', "é", [], {"error": "e"}, True])
def test_an_error_out_of_form_is_none(error: object) -> None:
    found = violation("http_status_unexpected", json_response({"error": error}, status=400))
    assert found.found == 400
    found = violation("token_response_invalid", json_response({"error": error}))
    assert found.about == "error"


@pytest.mark.req("OIDCC-3.1.3.4-01", "RFC6749-5.1-01")
@pytest.mark.parametrize("status", [201, 202, 204, 400, 401, 404, 500, 502])
def test_tokens_with_another_status_than_200_are_refused(status: int) -> None:
    """I15."""
    violation("http_status_unexpected", evolve(answer("a.b.c"), status=status))
    violation(
        "http_status_unexpected", json_response(b"<html>", status=status, content_type="text/html")
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """I01."""
    redirect = evolve(answer("a.b.c"), status=status)
    refused(
        ProtocolViolation,
        "http_redirect_refused",
        lambda: token_answer(redirect, "refresh_in_doubt"),
    )


@pytest.mark.req("RFC6749-4.1.2-01")
@pytest.mark.parametrize("doubt", ["code_in_doubt", "refresh_in_doubt"])
def test_a_request_that_may_have_arrived_leaves_a_doubt(doubt: str) -> None:
    """J11."""
    for cause in ("timeout", ""):
        lost = NoAnswer("maybe", "http_timeout", NOW, cause)
        error = refused(TransportFailure, doubt, partial(token_answer, lost, doubt))
        assert isinstance(error, TransportFailure)
        assert (error.found, error.cause, error.sent) == ("http_timeout", cause, "maybe")
    unsent = NoAnswer("no", "http_connect_failed", NOW)
    error = refused(TransportFailure, "http_connect_failed", lambda: token_answer(unsent, doubt))
    assert isinstance(error, TransportFailure)
    assert error.sent == "no"
    assert token_answer(answer("a"), doubt) == answer("a")


# --- what is made of an answer -------------------------------------------------------------------

RESPONSE = TokenResponse(access_token="access-token-2", received_at=NOW)


def recorded(response: TokenResponse = RESPONSE, **how: Any) -> Tokens:
    known: dict[str, Any] = {
        "scope": "openid profile",
        "id_token": "a.b.c",
        "resource": ("https://api.example/",),
        "subject": SUB,
        "nonce": "nonce-1",
        "sid": "session-1",
        "auth_time": NOW - 10,
    }
    told = {**known, **how}
    return tokens_of(RP, response, told.pop("scope"), Session(**told))


def test_a_record_of_tokens_has_all_that_is_known_of_them() -> None:
    answered = evolve(RESPONSE, expires_in=300, refresh_token="refresh-2", scope="openid")
    assert recorded(answered) == Tokens(
        issuer=ISSUER,
        client_id=CLIENT_ID,
        access_token="access-token-2",
        refresh_token="refresh-2",
        id_token="a.b.c",
        scope="openid",
        resource=("https://api.example/",),
        expires_at=NOW + 300,
        subject=SUB,
        nonce="nonce-1",
        sid="session-1",
        auth_time=NOW - 10,
    )


def test_a_session_shows_none_of_what_it_keeps() -> None:
    session = Session(
        id_token="a.b.c",
        subject=SUB,
        resource=("urn:a",),
        nonce="nonce-1",
        sid="session-1",
        auth_time=NOW,
        thumbprint="thumb",
        refresh_token="refresh-1",
    )
    assert repr(session) == "Session(resource=('urn:a',))"
    kept = tokens_of(RP, RESPONSE, "openid", session)
    assert (kept.thumbprint, kept.refresh_token) == ("thumb", "refresh-1")


@pytest.mark.req("RFC6749-3.3-02", "RFC6749-6-02")
def test_what_the_answer_does_not_say_stays_as_it_was_asked_for() -> None:
    """C20."""
    bare = recorded()
    assert (bare.scope, bare.expires_at, bare.refresh_token) == ("openid profile", None, None)
    assert recorded(evolve(RESPONSE, scope="")).scope == ""
    assert recorded(evolve(RESPONSE, expires_in=0)).expires_at == NOW
    assert recorded(refresh_token="refresh-1").refresh_token == "refresh-1"
    rotated = evolve(RESPONSE, refresh_token="refresh-2")
    assert recorded(rotated, refresh_token="refresh-1").refresh_token == "refresh-2"


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_answer_says_how_it_came(channel: Channel) -> None:
    assert parse_token_response(evolve(answer(None), channel=channel)).channel == channel


def test_a_scope_that_nobody_asked_for_is_refused_only_by_policy() -> None:
    strict = relying_party(policy=Policy(forbid_extra_scope=True))
    response = evolve(RESPONSE, scope="openid write admin")

    error = refused(
        ProtocolViolation,
        "scope_unexpected",
        lambda: check_scope(strict, response, "openid profile"),
    )
    assert (error.found, error.about) == (("admin", "write"), "scope")
    check_scope(RP, response, "openid profile")
    for granted in (None, "", "profile", "profile openid"):
        check_scope(strict, evolve(RESPONSE, scope=granted), "openid profile")


@pytest.mark.parametrize("code", [None, b"code", 5, ["code"]])
def test_a_code_is_text(code: Any) -> None:
    pending = started(RP).pending
    error = refused(
        UsageError, "parameter_invalid", lambda: authorization_code_request(RP, pending, code)
    )
    assert error.about == "code"


@pytest.mark.parametrize("scope", [None, b"openid", ["openid"]])
def test_a_narrowed_scope_is_text(scope: Any) -> None:
    error = refused(
        UsageError, "parameter_invalid", lambda: refresh_request(RP, TOKENS, scope=scope)
    )
    assert error.about == "scope"


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri"])
def test_a_refresh_needs_the_endpoints_it_goes_to(name: str) -> None:
    """A refresh token that was used up is lost, where the answer cannot be verified."""
    rp = relying_party(provider={name: None})
    error = refused(UsageError, "unsupported_by_provider", lambda: refresh_request(rp, TOKENS))
    assert error.about == name


def test_a_refresh_needs_no_keys_where_a_mac_is_registered() -> None:
    rp = relying_party(
        provider={"jwks_uri": None}, client={"id_token_signed_response_alg": "HS256"}
    )
    assert refresh_request(rp, TOKENS).purpose == "refresh"
