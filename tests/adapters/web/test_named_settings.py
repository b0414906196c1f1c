"""Settings by their names."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from oidc_adapters.web.named_settings import check_names, named
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import UsageError
from tests.parties import refused

LENIENT = Policy(leeway=5, quirks=frozenset({"logout_uri"}))
OFFLINE = AuthenticationRequest(prompt="consent", extra=(("access_type", "offline"),))
CLIENT = ClientRegistration(client_id="a", redirect_uris=("https://a.example",))


def test_settings_that_are_given() -> None:
    config = {"OIDC_ISSUER": "https://op.example", "OIDC_SCOPE": None, "ISSUER": "other"}

    assert named(config, ("issuer", "scope", "client_id")) == {"issuer": "https://op.example"}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("login_by_get", "true", True),
        ("idle", "600", 600),
        ("claims", '["name"]', ["name"]),
        ("metadata_overrides", '{"a": null}', {"a": None}),
        ("policy", '{"leeway": 5, "quirks": ["logout_uri"]}', LENIENT),
        ("request", '{"prompt": "consent", "extra": {"access_type": "offline"}}', OFFLINE),
        ("registration", '{"client_id": "a", "redirect_uris": ["https://a.example"]}', CLIENT),
        ("client_id", "600", "600"),
        ("scope", "openid", "openid"),
    ],
)
def test_text_of_the_environment(name: str, text: str, value: object) -> None:
    assert named({f"OIDC_{name.upper()}": text}, (name,)) == {name: value}


@pytest.mark.parametrize(
    ("text", "about", "found"),
    [
        ("{", "OIDC_POLICY", "{"),
        ("600", "OIDC_POLICY", None),
        ('["quirks"]', "OIDC_POLICY", None),
        ('{"quirk": []}', "OIDC_POLICY", "quirk"),
        ('{"digest": "0"}', "OIDC_POLICY", "digest"),
        ('{"quirks": ["skip_signature"]}', "quirks", ("skip_signature",)),
        ('{"leeway": "5"}', "leeway", "str"),
        ('{"limits": {"id_token": 1}}', "limits", "dict"),
    ],
)
def test_members_that_are_wrong(text: str, about: str, found: object) -> None:
    refusal = refused(
        UsageError, "config_invalid", partial(named, {"OIDC_POLICY": text}, ("policy",))
    )

    assert (refusal.about, refusal.found) == (about, found)


def test_a_slip_in_the_name_of_a_member_is_told() -> None:
    text = '{"quirk": ["logout_uri"]}'
    refusal = refused(
        UsageError, "config_invalid", partial(named, {"OIDC_POLICY": text}, ("policy",))
    )

    assert refusal.expected == ("quirks",)


def test_text_that_is_no_json() -> None:
    found = refused(
        UsageError, "config_invalid", partial(named, {"OIDC_IDLE": "an hour"}, ("idle",))
    )

    assert found.about == "OIDC_IDLE"


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("OIDC_POLCIY", "OIDC_POLICY"),
        ("OIDC_CLIENT_SECRETS", "OIDC_CLIENT_SECRET"),
        ("OIDC_REDIRECT_URL", "OIDC_REDIRECT_URI"),
    ],
)
def test_a_slip_is_told(wrong: str, meant: str) -> None:
    found = refused(UsageError, "config_invalid", partial(check_names, {wrong: "secret value"}))

    assert (found.about, found.expected) == (wrong, meant)
    assert "secret value" not in str(found)


def test_names_of_others_are_left_alone() -> None:
    config: dict[str, Any] = {"OIDC_RP_SIGN_ALGO": "RS256", "OIDC_ISSUER": "", "OTHER": 1}

    check_names(config)

    assert named(config, ("issuer",)) == {"issuer": ""}
