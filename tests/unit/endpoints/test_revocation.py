"""The revocation endpoint: the request for a token, and what the answer means."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_core.endpoints.revocation import TokenKind, check_revocation, revocation_request
from oidc_core.model.client import AuthMethod
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import ProtocolViolation, ProviderError, UsageError
from oidc_core.wire.http import BasicCredentials, ClientAssertion, HttpResponse
from tests.parties import CLIENT_ID, ISSUER, NOW, json_response, refused, relying_party

ENDPOINT = f"{ISSUER}/revoke"
METHODS = "revocation_endpoint_auth_methods_supported"
ALGORITHMS = "revocation_endpoint_auth_signing_alg_values_supported"


def revoking(method: AuthMethod = "client_secret_basic", **named: Any) -> RelyingParty:
    return relying_party(
        provider={"revocation_endpoint": ENDPOINT, **named},
        client={"token_endpoint_auth_method": method},
    )


@pytest.mark.req("RFC7009-2.1-01")
@pytest.mark.parametrize("kind", [None, "access_token", "refresh_token"])
def test_a_token_is_posted_by_the_client_that_it_belongs_to(kind: TokenKind | None) -> None:
    request = revocation_request(revoking(), "a token", kind)

    assert (request.method, request.url, request.purpose) == ("POST", ENDPOINT, "revocation")
    hint = () if kind is None else (("token_type_hint", kind),)
    assert request.form == (("token", "a token"), *hint)
    basic = BasicCredentials(issuer=ISSUER, client_id=CLIENT_ID, raw=False)
    assert dict(request.headers)["authorization"] == basic
    assert (request.role, request.resend) == ("authorization_server", "safe")
    assert "a token" not in repr(request)


@pytest.mark.req("RFC7009-2.1-01")
def test_the_client_authenticates_as_at_the_token_endpoint() -> None:
    form = revocation_request(revoking("private_key_jwt"), "t").form
    assert form is not None
    assert isinstance(dict(form)["client_assertion"], ClientAssertion)
    public = revocation_request(revoking("none"), "t")
    assert public.form == (("token", "t"), ("client_id", CLIENT_ID))


@pytest.mark.req("RFC8414-2-03")
@pytest.mark.parametrize(
    ("method", "named", "about"),
    [
        ("client_secret_basic", {METHODS: ("private_key_jwt",)}, METHODS),
        ("private_key_jwt", {METHODS: ("client_secret_basic",)}, METHODS),
        ("private_key_jwt", {ALGORITHMS: ("ES384",)}, ALGORITHMS),
    ],
)
def test_a_way_to_authenticate_that_is_ruled_out_is_not_tried(
    method: AuthMethod, named: dict[str, Any], about: str
) -> None:
    rp = revoking(method, **named)
    error = refused(UsageError, "unsupported_by_provider", lambda: revocation_request(rp, "t"))
    assert error.about == about
    assert "metadata_overrides" in error.hint


@pytest.mark.req("RFC8414-2-03")
@pytest.mark.parametrize(
    ("method", "named"),
    [
        ("client_secret_basic", {METHODS: ("client_secret_post", "client_secret_basic")}),
        ("client_secret_basic", {ALGORITHMS: ("ES384",)}),
        ("client_secret_post", {}),
        ("private_key_jwt", {METHODS: ("private_key_jwt",), ALGORITHMS: ("RS256",)}),
        ("none", {METHODS: ("client_secret_basic",)}),
    ],
)
def test_a_way_that_is_listed_or_not_ruled_out_is_taken(
    method: AuthMethod, named: dict[str, Any]
) -> None:
    assert revocation_request(revoking(method, **named), "t").url == ENDPOINT


@pytest.mark.req("RFC7009-2-01", "RFC7009-5-01")
def test_the_endpoint_is_the_one_of_the_metadata_and_https() -> None:
    bare = relying_party()
    error = refused(UsageError, "unsupported_by_provider", lambda: revocation_request(bare, "t"))
    assert error.about == "revocation_endpoint"
    refused(
        UsageError,
        "url_scheme_not_allowed",
        lambda: revoking(revocation_endpoint="http://op.example/revoke"),
    )


@pytest.mark.parametrize("token", ["", None, 5])
def test_a_token_is_text(token: Any) -> None:
    refused(UsageError, "parameter_invalid", lambda: revocation_request(revoking(), token))
    odd: Any = "id_token"
    refused(UsageError, "parameter_invalid", lambda: revocation_request(revoking(), "t", odd))


@pytest.mark.req("RFC7009-2.2-01")
@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(200, (), b"", NOW),
        HttpResponse(200, (("content-type", "text/html"),), b"<p>done", NOW),
        json_response({"revoked": True}),
        json_response({"error": "invalid_request"}),
        HttpResponse(200, (), b"{", NOW),
    ],
)
def test_200_is_a_success_whatever_is_said(answer: HttpResponse) -> None:
    check_revocation(answer)


@pytest.mark.req("RFC7009-2.2.1-02")
def test_an_error_is_told() -> None:
    answer = json_response({"error": "unsupported_token_type"}, status=400)
    error = refused(ProviderError, "provider_error", lambda: check_revocation(answer))
    assert (error.found, error.retryable) == ("unsupported_token_type", "no")
    assert "expire" in error.hint


@pytest.mark.req("RFC7009-2.2.1-01")
def test_after_503_the_token_still_exists() -> None:
    headers = (("retry-after", "17"), ("content-type", "text/html"))
    answer = HttpResponse(503, headers, b"<p>busy", NOW)
    error = refused(ProtocolViolation, "http_status_unexpected", lambda: check_revocation(answer))
    assert (error.found, error.retryable, error.retry_after) == (503, "later", 17)
    told = HttpResponse(
        503,
        (("retry-after", "5"), ("content-type", "application/json")),
        b'{"error":"temporarily_unavailable"}',
        NOW,
    )
    error = refused(ProviderError, "provider_error", lambda: check_revocation(told))
    assert (error.retryable, error.retry_after) == ("later", 5)


@pytest.mark.parametrize("status", [201, 204, 400, 401, 404, 500])
def test_another_status_is_no_success(status: int) -> None:
    answer = HttpResponse(status, (), b"", NOW)
    refused(ProtocolViolation, "http_status_unexpected", lambda: check_revocation(answer))
