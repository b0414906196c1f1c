"""OAuth's messages, in and out."""

import json

import pytest

from oidc_adapters.testing.oauth_messages import (
    OAuthError,
    RequestRefused,
    form_parameters,
    json_answer,
    unique_parameters,
)

from .raw_client import FORM, NOW, wire


def test_a_refusal_says_why() -> None:
    refused = RequestRefused("invalid_request", "no such place")

    assert str(refused) == "invalid_request: no such place"


def test_an_error_becomes_json_with_its_challenge() -> None:
    answer = OAuthError("invalid_client", "who?", status=401, challenge="Basic").answer(NOW)

    assert (answer.status, answer.received_at) == (401, NOW)
    assert json.loads(answer.body) == {"error": "invalid_client", "error_description": "who?"}
    assert answer.header("www-authenticate") == "Basic"
    assert OAuthError("invalid_grant", "over").answer(NOW).header("www-authenticate") is None


def test_members_become_compact_json() -> None:
    assert json_answer({"a": [1, 2]}, NOW, status=201).body == b'{"a":[1,2]}'


def test_repeated_names_are_told() -> None:
    assert unique_parameters("b=1&a=2&b=3&a=4&c=") == ({"b": "3", "a": "4"}, ("a", "b"))
    assert unique_parameters("resource=a&resource=b") == ({"resource": "b"}, ())
    assert unique_parameters("") == ({}, ())
    with pytest.raises(ValueError, match="bad query field"):
        unique_parameters("a")


def test_a_form_is_decoded() -> None:
    request = wire("POST", "https://op.example/token", FORM, body=b"a=b+c%26d")

    assert form_parameters(request) == {"a": "b c&d"}
    assert form_parameters(wire("POST", "https://op.example/token", FORM)) == {}
