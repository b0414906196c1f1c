"""The fake provider's statements in an ID token."""

from oidc_adapters.testing import FakeProvider

from .raw_client import NONCE, NOW, claims_of, logged_in


def test_the_id_token_says_what_a_login_needs() -> None:
    claims = claims_of(logged_in(FakeProvider(id_token_alg="ES256"))["id_token"])

    assert {
        "iss": "https://op.example",
        "sub": "alice",
        "aud": "client",
        "azp": "client",
        "exp": NOW + 300,
        "iat": NOW,
        "auth_time": NOW,
        "acr": "urn:example:password",
        "nonce": NONCE,
    }.items() <= claims.items()
    assert len(claims["sid"]) == 43
