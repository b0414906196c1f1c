"""Signatures and MACs behind the verification port."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

from oidc_adapters.crypto import CryptographyVerifier, check_mac_secret, primitives, sign, sign_mac
from oidc_adapters.crypto.private_keys import public_members
from oidc_adapters.crypto.verification import REMEMBERED
from oidc_core.jose.algorithms import ALGORITHMS, HMAC
from oidc_core.jose.jwk import Jwk, parse_jwk
from oidc_core.jose.jws import JoseHeader, Recognised, SignatureVerifier
from oidc_core.jose.key_set import KeySet
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.jsontypes import JsonObject, frozen_json
from tests.unit.parties import Fickle, Unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from oidc_adapters.crypto.primitives import PrivateKey

ISSUER: Final = "https://op.example"
SECRET: Final = "s" * 64
INPUT: Final = b"eyJhbGciOiJ4In0.e30"
CASES: Final = sorted(
    name for name, row in ALGORITHMS.items() if row.alg not in HMAC and row.kty != "AKP"
)


@pytest.fixture(scope="module")
def private_keys() -> dict[str, PrivateKey]:
    """One key a shape, made for this run."""
    return {
        "": rsa.generate_private_key(public_exponent=65_537, key_size=2048),
        "P-256": ec.generate_private_key(ec.SECP256R1()),
        "P-384": ec.generate_private_key(ec.SECP384R1()),
        "P-521": ec.generate_private_key(ec.SECP521R1()),
        "secp256k1": ec.generate_private_key(ec.SECP256K1()),
        "Ed25519": ed25519.Ed25519PrivateKey.generate(),
        "Ed448": ed448.Ed448PrivateKey.generate(),
    }


@pytest.fixture
def verifier() -> CryptographyVerifier:
    return CryptographyVerifier({(ISSUER, "client"): SECRET, (ISSUER, "short"): "s" * 31})


def public(key: PrivateKey) -> Jwk:
    return parse_jwk(public_members(key))


@pytest.mark.parametrize(("alg", "crv"), CASES)
def test_a_signature_verifies_with_its_own_key_and_octets_only(
    alg: str, crv: str, private_keys: dict[str, PrivateKey], verifier: CryptographyVerifier
) -> None:
    port: SignatureVerifier = verifier
    key = public(private_keys[crv])
    signature = sign(private_keys[crv], alg, INPUT)
    for _ in range(2):  # once prepared, once remembered
        assert port.verifies(key, alg, INPUT, signature)
        assert not port.verifies(key, alg, INPUT + b"x", signature)
        assert not port.verifies(key, alg, INPUT, bytes([signature[0] ^ 1]) + signature[1:])
        assert not port.verifies(key, alg, INPUT, signature[:-1] + bytes([signature[-1] ^ 1]))


@pytest.mark.parametrize(("alg", "crv"), CASES)
def test_a_signature_of_another_length_does_not_verify(
    alg: str, crv: str, private_keys: dict[str, PrivateKey], verifier: CryptographyVerifier
) -> None:
    key = public(private_keys[crv])
    signature = sign(private_keys[crv], alg, INPUT)
    length = ALGORITHMS[alg, crv].signature_length or 256
    assert len(signature) == length
    for wrong in (b"", signature[:-1], signature + b"\0", b"\0" + signature, bytes(2 * length)):
        assert not verifier.verifies(key, alg, INPUT, wrong)


@pytest.mark.parametrize(("alg", "crv"), CASES)
def test_no_signature_verifies_under_another_algorithm(
    alg: str, crv: str, private_keys: dict[str, PrivateKey], verifier: CryptographyVerifier
) -> None:
    signature = sign(private_keys[crv], alg, INPUT)
    eddsa = {"EdDSA", "Ed25519", "Ed448"}
    for other, shape in CASES:
        if other != alg and {other, alg} - eddsa:
            key = public(private_keys[shape])
            assert not verifier.verifies(key, other, INPUT, signature)


@pytest.mark.req("RFC8725-3.1-02")
@pytest.mark.parametrize("alg", ["none", "HS256", "ES256", "RS1", ""])
def test_a_key_verifies_nothing_with_an_algorithm_that_is_not_its_own(
    alg: str, private_keys: dict[str, PrivateKey], verifier: CryptographyVerifier
) -> None:
    key = public(private_keys[""])
    for signature in (b"", bytes(32), bytes(64), bytes(256)):
        assert not verifier.verifies(key, alg, INPUT, signature)


@pytest.mark.parametrize("salt", [0, 20, 31, 33, 64, 222])
def test_a_pss_salt_is_as_long_as_the_digest(
    salt: int, private_keys: dict[str, PrivateKey], verifier: CryptographyVerifier
) -> None:
    """F18."""
    key = private_keys[""]
    assert isinstance(key, rsa.RSAPrivateKey)
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=salt)
    signature = key.sign(INPUT, scheme, hashes.SHA256())
    assert not verifier.verifies(public(key), "PS256", INPUT, signature)


def test_a_pss_mask_uses_the_same_digest(
    private_keys: dict[str, PrivateKey], verifier: CryptographyVerifier
) -> None:
    """F18."""
    key = private_keys[""]
    assert isinstance(key, rsa.RSAPrivateKey)
    scheme = padding.PSS(padding.MGF1(hashes.SHA512()), salt_length=32)
    signature = key.sign(INPUT, scheme, hashes.SHA256())
    assert not verifier.verifies(public(key), "PS256", INPUT, signature)


@pytest.mark.parametrize("crv", ["P-256", "P-384", "P-521", "secp256k1"])
def test_a_der_signature_does_not_verify(
    crv: str, private_keys: dict[str, PrivateKey], verifier: CryptographyVerifier
) -> None:
    """F20."""
    key = private_keys[crv]
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    alg = next(alg for alg, curve in CASES if curve == crv)
    digest = {"P-384": hashes.SHA384(), "P-521": hashes.SHA512()}.get(crv, hashes.SHA256())
    der = key.sign(INPUT, ec.ECDSA(digest))
    assert not verifier.verifies(public(key), alg, INPUT, der)


def test_an_ecdsa_signature_of_zeros_or_the_order_does_not_verify(
    private_keys: dict[str, PrivateKey], verifier: CryptographyVerifier
) -> None:
    """F19."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    key = public(private_keys["P-256"])
    numbers = (0, 1, order - 1, order, order + 1, 2**256 - 1)
    for r in numbers:
        for s in numbers:
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
            assert not verifier.verifies(key, "ES256", INPUT, signature)


def test_both_forms_of_an_ecdsa_signature_verify_so_it_is_no_name(
    private_keys: dict[str, PrivateKey], verifier: CryptographyVerifier
) -> None:
    """F21."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    signature = sign(private_keys["P-256"], "ES256", INPUT)
    s = order - int.from_bytes(signature[32:], "big")
    other = signature[:32] + s.to_bytes(32, "big")
    assert verifier.verifies(public(private_keys["P-256"]), "ES256", INPUT, other)


def test_octets_that_are_no_key_verify_nothing(verifier: CryptographyVerifier) -> None:
    unchecked = Jwk(kty="EC", crv="P-256", material=(b"\1" * 32, b"\1" * 32))
    assert not verifier.verifies(unchecked, "ES256", INPUT, bytes(64))
    even = Jwk(kty="RSA", material=(b"\2" * 4, b"\2"))
    assert not verifier.verifies(even, "RS256", INPUT, bytes(4))


def test_what_the_backend_lacks_is_said_to_be_lacking_and_not_forged(
    monkeypatch: pytest.MonkeyPatch, verifier: CryptographyVerifier
) -> None:
    def lacking(*_: object) -> None:
        raise UnsupportedAlgorithm("ed448")

    monkeypatch.setattr(primitives, "verifier", lacking)
    key = Jwk(kty="OKP", crv="Ed448", material=(b"\x2a" * 57,))
    for _ in range(2):  # once looked for, once remembered
        with pytest.raises(ProtocolViolation) as caught:
            verifier.verifies(key, "Ed448", INPUT, bytes(114))
        assert (caught.value.code, caught.value.found) == ("alg_not_allowed", "Ed448")
    # The other curve of this name may be there.
    assert not verifier.verifies(key, "EdDSA", INPUT, bytes(114))


ML_DSA: Final = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]


def ml_dsa(alg: str) -> tuple[Jwk, bytes] | None:
    """Make a key of ML-DSA and sign with it; ``None`` where the installed libraries cannot."""
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        private = getattr(mldsa, f"{alg.replace('-', '')}PrivateKey").generate()
    except (ImportError, UnsupportedAlgorithm):
        return None
    pub = b64url_encode(private.public_key().public_bytes_raw())
    return parse_jwk(JsonObject({"kty": "AKP", "alg": alg, "pub": pub})), private.sign(INPUT)


@pytest.mark.parametrize("alg", ML_DSA)
def test_a_signature_of_ml_dsa_verifies_with_its_own_key_and_octets_only(
    alg: str, verifier: CryptographyVerifier
) -> None:
    made, other = ml_dsa(alg), ml_dsa(alg)
    if made is None or other is None:
        lacking(verifier, alg)
        return
    key, signature = made
    assert len(signature) == ALGORITHMS[alg, ""].signature_length
    for _ in range(2):  # once prepared, once remembered
        assert verifier.verifies(key, alg, INPUT, signature)
        assert not verifier.verifies(key, alg, INPUT + b"x", signature)
        assert not verifier.verifies(key, alg, INPUT, bytes([signature[0] ^ 1]) + signature[1:])
        for wrong in (b"", signature[:-1], signature + b"\0", b"\0" + signature):
            assert not verifier.verifies(key, alg, INPUT, wrong)
    assert not verifier.verifies(other[0], alg, INPUT, signature)
    for name in {*ML_DSA} - {alg}:
        assert not verifier.verifies(key, name, INPUT, signature)


def lacking(verifier: CryptographyVerifier, alg: str) -> None:
    row = ALGORITHMS[alg, ""]
    assert row.signature_length is not None
    key = Jwk(kty="AKP", alg=alg, material=(b"\x2a" * (row.min_bits // 8),))
    with pytest.raises(UnsupportedAlgorithm):
        primitives.verifier(row, key.material)
    with pytest.raises(ProtocolViolation) as caught:
        verifier.verifies(key, alg, INPUT, bytes(row.signature_length))
    assert (caught.value.code, caught.value.found) == ("alg_not_allowed", alg)


@pytest.mark.parametrize("alg", ML_DSA)
def test_where_ml_dsa_is_lacking_nothing_verifies_with_it(
    alg: str, monkeypatch: pytest.MonkeyPatch, verifier: CryptographyVerifier
) -> None:
    import cryptography.hazmat.primitives.asymmetric as package

    monkeypatch.delattr(package, "mldsa", raising=False)
    monkeypatch.setitem(sys.modules, f"{package.__name__}.mldsa", None)
    lacking(verifier, alg)


def test_prepared_keys_are_remembered_by_their_octets_and_no_more_than_64() -> None:
    verifier = CryptographyVerifier()
    names = [n.to_bytes(32, "little") for n in range(REMEMBERED + 10)]
    for x in names:
        key = Jwk(kty="OKP", crv="Ed25519", material=(x,))
        assert not verifier.verifies(key, "EdDSA", INPUT, bytes(64))
    assert len(verifier._prepared) == REMEMBERED
    last = Jwk(kty="OKP", crv="Ed25519", material=(names[-1],), kid="renamed")
    before = list(verifier._prepared)
    assert not verifier.verifies(last, "EdDSA", INPUT, bytes(64))
    assert list(verifier._prepared) == before


def test_threads_may_share_a_verifier(private_keys: dict[str, PrivateKey]) -> None:
    verifier = CryptographyVerifier()
    key, signature = public(private_keys["Ed25519"]), sign(private_keys["Ed25519"], "EdDSA", INPUT)
    strangers = [
        Jwk(kty="OKP", crv="Ed25519", material=(n.to_bytes(32, "little"),)) for n in range(2, 90)
    ]

    def work(_: int) -> bool:
        wrong = [verifier.verifies(other, "EdDSA", INPUT, signature) for other in strangers]
        return verifier.verifies(key, "EdDSA", INPUT, signature) and not any(wrong)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


# --- headers -------------------------------------------------------------------------------------


def recognised(kid: str) -> Recognised:
    key = Jwk(kty="OKP", crv="Ed25519", material=(b"\1" * 32,), kid=kid)
    return Recognised(JoseHeader(alg="EdDSA", kid=kid, typ="", ignored=()), key)


def test_a_header_is_recalled_with_the_very_key_set_it_was_remembered_with() -> None:
    verifier, keys, seen = CryptographyVerifier(), KeySet(), recognised("k1")
    assert verifier.recall(b"header", keys) is None

    verifier.remember(b"header", keys, seen)

    assert verifier.recall(b"header", keys) is seen
    assert verifier.recall(b"another", keys) is None
    assert verifier.recall(b"header", KeySet()) is None  # equal, but fetched again


def test_a_header_that_is_remembered_again_takes_nobodys_place() -> None:
    verifier, keys, fetched_again = CryptographyVerifier(), KeySet(), KeySet()
    names = [str(number).encode() for number in range(REMEMBERED)]
    for name in names:
        verifier.remember(name, keys, recognised(name.decode()))

    verifier.remember(names[-1], fetched_again, recognised("again"))

    assert all(verifier.recall(name, keys) for name in names[:-1])
    assert verifier.recall(names[-1], fetched_again) == recognised("again")


def test_the_newest_headers_are_remembered_and_no_more_than_64() -> None:
    verifier, keys = CryptographyVerifier(), KeySet()
    names = [str(number).encode() for number in range(REMEMBERED + 2)]
    for name in names:
        verifier.remember(name, keys, recognised(name.decode()))

    kept = [name for name in names if verifier.recall(name, keys) is not None]
    assert kept == names[2:]


# --- MACs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_mac_verifies_with_this_clients_secret_only(
    alg: str, verifier: CryptographyVerifier
) -> None:
    mac = sign_mac(SECRET, alg, INPUT)
    for _ in range(2):
        assert verifier.verifies_mac(ISSUER, "client", alg, INPUT, mac)
        assert not verifier.verifies_mac(ISSUER, "client", alg, INPUT + b"x", mac)
        assert not verifier.verifies_mac(ISSUER, "client", alg, INPUT, mac[:-1])
        assert not verifier.verifies_mac(ISSUER, "client", alg, INPUT, b"")
        for owner in ((ISSUER, "other"), ("https://other.example", "client")):
            with pytest.raises(UsageError) as caught:
                verifier.verifies_mac(*owner, alg, INPUT, mac)
            assert (caught.value.code, caught.value.about) == (
                "credential_missing",
                "client_secret",
            )
    other = sign_mac("t" * 64, alg, INPUT)
    assert not verifier.verifies_mac(ISSUER, "client", alg, INPUT, other)


@pytest.mark.parametrize("alg", ["RS256", "none", "HS1", ""])
def test_only_hmac_makes_macs(alg: str, verifier: CryptographyVerifier) -> None:
    for operation in (
        lambda: verifier.verifies_mac(ISSUER, "client", alg, INPUT, bytes(32)),
        lambda: verifier.check_mac(ISSUER, "client", alg),
        lambda: check_mac_secret(alg, SECRET),
    ):
        with pytest.raises(UsageError) as caught:
            operation()
        assert (caught.value.code, caught.value.about) == ("config_invalid", "alg")


@pytest.mark.parametrize(("alg", "octets"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_has_as_many_octets_as_the_digest(alg: str, octets: int) -> None:
    """F03."""
    check_mac_secret(alg, "s" * octets)
    check_mac_secret(alg, "é" * (octets // 2))
    for secret in ("s" * (octets - 1), "", "é" * (octets // 2 - 1)):
        with pytest.raises(UsageError) as caught:
            check_mac_secret(alg, secret)
        assert (caught.value.code, caught.value.about) == ("config_invalid", "client_secret")


@pytest.mark.parametrize(
    ("client_id", "alg", "code"),
    [
        ("short", "HS256", "config_invalid"),
        ("short", "HS512", "config_invalid"),
        ("unknown", "HS256", "credential_missing"),
    ],
)
def test_a_short_or_missing_secret_is_the_callers_fault_and_makes_no_mac(
    client_id: str, alg: str, code: str, verifier: CryptographyVerifier
) -> None:
    """F03: the token is not to blame for it, so it does not violate the protocol."""
    mac = primitives.mac_signer(ALGORITHMS[alg, ""], b"s" * 31)(INPUT)
    for operation in (
        lambda: verifier.verifies_mac(ISSUER, client_id, alg, INPUT, mac),
        lambda: verifier.check_mac(ISSUER, client_id, alg),
    ):
        with pytest.raises(UsageError) as caught:
            operation()
        assert (caught.value.code, caught.value.about) == (code, "client_secret")


def test_a_secret_that_opens_to_a_shorter_one_later_is_refused_then() -> None:
    kept = [SECRET]
    verifier = CryptographyVerifier({(ISSUER, "client"): lambda: kept[-1]})
    verifier.check_mac(ISSUER, "client", "HS256")
    kept.append("short")
    with pytest.raises(UsageError) as caught:
        verifier.verifies_mac(ISSUER, "client", "HS256", INPUT, bytes(32))
    assert (caught.value.code, caught.value.found) == ("config_invalid", 40)


def test_a_verifier_shows_and_pickles_no_secret(verifier: CryptographyVerifier) -> None:
    assert repr(verifier) == "CryptographyVerifier(client_secrets=2)"
    with pytest.raises(TypeError):
        pickle.dumps(verifier)


# --- importing -----------------------------------------------------------------------------------


def test_importing_the_adapters_does_not_load_cryptography() -> None:
    script = (
        "import sys, oidc_adapters.crypto, oidc_adapters.credentials.client_keys\n"
        "oidc_adapters.crypto.CryptographyVerifier()\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'cryptography'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.strip() == "[]"


# --- known vectors -------------------------------------------------------------------------------


def test_the_signatures_of_rfc_7515_and_rfc_8037(
    vectors: Path, verifier: CryptographyVerifier
) -> None:
    cases = json.loads((vectors / "rfc7515_appendix_a.json").read_bytes())["cases"]
    cases.append(json.loads((vectors / "rfc_small_examples.json").read_bytes())["rfc8037"])
    verified = 0
    for case in cases:
        jwk = frozen_json(case.get("jwk"))
        if not isinstance(jwk, JsonObject) or jwk["kty"] not in {"RSA", "EC", "OKP"}:
            continue
        signing_input, _, signature = case["jws"].encode().rpartition(b".")
        alg = json.loads(b64url_decode(signing_input.partition(b".")[0]))["alg"]
        key = parse_jwk(jwk)
        assert verifier.verifies(key, alg, signing_input, b64url_decode(signature))
        assert not verifier.verifies(key, alg, signing_input + b"x", b64url_decode(signature))
        verified += 1
    assert verified == 4


def test_wycheproof_signatures_with_checked_keys(
    vectors: Path, verifier: CryptographyVerifier
) -> None:
    """F17, F18: where the key is taken and the parts decode, the signature alone decides."""
    document = json.loads((vectors / "wycheproof_json_web_signature_test.json").read_bytes())
    seen = {"valid": 0, "invalid": 0}
    for group in document["testGroups"]:
        jwk = frozen_json(group.get("public"))
        if not isinstance(jwk, JsonObject) or jwk.get("use") == "enc":
            continue
        key = parse_jwk(JsonObject({**jwk, "key_ops": None, "alg": None}))
        for row in group["tests"]:
            held = _held(row["jws"], key, verifier)
            if held is None or row["tcId"] in {367, 370}:
                continue
            if row["result"] == "valid":
                assert held, row["tcId"]
                seen["valid"] += 1
            elif "ModifiedPadding" in row["flags"] or "ModifiedSignature" in row["flags"]:
                assert not held, row["tcId"]
                seen["invalid"] += 1
    assert seen["valid"] > 20
    assert seen["invalid"] == 213 + 45


def _held(jws: object, key: Jwk, verifier: CryptographyVerifier) -> bool | None:
    """Return whether the signature is valid, or ``None`` if the check ends before that."""
    if not isinstance(jws, str) or jws.count(".") != 2:
        return None
    signing_input, _, signature = jws.encode().rpartition(b".")
    try:
        alg = json.loads(b64url_decode(signing_input.partition(b".")[0]))["alg"]
        octets = b64url_decode(signature)
    except (ProtocolViolation, ValueError):
        return None
    return verifier.verifies(key, alg, signing_input, octets)


def test_a_secret_that_is_opened_is_opened_for_each_mac_and_kept_nowhere() -> None:
    opened = iter(["o" * 64, SECRET, SECRET, ""])
    verifier = CryptographyVerifier({(ISSUER, "client"): lambda: next(opened)})
    mac = sign_mac(SECRET, "HS256", INPUT)

    verified = [verifier.verifies_mac(ISSUER, "client", "HS256", INPUT, mac) for _ in range(3)]
    assert verified == [False, True, True]
    assert not verifier._prepared
    with pytest.raises(UsageError) as refusal:
        verifier.verifies_mac(ISSUER, "client", "HS256", INPUT, mac)
    assert (refusal.value.code, refusal.value.about) == ("config_invalid", "client_secret")


@pytest.mark.parametrize("odd", [Unreadable(), Fickle({5: "s"}, {}), Fickle({("i", "c"): 5}, {})])
def test_secrets_that_cannot_be_read_or_are_none_are_refused(odd: Any) -> None:
    with pytest.raises(UsageError) as caught:
        CryptographyVerifier(odd)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "client_secrets")


def test_secrets_are_read_once() -> None:
    odd: Any = Fickle({("issuer", "client"): SECRET}, {5: 5})
    assert repr(CryptographyVerifier(odd))
