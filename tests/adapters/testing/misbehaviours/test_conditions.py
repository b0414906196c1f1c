"""Which clients must refuse a misbehaviour: one client on each side of every condition."""

from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.testing import MISBEHAVIOURS
from oidc_adapters.testing.misbehaviours import conditions
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import DEFAULT_POLICY, Policy
from oidc_core.wire.limits import Limits

CLIENT: Final = ClientRegistration(
    client_id="client",
    redirect_uris=("https://rp.example/callback",),
    scope="openid offline_access",
)
ENCRYPTED: Final = {"id_token_encrypted_response_alg": "RSA-OAEP"}
ENCRYPTED_USERINFO: Final = {"userinfo_encrypted_response_alg": "RSA-OAEP"}
SIGNED_USERINFO: Final = {"userinfo_signed_response_alg": "RS256"}


def applies(
    name: str, policy: dict[str, Any], client: dict[str, Any], request: dict[str, Any]
) -> bool:
    return MISBEHAVIOURS[name].applies(
        Policy(**policy), evolve(CLIENT, **client), AuthenticationRequest(**request)
    )


SIDES: Final[list[tuple[str, str, dict[str, Any], dict[str, Any]]]] = [
    ("no_nonce", "policy", {}, {"quirks": {"nonce_not_echoed"}}),
    ("week_old", "policy", {}, {"id_token_age": 7 * 86_400}),
    ("week_old", "policy", {"id_token_age": 7 * 86_400 - 61}, {"id_token_age": 7 * 86_400 - 60}),
    ("logout_ten_minutes_old", "policy", {}, {"logout_token_age": 600}),
    ("logout_by_id_token", "policy", {}, {"require_logout_typ": True}),
    ("id_token_too_large", "policy", {}, {"limits": Limits(id_token=200_000)}),
    ("metadata_too_large", "policy", {}, {"limits": Limits(metadata=300_000)}),
    ("http_token_endpoint", "policy", {}, {"insecure_http_origins": {"http://token.example"}}),
    ("rsa_1024", "policy", {}, {"algorithms": {"ES256"}}),
    ("small_order_ed25519", "policy", {}, {"algorithms": {"ES256"}}),
    ("userinfo_html", "policy", {"userinfo": "required"}, {"userinfo": "optional"}),
    ("userinfo_other_sub", "policy", {"userinfo": "optional"}, {"userinfo": "never"}),
    ("rsa_1024", "client", {}, {"id_token_signed_response_alg": "ES256"}),
    ("unknown_kid", "client", {}, {"id_token_signed_response_alg": "HS256"}),
    ("jwks_empty", "client", {}, {"id_token_signed_response_alg": "HS256"}),
    ("extra_audience", "client", {}, {"trusted_audiences": {"another-client"}}),
    ("extra_audience", "client", {}, {"further_audiences": "any_if_azp"}),
    ("id_token_five_parts", "client", {}, ENCRYPTED),
    ("jwe_zip", "client", ENCRYPTED, {}),
    ("userinfo_signed_wrong_aud", "client", SIGNED_USERINFO, {}),
    ("userinfo_other_sub", "client", {}, SIGNED_USERINFO),
    ("userinfo_jwe_damaged", "client", {**SIGNED_USERINFO, **ENCRYPTED_USERINFO}, SIGNED_USERINFO),
    ("userinfo_jwe_damaged", "client", {**SIGNED_USERINFO, **ENCRYPTED_USERINFO}, ENCRYPTED),
    ("refresh_other_sub", "client", {}, {"scope": "openid"}),
    ("refresh_other_sub", "request", {}, {"scope": "openid"}),
    ("no_auth_time", "request", {"max_age": 60}, {}),
    ("no_auth_time", "request", {"prompt": "login"}, {}),
    (
        "no_auth_time",
        "request",
        {"prompt": "login"},
        {"prompt": "login", "reauthentication": "unproven"},
    ),
    ("old_auth_time", "request", {"max_age": 60}, {"max_age": 30 * 86_400}),
    (
        "weaker_acr",
        "request",
        {"required_acr": ("urn:a",)},
        {"required_acr": ("urn:example:none",)},
    ),
    ("weaker_acr", "request", {"required_acr": ("urn:a",)}, {}),
]


@pytest.mark.parametrize(("name", "about", "met", "spared"), SIDES)
def test_a_client_on_each_side(
    name: str, about: str, met: dict[str, Any], spared: dict[str, Any]
) -> None:
    fixed: dict[str, Any] = {"policy": {}, "client": {}, "request": {}}
    if name.startswith("userinfo") and about != "policy":
        fixed["policy"] = {"userinfo": "required"}

    assert applies(name, **{**fixed, about: met})
    assert not applies(name, **{**fixed, about: spared})


def test_what_every_client_must_refuse() -> None:
    bare = ClientRegistration(client_id="client", redirect_uris=CLIENT.redirect_uris)

    for name in ("expired", "wrong_nonce", "wrong_state", "no_sub", "bad_signature", "token_500"):
        assert MISBEHAVIOURS[name].applies(DEFAULT_POLICY, bare, DEFAULT_REQUEST), name
    quirks = Policy(quirks={"nonce_not_echoed"})
    assert MISBEHAVIOURS["wrong_nonce"].applies(quirks, bare, DEFAULT_REQUEST)


def test_several_conditions_hold_together() -> None:
    public = conditions.of_client(lambda client: client.token_endpoint_auth_method == "none")
    condition = conditions.both(public, conditions.takes("ES256"))
    client = evolve(CLIENT, token_endpoint_auth_method="none")

    assert condition(DEFAULT_POLICY, client, DEFAULT_REQUEST)
    assert not condition(DEFAULT_POLICY, CLIENT, DEFAULT_REQUEST)
    assert not condition(Policy(algorithms={"RS256"}), client, DEFAULT_REQUEST)
