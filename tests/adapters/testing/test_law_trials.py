"""A client of a trial: whatever it registered, an honest provider is no trouble to it."""

from typing import Any, Final

import pytest

from oidc_adapters.testing import MISBEHAVIOURS
from oidc_adapters.testing.law_trials import Trial
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy

URIS: Final = ("https://rp.example/callback",)
REGISTERED: Final[dict[str, dict[str, Any]]] = {
    "nothing": {},
    "another issuer": {"issuer": "https://id.example/tenant"},
    "public": {"token_endpoint_auth_method": "none"},
    "form": {"token_endpoint_auth_method": "client_secret_post"},
    "whatever is listed": {"token_endpoint_auth_method": None},
    "assertions": {
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
    },
    "HMAC": {"id_token_signed_response_alg": "HS512"},
    "encryption": {
        "id_token_encrypted_response_alg": "ECDH-ES",
        "userinfo_encrypted_response_alg": "RSA-OAEP-256",
        "userinfo_encrypted_response_enc": "A256GCM",
    },
    "encryption by the secret": {"id_token_encrypted_response_alg": "A128KW"},
    "offline": {"scope": "openid offline_access"},
}


def trial(policy: Policy, request: AuthenticationRequest, **registered: Any) -> Trial:
    client = ClientRegistration(client_id="client", redirect_uris=URIS, **registered)
    return Trial(policy=policy, registration=client, request=request)


@pytest.mark.parametrize("name", REGISTERED)
def test_an_honest_provider_is_accepted(name: str) -> None:
    policy = Policy(userinfo="required")
    case = trial(policy, AuthenticationRequest(), **REGISTERED[name])

    assert case.code() is None
    assert case.code([MISBEHAVIOURS["wrong_nonce"]]) == "nonce_mismatch"
    assert case.code([MISBEHAVIOURS["wrong_issuer"]]) == "metadata_issuer_mismatch"
    assert case.code() is None


@pytest.mark.parametrize(
    ("policy", "request_"),
    [
        (Policy(require_verified_channel=True), AuthenticationRequest()),
        (Policy(algorithms={"RS256"}), AuthenticationRequest()),
        (Policy(addresses="public_only"), AuthenticationRequest()),
        (Policy(), AuthenticationRequest(expected_sub="zoe")),
        (Policy(), AuthenticationRequest(account="an-account")),
        (Policy(), AuthenticationRequest(response_mode="form_post", max_age=0)),
        (Policy(quirks={"basic_raw_credentials"}), AuthenticationRequest()),
    ],
)
def test_a_policy_and_a_request_are_met(policy: Policy, request_: AuthenticationRequest) -> None:
    assert trial(policy, request_).code() is None


def test_the_end_is_reached() -> None:
    case = trial(Policy(), AuthenticationRequest(), scope="openid offline_access")

    assert case.code([MISBEHAVIOURS["refresh_other_sub"]]) == "sub_mismatch"
    assert case.code([MISBEHAVIOURS["logout_replayed"]]) == "logout_token_used"
