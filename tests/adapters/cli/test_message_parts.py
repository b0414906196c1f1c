"""The parts of messages that are shown."""

import json

import pytest

from oidc_adapters.cli.message_parts import (
    answer_facts,
    answer_line,
    claim_facts,
    form_facts,
    request_facts,
)
from oidc_core.wire.errors import fingerprint
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.jsontypes import JsonObject

from .worlds import NOW

JSON = ("content-type", "application/json")


def answer(members: object, *headers: tuple[str, str], status: int = 200) -> HttpResponse:
    return HttpResponse(status, (JSON, *headers), json.dumps(members).encode(), NOW)


def test_a_request_shows_headers_query_and_body() -> None:
    request = WireRequest(
        method="POST",
        url="https://op.example/token?a=1",
        headers=(("authorization", "Bearer abc"),),
        body=b"code=xyz&grant_type=authorization_code",
        resend="never",
        max_body=1,
        deadline=1,
    )

    assert request_facts(request) == (
        ("authorization", f"Bearer {fingerprint('abc')}"),
        ("a", "1"),
        ("code", fingerprint("xyz")),
        ("grant_type", "authorization_code"),
    )


def test_a_form_that_is_none_shows_nothing() -> None:
    assert form_facts("error_uri=%ff") == (("error_uri", "\ufffd"),)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (NoAnswer("no", "http_connect_failed", NOW), "no answer: http_connect_failed"),
        (HttpResponse(303, (), b"", NOW), "303 See Other"),
        (HttpResponse(299, (), b"", NOW), "299"),
        (HttpResponse(200, (JSON,), b"{" + b" " * 1_999, NOW), "200 OK, application/json, 2,000"),
    ],
)
def test_an_answer_is_named(given: Answer, expected: str) -> None:
    assert answer_line(given).removesuffix(" octets") == expected


def test_a_redirect_shows_where_it_leads() -> None:
    headers = (("location", "https://rp.example/?code=abc&iss=i"), ("set-cookie", "s=v; Path=/"))

    assert answer_facts("authorization", HttpResponse(303, headers, b"", NOW)) == (
        ("location", "https://rp.example/"),
        ("code", fingerprint("abc")),
        ("iss", "i"),
        ("set-cookie", f"s={fingerprint('v')}; Path=/"),
    )


def test_metadata_shows_what_a_login_needs() -> None:
    issuer = {"issuer": "i", "jwks_uri": "j"}

    assert answer_facts("discovery", answer(issuer)) == (("issuer", "i"), ("jwks_uri", "j"))
    assert answer_facts("discovery", answer({**issuer, "a": 1, "b": 2}))[-1] == (
        "…",
        "and 2 more members",
    )


def test_keys_are_described() -> None:
    keys = [{"kid": "k", "kty": "EC", "crv": "P-256", "x": "x"}, {"kty": "RSA", "kid": 7}, "odd"]

    assert answer_facts("key_set", answer({"keys": keys})) == (
        ("k", "EC, P-256"),
        ("", "RSA"),
        ("", ""),
    )
    assert answer_facts("key_set", answer({"keys": "none"})) == ()


def test_tokens_show_as_fingerprints() -> None:
    assert answer_facts("token", answer({"access_token": "abc", "expires_in": 300})) == (
        ("access_token", fingerprint("abc")),
        ("expires_in", "300"),
    )


def test_a_jwt_shows_as_a_fingerprint() -> None:
    jwt = HttpResponse(200, (("content-type", "application/jwt"),), b"a.b.c", NOW)

    assert answer_facts("userinfo", jwt) == (("(a JWT)", fingerprint("a.b.c")),)


def test_no_answer_shows_nothing() -> None:
    assert answer_facts("token", NoAnswer("no", "http_connect_failed", NOW)) == ()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("exp", NOW, "1800000000  (2027-01-15 08:00:00 UTC)"),
        ("exp", "soon", "soon"),
        ("iat", 2**52, "4503599627370496"),
        ("sub", "alice", "alice"),
        ("nonce", "n", fingerprint("n")),
    ],
)
def test_claims_have_dates_in_words(name: str, value: int | str, expected: str) -> None:
    assert claim_facts(JsonObject({name: value})) == ((name, expected),)
