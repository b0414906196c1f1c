"""The fake provider's demands on an authorization request, and its answers."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from oidc_adapters.testing import FakeClient, FakeProvider, RequestRefused

from .raw_client import NOW, STATE, arrive, authorization_url, claims_of, parsed, redeem, userinfo


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider(id_token_alg="ES256")


def test_a_code_comes_back_in_the_query(provider: FakeProvider) -> None:
    callback = arrive(provider)

    parts = urlsplit(callback.url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://rp.example/callback"
    assert dict(parse_qsl(parts.query)) == dict(callback.parameters)
    assert [name for name, _ in callback.parameters] == ["code", "state", "iss"]
    assert callback.form is None


def test_a_code_comes_back_in_a_form_if_asked_so(provider: FakeProvider) -> None:
    callback = arrive(provider, response_mode="form_post")

    assert callback.url == "https://rp.example/callback"
    assert callback.form is not None
    assert dict(parse_qsl(callback.form.decode())) == dict(callback.parameters)


def test_a_redirect_uri_keeps_its_own_query() -> None:
    client = FakeClient(redirect_uris=("https://rp.example/callback?tenant=1",))

    url = arrive(FakeProvider(clients=(client,), id_token_alg="ES256"), state=None).url

    assert url.startswith("https://rp.example/callback?tenant=1&code=")
    assert "state=" not in url


@pytest.mark.parametrize(
    ("registered", "named", "taken"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5000/other", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5x/cb", False),
        ("http://127.0.0.1/cb", "https://127.0.0.1:5000/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example:80/cb", False),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb", False),
        ("http://localhost/cb", "http://localhost:5000/cb", False),
        ("https://rp.example/cb", "https://rp.example:5000/cb", False),
    ],
)
def test_a_redirect_uri_on_loopback_without_a_port_stands_for_every_port(
    registered: str, named: str, taken: bool
) -> None:
    provider = FakeProvider(
        clients=(FakeClient(redirect_uris=(registered,)),), id_token_alg="ES256"
    )

    if taken:
        assert arrive(provider, redirect_uri=named).redirect_uri == named
        return
    with pytest.raises(RequestRefused) as refused:
        arrive(provider, redirect_uri=named)
    assert refused.value.error == "invalid_request"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "whatever"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "9" * 5_000}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"max_age": "+5"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "urn:x"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": "[" * 100_000}, "invalid_request"),
        ({"claims": '{"id_token":[1]}'}, "invalid_request"),
        ({"claims": '{"id_token":{"email":1}}'}, "invalid_request"),
        ({"claims": '{"userinfo":{"email":{"values":"x"}}}'}, "invalid_request"),
        ({"claims": '{"userinfo":{"email":{"essential":1}}}'}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"id_token_hint": "eyJ"}, "login_required"),
    ],
)
def test_a_bad_request_is_answered_with_an_error(
    provider: FakeProvider, changed: dict[str, Any], error: str
) -> None:
    callback = arrive(provider, **changed)

    assert (error, STATE) == (callback.parameter("error"), callback.parameter("state"))
    assert callback.parameter("iss") == provider.issuer
    assert callback.parameter("code") is None


def test_a_repeated_parameter_is_answered_with_an_error(provider: FakeProvider) -> None:
    callback = provider.authorize(authorization_url(provider) + "&scope=openid", NOW)

    assert callback.parameter("error") == "invalid_request"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_id": "stranger"}, "unauthorized_client"),
        ({"client_id": None}, "unauthorized_client"),
        ({"redirect_uri": "https://rp.example/callback/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
    ],
)
def test_a_request_of_nobody_is_not_redirected(
    provider: FakeProvider, changed: dict[str, Any], error: str
) -> None:
    with pytest.raises(RequestRefused) as caught:
        arrive(provider, **changed)

    assert caught.value.error == error


@pytest.mark.parametrize("more", ["&client_id=client", "&x", "#fragment"])
def test_a_malformed_request_is_not_redirected(provider: FakeProvider, more: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        provider.authorize(authorization_url(provider) + more, NOW)

    assert caught.value.error == "invalid_request"


def test_another_url_is_not_the_endpoint(provider: FakeProvider) -> None:
    with pytest.raises(RequestRefused, match="not the authorization endpoint"):
        provider.authorize("https://op.example/token?client_id=client", NOW)


def test_the_end_user_may_refuse(provider: FakeProvider) -> None:
    assert arrive(provider, approve=False).parameter("error") == "access_denied"


def test_a_session_is_enough_for_prompt_none(provider: FakeProvider) -> None:
    first = arrive(provider, user="bob")

    again = arrive(provider, session=first.session, prompt="none", now=NOW + 100)

    claims = claims_of(parsed(redeem(provider, again, now=NOW + 100))["id_token"])
    assert (claims["sub"], claims["auth_time"]) == ("bob", NOW)


@pytest.mark.parametrize(
    ("changed", "auth_time"),
    [
        ({}, NOW),
        ({"prompt": "login"}, NOW + 100),
        ({"max_age": "100"}, NOW),
        ({"max_age": "99"}, NOW + 100),
        ({"max_age": "0"}, NOW + 100),
    ],
)
def test_a_session_too_old_is_made_again(
    provider: FakeProvider, changed: dict[str, Any], auth_time: int
) -> None:
    session = arrive(provider).session

    again = arrive(provider, session=session, now=NOW + 100, **changed)

    assert again.session is not None
    assert again.session.auth_time == auth_time


def test_a_session_too_old_is_an_error_for_prompt_none(provider: FakeProvider) -> None:
    session = arrive(provider).session

    again = arrive(provider, session=session, now=NOW + 100, prompt="none", max_age="10")

    assert again.parameter("error") == "login_required"
    assert again.session == session


def test_a_hint_must_name_who_is_signed_in(provider: FakeProvider) -> None:
    hint = parsed(redeem(provider, arrive(provider)))["id_token"]

    assert arrive(provider, id_token_hint=hint).parameter("code") is not None
    other = arrive(provider, id_token_hint=hint, user="bob")
    assert other.parameter("error") == "login_required"


@pytest.mark.parametrize(
    ("changed", "acr"),
    [
        ({}, "urn:example:password"),
        ({"acr_values": "urn:x urn:example:two-factor"}, "urn:example:two-factor"),
        ({"acr_values": "urn:x"}, "urn:example:password"),
        (
            {"claims": '{"id_token":{"acr":{"values":["urn:example:two-factor"]}}}'},
            "urn:example:two-factor",
        ),
        (
            {"claims": '{"id_token":{"acr":{"value":"urn:example:two-factor"}}}'},
            "urn:example:two-factor",
        ),
    ],
)
def test_the_acr_is_the_one_asked_for_if_there_is_one(
    provider: FakeProvider, changed: dict[str, Any], acr: str
) -> None:
    tokens = parsed(redeem(provider, arrive(provider, **changed)))

    assert claims_of(tokens["id_token"])["acr"] == acr


def test_claims_asked_for_one_by_one_are_given(provider: FakeProvider) -> None:
    wanted = '{"id_token":{"email":null,"phone_number":null},"userinfo":{"locale":null}}'

    tokens = parsed(redeem(provider, arrive(provider, scope="openid", claims=wanted)))

    claims = claims_of(tokens["id_token"])
    assert claims["email"] == "alice@op.example"
    assert "phone_number" not in claims
    assert parsed(userinfo(provider, tokens["access_token"])) == {"sub": "alice", "locale": "en"}
