"""The parts that the metadata names, and the settings that it rules out."""

from __future__ import annotations

import copy
import pickle
from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.crypto import ClientDecrypter
from oidc_core.model.client import AuthMethod, ClientRegistration
from oidc_core.model.policy import DEFAULT_POLICY, Policy
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.relying_party import RelyingParty
from oidc_core.model.supported import unused_endpoints
from oidc_core.wire.errors import UsageError
from oidc_core.wire.way import NOT_TOLD
from tests.encryption import P256
from tests.unit.parties import CLIENT, ISSUER, PROVIDER, Believer

ALGORITHMS = "id_token_signing_alg_values_supported"
METHODS = "token_endpoint_auth_methods_supported"
DECRYPTER = ClientDecrypter(P256)


def meeting(
    client: dict[str, Any], named: dict[str, Any], policy: Policy = DEFAULT_POLICY
) -> RelyingParty:
    return RelyingParty(
        provider=evolve(PROVIDER, **named),
        client=evolve(CLIENT, **client),
        policy=policy,
        verifier=Believer(),
        decrypter=DECRYPTER,
    )


def refusal(
    client: dict[str, Any], named: dict[str, Any], policy: Policy = DEFAULT_POLICY
) -> UsageError:
    with pytest.raises(UsageError) as caught:
        meeting(client, named, policy)
    error = caught.value
    assert (error.code, error.retryable, error.kind) == (
        "unsupported_by_provider",
        "no",
        "configuration",
    )
    return error


RULED_OUT: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "method": (
        {"token_endpoint_auth_method": "client_secret_post"},
        {METHODS: ("client_secret_basic", "private_key_jwt")},
        "client_secret_post",
    ),
    "method of a registration": ({}, {METHODS: ("client_secret_post",)}, "client_secret_basic"),
    "method with a key": (
        {"token_endpoint_auth_method": "private_key_jwt"},
        {METHODS: ("client_secret_basic", "client_secret_post", "none")},
        "private_key_jwt",
    ),
    "method with a MAC": (
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {METHODS: ("private_key_jwt",)},
        "client_secret_jwt",
    ),
    "assertion": (
        {
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "EdDSA",
        },
        {"token_endpoint_auth_signing_alg_values_supported": ("RS256", "ES256")},
        "EdDSA",
    ),
    "assertion by default": (
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_signing_alg_values_supported": ("RS256",)},
        "HS256",
    ),
    "ID token": (
        {"id_token_signed_response_alg": "PS256"},
        {"id_token_signing_alg_values_supported": ("RS256", "ES256")},
        "PS256",
    ),
    "UserInfo": (
        {"userinfo_signed_response_alg": "ES256"},
        {"userinfo_signing_alg_values_supported": ("RS256", "none")},
        "ES256",
    ),
    "encrypted ID token": (
        {"id_token_encrypted_response_alg": "ECDH-ES"},
        {"id_token_encryption_alg_values_supported": ("RSA-OAEP",)},
        "ECDH-ES",
    ),
    "content of an ID token": (
        {"id_token_encrypted_response_alg": "ECDH-ES"},
        {"id_token_encryption_enc_values_supported": ("A256GCM",)},
        "A128CBC-HS256",
    ),
    "encrypted UserInfo": (
        {"userinfo_encrypted_response_alg": "ECDH-ES"},
        {"userinfo_encryption_alg_values_supported": ("RSA-OAEP",)},
        "ECDH-ES",
    ),
    "content of UserInfo": (
        {
            "userinfo_encrypted_response_alg": "ECDH-ES",
            "userinfo_encrypted_response_enc": "A128GCM",
        },
        {"userinfo_encryption_enc_values_supported": ("A256GCM",)},
        "A128GCM",
    ),
    "response type": ({}, {"response_types_supported": ("id_token", "code id_token")}, "code"),
    "grant": ({}, {"grant_types_supported": ("implicit",)}, "authorization_code"),
    "response mode": ({}, {"response_modes_supported": ("fragment",)}, "query"),
    "PKCE": ({}, {"code_challenge_methods_supported": ("plain",)}, "S256"),
    "PAR": ({}, {"require_pushed_authorization_requests": True}, "true"),
    "JAR": ({}, {"require_signed_request_object": True}, "true"),
}
FOR_LOGINS = {"response type", "grant", "response mode", "PKCE", "PAR", "JAR"}


@pytest.mark.parametrize("name", RULED_OUT)
def test_what_the_metadata_rules_out_is_refused_when_client_and_metadata_meet(name: str) -> None:
    client, named, found = RULED_OUT[name]
    ((member, listed),) = named.items()

    error = refusal(client, named)

    assert (error.about, error.found) == (member, found)
    assert error.expected == (None if listed is True else listed)
    assert "metadata_overrides" in error.hint
    assert f"({member})" in str(error)


@pytest.mark.parametrize("name", RULED_OUT)
def test_an_absent_member_rules_nothing_out(name: str) -> None:
    client, named, found = RULED_OUT[name]
    ((member, listed),) = named.items()
    meeting(client, {})
    if listed is True:
        meeting(client, {member: False})
    else:
        meeting(client, {member: ()})
        meeting(client, {member: (*listed, found)})


@pytest.mark.parametrize("name", sorted(FOR_LOGINS))
def test_a_client_that_logs_nobody_in_needs_nothing_of_a_login(name: str) -> None:
    _, named, _ = RULED_OUT[name]
    meeting({"redirect_uris": ()}, named)


@pytest.mark.parametrize("name", RULED_OUT)
def test_metadata_that_is_discovered_is_held_against_the_client_too(name: str) -> None:
    client, named, _ = RULED_OUT[name]
    bare = evolve(meeting(client, {}), provider=ProviderMetadata(issuer=ISSUER))
    with pytest.raises(UsageError) as caught:
        bare.with_metadata(evolve(PROVIDER, **named), NOT_TOLD)
    assert caught.value.code == "unsupported_by_provider"


CHANNELS = {
    "backchannel_logout": "https://app.example/backchannel",
    "frontchannel_logout": "https://app.example/frontchannel?a=b",
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_logout_that_the_provider_never_tells_is_not_waited_for(channel: str) -> None:
    registered = {f"{channel}_uri": CHANNELS[channel]}
    in_sessions = {**registered, f"{channel}_session_required": True}
    for client, member in (
        (registered, f"{channel}_supported"),
        (in_sessions, f"{channel}_supported"),
        (in_sessions, f"{channel}_session_supported"),
    ):
        error = refusal(client, {member: False})
        assert (error.about, error.found) == (member, "false")
        assert "metadata_overrides" in error.hint
        for told in (None, True):
            meeting(client, {member: told})
    meeting({}, {f"{channel}_supported": False, f"{channel}_session_supported": False})
    meeting(registered, {f"{channel}_session_supported": False})
    meeting({f"{channel}_session_required": True}, {f"{channel}_supported": False})


def test_a_public_client_does_not_authenticate_so_no_list_names_it() -> None:
    for listed in ((), ("client_secret_basic",), ("none",)):
        rp = meeting({"token_endpoint_auth_method": "none"}, {METHODS: listed})
        assert rp.auth_method == "none"


def test_a_quirk_leaves_pkce_out_where_the_provider_names_only_plain() -> None:
    named = {"code_challenge_methods_supported": ("plain",)}
    assert "omit_pkce" in refusal({}, named).hint
    meeting({}, named, Policy(quirks={"omit_pkce"}))


@pytest.mark.parametrize(
    "member", ["scopes_supported", "claims_supported", "subject_types_supported"]
)
def test_a_list_that_may_be_incomplete_rules_nothing_out(member: str) -> None:
    meeting({"scope": "openid api"}, {member: ("x",)})


# --- algorithms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("listed", [("none",), ("HS256",), ("none", "HS512"), ("ML-DSA-44",)])
def test_a_provider_with_no_algorithm_in_common_is_refused_and_what_to_do_is_told(
    listed: tuple[str, ...],
) -> None:
    error = refusal({}, {ALGORITHMS: listed})
    assert (error.about, error.expected) == (ALGORITHMS, listed)
    assert error.found == tuple(sorted(DEFAULT_POLICY.algorithms))
    assert "register id_token_signed_response_alg" in error.hint
    if "HS256" in listed:
        meeting({"id_token_signed_response_alg": "HS256"}, {ALGORITHMS: listed})


def test_a_policy_without_the_default_algorithm_needs_a_list_or_a_registration() -> None:
    policy = Policy(algorithms={"ES256"})
    error = refusal({}, {}, policy)
    assert (error.found, error.expected) == (("ES256",), ("RS256",))
    meeting({}, {ALGORITHMS: ("ES256",)}, policy)
    meeting({"id_token_signed_response_alg": "ES256"}, {}, policy)
    nothing_known = ProviderMetadata(issuer=ISSUER)
    RelyingParty(provider=nothing_known, client=CLIENT, policy=policy, verifier=Believer())


# --- the method ----------------------------------------------------------------------------------

CHOOSING = evolve(CLIENT, token_endpoint_auth_method=None)
BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"


def chosen(*listed: str, before: AuthMethod | None = None) -> str:
    provider = evolve(PROVIDER, token_endpoint_auth_methods_supported=listed)
    rp = RelyingParty(
        provider=provider, client=CHOOSING, verifier=Believer(), auth_method_before=before
    )
    return rp.auth_method


@pytest.mark.parametrize(
    ("listed", "method"),
    [
        ((), BASIC),
        ((BASIC,), BASIC),
        ((POST, BASIC), BASIC),
        ((POST,), POST),
        (("private_key_jwt", POST, "none"), POST),
    ],
)
def test_how_a_secret_is_sent_is_chosen_by_the_metadata(
    listed: tuple[str, ...], method: str
) -> None:
    assert chosen(*listed) == method


@pytest.mark.parametrize(
    "listed", [("none",), ("private_key_jwt",), ("client_secret_jwt", "private_key_jwt", "none")]
)
def test_no_method_is_chosen_that_needs_another_credential_and_never_none(
    listed: tuple[str, ...],
) -> None:
    error = refusal({"token_endpoint_auth_method": None}, {METHODS: listed})
    assert (error.about, error.found, error.expected) == (METHODS, (BASIC, POST), listed)
    assert "token_endpoint_auth_method" in error.hint


def test_the_choice_stays_while_it_is_listed() -> None:
    bare = RelyingParty(
        provider=ProviderMetadata(issuer=ISSUER), client=CHOOSING, verifier=Believer()
    )

    def found(rp: RelyingParty, *listed: str) -> RelyingParty:
        provider = evolve(PROVIDER, token_endpoint_auth_methods_supported=listed)
        return rp.with_metadata(provider, NOT_TOLD)

    assert bare.auth_method == BASIC  # and it decides nothing
    first = found(bare, POST)
    assert first.auth_method == POST
    for listed in ((POST, BASIC), (BASIC, POST), ()):
        later = found(first, *listed)
        assert later.auth_method == POST
        assert found(later, BASIC, POST).auth_method == POST
        for twin in (copy.deepcopy(later), pickle.loads(pickle.dumps(later))):
            assert (twin, twin.auth_method) == (later, POST)
    assert found(first, BASIC).auth_method == BASIC
    assert found(found(first, BASIC), BASIC, POST).auth_method == BASIC


def test_what_is_set_is_not_chosen() -> None:
    registered = evolve(CHOOSING, token_endpoint_auth_method=POST)
    rp = RelyingParty(
        provider=PROVIDER, client=registered, verifier=Believer(), auth_method_before=BASIC
    )
    assert rp.auth_method == POST
    assert chosen(before="private_key_jwt") == BASIC


# --- what is not used ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "policy", "unused"),
    [
        ({}, {}, set[str]()),
        ({"redirect_uris": ()}, {}, {"authorization_endpoint"}),
        ({}, {"userinfo": "never"}, {"userinfo_endpoint"}),
        ({"id_token_signed_response_alg": "HS256"}, {}, {"jwks_uri"}),
        ({"id_token_signed_response_alg": "RS256"}, {}, set[str]()),
        (
            {"id_token_signed_response_alg": "HS256", "userinfo_signed_response_alg": "HS256"},
            {},
            {"jwks_uri"},
        ),
        (
            {"id_token_signed_response_alg": "HS256", "userinfo_signed_response_alg": "ES256"},
            {},
            set[str](),
        ),
    ],
)
def test_a_client_has_no_use_for_some_endpoints(
    client: dict[str, Any], policy: dict[str, Any], unused: set[str]
) -> None:
    registration: ClientRegistration = evolve(CLIENT, **client)
    assert unused_endpoints(registration, Policy(**policy)) == unused
