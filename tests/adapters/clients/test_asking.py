"""The demands of a login, by keyword or as one value."""

from typing import Any, get_type_hints

import pytest
from attrs import fields

from oidc_adapters.clients.asking import Asked, request_of
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest
from oidc_core.wire.errors import UsageError
from tests.flows.rig import new_rig

GIVEN: dict[str, Any] = {
    "scope": "openid email",
    "redirect_uri": "https://rp.example/callback",
    "response_mode": "form_post",
    "display": "popup",
    "prompt": "login consent",
    "max_age": 60,
    "reauthentication": "unproven",
    "ui_locales": "de",
    "claims_locales": "de en",
    "id_token_hint": "a.b.c",
    "login_hint": "alice",
    "acr_values": "urn:a urn:b",
    "required_acr": ["urn:a"],
    "claims": {"id_token": {"email": {"essential": True}}},
    "resource": ("https://api.example",),
    "nonce": "our own nonce",
    "extra": {"audience": "api"},
    "expected_sub": "alice",
    "account": "7",
}


def test_every_member_of_a_request_is_a_keyword() -> None:
    members = {each.name for each in fields(AuthenticationRequest)}

    assert Asked.__annotations__.keys() == members - {"return_to"} == GIVEN.keys()


def test_each_keyword_takes_what_the_member_takes() -> None:
    taken = get_type_hints(AuthenticationRequest.__init__)

    for name, kind in get_type_hints(Asked).items():
        assert kind == taken[name], name


@pytest.mark.parametrize("name", GIVEN)
def test_a_keyword_is_a_member_of_the_request(name: str) -> None:
    asked: Any = {name: GIVEN[name]}

    assert request_of(DEFAULT_REQUEST, asked) == AuthenticationRequest(**asked)


def test_all_of_them_together() -> None:
    asked: Any = GIVEN

    assert request_of(DEFAULT_REQUEST, asked) == AuthenticationRequest(**asked)


def test_without_keywords_the_request_is_the_very_one() -> None:
    request = AuthenticationRequest(prompt="login")

    assert request_of(request, {}) is request
    assert request_of(DEFAULT_REQUEST, {}) is DEFAULT_REQUEST


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (AuthenticationRequest(prompt="login"), {"max_age": 5}, "request"),
    (AuthenticationRequest(), {"prompt": "login"}, "request"),
    (None, {}, "request"),
    ("login", {}, "request"),
    (DEFAULT_REQUEST, {"prompts": "login"}, "prompts"),
    (DEFAULT_REQUEST, {"prompt": 5}, "prompt"),
    (DEFAULT_REQUEST, {"max_age": -1}, "max_age"),
    (DEFAULT_REQUEST, {"max_age": "60"}, "max_age"),
    (DEFAULT_REQUEST, {"claims": "email"}, "claims"),
    (DEFAULT_REQUEST, {"required_acr": "urn:a"}, "required_acr"),
    (DEFAULT_REQUEST, {"extra": [("state", "x")]}, "state"),
]


@pytest.mark.parametrize(("request_", "asked", "about"), REFUSED)
def test_a_mistake_is_a_usage_error_and_touches_no_network(
    request_: Any, asked: dict[str, Any], about: str
) -> None:
    rig = new_rig()
    sent = len(rig.transport.exchanges)
    call: Any = rig.client.start_login

    with pytest.raises(UsageError) as caught:
        call(request_, **asked)

    assert caught.value.code in {"parameter_invalid", "parameter_reserved"}
    assert caught.value.about == about
    assert len(rig.transport.exchanges) == sent


def test_a_login_by_keyword_is_the_login_of_the_request() -> None:
    page = new_rig().client.start_login(prompt="login", login_hint="alice", return_to="/x")
    same = new_rig().client.start_login(
        AuthenticationRequest(prompt="login", login_hint="alice"), return_to="/x"
    )

    assert page == same
    assert "prompt=login" in page.url
