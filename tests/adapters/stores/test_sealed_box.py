import copy
import pickle
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oidc_adapters.stores.sealed_box import KEY_ID, MIN_SECRET, SealedBox, keys_of
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import StoreFailure, UsageError

OLD, NEW, FOREIGN = (letter * MIN_SECRET for letter in (b"o", b"n", b"f"))
BOX = SealedBox(NEW)


def refused(box: SealedBox, sealed: str, label: str = "test") -> bool:
    """Whether it is refused, and by this code."""
    with pytest.raises(StoreFailure) as caught:
        box.open(sealed, label=label)
    return caught.value.code == "seal_invalid"


@given(text=st.text(st.characters()), label=st.text(st.characters()))
@example(text="\udcff", label="\udcff")
def test_what_was_sealed_is_opened(text: str, label: str) -> None:
    assert BOX.open(BOX.close(text, label=label), label=label) == text


def test_two_seals_of_the_same_text_differ() -> None:
    assert BOX.close("text", label="test") != BOX.close("text", label="test")


def test_a_seal_shows_nothing_of_its_text() -> None:
    sealed = b64url_decode(BOX.close("canary", label="test").encode())

    assert b"canary" not in sealed


def test_a_box_with_a_new_secret_in_front_opens_what_the_old_one_sealed() -> None:
    sealed = SealedBox(OLD).close("text", label="test")
    rotating = SealedBox(NEW, OLD)

    assert rotating.open(sealed, label="test") == "text"
    assert SealedBox(NEW).open(rotating.close("again", label="test"), label="test") == "again"
    assert refused(SealedBox(NEW), sealed)
    assert refused(SealedBox(OLD), rotating.close("again", label="test"))


def test_a_secret_is_the_same_as_text_and_as_octets() -> None:
    sealed = SealedBox("s" * MIN_SECRET).close("text", label="test")

    assert SealedBox(b"s" * MIN_SECRET).open(sealed, label="test") == "text"


def test_a_secret_may_be_any_text_that_an_environment_variable_holds() -> None:
    """As Python reads octets there that are not UTF-8; to refuse one would be to quote it."""
    secret = "canary-" + "\udcff" * MIN_SECRET
    sealed = SealedBox(secret).close("text", label="test")

    assert SealedBox(secret).open(sealed, label="test") == "text"
    assert refused(SealedBox("canary-" + "\udcfe" * MIN_SECRET), sealed)


def test_every_flipped_bit_is_refused() -> None:
    octets = b64url_decode(BOX.close("a text", label="test").encode())
    for position in range(8 * len(octets)):
        flipped = bytearray(octets)
        flipped[position // 8] ^= 1 << position % 8

        assert refused(BOX, b64url_encode(bytes(flipped))), position


def test_every_truncation_and_every_addition_is_refused() -> None:
    octets = b64url_decode(BOX.close("", label="test").encode())
    for length in range(len(octets)):
        assert refused(BOX, b64url_encode(octets[:length])), length
    assert refused(BOX, b64url_encode(octets + b"\0"))


def test_a_value_does_not_stand_in_for_another_purpose() -> None:
    sealed = BOX.close("text", label="pending a")

    assert refused(BOX, sealed, "pending b")
    assert refused(BOX, sealed, "pending ")
    assert refused(BOX, sealed, "")


@given(st.text(max_size=80) | st.binary(max_size=80).map(b64url_encode))
def test_whatever_else_is_refused(text: str) -> None:
    assert refused(BOX, text)


@given(st.binary(max_size=60))
def test_whatever_else_under_the_head_of_the_right_key_is_refused(rest: bytes) -> None:
    head = b64url_decode(BOX.close("", label="test").encode())[:5]

    assert refused(BOX, b64url_encode(head + rest))


def test_octets_that_are_no_text_are_refused() -> None:
    """Nobody seals them but somebody with the key, as another release might."""
    ((key_id, key),) = BOX._keys.items()
    head, nonce = b"\x01" + key_id, 12 * b"n"
    sealed = head + nonce + key.encrypt(nonce, b"\xff", head + b"test")

    assert refused(BOX, b64url_encode(sealed))


@pytest.mark.parametrize("secret", [b"", b"x" * (MIN_SECRET - 1), "x" * (MIN_SECRET - 1)])
def test_a_short_secret_is_refused(secret: bytes | str) -> None:
    for secrets in ((secret,), (NEW, secret)):
        with pytest.raises(UsageError) as caught:
            SealedBox(*secrets)
        assert caught.value.code == "config_invalid"
        assert (caught.value.found, caught.value.expected) == (len(secret), MIN_SECRET)


@pytest.mark.parametrize(
    "secret",
    [None, 5, True, [NEW], (NEW,), [0] * MIN_SECRET, bytearray(NEW), {"key": NEW}],
    ids=repr,
)
def test_what_is_no_secret_is_refused_and_not_shown(secret: Any) -> None:
    for secrets in ((secret,), (NEW, secret)):
        with pytest.raises(UsageError) as caught:
            SealedBox(*secrets)
        assert (caught.value.code, caught.value.about) == ("config_invalid", "sealing secret")
        assert caught.value.found == type(secret).__name__


def test_keys_are_of_one_purpose_and_keep_their_order() -> None:
    here, there = (keys_of((NEW, OLD, NEW), purpose=purpose) for purpose in ("here", "there"))

    assert [*here] == [*keys_of((NEW,), purpose="here"), *keys_of((OLD,), purpose="here")]
    assert {len(key_id) for key_id in here} == {KEY_ID}
    assert {len(key) for key in here.values()} == {32}
    assert len({*here.values(), *there.values()}) == len({*here, *there}) == 4


def test_a_box_without_a_secret_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        SealedBox()

    assert caught.value.code == "config_invalid"


def test_a_box_shows_and_pickles_no_key() -> None:
    box = SealedBox(b"canary" * 6, NEW)

    assert repr(box) == str(box) == "SealedBox(2)"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(box)
    with pytest.raises(TypeError, match="not pickled"):
        copy.copy(box)
