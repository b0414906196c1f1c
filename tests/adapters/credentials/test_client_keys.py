"""The client's own keys: loading, refusing, publishing, rotating."""

from __future__ import annotations

import asyncio
import pickle
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x448
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from oidc_adapters.credentials.client_keys import (
    AsyncSigner,
    ClientKey,
    ClientKeys,
    DecryptionKey,
    Signer,
)
from oidc_adapters.credentials.dpop import DpopKeys
from oidc_adapters.crypto import ClientDecrypter, CryptographyVerifier
from oidc_adapters.crypto.decryption_keys import public_members as decrypting_members
from oidc_adapters.crypto.private_keys import private_key_from_jwk, public_members
from oidc_adapters.testing.signing_keys import rsa_key
from oidc_core.jose.jwk import parse_jwk
from oidc_core.jose.key_set import parse_key_set
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import StoreFailure, UsageError
from oidc_core.wire.jsontypes import JsonObject, JsonValue
from tests.adapters.crypto.keys import EC, ED25519, KEYS, RSA, pem, private_jwk

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_adapters.crypto.content_keys import DecryptingKey
    from oidc_adapters.crypto.primitives import PrivateKey


def refused(jwk: JsonObject, alg: str | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        ClientKey.from_jwk(jwk, alg=alg)
    assert caught.value.code == "config_invalid"
    return caught.value


def refused_pem(text: str, alg: str, password: str | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        ClientKey.from_pem(text, alg=alg, password=password)
    assert caught.value.code == "config_invalid"
    return caught.value


@pytest.mark.parametrize(("alg", "key"), KEYS, ids=[alg for alg, _ in KEYS])
def test_a_key_out_of_pem_or_jwk_signs_what_its_public_key_verifies(
    alg: str, key: PrivateKey
) -> None:
    verifier = CryptographyVerifier()
    for loaded in (
        ClientKey.from_pem(pem(key), alg=alg),
        ClientKey.from_jwk(private_jwk(key), alg=alg),
        ClientKey.from_jwk(private_jwk(key, alg=alg, use="sig", key_ops=("sign",))),
    ):
        signer: Signer = loaded
        public = parse_jwk(signer.public_jwk())
        assert public.thumbprint == loaded.thumbprint == signer.kid == public.kid
        assert (signer.alg, public.alg, public.use) == (alg, alg, "sig")
        assert verifier.verifies(public, alg, b"a.b", signer.sign(b"a.b"))
        assert not verifier.verifies(public, alg, b"a.c", signer.sign(b"a.b"))


@pytest.mark.req("RFC7517-9.2-01", "RFC7638-3.2.1-01")
@pytest.mark.parametrize(("alg", "key"), KEYS, ids=[alg for alg, _ in KEYS])
def test_nothing_private_is_published_shown_or_pickled(alg: str, key: PrivateKey) -> None:
    loaded = ClientKey.from_jwk(private_jwk(key), alg=alg)
    names = {"kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"}
    assert set(loaded.public_jwk()) <= names
    assert repr(loaded) == f"ClientKey(alg={alg!r}, kid={loaded.kid!r})"
    assert repr(ClientKeys(loaded)) == f"ClientKeys({loaded.kid})"
    with pytest.raises(TypeError):
        pickle.dumps(loaded)


def test_a_key_can_be_named() -> None:
    assert ClientKey.from_pem(pem(ED25519), alg="EdDSA", kid="k").public_jwk()["kid"] == "k"
    assert ClientKey.from_jwk(private_jwk(ED25519, kid="own"), alg="EdDSA").kid == "own"
    assert ClientKey.from_jwk(private_jwk(ED25519, kid="own"), alg="EdDSA", kid="k").kid == "k"


def test_a_key_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text(pem(ED25519), encoding="ascii")
    assert ClientKey.from_pem(path, alg="EdDSA").thumbprint == (
        ClientKey.from_pem(pem(ED25519), alg="EdDSA").thumbprint
    )
    with pytest.raises(UsageError) as caught:
        ClientKey.from_pem(tmp_path / "absent.pem", alg="EdDSA")
    assert caught.value.code == "config_invalid"


def test_an_encrypted_key_needs_its_password() -> None:
    text = pem(ED25519, b"secret word")
    assert ClientKey.from_pem(text, alg="EdDSA", password="secret word").alg == "EdDSA"
    for password in (None, "another"):
        error = refused_pem(text, "EdDSA", password)
        assert "secret word" not in str(error)
    refused_pem(pem(ED25519), "EdDSA", "superfluous")


def test_what_is_no_private_key_is_refused() -> None:
    public = ED25519.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    refused_pem("", "RS256")
    refused_pem("no PEM", "RS256")
    refused_pem(public.decode(), "EdDSA")


@pytest.mark.parametrize(
    ("alg", "key"), [("ES384", EC["ES256"]), ("ES256", RSA), ("Ed448", ED25519), ("HS256", RSA),
                     ("none", RSA)],
)  # fmt: skip
def test_a_key_does_not_take_another_algorithm(alg: str, key: PrivateKey) -> None:
    assert refused_pem(pem(key), alg).about == "alg"


@pytest.mark.parametrize("bits", [1024, 1536])
def test_a_weak_key_is_refused_when_it_is_configured(bits: int) -> None:
    small = rsa.generate_private_key(public_exponent=65_537, key_size=bits)
    assert refused_pem(pem(small), "RS256").found == "key_too_small"
    assert refused(private_jwk(small), "RS256").found == "key_too_small"


def test_a_jwk_whose_public_and_private_members_differ_is_refused() -> None:
    other = ed25519.Ed25519PrivateKey.generate()
    error = refused(JsonObject({**private_jwk(ED25519), "x": private_jwk(other)["x"]}), "EdDSA")
    assert error.about == "client key"
    points = [private_jwk(ec.generate_private_key(ec.SECP256R1())) for _ in range(2)]
    refused(JsonObject({**points[0], "d": points[1]["d"]}), "ES256")


def test_a_public_or_symmetric_jwk_is_no_private_key() -> None:
    refused(public_members(ED25519), "EdDSA")
    refused(public_members(EC["ES256"]), "ES256")
    refused(JsonObject({"kty": "oct", "k": "AQAB"}), "HS256")
    refused(JsonObject({"kty": "OKP", "crv": "X25519", "x": "AA", "d": "AA"}), "EdDSA")
    refused(JsonObject({}), "RS256")
    with pytest.raises(UsageError) as caught:
        private_key_from_jwk(JsonObject({"kty": "oct", "k": "AQAB"}))
    assert caught.value.code == "config_invalid"


def test_a_jwk_is_for_its_own_algorithm_and_use() -> None:
    refused(private_jwk(RSA))
    refused(private_jwk(RSA, alg="RS256"), "PS256")
    refused(private_jwk(RSA, use="enc"), "RS256")
    refused(private_jwk(RSA, alg="ES256"), "ES256")


@pytest.mark.parametrize(
    "operations",
    [(), ("verify",), ("deriveKey",), ("encrypt", 5), "sign", "xsignx", 1, {"sign": 1}],
)
def test_a_key_for_other_operations_does_not_sign(operations: JsonValue) -> None:
    error = refused(private_jwk(ED25519, key_ops=operations), "EdDSA")
    assert error.about == "key_ops"


@pytest.mark.parametrize("operations", [None, ("sign",), ("verify", "sign"), ["sign"]])
def test_a_key_for_an_operation_that_signs_does(operations: Any) -> None:
    jwk = {**private_jwk(ED25519), "key_ops": operations}
    assert ClientKey.from_jwk(jwk, alg="EdDSA").public_jwk().get("key_ops") is None


@pytest.mark.parametrize("kid", [1_025 * "k", "a\nb", "\0"])
def test_a_name_that_no_assertion_may_carry_is_no_name_of_a_key(kid: str) -> None:
    refused(private_jwk(ED25519, kid=kid), "EdDSA")
    with pytest.raises(UsageError) as caught:
        ClientKey(ED25519, alg="EdDSA", kid=kid)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "kid")
    assert ClientKey(ED25519, alg="EdDSA", kid=1_024 * "k").kid == 1_024 * "k"


# --- several keys --------------------------------------------------------------------------------


def test_the_newest_key_signs_and_the_older_ones_stay_published() -> None:
    old = ClientKey.from_jwk(private_jwk(ED25519), alg="EdDSA", kid="old")
    fresh = ClientKey.from_jwk(private_jwk(ed25519.Ed25519PrivateKey.generate()), alg="EdDSA")
    es256 = ClientKey.from_jwk(private_jwk(EC["ES256"]), alg="ES256")
    keys = ClientKeys(fresh, old, es256)
    assert keys.for_alg("EdDSA") is fresh
    assert keys.for_alg("ES256") is es256
    published = parse_key_set(keys.public_jwks())
    assert [key.kid for key in published.keys] == [fresh.kid, "old", es256.kid]
    assert published.skipped == ()


def test_there_is_no_key_for_another_algorithm() -> None:
    keys = ClientKeys(ClientKey.from_jwk(private_jwk(ED25519), alg="EdDSA"))
    for alg in ("RS256", "Ed25519", ""):
        with pytest.raises(UsageError) as caught:
            keys.for_alg(alg)
        assert caught.value.code == "credential_missing"


def test_two_keys_do_not_share_a_name() -> None:
    key = ClientKey.from_jwk(private_jwk(ED25519), alg="EdDSA")
    with pytest.raises(UsageError) as caught:
        ClientKeys(key, key)
    assert caught.value.code == "config_invalid"


class RemoteKey:
    """A key service, as far as this test needs one."""

    def __init__(self, key: ClientKey) -> None:
        self._key = key
        self.alg = key.alg
        self.kid = key.kid

    def public_jwk(self) -> JsonObject:
        return self._key.public_jwk()

    async def sign(self, signing_input: bytes) -> bytes:
        await asyncio.sleep(0)
        return self._key.sign(signing_input)


def test_a_key_may_be_kept_elsewhere() -> None:
    local = ClientKey.from_jwk(private_jwk(ED25519), alg="EdDSA")
    keys: ClientKeys[AsyncSigner] = ClientKeys(RemoteKey(local))
    signature = asyncio.run(keys.for_alg("EdDSA").sign(b"a.b"))
    assert signature == local.sign(b"a.b")
    assert keys.public_jwks() == ClientKeys(local).public_jwks()


# --- keys that decrypt ---------------------------------------------------------------------------

DECRYPTING: list[tuple[DecryptingKey, str]] = [
    (rsa_key("decryption"), "RSA-OAEP-256"),
    (ec.derive_private_key(7, ec.SECP256R1()), "ECDH-ES"),
    (ec.derive_private_key(7, ec.SECP521R1()), "ECDH-ES+A256KW"),
    (X25519PrivateKey.from_private_bytes(32 * b"x"), "ECDH-ES+A128KW"),
]


def decryption_refused(load: Callable[[], object]) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load()
    assert caught.value.code == "config_invalid"
    return caught.value


def jwk_of(key: DecryptingKey, **members: JsonValue) -> JsonObject:
    if isinstance(key, X25519PrivateKey):
        d = b64url_encode(key.private_bytes_raw())
        return JsonObject({**decrypting_members(key), "d": d, **members})
    return private_jwk(key, **members)


def pem_of(key: DecryptingKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.mark.parametrize(("key", "alg"), DECRYPTING)
def test_a_decryption_key_is_loaded_out_of_pem_or_jwk(key: DecryptingKey, alg: str) -> None:
    for loaded in (
        DecryptionKey.from_pem(pem_of(key)),
        DecryptionKey.from_jwk(jwk_of(key)),
        DecryptionKey.from_jwk(jwk_of(key, use="enc", alg=alg)),
        DecryptionKey.from_jwk(jwk_of(key, alg=alg), alg=alg),
    ):
        assert loaded.fits(alg)
        assert loaded.kid == loaded.thumbprint
        named = {} if loaded.alg is None else {"alg": alg}
        expected = {**decrypting_members(key), "kid": loaded.kid, "use": "enc", **named}
        assert loaded.public_jwk() == expected
        assert repr(loaded) == f"DecryptionKey(alg={loaded.alg!r}, kid={loaded.kid!r})"
    assert DecryptionKey.from_jwk(jwk_of(key, kid="own")).kid == "own"
    assert DecryptionKey.from_jwk(jwk_of(key, kid="own"), kid="mine").kid == "mine"
    assert DecryptionKey.from_pem(pem_of(key), kid="mine", alg=alg).kid == "mine"


def test_the_thumbprint_of_x25519_is_that_of_rfc_8037() -> None:
    x = "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"  # appendix A.6
    digest = sha256(f'{{"crv":"X25519","kty":"OKP","x":"{x}"}}'.encode()).digest()
    key = DecryptionKey(DECRYPTING[3][0])
    own = str(key.public_jwk()["x"])
    assert key.thumbprint != b64url_encode(digest)
    said = f'{{"crv":"X25519","kty":"OKP","x":"{own}"}}'
    assert key.thumbprint == b64url_encode(sha256(said.encode()).digest())


@pytest.mark.parametrize(
    "alg", ["RS256", "RSA1_5", "RSA-OAEP", "dir", "A128KW", "PBES2-HS256+A128KW"]
)
def test_a_decryption_key_takes_no_algorithm_of_another_family(alg: str) -> None:
    key = ec.derive_private_key(7, ec.SECP256R1())
    assert decryption_refused(lambda: DecryptionKey(key, alg=alg)).about == "alg"


def test_a_decryption_key_with_an_algorithm_serves_no_other() -> None:
    key = DecryptionKey(ec.derive_private_key(7, ec.SECP256R1()), alg="ECDH-ES")
    assert key.fits("ECDH-ES")
    assert not key.fits("ECDH-ES+A128KW")


def test_what_is_no_decryption_key_is_refused(tmp_path: Path) -> None:
    weak = rsa_key("weak", 1024)
    assert decryption_refused(lambda: DecryptionKey(weak)).found == "key_too_small"
    decryption_refused(lambda: DecryptionKey.from_pem("no PEM"))
    decryption_refused(lambda: DecryptionKey.from_pem(pem(ED25519)))
    decryption_refused(lambda: DecryptionKey.from_jwk(private_jwk(ED25519)))
    decryption_refused(lambda: DecryptionKey.from_pem(tmp_path / "none.pem"))
    good = jwk_of(DECRYPTING[3][0])
    for changed in (
        {"d": None}, {"d": "AA"}, {"d": "+"}, {"x": "AAAA"}, {"use": "sig"}, {"use": 1}, {"kid": 1},
        {"alg": "RSA-OAEP"}, {"kty": "oct"},
    ):  # fmt: skip
        decryption_refused(partial(DecryptionKey.from_jwk, {**good, **changed}))
    named = jwk_of(DECRYPTING[3][0], alg="ECDH-ES")
    decryption_refused(lambda: DecryptionKey.from_jwk(named, alg="ECDH-ES+A128KW"))


def test_a_curve_that_only_signs_makes_no_decryption_key() -> None:
    """RFC 8812 §3.1."""
    key = EC["ES256K"]
    for load in (partial(DecryptionKey.from_pem, pem(key)), partial(DecryptionKey, key)):
        assert decryption_refused(load).found == "secp256k1"


@pytest.mark.parametrize("kid", [1_025 * "k", "k\n", "\0"])
def test_a_name_that_no_token_may_carry_is_no_name_of_a_key(kid: str) -> None:
    key = DECRYPTING[1][0]
    assert decryption_refused(lambda: DecryptionKey(key, kid=kid)).about == "kid"
    assert DecryptionKey(key, kid=1_024 * "k").kid == 1_024 * "k"


@pytest.mark.parametrize(
    "operations", [(), ("sign",), ("verify", "encrypt"), "sign", "xdecryptx", 1]
)
def test_a_key_for_other_operations_does_not_decrypt(operations: JsonValue) -> None:
    jwk = jwk_of(DECRYPTING[1][0], key_ops=operations)
    assert decryption_refused(lambda: DecryptionKey.from_jwk(jwk)).about == "key_ops"


@pytest.mark.parametrize(
    "operations", [None, ("decrypt",), ("sign", "unwrapKey"), ("deriveKey",), ("deriveBits",)]
)
def test_a_key_for_an_operation_that_decrypts_does(operations: JsonValue) -> None:
    jwk = jwk_of(DECRYPTING[1][0], key_ops=operations)
    assert DecryptionKey.from_jwk(jwk).fits("ECDH-ES")


@pytest.mark.parametrize("load", [partial(ClientKey.from_pem, alg="RS256"), DecryptionKey.from_pem])
def test_a_key_that_is_no_text_is_refused_without_being_quoted(
    load: Callable[..., object],
) -> None:
    """An environment variable with foreign octets comes with lone surrogates."""
    for broken in (partial(load, "canary\udcff"), partial(load, pem(RSA), password="canary\udcff")):
        error = decryption_refused(broken)
        assert (error.__cause__, error.__suppress_context__) == (None, True)
        assert "canary" not in f"{error!r}{error}{error.__context__!r}"


def test_an_encrypted_decryption_key_needs_its_password(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    sealed = serialization.BestAvailableEncryption(b"open")
    file.write_bytes(
        DECRYPTING[1][0].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed
        )
    )
    assert DecryptionKey.from_pem(file, password="open").fits("ECDH-ES")
    decryption_refused(lambda: DecryptionKey.from_pem(file))


def test_a_decryption_key_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(DecryptionKey(DECRYPTING[1][0]))


# --- one rule for a key, however it comes --------------------------------------------------------

NO_PRIVATE_KEYS: dict[str, Any] = {
    "none": None,
    "text": "a key",
    "octets": bytes(32),
    "a number": 5,
    "a list": [],
    "a JWK": private_jwk(ED25519),
    "a public RSA key": RSA.public_key(),
    "a public EC key": EC["ES256"].public_key(),
    "a public Ed25519 key": ED25519.public_key(),
    "X448": x448.X448PrivateKey.generate(),
    "a class": ed25519.Ed25519PrivateKey,
}
ONLY_SIGNING: dict[str, Any] = {
    "Ed25519": ED25519,
    "Ed448": ed448.Ed448PrivateKey.generate(),
    "secp256k1": EC["ES256K"],
}
ONLY_DECRYPTING: dict[str, Any] = {
    "X25519": X25519PrivateKey.generate(),
    "a public X25519 key": X25519PrivateKey.generate().public_key(),
}
WEAK: dict[str, Any] = {
    "RSA of 1024 bits": rsa_key("weak", 1024),
    "P-192": ec.generate_private_key(ec.SECP192R1()),
    "brainpool": ec.generate_private_key(ec.BrainpoolP256R1()),
}


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA", "ES256K", "Ed448"])
@pytest.mark.parametrize("name", [*NO_PRIVATE_KEYS, *ONLY_DECRYPTING, *WEAK])
def test_what_is_no_key_that_signs_is_refused_when_configured(name: str, alg: str) -> None:
    key = {**NO_PRIVATE_KEYS, **ONLY_DECRYPTING, **WEAK}[name]
    with pytest.raises(UsageError) as caught:
        ClientKey(key, alg=alg)
    assert caught.value.code == "config_invalid"


@pytest.mark.parametrize("name", [*NO_PRIVATE_KEYS, *ONLY_SIGNING, *WEAK])
@pytest.mark.parametrize("alg", [None, "RSA-OAEP-256", "ECDH-ES"])
def test_what_is_no_key_that_decrypts_is_refused_when_configured(
    name: str, alg: str | None
) -> None:
    key = {**NO_PRIVATE_KEYS, **ONLY_SIGNING, **WEAK}[name]
    with pytest.raises(UsageError) as caught:
        DecryptionKey(key, alg=alg)
    assert caught.value.code == "config_invalid"


@pytest.mark.parametrize("load", [ClientKey.from_pem, DecryptionKey.from_pem])
@pytest.mark.parametrize(
    "odd", [None, 5, b"", b"no PEM", "", [], {}, Path("/no/such"), Path("a\0b")]
)
def test_a_pem_is_text_octets_or_a_file(load: Any, odd: object) -> None:
    with pytest.raises(UsageError) as caught:
        load(odd, alg="ES256")
    assert (caught.value.code, caught.value.about) == ("config_invalid", "client key")


@pytest.mark.parametrize("odd", [5, b"password", ["password"]])
def test_a_password_is_text(odd: Any) -> None:
    for load in (ClientKey.from_pem, DecryptionKey.from_pem):
        with pytest.raises(UsageError) as caught:
            load(pem(RSA), alg="RS256", password=odd)
        assert (caught.value.code, caught.value.about) == ("config_invalid", "password")


def test_a_pem_may_be_octets() -> None:
    assert ClientKey.from_pem(pem(ED25519).encode(), alg="EdDSA").alg == "EdDSA"


JWKS_THAT_ARE_NONE: list[Any] = [
    None, "a", b"{}", 5, [], [("kty", "RSA")], {}, {"kty": None}, {1: 2}, {"kty": "RSA"},
    {"kty": "RSA", "n": 5, "e": "AQAB", "d": "AQAB"}, {"kty": "EC", "crv": ["P-256"]},
    {"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": {1}}, {"kty": ["RSA"]},
    {"kty": "RSA", "n": "AQ", "e": "AQ", "d": "AQ", "p": "AQ", "q": "AQ"},
    {"kty": "RSA", "n": "", "e": "", "d": "", "p": "", "q": ""},
    {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA", "key_ops": 5},
    {"kty": "OKP", "crv": "X448", "x": "AA", "d": "AA"}, {"kty": "oct", "k": "AA"},
]  # fmt: skip


@pytest.mark.parametrize("jwk", JWKS_THAT_ARE_NONE)
def test_what_is_no_private_jwk_is_refused_when_configured(jwk: Any) -> None:
    algs: list[Any] = [None, "RS256", "ES256", "EdDSA", "RSA-OAEP", 5]
    for load in (ClientKey.from_jwk, DecryptionKey.from_jwk):
        for alg in algs:
            with pytest.raises(UsageError) as caught:
                load(jwk, alg=alg)
            assert caught.value.code == "config_invalid"


@pytest.mark.parametrize("odd", [None, "a key", 5, b"", private_jwk(ED25519), object()])
def test_keys_are_keys(odd: Any) -> None:
    makers: list[Callable[[Any], object]] = [ClientKeys, DpopKeys, ClientDecrypter]
    for make in makers:
        with pytest.raises(UsageError) as caught:
            make(odd)
        assert caught.value.code == "config_invalid"


def test_keys_of_another_use_are_refused() -> None:
    decrypts: Any = DecryptionKey(X25519PrivateKey.generate())
    signs: Any = ClientKey(ED25519, alg="EdDSA")
    for make in (
        lambda: ClientKeys(decrypts),
        lambda: DpopKeys(decrypts),
        lambda: ClientDecrypter(signs),
    ):
        with pytest.raises(UsageError) as caught:
            make()
        assert caught.value.code == "config_invalid"


class Down:
    """A key service that is down, and does not know its keys by heart."""

    @property
    def alg(self) -> str:
        raise ConnectionError

    @property
    def kid(self) -> str:
        raise ConnectionError

    def public_jwk(self) -> JsonObject:
        raise ConnectionError

    def sign(self, signing_input: bytes) -> bytes:
        raise ConnectionError


@pytest.mark.parametrize(("make", "about"), [(ClientKeys, "client key"), (DpopKeys, "DPoP key")])
def test_a_key_service_that_is_down_is_a_store_that_fails(make: Any, about: str) -> None:
    with pytest.raises(StoreFailure) as caught:
        make(Down())
    assert (caught.value.code, caught.value.about) == ("store_unavailable", about)


def test_keys_that_cannot_be_published_are_a_store_that_fails() -> None:
    class Named(Down):
        @property
        def alg(self) -> str:
            return "EdDSA"

        @property
        def kid(self) -> str:
            return "named"

    keys = ClientKeys(Named())
    with pytest.raises(StoreFailure) as caught:
        keys.public_jwks()
    assert caught.value.code == "store_unavailable"


@pytest.mark.parametrize("make", [ClientKeys, DpopKeys])
def test_a_class_of_keys_is_no_key(make: Any) -> None:
    with pytest.raises(UsageError) as caught:
        make(Down)
    assert caught.value.code == "config_invalid"
