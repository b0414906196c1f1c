"""Decryption with the client's own keys: every algorithm, rotation, and failures without a name."""

from __future__ import annotations

import hmac
import pickle
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from oidc_adapters.credentials.client_keys import DecryptionKey
from oidc_adapters.crypto import ClientDecrypter
from oidc_adapters.crypto.content_keys import derived_from_secret
from oidc_adapters.crypto.decryption import MAX_CANDIDATES, opener_for
from oidc_adapters.testing.encryption import ENCRYPTION_ALGS, ENCRYPTION_ENCS
from oidc_adapters.testing.signing_keys import rsa_key
from oidc_core.jose.encryption import SYMMETRIC
from oidc_core.jose.jwe import (
    EphemeralKey,
    Jwe,
    JweHeader,
    parse_jwe_header,
    split,
)
from oidc_core.jose.jws import Encryption
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import OidcError, UsageError
from tests.encryption import P256, P384, P521, RSA, X25519, draft, encrypted
from tests.parties import CLIENT_ID, ISSUER, refused
from tests.signing import SECRET
from tests.unit.parties import Fickle, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

OWNER: Final[tuple[str, str]] = (ISSUER, CLIENT_ID)
SECRETS: Final[dict[tuple[str, str], str]] = {OWNER: SECRET}
TYPES: Final = frozenset({""})
PLAINTEXT: Final = b"a.b.c" * 20
OAEP: Final = Encryption("RSA-OAEP-256", "A128GCM")
ECDH: Final = Encryption("ECDH-ES+A128KW", "A128GCM")
ECDH_DIRECT: Final = Encryption("ECDH-ES", "A128GCM")
DIR: Final = Encryption("dir", "A128GCM")
CBC: Final = Encryption("dir", "A128CBC-HS256")
GCMKW: Final = Encryption("A128GCMKW", "A128GCM")


def only(secret: str) -> dict[tuple[str, str], str]:
    """Return the secret of the one client."""
    return {OWNER: secret}


def jwe_of(token: str, encryption: Encryption) -> Jwe:
    protected, *encoded = split(token)
    header = parse_jwe_header(protected, encryption, TYPES, nested=True)
    return Jwe(header, protected, *map(b64url_decode, encoded))


def opened(jwe: Jwe, *keys: DecryptionKey) -> bytes | None:
    return ClientDecrypter(*keys, client_secrets=SECRETS).decrypt(*OWNER, jwe)


def made(encryption: Encryption, key: DecryptionKey = P256, **header: object) -> Jwe:
    return jwe_of(encrypted(PLAINTEXT, encryption, key, **header), encryption)


@pytest.mark.parametrize("enc", ENCRYPTION_ENCS)
@pytest.mark.parametrize("alg", ENCRYPTION_ALGS)
def test_every_algorithm_decrypts_what_another_implementation_encrypted(alg: str, enc: str) -> None:
    encryption = Encryption(alg, enc)
    key = RSA if alg.startswith("RSA") else P256

    assert opened(made(encryption, key), key) == PLAINTEXT


@pytest.mark.parametrize("alg", ["ECDH-ES", "ECDH-ES+A256KW"])
@pytest.mark.parametrize("key", [P256, P384, P521, X25519], ids=lambda key: key.kid)
def test_every_curve_serves_to_agree_on_a_key(key: DecryptionKey, alg: str) -> None:
    encryption = Encryption(alg, "A256CBC-HS512")

    assert opened(made(encryption, key), key) == PLAINTEXT


@pytest.mark.req("RFC7518-4.6-01")
def test_both_parties_names_enter_the_agreed_key() -> None:
    jwe = made(ECDH_DIRECT)

    for header in (jwe.header._replace(apu=b"Alice"), jwe.header._replace(apv=b"Bob")):
        assert opened(jwe._replace(header=header), P256) is None


# --- which key -----------------------------------------------------------------------------------


def fresh(number: int, kid: str, **named: str) -> DecryptionKey:
    return DecryptionKey(ec.derive_private_key(100 + number, ec.SECP256R1()), kid=kid, **named)


@pytest.mark.req("OIDCC-10.2.1-01")
def test_a_key_that_is_being_rotated_out_still_decrypts() -> None:
    old, new = fresh(1, "old"), fresh(2, "new")

    assert opened(made(ECDH, old, kid="old"), new, old) == PLAINTEXT
    assert opened(made(ECDH, new, kid="new"), new, old) == PLAINTEXT
    assert opened(made(ECDH, old), new, old) == PLAINTEXT
    assert opened(made(ECDH, old, kid="unknown"), new, old) == PLAINTEXT


def test_a_key_that_is_named_is_the_only_one_tried() -> None:
    old, new = fresh(1, "old"), fresh(2, "new")

    assert opened(made(ECDH, old, kid="new"), new, old) is None


def test_a_key_of_another_algorithm_does_not_serve_however_it_is_named() -> None:
    other = fresh(1, "k", alg="ECDH-ES")

    assert opened(made(ECDH, fresh(1, "k"), kid="k"), other) is None
    assert opened(made(ECDH, RSA_AS_EC, kid="rsa"), RSA) is None


RSA_AS_EC: Final = fresh(9, "rsa")


def test_only_a_few_keys_are_tried() -> None:
    keys = [fresh(number, str(number)) for number in range(MAX_CANDIDATES + 1)]

    assert opened(made(ECDH, keys[MAX_CANDIDATES - 1]), *keys) == PLAINTEXT
    assert opened(made(ECDH, keys[MAX_CANDIDATES]), *keys) is None
    assert opened(made(ECDH, keys[MAX_CANDIDATES], kid=str(MAX_CANDIDATES)), *keys) == PLAINTEXT
    many = ClientDecrypter(*keys)
    error = refused(UsageError, "config_invalid", lambda: many.check(*OWNER, ECDH))
    assert error.expected == "1 to 4 keys for ECDH-ES+A128KW"
    ClientDecrypter(*keys[1:]).check(*OWNER, ECDH)


def test_two_keys_of_one_name_are_refused() -> None:
    keys = (fresh(1, "same"), fresh(2, "same"))
    refused(UsageError, "config_invalid", partial(ClientDecrypter, *keys))


def test_a_prepared_key_is_kept_and_bounded() -> None:
    decrypter = ClientDecrypter(
        P256, client_secrets={(ISSUER, str(at)): SECRET for at in range(70)} | SECRETS
    )
    jwe = jwe_of(draft(PLAINTEXT, DIR).encrypted(), DIR)
    for at in range(70):
        assert decrypter.decrypt(ISSUER, str(at), jwe) == PLAINTEXT
        assert decrypter.decrypt(ISSUER, str(at), jwe) == PLAINTEXT
    assert decrypter.decrypt(*OWNER, made(ECDH)) == PLAINTEXT
    assert decrypter.decrypt(*OWNER, made(ECDH)) == PLAINTEXT
    assert len(decrypter._prepared) == 64


# --- the client's secret -------------------------------------------------------------------------


@pytest.mark.req("OIDCC-10.2-02")
@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (16, "2bb80d537b1da3e38bd30361aa855686"),
        (32, "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"),
    ],
)
def test_a_secret_becomes_a_key_by_its_digest_cut_on_the_right(octets: int, expected: str) -> None:
    """OIDC Core §10.2, with the digest of FIPS 180 for "secret"."""
    assert derived_from_secret(b"secret", octets).hex() == expected
    assert [len(derived_from_secret(b"secret", size)) for size in (24, 48, 64)] == [24, 48, 64]


def test_a_secret_that_is_opened_is_opened_for_each_use_and_kept_nowhere() -> None:
    opened_ = iter([SECRET, "another" + SECRET, SECRET, SECRET])
    decrypter = ClientDecrypter(client_secrets={OWNER: lambda: next(opened_)})
    jwe = made(DIR)

    decrypter.check(*OWNER, DIR)
    assert [decrypter.decrypt(*OWNER, jwe) for _ in range(3)] == [None, PLAINTEXT, PLAINTEXT]
    assert not decrypter._prepared


def test_another_client_s_secret_decrypts_nothing() -> None:
    jwe = made(DIR)

    for owner in ((ISSUER, "client-2"), ("https://other.example", CLIENT_ID)):
        decrypter = ClientDecrypter(client_secrets={**SECRETS, owner: "another" + SECRET})
        assert decrypter.decrypt(*owner, jwe) is None
        assert ClientDecrypter(client_secrets=SECRETS).decrypt(*owner, jwe) is None


@pytest.mark.parametrize(("alg", "least"), [("dir", 32), ("A128KW", 16), ("A256GCMKW", 32)])
def test_a_secret_that_is_too_short_is_refused_when_configured(alg: str, least: int) -> None:
    """X15."""
    encryption = Encryption(alg, "A256GCM")
    for secret in (8 * "s", (least - 1) * "s"):
        decrypter = ClientDecrypter(client_secrets=only(secret))
        refused(UsageError, "config_invalid", partial(decrypter.check, *OWNER, encryption))
    ClientDecrypter(client_secrets=only(least * "s")).check(*OWNER, encryption)


def test_without_a_secret_or_a_key_nothing_is_configured() -> None:
    for encryption in (DIR, ECDH, OAEP):
        unable = partial(ClientDecrypter().check, ISSUER, CLIENT_ID, encryption)
        refused(UsageError, "credential_missing", unable)
    refused(UsageError, "credential_missing", lambda: ClientDecrypter(RSA).check(*OWNER, ECDH))
    ClientDecrypter(RSA).check(*OWNER, OAEP)


# --- what cannot be decrypted --------------------------------------------------------------------


def other_curve(jwe: Jwe) -> Jwe:
    key = made(ECDH, P384).header.epk
    return jwe._replace(header=jwe.header._replace(epk=key))


def without_epk(jwe: Jwe) -> Jwe:
    return jwe._replace(header=jwe.header._replace(epk=None))


def epk(**changed: Any) -> Callable[[Jwe], Jwe]:
    def change(jwe: Jwe) -> Jwe:
        assert jwe.header.epk is not None
        key = jwe.header.epk._replace(**changed)
        return jwe._replace(header=jwe.header._replace(epk=key))

    return change


@pytest.mark.req("RFC7518-4.6-02")
@pytest.mark.parametrize(
    "change",
    [
        other_curve,
        epk(x=32 * b"\1"),
        epk(x=31 * b"\1"),
        epk(y=33 * b"\1"),
        epk(x=b"", y=b""),
        epk(crv="P-384"),
        epk(crv="secp256k1"),
        epk(kty="OKP", crv="X25519"),
        without_epk,
    ],
)
@pytest.mark.parametrize("encryption", [ECDH, ECDH_DIRECT])
def test_a_point_that_is_not_on_the_curve_agrees_on_nothing(
    change: Callable[[Jwe], Jwe], encryption: Encryption
) -> None:
    """X04."""
    assert opened(change(made(encryption)), P256) is None


@pytest.mark.parametrize(
    "x", [bytes(32), b"\1" + bytes(31), 31 * b"\xff" + b"\x7f", 31 * b"x", b""]
)
def test_a_point_of_small_order_agrees_on_nothing(x: bytes) -> None:
    """X05."""
    jwe = made(ECDH, X25519)
    key = EphemeralKey("OKP", "X25519", x, b"")
    assert opened(jwe._replace(header=jwe.header._replace(epk=key)), X25519) is None
    with_y = jwe.header._replace(epk=evolve_y(jwe.header))
    assert opened(jwe._replace(header=with_y), X25519) is None


def evolve_y(header: JweHeader) -> EphemeralKey:
    assert header.epk is not None
    return header.epk._replace(y=b"y")


@pytest.mark.req("RFC7516-5.2-03", "RFC7518-5.3-01")
@pytest.mark.parametrize(
    "changed",
    [
        *[{"iv": size * b"\0"} for size in (0, 8, 11, 13, 16)],
        *[{"tag": size * b"\0"} for size in (0, 4, 8, 12, 15, 17)],
        {"ciphertext": b""},
        {"protected": b"AAAA"},
    ],
)
def test_gcm_takes_96_bits_of_iv_and_128_of_tag(changed: dict[str, Any]) -> None:
    """X06: also where the library would take less."""
    jwe = made(DIR)
    assert opened(jwe) == PLAINTEXT
    assert opened(jwe._replace(**changed)) is None


@pytest.mark.req("RFC7518-5.2-01")
def test_a_tag_that_is_cut_or_longer_is_refused_however_true_it_starts() -> None:
    """X06, X07."""
    for encryption in (DIR, CBC, Encryption("dir", "A256CBC-HS512")):
        jwe = made(encryption)
        for size in range(len(jwe.tag)):
            assert opened(jwe._replace(tag=jwe.tag[:size])) is None
        assert opened(jwe._replace(tag=jwe.tag + b"\0")) is None


def test_an_iv_that_is_shorter_is_not_made_up_for_by_the_content() -> None:
    """X07: header, iv and content are one text to the MAC; where each ends is said by lengths."""
    jwe = made(CBC)
    shifted = jwe._replace(iv=jwe.iv[:8], ciphertext=jwe.iv[8:] + jwe.ciphertext)
    assert opened(shifted) is None
    longer = jwe._replace(iv=jwe.iv + jwe.ciphertext[:16], ciphertext=jwe.ciphertext[16:])
    assert opened(longer) is None


def test_content_with_a_good_mac_and_bad_padding_is_refused_like_any_other() -> None:
    """X07: only the sender can make it."""
    key = derived_from_secret(SECRET.encode(), 32)
    for ciphertext in (b"", 16 * b"\0", 15 * b"\0"):
        bits = (8 * 4).to_bytes(8, "big")
        mac = hmac.digest(key[:16], b"AAAA" + bytes(16) + ciphertext + bits, "sha256")[:16]
        jwe = Jwe(JweHeader(CBC), b"AAAA", b"", bytes(16), ciphertext, mac)
        assert opened(jwe) is None


@pytest.mark.req("RFC7516-5.2-02")
@pytest.mark.parametrize("octets", [0, 15, 24, 32])
def test_a_content_key_of_another_length_is_refused(octets: int) -> None:
    """X08."""
    public = rsa_key("decryption").public_key()
    digest = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)
    jwe = made(OAEP, RSA)._replace(encrypted_key=public.encrypt(octets * b"k", digest))
    assert opened(jwe, RSA) is None


@pytest.mark.parametrize(
    ("encryption", "key"), [(OAEP, RSA), (ECDH, P256), (Encryption("A128KW", "A128GCM"), P256)]
)
@pytest.mark.parametrize("encrypted_key", [b"", b"x", 24 * b"x", 40 * b"x", 256 * b"\xff"])
def test_an_encrypted_key_that_is_none_is_replaced_by_chance(
    encryption: Encryption, key: DecryptionKey, encrypted_key: bytes
) -> None:
    assert opened(made(encryption, key)._replace(encrypted_key=encrypted_key), key) is None


@pytest.mark.req("RFC7516-5.2-01")
@pytest.mark.parametrize("encryption", [DIR, ECDH_DIRECT])
def test_where_no_key_is_wrapped_none_may_come_along(encryption: Encryption) -> None:
    assert opened(made(encryption)._replace(encrypted_key=b"x"), P256) is None


@pytest.mark.req("RFC7518-4.7-01")
@pytest.mark.parametrize(
    "changed",
    [{"iv": 8 * b"\0"}, {"iv": 16 * b"\0"}, {"tag": b""}, {"tag": 12 * b"\0"}, {"tag": 16 * b"\0"}],
)
def test_a_key_wrapped_by_gcm_is_held_to_the_same_lengths(changed: dict[str, Any]) -> None:
    jwe = made(GCMKW)
    assert opened(jwe) == PLAINTEXT
    assert opened(jwe._replace(header=jwe.header._replace(**changed))) is None


def test_a_key_that_is_already_octets_opens_what_was_made_with_it() -> None:
    key = derived_from_secret(SECRET.encode(), 16)
    assert opener_for(DIR, key)(made(DIR)) == PLAINTEXT


def test_nothing_of_a_key_is_shown_or_pickled() -> None:
    decrypter = ClientDecrypter(P256, RSA, client_secrets=SECRETS)

    assert repr(decrypter) == "ClientDecrypter(p-256, rsa)"
    for secret_bearer in (decrypter, P256):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(secret_bearer)


def test_a_private_operation_is_never_done_for_the_padding_of_old() -> None:
    """X01."""
    used: list[str] = []

    class Watched:
        def decrypt(self, *_: object) -> bytes:
            used.append("decrypt")
            return b""

    assert isinstance(RSA.private, rsa.RSAPrivateKey)
    assert not RSA.fits("RSA1_5")
    header = JweHeader(Encryption("RSA1_5", "A128GCM"))
    jwe = Jwe(header, b"", b"", b"", b"", b"")
    watched = ClientDecrypter(evolve_private(Watched()))
    assert watched.decrypt(*OWNER, jwe) is None
    assert used == []
    with pytest.raises(OidcError) as caught:
        watched.check(*OWNER, header.encryption)
    assert caught.value.code == "credential_missing"


def evolve_private(private: object) -> DecryptionKey:
    key = DecryptionKey(rsa_key("decryption"), kid="watched")
    object.__setattr__(key, "private", private)
    return key


def test_symmetric_algorithms_never_meet_a_private_key() -> None:
    assert not any(key.fits(alg) for alg in SYMMETRIC for key in (RSA, P256, X25519))


@pytest.mark.parametrize("odd", [Unreadable(), Fickle({5: "s"}, {}), Fickle({("i", "c"): 5}, {})])
def test_secrets_that_cannot_be_read_or_are_none_are_refused(odd: Any) -> None:
    with pytest.raises(UsageError) as caught:
        ClientDecrypter(client_secrets=odd)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "client_secrets")


def test_secrets_are_read_once() -> None:
    odd: Any = Fickle({("issuer", "client"): SECRET}, {5: 5})
    assert repr(ClientDecrypter(client_secrets=odd))
