"""Attacks on the keys and algorithms of a token, each tried on the whole path of an ID token."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING, Final, get_type_hints

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oidc_adapters.crypto import CryptographyVerifier, primitives, sign
from oidc_adapters.testing.signing import SigningKey, compact, public_pem, rendered
from oidc_core.jose.algorithms import ALGORITHMS, HMAC, half_hash
from oidc_core.jose.jws import VerifiedJws, verify, verify_mac
from oidc_core.jose.key_set import KeySet, parse_key_set
from oidc_core.machine.steps import Done
from oidc_core.model.demands import Demands
from oidc_core.model.policy import Policy
from oidc_core.operations.validation import validate
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, JsonValue
from tests.adapters.crypto.keys import EC, ED448
from tests.adapters.crypto.keys import ED25519 as ED
from tests.parties import NOW, RP, claims_for, refused, relying_party, with_keys
from tests.signing import mac_key, published, signed, signing_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_adapters.crypto.primitives import PrivateKey
    from oidc_core.endpoints.id_token import CheckedIdToken
    from oidc_core.model.relying_party import RelyingParty

DEMANDS: Final = Demands(nonce="n", started_at=NOW)
CLAIMS: Final = claims_for("n")
REGISTERED_MAC: Final = relying_party(client={"id_token_signed_response_alg": "HS256"})


def valid(token: str, keys: KeySet, rp: RelyingParty = RP) -> CheckedIdToken:
    step = with_keys(rp, validate(rp, token, DEMANDS, now=NOW, access_token="token"), keys)
    assert isinstance(step, Done)
    return step.result


def refusal(code: str, token: str, keys: KeySet, rp: RelyingParty = RP) -> None:
    refused(ProtocolViolation, code, lambda: valid(token, keys, rp))


# --- a public key as the secret of a MAC ---------------------------------------------------------


def public_octets(key: SigningKey) -> dict[str, bytes]:
    """Write a published key in every way that a library might take for a secret."""
    assert not isinstance(key.private, bytes)
    public = key.private.public_key()
    pem = public_pem(key)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    jwk = {name: str(value) for name, value in key.public_jwk().items()}
    written = json.dumps(jwk).encode()
    body = b"".join(pem.splitlines()[1:-1])
    ways = {
        "pem": pem,
        "pem without its last line feed": pem.rstrip(b"\n"),
        "pem with carriage returns": pem.replace(b"\n", b"\r\n"),
        "pem on one line": pem.replace(b"\n", b""),
        "pem after white space": b" \n" + pem,
        "pem after a byte order mark": b"\xef\xbb\xbf" + pem,
        "pem in UTF-16": pem.decode().encode("utf-16"),
        "pem without its frame": body,
        "der": der,
        "der in base64": b64encode(der),
        "der in base64url": urlsafe_b64encode(der),
        "der in hexadecimal": der.hex().encode(),
        "digest of der": hashlib.sha256(der).digest(),
        "jwk": written,
        "jwk, compact": json.dumps(jwk, separators=(",", ":")).encode(),
        "jwk, sorted": json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode(),
        "jwk set": json.dumps({"keys": [jwk]}).encode(),
        "thumbprint": published(key).keys[0].thumbprint.encode(),
        **{f"member {name}": value.encode() for name, value in jwk.items()},
        "octets of x or n": b64url_decode(jwk.get("x", jwk.get("n", "")).encode()),
        "empty": b"",
        "zeros": bytes(64),
    }
    if jwk["kty"] == "RSA":
        ways["pkcs 1"] = public.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    else:
        ways["point"] = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return ways


CONFUSED: Final = [
    pytest.param(signing_key(alg), octets, id=f"{alg}: {name}")
    for alg in ("RS256", "ES256")
    for name, octets in public_octets(signing_key(alg)).items()
]


def test_there_are_two_dozen_ways_to_write_each_key() -> None:
    assert len(CONFUSED) >= 48


@pytest.mark.parametrize(("key", "octets"), CONFUSED)
def test_a_public_key_is_no_secret(key: SigningKey, octets: bytes) -> None:
    """F01, F02: HMAC must be registered, and then takes this client's secret only."""
    for alg in sorted(HMAC):
        token = signed(CLAIMS, SigningKey(alg=alg, kid="k1", private=octets))
        refusal("alg_not_allowed", token, published(key))
        rp = relying_party(client={"id_token_signed_response_alg": alg})
        refusal("signature_invalid", token, published(key), rp)


def test_a_mac_with_the_right_secret_is_refused_where_none_is_registered() -> None:
    """F02."""
    token = signed(CLAIMS, mac_key())
    assert valid(token, KeySet(), REGISTERED_MAC).id_token.sub
    refusal("alg_not_allowed", token, published(signing_key()))


def test_a_symmetric_key_in_a_set_verifies_nothing() -> None:
    """F27, F28: not together with a good key either."""
    octets = b"s" * 64
    shared: dict[str, JsonValue] = {"kty": "oct", "kid": "k1", "k": b64url_encode(octets)}
    good = signing_key(kid="k2")
    keys = parse_key_set(JsonObject({"keys": (JsonObject(shared), *published(good).published)}))
    token = signed(CLAIMS, SigningKey(alg="HS256", kid="k1", private=octets))

    refusal("alg_not_allowed", token, keys)
    refusal("signature_invalid", token, keys, REGISTERED_MAC)
    refusal("key_not_public", signed(CLAIMS, kid="k1"), keys)
    assert valid(signed(CLAIMS, good), keys).id_token.sub


# --- an algorithm with the key of another --------------------------------------------------------


def signed_with(key: PrivateKey, alg: str, header_alg: str | None = None) -> str:
    """Sign a token with a key of the client's kind, which knows more curves."""
    header = rendered({"alg": header_alg or alg, "kid": "k1"})
    text = compact(header, rendered(CLAIMS), mac_key())
    signing_input = text.rpartition(".")[0]
    return f"{signing_input}.{b64url_encode(sign(key, alg, signing_input.encode()))}"


def set_of(key: PrivateKey, **members: str) -> KeySet:
    from oidc_adapters.crypto.private_keys import public_members

    published_key = JsonObject({**public_members(key), "kid": "k1", **members})
    return parse_key_set(JsonObject({"keys": (published_key,)}))


def accepting(*algs: str) -> RelyingParty:
    return relying_party(
        provider={"id_token_signing_alg_values_supported": algs},
        policy=Policy(algorithms=frozenset(algs)),
    )


def test_the_two_curves_of_eddsa_are_told_apart() -> None:
    """F25."""
    both = accepting("EdDSA", "Ed25519", "Ed448")
    for key, own, foreign in ((ED, "Ed25519", "Ed448"), (ED448, "Ed448", "Ed25519")):
        for alg in ("EdDSA", own):
            assert valid(signed_with(key, alg), set_of(key), both).id_token.sub
        refusal("key_alg_mismatch", signed_with(key, own, foreign), set_of(key), both)
        refusal("alg_not_allowed", signed_with(key, own), set_of(key), accepting(foreign))
        assert set_of(key, alg=foreign).skipped[0].code == "jwk_invalid"


def listing(*algorithms: str) -> RelyingParty:
    return relying_party(provider={"id_token_signing_alg_values_supported": algorithms})


def registering(alg: str) -> RelyingParty:
    return relying_party(
        provider={"id_token_signing_alg_values_supported": (alg,)},
        client={"id_token_signed_response_alg": alg},
    )


def test_secp256k1_serves_only_where_it_is_named() -> None:
    """F26: and then for its own algorithm only."""
    key = EC["ES256K"]
    token, keys = signed_with(key, "ES256K"), set_of(key)

    refusal("alg_not_allowed", token, keys)
    default = listing("ES256", "ES256K")
    refusal("alg_not_allowed", token, keys, default)
    assert valid(token, keys, accepting("ES256K")).id_token.sub
    registered = registering("ES256K")
    assert valid(token, keys, registered).id_token.sub
    both = accepting("ES256", "ES256K")
    refusal("key_alg_mismatch", signed_with(key, "ES256K", "ES256"), keys, both)
    refusal(
        "key_alg_mismatch",
        signed_with(EC["ES256"], "ES256", "ES256K"),
        set_of(EC["ES256"]),
        both,
    )


@pytest.mark.parametrize("alg", ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"])
def test_ml_dsa_serves_only_where_it_is_named(alg: str) -> None:
    """F35: and its key breaks no set; where the libraries lack it, no token counts as forged."""
    row = ALGORITHMS[alg, ""]
    pub, make = ml_dsa(alg) or (bytes(row.min_bits // 8), None)
    members = {"kty": "AKP", "alg": alg, "kid": "pq", "pub": b64url_encode(pub)}
    keys = parse_key_set(
        JsonObject({"keys": (JsonObject(members), *published(signing_key()).published)})
    )
    claims = {**CLAIMS, "at_hash": half_hash(alg, "", "token")}
    text = compact(rendered({"alg": alg, "kid": "pq"}), rendered(claims), mac_key())
    signing_input = text.rpartition(".")[0]
    signature = make(signing_input.encode()) if make else bytes(row.signature_length or 0)
    token = f"{signing_input}.{b64url_encode(signature)}"

    refusal("alg_not_allowed", token, keys)
    assert valid(signed(CLAIMS), keys).id_token.sub
    if make is None:
        refusal("alg_not_allowed", token, keys, accepting(alg))
        return
    for rp in (accepting(alg), registering(alg)):
        assert valid(token, keys, rp).id_token.sub


def ml_dsa(alg: str) -> tuple[bytes, Callable[[bytes], bytes]] | None:
    """Return a public key's octets and what signs with it, where the installed libraries can."""
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        private = getattr(mldsa, f"{alg.replace('-', '')}PrivateKey").generate()
    except (ImportError, UnsupportedAlgorithm):
        return None
    return private.public_key().public_bytes_raw(), private.sign


# --- signatures ----------------------------------------------------------------------------------

ED25519_ORDER: Final = 2**252 + 27742317777372353535851937790883648493


def test_an_eddsa_signature_with_a_larger_s_does_not_verify() -> None:
    """F24: S + L is congruent to S (RFC 8032 §5.1.7)."""
    token = signed_with(ED, "EdDSA")
    signing_input, _, signature = token.rpartition(".")
    octets = b64url_decode(signature.encode())
    larger = int.from_bytes(octets[32:], "little") + ED25519_ORDER
    forged = octets[:32] + larger.to_bytes(32, "little")
    rp = accepting("EdDSA")

    assert valid(token, set_of(ED), rp).id_token.sub
    refusal("signature_invalid", f"{signing_input}.{b64url_encode(forged)}", set_of(ED), rp)
    for r in (bytes(32), b"\1" + bytes(31), b"\xff" * 32):
        forged = r + octets[32:]
        refusal("signature_invalid", f"{signing_input}.{b64url_encode(forged)}", set_of(ED), rp)


def test_macs_are_compared_in_constant_time() -> None:
    """F29."""
    source = ast.parse(inspect.getsource(primitives.mac_verifier))
    called = [ast.unparse(node.func) for node in ast.walk(source) if isinstance(node, ast.Call)]

    assert called.count("compare_digest") == 1
    assert not [node for node in ast.walk(source) if isinstance(node, ast.Compare)]


def test_verifying_returns_what_holds_or_raises() -> None:
    """F30, F31: never nothing, never a value together with an error."""
    for function in (verify, verify_mac):
        assert get_type_hints(function)["return"] is VerifiedJws
    assert get_type_hints(CryptographyVerifier.verifies)["return"] is bool


def test_encryption_is_no_signature() -> None:
    """F34: to a client that registered no encryption, an encrypted token is not even a token."""
    inner = signed(CLAIMS)
    for token in (
        f"{b64url_encode(b'{}')}.a.b.{b64url_encode(inner.encode())}.c",
        f"{inner.split('.')[0]}..{inner}",
    ):
        refusal("jws_malformed", token, published(signing_key()))
    encrypted = f"{b64url_encode(rendered({'alg': 'RSA-OAEP', 'enc': 'A128GCM'}))}.a.b.c.d"
    refusal("encryption_unexpected", encrypted, published(signing_key()))
    three = signed(CLAIMS, alg="RSA-OAEP", enc="A128GCM")
    refusal("alg_not_allowed", three, published(signing_key()))
