"""A box around one random seed: the derived values, the sealed text, and the fitting keys."""

import copy
import pickle
from hashlib import sha256
from hmac import digest
from itertools import combinations

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import example, given
from hypothesis import strategies as st

from oidc_adapters.stores.sealed_box import KEY_ID, MIN_SECRET
from oidc_adapters.stores.seed_box import SEED, Opened, SeedBox
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import CallbackError, UsageError

OLD, NEW, FOREIGN = (letter * MIN_SECRET for letter in (b"o", b"n", b"f"))
BOX = SeedBox(NEW)
SEED_A, SEED_B = bytes(range(SEED)), bytes(range(1, SEED + 1))
KEY_AT = range(1, 1 + KEY_ID)
HEAD = 1 + KEY_ID + SEED


def refusal(box: SeedBox, sealed: str, label: str = "test") -> CallbackError:
    with pytest.raises(CallbackError) as caught:
        box.open(sealed, label=label)
    return caught.value


def code(box: SeedBox, sealed: str, label: str = "test") -> str:
    return refusal(box, sealed, label).code


def key_of(secret: bytes) -> bytes:
    """The box's key of a secret, derived here by hand."""
    return HKDF(SHA256(), 32, None, b"oidc-core seed box").derive(secret)


def key_id_of(secret: bytes) -> bytes:
    return sha256(key_of(secret)).digest()[:KEY_ID]


def octets_of(sealed: str) -> bytes:
    return b64url_decode(sealed.encode())


# --- sealing -------------------------------------------------------------------------------------


@given(seed=st.binary(min_size=SEED, max_size=SEED), octets=st.binary(max_size=300))
@example(seed=bytes(SEED), octets=b"")
def test_what_was_sealed_is_opened(seed: bytes, octets: bytes) -> None:
    opened = BOX.open(BOX.close(seed, octets, label="test"), label="test")

    assert opened == Opened(seed, octets, key_id_of(NEW))


def test_the_format_is_version_key_id_seed_and_what_is_sealed() -> None:
    """Written down by hand, so that two releases read each other's cookies."""
    head = b"\x02" + key_id_of(NEW) + SEED_A
    key = digest(key_of(NEW), b"seal test\0" + SEED_A + b"\1", "sha256")
    sealed = AESGCM(key).encrypt(bytes(12), b"octets", head)

    assert octets_of(BOX.close(SEED_A, b"octets", label="test")) == head + sealed


def test_a_seal_takes_no_room_but_for_head_and_tag() -> None:
    for length in (0, 1, 200):
        sealed = octets_of(BOX.close(SEED_A, bytes(length), label="test"))
        assert len(sealed) == HEAD + length + 16


def test_the_nonce_is_fixed_because_the_key_is_the_seeds_own() -> None:
    """The same text under two seeds has no octet stream in common: neither have their keys."""
    text = bytes(64)
    streams = [octets_of(BOX.close(seed, text, label="test"))[HEAD:] for seed in (SEED_A, SEED_B)]
    keys = [
        digest(key_of(NEW), b"seal test\0" + seed + b"\1", "sha256") for seed in (SEED_A, SEED_B)
    ]
    head = b"\x02" + key_id_of(NEW) + SEED_A

    assert streams[0] != streams[1]
    assert AESGCM(keys[0]).decrypt(bytes(12), streams[0], head) == text
    with pytest.raises(InvalidTag):
        AESGCM(keys[1]).decrypt(bytes(12), streams[0], head)


def test_the_key_is_the_labels_own_too() -> None:
    login, logout = (BOX.close(SEED_A, bytes(64), label=label) for label in ("login", "logout"))

    assert octets_of(login)[:HEAD] == octets_of(logout)[:HEAD]
    assert octets_of(login)[HEAD:] != octets_of(logout)[HEAD:]


def test_a_seal_shows_nothing_of_what_is_in_it() -> None:
    assert b"canary" not in octets_of(BOX.close(SEED_A, b"canary", label="test"))


# --- refusals ------------------------------------------------------------------------------------


def test_every_flipped_bit_is_refused_and_a_foreign_key_is_told_apart() -> None:
    octets = octets_of(BOX.close(SEED_A, b"a text", label="test"))
    for position in range(8 * len(octets)):
        flipped = bytearray(octets)
        flipped[position // 8] ^= 1 << position % 8
        expected = "cookie_key_unknown" if position // 8 in KEY_AT else "cookie_invalid"

        assert code(BOX, b64url_encode(bytes(flipped))) == expected, position


def test_every_truncation_and_every_addition_is_refused() -> None:
    octets = octets_of(BOX.close(SEED_A, b"", label="test"))
    for length in range(len(octets)):
        assert code(BOX, b64url_encode(octets[:length])) == "cookie_invalid", length
    assert code(BOX, b64url_encode(octets + b"\0")) == "cookie_invalid"


def test_a_seal_does_not_stand_in_for_another_label() -> None:
    sealed = BOX.close(SEED_A, b"", label="login")

    for label in ("logout", "logi", "login ", ""):
        assert code(BOX, sealed, label) == "cookie_invalid"


def test_what_is_sealed_does_not_go_under_another_seed() -> None:
    one, other = (octets_of(BOX.close(seed, b"text", label="test")) for seed in (SEED_A, SEED_B))

    assert code(BOX, b64url_encode(one[:HEAD] + other[HEAD:])) == "cookie_invalid"


@pytest.mark.parametrize(
    "text",
    ["", "x", "===", "\xff", "\ud800", "a.b", " ", "\0", "A" * 48, "A" * 50, "A" * 5_000],
    ids=lambda text: ascii(text)[:20],
)
def test_what_is_no_box_is_damaged(text: str) -> None:
    assert code(BOX, text) == "cookie_invalid"


def test_another_spelling_of_a_box_is_damaged() -> None:
    sealed = BOX.close(SEED_A, b"ab", label="test")

    for spelt in (sealed + "=", sealed + "\n", " " + sealed, sealed.replace("A", "A\n", 1)):
        assert code(BOX, spelt) == "cookie_invalid"


@given(st.binary(max_size=80))
def test_whatever_else_under_the_head_of_the_right_key_is_damaged(rest: bytes) -> None:
    assert code(BOX, b64url_encode(b"\x02" + key_id_of(NEW) + rest)) == "cookie_invalid"


@given(st.text(st.characters(), max_size=120) | st.binary(max_size=80).map(b64url_encode))
def test_nothing_else_leaves_it_on_any_text(text: str) -> None:
    assert code(BOX, text) in {"cookie_invalid", "cookie_key_unknown"}


def test_an_unknown_key_is_named_beside_those_that_are_known() -> None:
    """Workers with different secrets are the usual cause: the ids show it, and no secret."""
    error = refusal(SeedBox(NEW, OLD), SeedBox(FOREIGN).close(SEED_A, b"", label="test"))

    assert error.code == "cookie_key_unknown"
    assert error.found == key_id_of(FOREIGN).hex()
    assert error.expected == (key_id_of(NEW).hex(), key_id_of(OLD).hex())
    assert key_id_of(FOREIGN).hex() in str(error)
    assert "all workers" in error.hint


# --- keys ----------------------------------------------------------------------------------------


def test_a_box_with_a_new_secret_in_front_opens_what_the_old_one_sealed() -> None:
    sealed, rotating = SeedBox(OLD).close(SEED_A, b"text", label="test"), SeedBox(NEW, OLD)

    opened = rotating.open(sealed, label="test")

    assert opened == Opened(SEED_A, b"text", key_id_of(OLD))
    assert rotating.secret("state", SEED_A, opened.key_id) == SeedBox(OLD).secret("state", SEED_A)
    assert rotating.digest("x", 8, opened.key_id) == SeedBox(OLD).digest("x", 8)
    assert code(SeedBox(NEW), sealed) == "cookie_key_unknown"


def test_what_is_new_is_sealed_with_the_newest_secret() -> None:
    rotating = SeedBox(NEW, OLD)

    assert rotating.close(SEED_A, b"", label="test") == BOX.close(SEED_A, b"", label="test")
    assert rotating.secret("state", SEED_A) == BOX.secret("state", SEED_A)
    assert rotating.digest("x", 8) == BOX.digest("x", 8)
    assert code(SeedBox(OLD), rotating.close(SEED_A, b"", label="test")) == "cookie_key_unknown"


def test_the_same_secret_twice_is_one() -> None:
    assert repr(SeedBox(NEW, NEW)) == "SeedBox(1)"


def test_secrets_are_independent_of_each_other() -> None:
    """No two are alike if label, seed or key differs, and no output is part of another."""
    drawn = [
        box.secret(label, seed)
        for box in (SeedBox(NEW), SeedBox(OLD))
        for label in ("state", "nonce", "code_verifier", "logout state", "digest", "seal login")
        for seed in (SEED_A, SEED_B)
    ]

    assert {len(secret) for secret in drawn} == {43}
    for one, other in combinations(drawn, 2):
        assert sum(left == right for left, right in zip(one, other, strict=True)) < 12
    assert BOX.secret("state", SEED_A) == SeedBox(NEW).secret("state", SEED_A)


def test_a_secret_is_one_block_of_hkdf() -> None:
    block = digest(key_of(NEW), b"state\0" + SEED_A + b"\1", "sha256")

    assert BOX.secret("state", SEED_A) == b64url_encode(block)


def test_a_digest_is_cut_and_takes_whatever_text_there_is() -> None:
    whole = BOX.digest("é", 32)

    assert [BOX.digest("é", length) for length in (4, 8)] == [whole[:4], whole[:8]]
    assert len({BOX.digest(text, 8) for text in ("", "é", "\ud800", "\udc00")}) == 4
    assert BOX.digest("é", 8) != SeedBox(OLD).digest("é", 8)


def test_a_secret_is_the_same_as_text_and_as_octets() -> None:
    sealed = SeedBox("s" * MIN_SECRET).close(SEED_A, b"text", label="test")

    assert SeedBox(b"s" * MIN_SECRET).open(sealed, label="test").octets == b"text"


@pytest.mark.parametrize("secret", [b"", b"x" * (MIN_SECRET - 1), "x" * (MIN_SECRET - 1)])
def test_a_short_secret_is_refused(secret: bytes | str) -> None:
    for secrets in ((secret,), (NEW, secret)):
        with pytest.raises(UsageError) as caught:
            SeedBox(*secrets)
        assert caught.value.code == "config_invalid"
        assert (caught.value.found, caught.value.expected) == (len(secret), MIN_SECRET)


def test_a_box_without_a_secret_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        SeedBox()

    assert caught.value.code == "config_invalid"


def test_a_box_shows_and_pickles_no_key() -> None:
    box = SeedBox(b"canary" * 6, NEW)

    assert repr(box) == str(box) == "SeedBox(2)"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(box)
    with pytest.raises(TypeError, match="not pickled"):
        copy.copy(box)


def test_what_was_opened_shows_only_its_key_id() -> None:
    opened = Opened(b"canary", b"canary", b"\x00\x01\x02\xff")

    assert f"{opened!r} {opened}" == "Opened(key_id='000102ff') Opened(key_id='000102ff')"
