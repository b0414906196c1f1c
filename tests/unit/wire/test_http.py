"""Requests, answers and the placeholders of secrets."""

import copy
import pickle
from typing import cast

import pytest
from attrs import evolve

from oidc_core.wire.causes import CAUSES
from oidc_core.wire.codes import CODES
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import (
    DEADLINE,
    AnswerTo,
    BasicCredentials,
    ClientAssertion,
    ClientSecret,
    DpopProof,
    HttpRequest,
    HttpResponse,
    KeysWanted,
    NoAnswer,
    Parameters,
    Placeholder,
    Source,
    WireRequest,
    form_encoded,
    unfilled,
    written,
)
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.limits import LIMITS
from oidc_core.wire.way import CHANNELS, NOT_TOLD, Channel, ChannelState, Way

TRANSPORT = [row.code for row in CODES.values() if row.fault == "transport"]

REQUEST = HttpRequest(
    purpose="token",
    method="POST",
    url="https://op.example/token",
    way=Way(),
    headers=(("authorization", "Bearer s3cret"),),
    form=(("code", "s3cret"),),
    issuer="https://op.example",
    client_id="client-1",
    resend="if_unsent",
    max_body=1,
)


def response(*headers: tuple[str, str]) -> HttpResponse:
    return HttpResponse(200, headers, b"s3cret", 1)


def test_an_exchange_has_ten_seconds() -> None:
    assert DEADLINE == 10


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


# --- parameters ----------------------------------------------------------------------------------

PLACEHOLDERS: list[Placeholder] = [
    ClientSecret(issuer="https://op.example", client_id="client-1"),
    BasicCredentials(issuer="https://op.example", client_id="client-1", raw=True),
    ClientAssertion(
        issuer="https://op.example",
        client_id="client-1",
        audience="https://op.example",
        alg="RS256",
        lifetime=60,
    ),
    DpopProof("https://op.example", "client-1", "thumbprint", "POST", "https://op.example/token"),
]


def named(value: Placeholder) -> str:
    return f"<{type(value).__name__} of {value.client_id}>"


def test_parameters_are_written_as_text_in_their_order() -> None:
    given: Parameters = (
        ("state", "a b&c"),
        ("claims", JsonObject({"id_token": JsonObject({"acr": None})})),
        ("client_secret", PLACEHOLDERS[0]),
        ("state", ""),
    )
    assert written(given, named) == (
        ("state", "a b&c"),
        ("claims", '{"id_token":{"acr":null}}'),
        ("client_secret", "<ClientSecret of client-1>"),
        ("state", ""),
    )
    assert form_encoded(given, named) == (
        "state=a%20b%26c&claims=%7B%22id_token%22%3A%7B%22acr%22%3Anull%7D%7D"
        "&client_secret=%3CClientSecret%20of%20client-1%3E&state="
    )
    assert (written(()), form_encoded(())) == ((), "")


@pytest.mark.parametrize("value", PLACEHOLDERS, ids=lambda value: type(value).__name__)
def test_where_no_adapter_fills_it_in_a_placeholder_is_refused(value: Placeholder) -> None:
    given: Parameters = (("a", "b"), ("c", value))
    for operation in (lambda: written(given), lambda: form_encoded(given), lambda: unfilled(value)):
        with pytest.raises(UsageError) as caught:
            operation()
        error = caught.value
        assert (error.code, error.about) == ("credential_missing", type(value).__name__)
        assert error.expected == "https://op.example"


def test_each_placeholder_is_filled_in_for_each_transmission() -> None:
    given: Parameters = tuple([(f"p{number}", value) for number, value in enumerate(PLACEHOLDERS)])
    asked: list[Placeholder] = []

    def fill(value: Placeholder) -> str:
        asked.append(value)
        return str(len(asked))

    assert form_encoded(given, fill) == "p0=1&p1=2&p2=3&p3=4"
    assert written(given, fill) == (("p0", "5"), ("p1", "6"), ("p2", "7"), ("p3", "8"))
    assert asked == PLACEHOLDERS * 2


# --- answers -------------------------------------------------------------------------------------


def test_an_answer_is_written_down_with_its_request() -> None:
    answer = response()
    assert AnswerTo(REQUEST, answer) == (REQUEST, answer)
    failure = NoAnswer("no", "http_timeout", 1)
    assert AnswerTo(REQUEST, failure).answer is failure


def test_what_a_transport_does_not_say_of_the_server_is_not_told() -> None:
    assert response().channel == NOT_TOLD == Channel("not_told", addresses_judged=False)
    states: tuple[ChannelState, ...] = ("verified", "unverified", "not_told")
    assert set(CHANNELS) == {Channel(state, judged) for state in states for judged in (True, False)}
    for state in states:
        assert HttpResponse(200, (), b"", 1, state).channel == Channel(state)
    for channel in CHANNELS:
        assert HttpResponse(200, (), b"", 1, channel).channel == channel


@pytest.mark.parametrize("channel", [None, 1, ("verified", True), b"verified"])
def test_what_is_no_channel_is_refused(channel: object) -> None:
    with pytest.raises(UsageError) as caught:
        HttpResponse(200, (), b"", 1, cast("Channel", channel))
    assert (caught.value.code, caught.value.about) == ("answer_unexpected", "channel")


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


@pytest.mark.parametrize(
    ("values", "media_type"),
    [
        (("application/json", "application/json"), "application/json"),
        (("application/json", "Application/JSON;charset=utf-8"), "application/json"),
        (("application/json", "text/html"), "application/json, text/html"),
        (("text/html", "application/json"), "text/html, application/json"),
        (("application/json", "text/html", "application/json"), "application/json, text/html"),
        (("", "application/json"), ", application/json"),
        (("application/json", ""), "application/json, "),
        (("application/json, text/html",), "application/json, text/html"),
    ],
)
def test_several_media_types_are_none_that_anybody_expects(
    values: tuple[str, ...], media_type: str
) -> None:
    headers = [("content-type", value) for value in values]
    assert response(*headers).media_type == media_type


@pytest.mark.parametrize("code", TRANSPORT)
def test_an_exchange_fails_with_a_code_of_the_transport(code: str) -> None:
    failure = NoAnswer("no", code, 1)
    assert (failure.sent, failure.code, failure.at) == ("no", code, 1)


@pytest.mark.parametrize("code", ["timeout", "", "iss_mismatch"])
def test_a_transport_invents_no_code(code: str) -> None:
    with pytest.raises(UsageError) as caught:
        NoAnswer("maybe", code, 1)
    assert caught.value.code == "answer_unexpected"


@pytest.mark.parametrize("cause", ["", *CAUSES])
def test_a_failed_exchange_names_a_cause_of_the_table(cause: str) -> None:
    assert NoAnswer("no", "http_connect_failed", 1, cause).cause == cause


@pytest.mark.parametrize("cause", ["because", "REFUSED", "http_timeout"])
def test_a_transport_invents_no_cause(cause: str) -> None:
    with pytest.raises(UsageError) as caught:
        NoAnswer("no", "http_connect_failed", 1, cause)
    assert (caught.value.code, caught.value.about) == ("answer_unexpected", "cause")


@pytest.mark.parametrize("source", ["solicited", "unsolicited"])
def test_a_wish_for_keys_knows_the_request_that_fulfils_it(source: Source) -> None:
    wanted = KeysWanted(
        issuer="https://op.example",
        client_id="client-1",
        jwks_uri="https://op.example/jwks",
        max_age=60,
        source=source,
        way=Way(),
    )
    request = wanted.request
    assert (request.purpose, request.method, request.url) == ("key_set", "GET", wanted.jwks_uri)
    assert (request.issuer, request.client_id) == (wanted.issuer, wanted.client_id)
    assert (request.form, request.resend, request.max_body) == (None, "safe", LIMITS.key_set)
    assert (wanted.newer_than, wanted.missing_kid) == (None, None)
    assert [name for name, _ in request.headers] == ["accept"]
    forced = evolve(wanted, newer_than=0, missing_kid="new").request
    assert forced == evolve(request, headers=(*request.headers, ("cache-control", "no-cache")))


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
