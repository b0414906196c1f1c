"""The fake provider's public documents."""

import pytest

from oidc_adapters.testing import FakeClient, FakeProvider

from .raw_client import NOW, arrive, fetch, parsed, published_keys, wire


def test_no_secret_is_published() -> None:
    provider = FakeProvider(
        clients=(
            FakeClient(id_token_signed_response_alg="HS256"),
            FakeClient(client_id="b", id_token_signed_response_alg="ES256"),
        )
    )

    published = published_keys(provider)

    assert [key["alg"] for key in published] == ["RS256", "ES256"]
    assert all(not {"d", "k", "p", "q"} & key.keys() for key in published)


@pytest.mark.parametrize(
    ("issuer", "path"),
    [
        ("https://op.example", "/.well-known/openid-configuration"),
        ("https://op.example", "/.well-known/oauth-authorization-server"),
        ("https://op.example/tenant", "/tenant/.well-known/openid-configuration"),
        ("https://op.example/tenant", "/.well-known/oauth-authorization-server/tenant"),
    ],
)
def test_metadata_lies_in_both_well_known_places(issuer: str, path: str) -> None:
    provider = FakeProvider(issuer=issuer)

    document = parsed(provider.answer(wire("GET", "https://op.example" + path), NOW))

    assert document["issuer"] == issuer
    assert document["token_endpoint"] == issuer + "/token"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True


def test_a_provider_may_send_no_iss() -> None:
    provider = FakeProvider(sends_iss=False)

    document = parsed(fetch(provider, "/.well-known/openid-configuration"))

    assert document["authorization_response_iss_parameter_supported"] is False
    assert arrive(provider).parameter("iss") is None
