"""The places that misbehaviours change, as a comparison finds them."""

from typing import Final

import pytest

from oidc_adapters.testing import MISBEHAVIOURS
from oidc_adapters.testing.law_places import HonestMessages, independent
from oidc_adapters.testing.law_trials import Trial
from oidc_core.endpoints.authorization import DEFAULT_REQUEST
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import DEFAULT_POLICY

REGISTRATION: Final = ClientRegistration(
    client_id="client", redirect_uris=("https://rp.example/callback",)
)
PLACES: Final = {
    "wrong_issuer": {"metadata.issuer"},
    "metadata_html": {"metadata"},
    "wrong_state": {"callback.state"},
    "code_and_error": {"callback.error", "callback.code"},
    "other_response_mode": {"callback.mode"},
    "token_500": {"tokens"},
    "no_id_token": {"tokens.id_token"},
    "wrong_nonce": {"id_token.claims.nonce"},
    "expired": {"id_token.claims.exp", "id_token.claims.iat"},
    "id_token_duplicate_sub": {"id_token.claims.sub"},
    "id_token_payload_array": {"id_token.claims"},
    "id_token_payload_utf16": {"id_token.claims"},
    "id_token_crit": {"id_token.header.crit"},
    "bad_signature": {"id_token.signature"},
    "alg_none": {"id_token.header.alg", "id_token.signature"},
    "id_token_two_parts": {"id_token.form"},
    "id_token_stray_bits": {"id_token.form"},
    "jwks_empty": {"key_set.keys"},
    "jwe_zip": {"token encryption"},
    "userinfo_no_sub": {"userinfo.sub"},
    "refresh_other_sub": {"refresh.id_token.claims.sub"},
    "logout_no_jti": {"logout_token.claims.jti"},
    "logout_as_json": {"logout.content_type"},
    "logout_token_twice": {"logout.form"},
}


@pytest.fixture(scope="module", params=["EdDSA", "RS256", "HS256"])
def honest(request: pytest.FixtureRequest) -> HonestMessages:
    client = ClientRegistration(
        client_id="client",
        redirect_uris=REGISTRATION.redirect_uris,
        id_token_signed_response_alg=request.param,
    )
    messages = HonestMessages()
    trial = Trial(policy=DEFAULT_POLICY, registration=client, request=DEFAULT_REQUEST)
    assert trial.code(messages.listening()) is None
    return messages


@pytest.mark.parametrize("name", PLACES)
def test_places_are_found(name: str, honest: HonestMessages) -> None:
    if PLACES[name] == {"key_set.keys"} and "key_set" not in honest.said:
        assert honest.changed_by(MISBEHAVIOURS[name]) == frozenset()  # HMAC: nobody asked for it
        return
    assert honest.changed_by(MISBEHAVIOURS[name]) == PLACES[name]


def test_a_place_holds_those_below_it() -> None:
    def places(*names: str) -> frozenset[str]:
        return frozenset(names)

    assert independent(places("tokens.scope"), places("tokens.id_token", "id_token.claims.aud"))
    assert independent(places("id_token.claims.a"), places("id_token.claims.aud"))
    assert not independent(places("tokens"), places("callback.code", "tokens.scope"))
    assert not independent(places("tokens.scope"), places("tokens"))
    assert not independent(places("tokens.scope"), places("tokens.scope"))
