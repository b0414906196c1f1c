"""Good samples are accepted by this library, and by two that share no line with it.

joserfc and jwcrypto verify the signature with the published keys and decrypt with the client's;
joserfc judges the claims too, at the time of the sample.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings

from oidc_adapters.testing.encryption import recipient_of
from oidc_adapters.testing.samples import (
    CLIENT_ID,
    ENCRYPTION,
    ISSUER,
    NOW,
    TOKEN_KINDS,
    SampleKeySet,
    SignedToken,
    client_secret,
    decryption_key,
    judged,
)
from oidc_adapters.testing.signing import b64url, compact
from oidc_adapters.testing.strategies import TOKEN_ALGS, key_sets, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Peer = Callable[[SignedToken], Mapping[str, object]]


def peer(module: str) -> Any:
    """Return a module of a peer, which has no types here."""
    return pytest.importorskip(module, reason="the group of peers is needed")


JOSERFC_JWE: Final = peer("joserfc.jwe")
JOSERFC_JWK: Final = peer("joserfc.jwk")
JOSERFC_JWS: Final = peer("joserfc.jws")
JOSERFC_JWT: Final = peer("joserfc.jwt")
JWCRYPTO_JWE: Final = peer("jwcrypto.jwe")
JWCRYPTO_JWK: Final = peer("jwcrypto.jwk")
JWCRYPTO_JWS: Final = peer("jwcrypto.jws")

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")

LEEWAY: Final = 60
KINDS: Final = TOKEN_KINDS


def private_pem(token: SignedToken) -> bytes:
    """Return the client's private key, which the token was encrypted for."""
    private = decryption_key(token.key_seed).private
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def shared_key(token: SignedToken) -> bytes:
    """Return the key that the client's secret makes (OIDC Core §10.2)."""
    assert token.encryption is not None
    key = recipient_of(*token.encryption, (), client_secret(token.key_seed))
    assert isinstance(key, bytes)
    return key


# --- joserfc -------------------------------------------------------------------------------------


def by_joserfc(token: SignedToken) -> Mapping[str, object]:

    text = token.text
    if token.encryption is not None:
        agreed = token.encryption[0].startswith("ECDH")
        key = (
            JOSERFC_JWK.ECKey.import_key(private_pem(token))
            if agreed
            else JOSERFC_JWK.OctKey.import_key(shared_key(token))
        )
        plaintext = JOSERFC_JWE.decrypt_compact(text, key, algorithms=[*token.encryption]).plaintext
        assert plaintext is not None
        text = plaintext.decode()
    keys: Any = (
        JOSERFC_JWK.OctKey.import_key(client_secret(token.key_seed))
        if token.key is None
        else JOSERFC_JWK.KeySet.import_key_set(json.loads(json.dumps(token.published)))
    )
    claims: dict[str, Any] = json.loads(
        JOSERFC_JWS.deserialize_compact(text, keys, algorithms=[token.alg]).payload
    )
    nonce: Any = {"nonce": {"essential": True, "value": token.nonce}}
    JOSERFC_JWT.JWTClaimsRegistry(
        now=NOW,
        leeway=LEEWAY,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": CLIENT_ID},
        **(nonce if token.kind == "id_token" else {}),
    ).validate(claims)
    return claims


# --- jwcrypto ------------------------------------------------------------------------------------


def by_jwcrypto(token: SignedToken) -> Mapping[str, object]:

    text = token.text
    if token.encryption is not None:
        agreed = token.encryption[0].startswith("ECDH")
        key = (
            JWCRYPTO_JWK.JWK.from_pem(private_pem(token))
            if agreed
            else JWCRYPTO_JWK.JWK(kty="oct", k=b64url(shared_key(token)))
        )
        outer = JWCRYPTO_JWE.JWE(algs=[*token.encryption])
        outer.deserialize(text, key)
        text = outer.payload.decode()
    keys = (
        JWCRYPTO_JWK.JWK(kty="oct", k=b64url(client_secret(token.key_seed).encode()))
        if token.key is None
        else JWCRYPTO_JWK.JWKSet.from_json(json.dumps(token.published))
    )
    signed = JWCRYPTO_JWS.JWS()
    signed.allowed_algs = [token.alg]
    signed.deserialize(text, keys)
    claims: dict[str, object] = json.loads(signed.payload)
    return claims


PEERS: Final[dict[str, Peer]] = {"joserfc": by_joserfc, "jwcrypto": by_jwcrypto}


def accepted(token: SignedToken, by: str) -> bool:
    """Return whether a peer takes a token; any exception is a refusal."""
    with suppress(Exception):
        return PEERS[by](token) == token.draft.claims
    return False


# --- tokens --------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", TOKEN_ALGS)
@pytest.mark.parametrize("encryption", [None, ENCRYPTION])
def test_a_good_token_of_each_algorithm_is_accepted_by_all(
    alg: str, encryption: tuple[str, str] | None
) -> None:
    for kind in KINDS:
        token = SignedToken(kind=kind, alg=alg, encryption=encryption)

        assert judged(token) == ""
        for verify in PEERS.values():
            assert verify(token) == token.draft.claims


@settings(max_examples=12)
@given(tokens(kind=KINDS, valid=True) | tokens(kind=KINDS, valid=True, encrypted=True))
def test_a_token_that_is_called_good_is_accepted_by_all(token: SignedToken) -> None:
    assert (token.code, judged(token)) == ("", "")
    for verify in PEERS.values():
        assert verify(token) == token.draft.claims


@settings(max_examples=12)
@given(tokens(kind=KINDS, valid=False) | tokens(kind=KINDS, valid=False, encrypted=True))
def test_a_token_that_is_called_faulty_is_refused_with_its_code(token: SignedToken) -> None:
    assert token.code
    assert judged(token) == token.code


@pytest.mark.parametrize("by", PEERS)
def test_the_peers_do_judge(by: str) -> None:
    """Otherwise their consent would mean nothing."""
    assert accepted(SignedToken(), by)
    for fault in ("bad_signature", "stranger_under_known_kid", "alg_none", "unknown_kid"):
        assert not accepted(SignedToken(fault=fault), by), fault
    assert not accepted(SignedToken(encryption=ENCRYPTION, fault="jwe_damaged_tag"), by)


# --- key sets ------------------------------------------------------------------------------------


def verified_by_joserfc(key_set: SampleKeySet) -> bool:

    found = JOSERFC_JWK.KeySet.import_key_set(json.loads(key_set.document))
    return all(
        JOSERFC_JWS.deserialize_compact(text, found, algorithms=[alg]).payload == b"{}"
        for text, alg in signed_by_each(key_set)
    )


def verified_by_jwcrypto(key_set: SampleKeySet) -> bool:

    found = JWCRYPTO_JWK.JWKSet.from_json(key_set.document.decode())
    payloads: list[bytes] = []
    for text, alg in signed_by_each(key_set):
        signed = JWCRYPTO_JWS.JWS()
        signed.allowed_algs = [alg]
        signed.deserialize(text, found)
        payloads.append(signed.payload)
    return {*payloads} == {b"{}"}


def signed_by_each(key_set: SampleKeySet) -> list[tuple[str, str]]:
    """Sign something with each key of a set; return it with the algorithm."""
    texts: list[tuple[str, str]] = []
    for key in key_set.keys:
        header = {"alg": key.alg} if key.kid is None else {"alg": key.alg, "kid": key.kid}
        texts.append((compact(json.dumps(header).encode(), b"{}", key.signing_key), key.alg))
    return texts


@settings(max_examples=12)
@given(key_sets(valid=True))
def test_a_key_set_that_is_called_good_serves_all(key_set: SampleKeySet) -> None:
    assert (key_set.code, judged(key_set)) == ("", "")
    assert verified_by_jwcrypto(key_set)
    if all(key.named for key in key_set.keys):  # joserfc takes one key only of those without a name
        assert verified_by_joserfc(key_set)


@settings(max_examples=12)
@given(key_sets(valid=False))
def test_a_key_set_that_is_called_faulty_is_refused_with_its_code(key_set: SampleKeySet) -> None:
    assert key_set.code
    assert judged(key_set) == key_set.code
