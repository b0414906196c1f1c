import copy
import pickle
from typing import Any

import pytest
from attrs import evolve

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.credentials.client_keys import ClientKeys, DecryptionKey, Signer
from oidc_adapters.crypto import sign_mac
from oidc_adapters.testing import FakeProvider
from oidc_core.model.client import ClientRegistration
from oidc_core.model.issuer_rule import ANY_TENANT, IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.model.provider import ProviderMetadata
from oidc_core.wire.errors import OidcError, UsageError
from tests.adapters.credentials.test_client_credentials import KEY, SECRET
from tests.encryption import P256, P384
from tests.flows.rig import honest_provider, new_rig, setup_for

ISSUER = "https://op.example"
SETUP = ClientSetup(
    issuer=ISSUER,
    client_id="client",
    client_secret=SECRET,
    redirect_uri="https://rp.example/callback",
)
METADATA = ProviderMetadata(
    issuer=ISSUER, token_endpoint=f"{ISSUER}/token", userinfo_endpoint=f"{ISSUER}/userinfo"
)
KEYS = ClientKeys[Signer](KEY)


def test_settings_become_a_relying_party_and_its_registration() -> None:
    setup = evolve(
        SETUP,
        post_logout_redirect_uri="https://rp.example/",
        scope="openid email",
        policy=Policy(leeway=5),
    )

    rp = setup.relying_party()

    assert (rp.issuer, rp.provider) == (ISSUER, ProviderMetadata(issuer=ISSUER))
    assert rp.policy.leeway == 5
    assert rp.client == ClientRegistration(
        client_id="client",
        redirect_uris=("https://rp.example/callback",),
        post_logout_redirect_uris=("https://rp.example/",),
        scope="openid email",
        token_endpoint_auth_method=None,
    )


def test_without_a_place_to_return_to_after_logout_there_is_none() -> None:
    assert SETUP.relying_party().client.post_logout_redirect_uris == ()


@pytest.mark.parametrize(
    ("changed", "method", "alg"),
    [
        ({}, None, None),
        ({"client_secret": None, "token_endpoint_auth_method": "none"}, "none", None),
        ({"client_keys": KEYS}, "private_key_jwt", "EdDSA"),
        ({"client_secret": None, "client_keys": KEYS}, "private_key_jwt", "EdDSA"),
        ({"token_endpoint_auth_method": "client_secret_post"}, "client_secret_post", None),
        (
            {"token_endpoint_auth_method": "client_secret_basic", "client_keys": KEYS},
            "client_secret_basic",
            None,
        ),
        (
            {"token_endpoint_auth_method": "private_key_jwt", "client_keys": KEYS},
            "private_key_jwt",
            "EdDSA",
        ),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "client_secret_jwt", None),
    ],
)
def test_the_client_authenticates_as_its_credentials_let_it(
    changed: dict[str, Any], method: str | None, alg: str | None
) -> None:
    setup = evolve(SETUP, **changed)

    client = setup.relying_party().client

    assert client.token_endpoint_auth_method == method
    assert client.token_endpoint_auth_signing_alg == alg
    assert setup.relying_party().auth_method == method or "client_secret_basic"
    assert repr(setup.credentials(setup.relying_party())) == "Credentials(1)"


@pytest.mark.parametrize(
    ("changed", "code", "about"),
    [
        ({"redirect_uri": ""}, "config_invalid", "redirect_uri"),
        ({"redirect_uri": "http://rp.example/callback"}, "url_scheme_not_allowed", "redirect_uri"),
        ({"client_id": ""}, "config_invalid", "client_id"),
        ({"post_logout_redirect_uri": "//rp.example"}, "url_invalid", "post_logout_redirect_uri"),
        ({"decryption_keys": [KEY]}, "config_invalid", "decryption_keys"),
        ({"decryption_keys": P256}, "config_invalid", "decryption_keys"),
        ({"client_keys": [KEY]}, "config_invalid", "client_keys"),
        ({"policy": None}, "config_invalid", "policy"),
        ({"metadata": {"issuer": ISSUER}}, "config_invalid", "metadata"),
        ({"issuer_rule": ISSUER}, "config_invalid", "issuer_rule"),
        ({"registration": "client"}, "config_invalid", "registration"),
        ({"scope": "openid  email"}, "config_invalid", "scope"),
        ({"issuer": ""}, "url_invalid", "issuer"),
        ({"issuer": "https://op.example?x"}, "issuer_invalid", "issuer"),
        ({"issuer": "http://op.example"}, "url_scheme_not_allowed", "issuer"),
        ({"client_keys": ClientKeys[Signer]()}, "credential_missing", "client key"),
        ({"metadata": METADATA, "issuer": "https://other.example"}, "issuer_not_allowed", ""),
    ],
)
def test_a_wrong_setting_is_named(changed: dict[str, Any], code: str, about: str) -> None:
    with pytest.raises(OidcError) as caught:
        evolve(SETUP, **changed).relying_party()

    assert (caught.value.code, caught.value.about) == (code, about)


PUBLIC = 'token_endpoint_auth_method="none"'


@pytest.mark.parametrize("registered", [False, True])
def test_a_client_without_credentials_says_that_it_is_a_public_one(registered: bool) -> None:
    """A secret out of a variable that is not set makes no public client."""
    with pytest.raises(UsageError) as caught:
        evolve(SETUP, client_secret=None)
    assert (caught.value.code, caught.value.about) == ("credential_missing", "client_secret")
    assert PUBLIC in str(caught.value)

    public = evolve(SETUP, client_secret=None, token_endpoint_auth_method="none").relying_party()
    registration = public.client if registered else None
    setup = evolve(
        SETUP, client_secret=None, token_endpoint_auth_method="none", registration=registration
    )
    assert setup.relying_party().client.token_endpoint_auth_method == "none"
    assert repr(setup.credentials(setup.relying_party())) == "Credentials(1)"


@pytest.mark.parametrize("held", [{"client_secret": SECRET}, {"client_keys": KEYS}])
@pytest.mark.parametrize("registered", [False, True])
def test_a_public_client_has_no_credentials(held: dict[str, Any], registered: bool) -> None:
    public = evolve(SETUP, client_secret=None, token_endpoint_auth_method="none")
    registration = public.relying_party().client if registered else None

    with pytest.raises(UsageError) as caught:
        evolve(public, registration=registration, **held)

    assert (caught.value.code, caught.value.found) == ("config_invalid", "none")
    assert caught.value.about == "token_endpoint_auth_method"


@pytest.mark.parametrize(
    "secret", ["", " ", f"{SECRET}\n", f"\t{SECRET}", SECRET.encode(), 5, [SECRET]]
)
def test_a_secret_is_text_as_it_was_given_out(secret: Any) -> None:
    others: tuple[dict[str, Any], ...] = (
        {},
        {"client_id": ""},
        {"token_endpoint_auth_method": "none"},
    )
    for changed in others:
        with pytest.raises(UsageError) as caught:
            evolve(SETUP, client_secret=secret, **changed)
        assert (caught.value.code, caught.value.about) == ("config_invalid", "client_secret")
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (
            {"client_secret": None, "token_endpoint_auth_method": "client_secret_basic"},
            "credential_missing",
        ),
        (
            {"client_secret": "short", "token_endpoint_auth_method": "client_secret_jwt"},
            "config_invalid",
        ),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "credential_missing"),
    ],
)
def test_a_missing_credential_is_missed(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        evolve(SETUP, **changed)

    assert caught.value.code == code


def test_a_registration_stands_in_for_the_settings() -> None:
    registration = ClientRegistration(
        client_id="another",
        redirect_uris=("https://rp.example/a", "https://rp.example/b"),
        id_token_signed_response_alg="HS256",
    )
    setup = evolve(SETUP, registration=registration, client_id="", redirect_uri="")

    rp = setup.relying_party()

    assert rp.client is registration
    assert rp.protection["id_token"].algorithms == {"HS256"}
    octets = b"signing input"
    mac = sign_mac(SECRET, "HS256", octets)
    assert rp.verifier.verifies_mac(ISSUER, "another", "HS256", octets, mac)
    for owner in ((ISSUER, "client"), ("https://b.example", "another")):
        with pytest.raises(UsageError) as caught:
            rp.verifier.verifies_mac(*owner, "HS256", octets, mac)
        assert caught.value.code == "credential_missing"


CONTRADICTIONS: dict[str, Any] = {
    "client_id": "the-other",
    "redirect_uri": "https://rp.example/c",
    "post_logout_redirect_uri": "https://rp.example/bye",
    "token_endpoint_auth_method": "client_secret_post",
    "scope": "openid email",
    "response_iss": "required",
    "connection_id": "staff",
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_setting_beside_a_registration_is_in_it_too(name: str) -> None:
    """The registration would be used in its place, and nobody would be told."""
    registration = ClientRegistration(
        client_id="client",
        redirect_uris=("https://rp.example/callback", "https://rp.example/b"),
        post_logout_redirect_uris=("https://rp.example/",),
    )
    agreeing: dict[str, Any] = {
        "redirect_uri": "https://rp.example/b",
        "post_logout_redirect_uri": "https://rp.example/",
        "token_endpoint_auth_method": "client_secret_basic",
        "registration": registration,
    }
    assert evolve(SETUP, **agreeing).relying_party().client is registration

    with pytest.raises(UsageError) as caught:
        evolve(SETUP, **{**agreeing, name: CONTRADICTIONS[name]})

    error = caught.value
    assert (error.code, error.about) == ("config_invalid", name)
    assert error.found == CONTRADICTIONS[name]


def test_an_issuer_beside_a_rule_is_one_of_it() -> None:
    rule = IssuerRule.one_of(ISSUER, "https://alias.example")
    for issuer in ("", ISSUER, "https://alias.example"):
        assert evolve(SETUP, issuer=issuer, issuer_rule=rule).relying_party().issuer == ISSUER

    with pytest.raises(UsageError) as caught:
        evolve(SETUP, issuer="https://b.example", issuer_rule=rule).relying_party()

    assert (caught.value.code, caught.value.about) == ("config_invalid", "issuer")


def test_without_a_secret_no_mac_is_ever_good() -> None:
    public = evolve(SETUP, client_secret=None, token_endpoint_auth_method="none")
    rp = public.relying_party()

    with pytest.raises(UsageError) as caught:
        rp.verifier.verifies_mac(ISSUER, "client", "HS256", b"", b"")
    assert caught.value.code == "credential_missing"


def test_metadata_can_be_given_by_hand() -> None:
    rp = evolve(SETUP, metadata=METADATA).relying_party()

    assert rp.provider is METADATA


def test_an_issuer_can_be_a_rule() -> None:
    rule = IssuerRule.template("https://login.example/{tenant}/v2.0", tenants=ANY_TENANT)

    rp = evolve(SETUP, issuer="", issuer_rule=rule).relying_party()

    assert rp.issuer == "https://login.example/{tenant}/v2.0"
    assert rp.issuer_rule is rule


def test_settings_show_and_pickle_no_secret() -> None:
    setup = evolve(SETUP, client_keys=KEYS)

    assert "canary" not in f"{setup!r} {setup} {setup.relying_party()!r}"
    for held in (setup, setup.relying_party()):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(held)
    with pytest.raises(TypeError, match="not pickled"):
        copy.deepcopy(setup)


def test_the_client_s_key_set_has_what_signs_and_what_is_encrypted_for() -> None:
    assert ClientSetup().public_jwks() == {"keys": ()}
    assert ClientSetup(client_keys=KEYS).public_jwks() == KEYS.public_jwks()
    both = ClientSetup(client_keys=KEYS, decryption_keys=(P256,)).public_jwks()
    assert both == {"keys": (KEY.public_jwk(), P256.public_jwk())}


def test_a_key_that_signs_and_one_that_decrypts_have_names_of_their_own() -> None:
    """A provider that encrypts for the client looks a key up by its name."""
    keys = (P384, DecryptionKey(P256.private, kid=KEY.kid))
    with pytest.raises(UsageError) as caught:
        ClientSetup(client_keys=KEYS, decryption_keys=keys)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "kid")
    assert caught.value.found == (KEY.kid,)
    assert ClientSetup(decryption_keys=keys).decryption_keys == keys


def test_a_secret_that_is_opened_serves_everywhere_and_is_kept_nowhere() -> None:
    """For the token endpoint, and for the MAC of an ID token."""
    opened: list[str] = []
    client = evolve(FakeProvider().clients[0], id_token_signed_response_alg="HS256")
    provider = honest_provider(clients=(client,))

    def opens() -> str:
        opened.append(client.client_secret)
        return client.client_secret

    registration = ClientRegistration(
        client_id=client.client_id,
        redirect_uris=client.redirect_uris,
        id_token_signed_response_alg="HS256",
    )
    rig = new_rig(provider, client_secret=opens, registration=registration)
    before = len(opened)
    logged_in = rig.log_in().logged_in

    assert logged_in.identity.subject == "alice"
    assert len(opened) == before + 2
    assert client.client_secret not in repr(rig.client.shell.credentials)


@pytest.mark.parametrize("seconds", [-1, 0, 59, 30 * 86_400 + 1, 2**70])
def test_metadata_is_read_again_after_a_minute_to_thirty_days(seconds: int) -> None:
    with pytest.raises(UsageError) as caught:
        setup_for(honest_provider(), metadata_max_age=seconds)

    error = caught.value
    assert (error.code, error.about, error.found) == ("config_invalid", "metadata_max_age", seconds)
    for good in (60, 30 * 86_400):
        assert setup_for(honest_provider(), metadata_max_age=good).metadata_max_age == good
