"""DPoP keys by thumbprint, and the memory of servers' nonces."""

import copy
import json
import pickle
from typing import Any, Final

import pytest
from attrs import evolve
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oidc_adapters.credentials.client_keys import ClientKey
from oidc_adapters.credentials.dpop import REMEMBERED, DpopKeys, DpopNonces
from oidc_adapters.testing.signing_keys import rsa_key
from oidc_core.jose.jwk import parse_jwk
from oidc_core.machine.dpop import proof_of, with_proof
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import DpopProof, HttpRequest, HttpResponse, NoAnswer, Role
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.way import Way
from tests.parties import CLIENT_ID, ISSUER, NOW, OTHER_ISSUER

ONE: Final = ClientKey(generate_private_key(SECP256R1()), alg="ES256", kid="one")
OTHER: Final = ClientKey(Ed25519PrivateKey.generate(), alg="Ed25519", kid="other")


class ForeignKey:
    """A key service, and what it publishes."""

    kid = "foreign"

    def __init__(self, published: dict[str, Any], alg: str = "ES256") -> None:
        self.alg = alg
        self._published = JsonObject(published)

    def public_jwk(self) -> JsonObject:
        return self._published

    def sign(self, signing_input: bytes) -> bytes:
        return b""


def request_to(
    url: str = f"{ISSUER}/token",
    *,
    issuer: str = ISSUER,
    role: Role = "authorization_server",
    thumbprint: str = "t",
) -> HttpRequest:
    request = HttpRequest(
        purpose="token",
        method="POST",
        url=url,
        way=Way(),
        headers=(),
        issuer=issuer,
        client_id=CLIENT_ID,
        role=role,
        resend="never",
        max_body=1,
    )
    return with_proof(request, thumbprint)


def answer(*nonces: str, status: int = 200) -> HttpResponse:
    return HttpResponse(status, tuple([("dpop-nonce", nonce) for nonce in nonces]), b"", NOW)


def newest(nonces: DpopNonces, request: HttpRequest) -> str | None:
    proof = proof_of(request)
    assert proof is not None
    return nonces.newest(request, proof)


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [ONE, OTHER])
def test_a_key_is_found_by_its_thumbprint_with_the_header_of_its_proofs(key: ClientKey) -> None:
    found = DpopKeys(ONE, OTHER).find(key.thumbprint)
    public = {n: v for n, v in key.public_jwk().items() if n not in {"kid", "alg", "use"}}

    assert found.key is key
    assert json.loads(b64url_decode(found.header.encode())) == {
        "typ": "dpop+jwt", "alg": key.alg, "jwk": public
    }  # fmt: skip
    assert {*public} <= {"kty", "crv", "x", "y"}


@pytest.mark.req("RFC9449-4.2-01")
@pytest.mark.parametrize(
    ("alg", "members"),
    [
        ("ES256", {n: v for n, v in ONE.public_jwk().items() if n in {"kty", "crv", "x", "y"}}),
        ("Ed25519", {n: v for n, v in OTHER.public_jwk().items() if n in {"kty", "crv", "x"}}),
        ("PS256", {"kty": "RSA", "n": b64url_encode(b"\xff" * 256), "e": "AQAB"}),
        ("ML-DSA-44", {"kty": "AKP", "alg": "ML-DSA-44", "pub": b64url_encode(b"*" * 1_312)}),
    ],
)
def test_a_proof_shows_just_what_the_thumbprint_is_made_of(
    alg: str, members: dict[str, Any]
) -> None:
    """A server has to find the key by it, and no other member of a key service's gets out."""
    more = {"alg": alg, "use": "sig", "kid": "k", "x5c": ("AA",), "canary": "canary"}
    keys = DpopKeys(ForeignKey({**more, **members}, alg=alg))
    (thumbprint,) = keys.thumbprints
    shown = json.loads(b64url_decode(keys.find(thumbprint).header.encode()))["jwk"]

    assert shown == members
    assert parse_jwk(JsonObject(shown)).thumbprint == thumbprint


def test_keys_are_listed_by_thumbprint() -> None:
    keys = DpopKeys(ONE, OTHER)

    assert keys.thumbprints == (ONE.thumbprint, OTHER.thumbprint)
    assert repr(keys) == f"DpopKeys({ONE.thumbprint}, {OTHER.thumbprint})"


def test_the_same_key_is_not_given_twice_whatever_it_signs_with() -> None:
    private = rsa_key("dpop")
    twice = ClientKey(private, alg="RS256"), ClientKey(private, alg="PS256", kid="other")
    with pytest.raises(UsageError) as caught:
        DpopKeys(*twice)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "DPoP key")
    assert caught.value.found == (twice[0].thumbprint,) * 2


def test_an_unknown_thumbprint_is_missed() -> None:
    with pytest.raises(UsageError) as caught:
        DpopKeys(ONE).find(OTHER.thumbprint)
    assert (caught.value.code, caught.value.about) == ("credential_missing", "DPoP key")


@pytest.mark.req("RFC9449-4.2-01", "RFC9449-11.6-01")
@pytest.mark.parametrize(
    ("key", "found"),
    [
        (ForeignKey({**ONE.public_jwk(), "d": "AA"}), "key_not_public"),
        (ForeignKey({"kty": "oct", "k": "AAAA"}), "key_not_public"),
        (ForeignKey({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}), "jwk_invalid"),
        (ForeignKey({**ONE.public_jwk()}, alg="HS256"), "HS256"),
        (ForeignKey({**ONE.public_jwk()}, alg="none"), "none"),
        (ForeignKey({**ONE.public_jwk()}, alg="ES384"), "ES384"),
        (ForeignKey({**ONE.public_jwk(), "alg": None}, alg="ES384"), "ES384"),
        (ForeignKey({**ONE.public_jwk(), "alg": None}, alg="RS256"), "RS256"),
        (ForeignKey({**ONE.public_jwk(), "alg": None}, alg="HS256"), "HS256"),
    ],
)
def test_a_key_that_no_proof_may_be_signed_with_is_refused(key: ForeignKey, found: str) -> None:
    with pytest.raises(UsageError) as caught:
        DpopKeys(key)
    assert (caught.value.code, caught.value.found) == ("config_invalid", found)


def test_keys_are_not_pickled() -> None:
    for refuse in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            refuse(DpopKeys(ONE))


# --- nonces --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204, 400, 401, 503])
def test_a_nonce_is_taken_from_every_answer(status: int) -> None:
    nonces = DpopNonces()
    nonces.remember(request_to(), answer("n-1", status=status))

    assert newest(nonces, request_to()) == "n-1"
    assert repr(nonces) == "DpopNonces(1)"


@pytest.mark.parametrize(
    "other",
    [
        request_to("https://elsewhere.example/token"),
        request_to("https://op.example:8443/token"),
        request_to(issuer=OTHER_ISSUER),
        request_to(role="resource"),
    ],
)
def test_a_nonce_is_one_server_s(other: HttpRequest) -> None:
    nonces = DpopNonces()
    nonces.remember(request_to(), answer("n-1"))

    assert newest(nonces, other) is None


@pytest.mark.parametrize(
    "same",
    [
        request_to(f"{ISSUER}/par?x=1"),
        request_to("https://OP.example:443/token"),
        request_to(thumbprint="another"),
    ],
)
def test_a_nonce_is_good_for_the_whole_server(same: HttpRequest) -> None:
    nonces = DpopNonces()
    nonces.remember(request_to(), answer("n-1"))

    assert newest(nonces, same) == "n-1"


@pytest.mark.parametrize(
    "silent",
    [answer(), answer("a b"), answer("a", "b"), answer("x" * 1_025),
     NoAnswer("maybe", "http_timeout", NOW)],
)  # fmt: skip
def test_the_last_good_nonce_stays(silent: Any) -> None:
    """J17."""
    nonces = DpopNonces()
    nonces.remember(request_to(), answer("n-1"))
    nonces.remember(request_to(), answer("n-2"))
    nonces.remember(request_to(), silent)

    assert newest(nonces, request_to()) == "n-2"


def test_an_answer_to_a_request_without_a_proof_is_not_listened_to() -> None:
    nonces = DpopNonces()
    nonces.remember(evolve(request_to(), headers=()), answer("n-1"))

    assert newest(nonces, request_to()) is None


def test_the_memory_is_bounded_and_the_longest_silent_goes_first() -> None:
    nonces = DpopNonces()
    servers = [request_to(f"https://s{n}.example/token") for n in range(REMEMBERED + 1)]
    for server in servers[:-1]:
        nonces.remember(server, answer("n-1"))
    nonces.remember(servers[0], answer("n-2"))
    nonces.remember(servers[-1], answer("n-1"))

    assert repr(nonces) == f"DpopNonces({REMEMBERED})"
    assert newest(nonces, servers[0]) == "n-2"
    assert newest(nonces, servers[1]) is None
    assert newest(nonces, servers[-1]) == "n-1"


def test_a_nonce_is_no_part_of_what_prints() -> None:
    nonces = DpopNonces()
    nonces.remember(request_to(), answer("n-canary"))

    assert "canary" not in repr(nonces)
    assert isinstance(proof_of(request_to()), DpopProof)
