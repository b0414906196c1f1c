"""Requests, answers and what stands in for secrets."""

import copy
import pickle

import pytest
from attrs import evolve

from oidc_core.wire.codes import CODES
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import (
    LIMITS,
    BasicCredentials,
    ClientAssertion,
    ClientSecret,
    HttpRequest,
    HttpResponse,
    KeysWanted,
    NoAnswer,
    Source,
    WireRequest,
)

TRANSPORT = [row.code for row in CODES.values() if row.fault == "transport"]

REQUEST = HttpRequest(
    purpose="token",
    method="POST",
    url="https://op.example/token",
    headers=(("authorization", "Bearer s3cret"),),
    form=(("code", "s3cret"),),
    issuer="https://op.example",
    client_id="client-1",
    resend="if_unsent",
    max_body=1,
)


def response(*headers: tuple[str, str]) -> HttpResponse:
    return HttpResponse(200, headers, b"s3cret", 1)


def test_the_limits_are_those_of_the_design() -> None:
    assert LIMITS.id_token == 32 * 1024
    assert LIMITS.key_set == 256 * 1024
    assert LIMITS.keys == 64
    assert LIMITS.deadline == 10
    assert LIMITS.callback == 8 * 1024
    assert (LIMITS.state, LIMITS.code, LIMITS.jose_header) == (512, 4_096, 4_096)


def test_a_request_goes_to_the_authorization_server_within_the_deadline_unless_told() -> None:
    assert (REQUEST.role, REQUEST.deadline) == ("authorization_server", 10)
    assert evolve(REQUEST, role="resource") != REQUEST


def test_nothing_secret_is_printed() -> None:
    prepared = WireRequest(
        method="POST",
        url="https://op.example/token",
        headers=(("authorization", "s3cret"),),
        body=b"s3cret",
        resend="never",
        max_body=1,
        deadline=1,
    )
    for value in (REQUEST, prepared, response(("set-cookie", "s3cret"))):
        assert "s3cret" not in repr(value)


def test_credentials_are_named_by_whose_they_are() -> None:
    owner = {"issuer": "https://op.example", "client_id": "client-1"}
    named: set[ClientSecret | BasicCredentials | ClientAssertion] = {
        ClientSecret(**owner),
        BasicCredentials(**owner, raw=False),
        ClientAssertion(**owner, audience="https://op.example", alg="RS256", lifetime=60),
    }
    assert {(value.issuer, value.client_id) for value in named} == {tuple(owner.values())}


def test_the_first_header_of_a_name_counts() -> None:
    answer = response(("a", "1"), ("b", "2"), ("a", "3"))
    assert (answer.header("a"), answer.header("b"), answer.header("c")) == ("1", "2", None)


@pytest.mark.parametrize(
    ("value", "media_type"),
    [
        ("application/json", "application/json"),
        (" Application/JSON ; charset=utf-8", "application/json"),
        ("", ""),
        (";", ""),
    ],
)
def test_a_media_type_is_in_lower_case_without_parameters(value: str, media_type: str) -> None:
    assert response(("content-type", value)).media_type == media_type
    assert response().media_type == ""


@pytest.mark.parametrize("code", TRANSPORT)
def test_an_exchange_fails_with_a_code_of_the_transport(code: str) -> None:
    failure = NoAnswer("no", code, 1)
    assert (failure.sent, failure.code, failure.at) == ("no", code, 1)


@pytest.mark.parametrize("code", ["timeout", "", "iss_mismatch"])
def test_a_transport_invents_no_code(code: str) -> None:
    with pytest.raises(UsageError) as caught:
        NoAnswer("maybe", code, 1)
    assert caught.value.code == "answer_unexpected"


@pytest.mark.parametrize("source", ["solicited", "unsolicited"])
def test_a_wish_for_keys_knows_the_request_that_fulfils_it(source: Source) -> None:
    wanted = KeysWanted(
        issuer="https://op.example",
        client_id="client-1",
        jwks_uri="https://op.example/jwks",
        max_age=60,
        source=source,
    )
    request = wanted.request
    assert (request.purpose, request.method, request.url) == ("key_set", "GET", wanted.jwks_uri)
    assert (request.issuer, request.client_id) == (wanted.issuer, wanted.client_id)
    assert (request.form, request.resend, request.max_body) == (None, "safe", LIMITS.key_set)
    assert (wanted.newer_than, wanted.missing_kid) == (None, None)


def test_a_prepared_request_is_not_pickled() -> None:
    prepared = WireRequest(
        method="POST",
        url="https://op.example/token",
        headers=(),
        body=b"client_secret=s3cret",
        resend="never",
        max_body=1,
        deadline=1,
    )
    for kept in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            kept(prepared)
