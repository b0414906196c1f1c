"""Whole logins with encrypted ID tokens and UserInfo, and what happens where one side forgot."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.credentials.client_keys import DecryptionKey
from oidc_adapters.testing import FakeClient, FakeProvider
from oidc_core.endpoints import id_token
from oidc_core.endpoints.userinfo import check_userinfo, decrypted_userinfo
from oidc_core.jose.jws import JoseHeader, VerifiedJws
from oidc_core.model.client import ClientRegistration
from oidc_core.model.demands import Demands
from oidc_core.model.policy import DEFAULT_POLICY
from oidc_core.model.records import Tokens
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.jsontypes import JsonObject
from tests.encryption import P256, P384, P521, RSA, X25519
from tests.flows.rig import FAKE_CLIENT, SCOPE, Rig, honest_provider, new_rig
from tests.refreshing import refreshed as refresh_now

ID_TOKEN_SIGNED: Final = "id_token_signed_response_alg"
ID_TOKEN_ENCRYPTED: Final = "id_token_encrypted_response_alg"
USERINFO_SIGNED: Final = "userinfo_signed_response_alg"
USERINFO_ENCRYPTED: Final = "userinfo_encrypted_response_alg"
KINDS: Final = [
    ("RSA-OAEP", "A128CBC-HS256", RSA),
    ("RSA-OAEP-256", "A256GCM", RSA),
    ("ECDH-ES", "A128GCM", P256),
    ("ECDH-ES", "A256CBC-HS512", P521),
    ("ECDH-ES+A128KW", "A192GCM", X25519),
    ("ECDH-ES+A256KW", "A192CBC-HS384", P384),
    ("A128KW", "A128GCM", P256),
    ("A256GCMKW", "A256GCM", P256),
    ("dir", "A256CBC-HS512", P256),
]
ID_TOKEN: Final = {
    "id_token_encrypted_response_alg": "ECDH-ES",
    "id_token_encrypted_response_enc": "A128GCM",
}
USERINFO: Final = {
    "userinfo_encrypted_response_alg": "ECDH-ES",
    "userinfo_encrypted_response_enc": "A128GCM",
}


def encrypting_rig(
    registered: dict[str, Any],
    expected: dict[str, Any] | None = None,
    *,
    keys: tuple[DecryptionKey, ...] = (P256,),
    **settings: Any,
) -> Rig:
    """A client that registered something, and believes that it did, or that it did otherwise."""
    client = evolve(FAKE_CLIENT, jwks=(keys[0].public_jwk(),), **registered)
    registration = ClientRegistration(
        client_id=client.client_id,
        redirect_uris=client.redirect_uris,
        post_logout_redirect_uris=client.post_logout_redirect_uris,
        scope=SCOPE,
        **(registered if expected is None else expected),
    )
    named: dict[str, Any] = {"registration": registration, "decryption_keys": keys, **settings}
    return new_rig(honest_provider(clients=(client,)), **named)


@pytest.mark.req("OIDCC-3.1.3.7-01a", "OIDCC-5.3.2-07", "OIDCC-5.3.4-01")
@pytest.mark.parametrize(("alg", "enc", "key"), KINDS)
@pytest.mark.parametrize("signed", ["EdDSA", "HS256", None])
def test_an_encrypted_login_and_its_refresh(
    alg: str, enc: str, key: DecryptionKey, signed: str | None
) -> None:
    registered = {
        "id_token_encrypted_response_alg": alg,
        "id_token_encrypted_response_enc": enc,
        "userinfo_encrypted_response_alg": alg,
        "userinfo_encrypted_response_enc": enc,
        "userinfo_signed_response_alg": signed,
        "id_token_signed_response_alg": signed,
    }
    rig = encrypting_rig(registered, keys=(key,))

    logged_in = rig.log_in().logged_in
    stored: list[Tokens] = []
    refreshed = refresh_now(rig.client, logged_in.tokens, stored.append)

    assert logged_in.identity.subject == "alice"
    assert logged_in.userinfo is not None
    assert logged_in.userinfo.claims["email"] == "alice@op.example"
    note = f"decrypted: {alg} {enc}"
    evidence = (logged_in.evidence.id_token, logged_in.evidence.userinfo, refreshed.evidence)
    for each in evidence:
        assert each is not None
        assert each.notes == (note,)
        assert (each.checks[0].name, each.checks[0].verdict) == ("encryption", "passed")
    assert refreshed.claims_refreshed


@pytest.mark.req("OIDCC-3.1.2.1-14")
def test_what_is_kept_is_the_signed_token_and_serves_as_a_hint() -> None:
    """OIDC Core §3.1.2.1: a hint is not encrypted for the client."""
    rig = encrypting_rig(ID_TOKEN)

    tokens = rig.log_in().logged_in.tokens

    assert tokens.id_token.count(".") == 2
    redirect = rig.client.start_logout(tokens)
    assert rig.provider.end_session(redirect.url, rig.clock.now()) is not None


def test_without_encryption_the_evidence_says_so() -> None:
    logged_in = new_rig().log_in().logged_in
    for evidence in (logged_in.evidence.id_token, logged_in.evidence.userinfo):
        assert evidence is not None
        assert evidence.checks[0].verdict == "skipped"
        assert evidence.checks[0].reason == "not registered as encrypted"
        assert evidence.notes == ()


@pytest.mark.req("OIDCC-3.1.3.7-01b", "OIDCC-5.3.2-05")
@pytest.mark.parametrize(
    ("registered", "expected", "code", "member"),
    [
        (ID_TOKEN, {}, "encryption_unexpected", ID_TOKEN_ENCRYPTED),
        ({}, ID_TOKEN, "encryption_missing", ID_TOKEN_ENCRYPTED),
        (
            ID_TOKEN,
            {**ID_TOKEN, ID_TOKEN_ENCRYPTED: "ECDH-ES+A128KW"},
            "encryption_mismatch",
            ID_TOKEN_ENCRYPTED,
        ),
        (
            ID_TOKEN,
            {**ID_TOKEN, "id_token_encrypted_response_enc": "A256GCM"},
            "encryption_mismatch",
            ID_TOKEN_ENCRYPTED,
        ),
        (USERINFO, {}, "content_type_unexpected", USERINFO_ENCRYPTED),
        ({USERINFO_SIGNED: "EdDSA"}, {}, "content_type_unexpected", USERINFO_SIGNED),
        (
            {**USERINFO, USERINFO_SIGNED: "EdDSA"},
            {},
            "content_type_unexpected",
            USERINFO_ENCRYPTED,
        ),
        ({}, USERINFO, "content_type_unexpected", USERINFO_ENCRYPTED),
        ({}, {USERINFO_SIGNED: "EdDSA"}, "content_type_unexpected", USERINFO_SIGNED),
        ({**USERINFO, USERINFO_SIGNED: "EdDSA"}, USERINFO, "cty_unexpected", USERINFO_SIGNED),
        (USERINFO, {**USERINFO, USERINFO_SIGNED: "EdDSA"}, "signature_missing", USERINFO_SIGNED),
        ({USERINFO_SIGNED: "EdDSA"}, USERINFO, "encryption_missing", USERINFO_ENCRYPTED),
        (USERINFO, {USERINFO_SIGNED: "EdDSA"}, "encryption_unexpected", USERINFO_ENCRYPTED),
        (
            {USERINFO_SIGNED: "EdDSA"},
            {USERINFO_SIGNED: "RS256"},
            "alg_not_allowed",
            USERINFO_SIGNED,
        ),
        ({ID_TOKEN_SIGNED: "HS256"}, {}, "alg_not_allowed", ID_TOKEN_SIGNED),
        (
            {ID_TOKEN_SIGNED: "EdDSA"},
            {ID_TOKEN_SIGNED: "RS256"},
            "alg_not_allowed",
            ID_TOKEN_SIGNED,
        ),
    ],
)
def test_what_the_two_sides_disagree_on_is_named_by_the_member_to_set(
    registered: dict[str, Any], expected: dict[str, Any], code: str, member: str
) -> None:
    """X13, X14."""
    policy = evolve(DEFAULT_POLICY, userinfo="required")
    rig = encrypting_rig(registered, expected, policy=policy)

    with pytest.raises(OidcError) as caught:
        rig.log_in()

    error = caught.value
    assert (error.code, error.about) == (code, member)
    assert (error.kind, error.retryable) == ("configuration", "no")
    assert member in error.hint


def test_a_key_that_was_never_published_decrypts_nothing() -> None:
    rig = encrypting_rig(ID_TOKEN, keys=(P256,))
    other = evolve_client(rig.provider, DecryptionKey(P384.private, kid="p-256"))
    rig.provider.clients = (other,)

    with pytest.raises(OidcError) as caught:
        rig.log_in()

    assert caught.value.code == "decryption_failed"


def evolve_client(provider: FakeProvider, key: DecryptionKey) -> FakeClient:
    return evolve(provider.clients[0], jwks=(key.public_jwk(),))


def test_an_older_key_still_decrypts_while_it_is_rotated_out() -> None:
    newer = DecryptionKey(P256.private, kid="older than it was")
    registered = {**ID_TOKEN}
    rig = encrypting_rig(registered, keys=(P384, newer))
    rig.provider.clients = (evolve_client(rig.provider, newer),)

    assert rig.log_in().logged_in.identity.subject == "alice"


def test_registered_encryption_needs_keys_when_it_is_configured() -> None:
    with pytest.raises(UsageError) as caught:
        encrypting_rig(ID_TOKEN, keys=(RSA,))
    assert caught.value.code == "credential_missing"


def test_a_relying_party_without_a_decrypter_cannot_be_configured_for_encryption() -> None:
    rp = encrypting_rig(ID_TOKEN).client.rp
    with pytest.raises(UsageError) as caught:
        evolve(rp, decrypter=None)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "decrypter")
    without = evolve(new_rig().client.rp, decrypter=None)
    assert without.protection["id_token"].encryption is None


def test_the_rules_themselves_refuse_what_did_not_go_that_way() -> None:
    """A client refuses a token that was verified without having been decrypted."""
    rp = encrypting_rig({**ID_TOKEN, **USERINFO, "userinfo_signed_response_alg": "EdDSA"}).client.rp
    jws = VerifiedJws(JoseHeader("EdDSA", None, "", ()), b"{}", None, 0, None)
    claims = JsonObject({"sub": "alice"})
    expected = id_token.Expected(Demands(nonce="n", started_at=0))

    for of, check in (
        ("id_token", lambda: id_token.check(rp, jws, claims, expected, raw="")),
        ("userinfo", lambda: check_userinfo(rp, claims, sub="alice", jws=jws, now=0)),
        ("userinfo", lambda: check_userinfo(rp, claims, sub="alice", jws=None, now=0)),
    ):
        with pytest.raises(OidcError) as caught:
            check()
        assert (caught.value.code, caught.value.of) == ("encryption_missing", of)
        assert caught.value.expected == "ECDH-ES A128GCM"


def test_userinfo_that_was_not_registered_as_encrypted_is_not_decrypted() -> None:
    with pytest.raises(UsageError) as caught:
        decrypted_userinfo(new_rig().client.rp, "a.b.c.d.e")
    assert caught.value.code == "config_invalid"
