"""A set of public keys, and what it gives for a token."""

import json
import pickle
from pathlib import Path

import pytest

from oidc_core.jose.jwk import SkippedKey, parse_jwk
from oidc_core.jose.key_set import KeySet, parse_key_set
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, JsonValue, frozen_json, parse_object
from oidc_core.wire.limits import LIMITS, Limits
from tests.unit.jose.public_keys import akp, ec, okp, rsa
from tests.unit.parties import told


def key_set(*keys: JsonValue) -> KeySet:
    return parse_key_set(JsonObject({"keys": keys}))


def selection_refusal(keys: KeySet, kid: str | None, alg: str) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        keys.select(kid, alg)
    return caught.value.code


def test_a_key_of_ml_dsa_serves_its_own_algorithm() -> None:
    key = parse_jwk(akp(crv="P-256", kid="pq"))
    assert (key.kty, key.crv, key.alg, key.kid) == ("AKP", "", "ML-DSA-44", "pq")
    assert [alg for alg in ("ML-DSA-44", "ML-DSA-65", "RS256") if key.fits(alg)] == ["ML-DSA-44"]
    keys = key_set(akp(kid="pq"), rsa(kid="r"))
    assert keys.select("pq", "ML-DSA-44") == (parse_jwk(akp(kid="pq")),)
    assert selection_refusal(keys, "pq", "ML-DSA-65") == "key_alg_mismatch"
    assert selection_refusal(keys, "r", "ML-DSA-44") == "key_alg_mismatch"


# --- a set ---------------------------------------------------------------------------------------


def test_octets_and_objects_give_the_same_set() -> None:
    octets = b'{"keys": [{"kty": "AKP", "kid": "pq"}, 5], "more": 1}'
    keys = parse_key_set(octets)
    assert keys == parse_key_set(parse_object(octets))
    assert hash(keys) == hash(parse_key_set(octets))
    assert keys.keys == ()
    assert keys.skipped == (
        SkippedKey("pq", "jwk_invalid", "pub", "expected 'a string'"),
        SkippedKey(None, "jwk_invalid", "", "expected an object"),
    )


@pytest.mark.req("RFC7517-5-01")
@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"{}", "jwks_invalid"),
        (b'{"keys": null}', "jwks_invalid"),
        (b'{"keys": {}}', "jwks_invalid"),
        (b'{"keys": "x"}', "jwks_invalid"),
        (b"[]", "json_not_object"),
        (b"", "json_malformed"),
        (b'{"keys": [], "keys": []}', "json_member_duplicated"),
    ],
)
def test_what_is_no_key_set_is_refused(octets: bytes, code: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        parse_key_set(octets)
    assert caught.value.code == code


def test_a_set_has_at_most_512_keys_unless_the_policy_takes_more() -> None:
    assert len(key_set(*[rsa(kid=str(n)) for n in range(512)]).published) == 512
    with pytest.raises(ProtocolViolation) as caught:
        key_set(*[rsa(kid=str(n)) for n in range(513)])
    assert (caught.value.code, caught.value.about) == ("jwks_invalid", "keys")
    assert (caught.value.found, caught.value.expected) == (513, "up to 512")
    assert caught.value.hint == "raise Policy.limits.keys, up to 2048, or have less sent"
    document = JsonObject({"keys": tuple(rsa(kid=str(n)) for n in range(513))})
    assert len(parse_key_set(document, limits=Limits(keys=513)).published) == 513


def test_a_set_has_at_most_one_mib_unless_the_policy_takes_more() -> None:
    empty = b'{"keys": []}'
    assert parse_key_set(empty + b" " * (LIMITS.key_set - len(empty))) == KeySet()
    with pytest.raises(ProtocolViolation) as caught:
        parse_key_set(empty + b" " * (LIMITS.key_set - len(empty) + 1))
    assert caught.value.code == "json_too_large"


def test_a_set_without_keys_is_a_set() -> None:
    assert KeySet().keys == ()
    assert KeySet().skipped == ()
    assert selection_refusal(KeySet(), "1", "RS256") == "key_not_found"
    assert selection_refusal(KeySet(), None, "RS256") == "key_not_found"


def test_a_set_does_not_show_its_keys() -> None:
    assert repr(key_set(rsa(kid="1"))) == "KeySet()"


def test_a_set_survives_pickle_after_it_was_used() -> None:
    keys = key_set(rsa(kid="1"), okp(kid="2", x=""))
    assert keys.select("1", "RS256") == keys.keys
    again = pickle.loads(pickle.dumps(keys))
    assert again == keys
    assert again.select("1", "RS256") == keys.keys
    assert (
        again.skipped
        == keys.skipped
        == (SkippedKey("2", "jwk_invalid", "x", "found 0, expected 32"),)
    )


@pytest.mark.req("RFC7517-5-02")
def test_keys_that_cannot_be_used_are_skipped_and_the_set_stands() -> None:
    """F35."""
    keys = key_set(
        JsonObject({"kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "AQAB"}),
        okp(crv="X448", kid="x"),
        rsa(n="AQAB", kid="short"),
        okp(x=b64url_encode(bytes(32)), kid="weak"),
        rsa(d="AQAB", kid="private"),
        JsonObject({"kty": "oct", "k": "AQAB", "kid": "secret"}),
        rsa(kid=7),
        rsa(kid="x" * 1100),
        "no key",
        rsa(kid="good"),
    )
    assert [key.kid for key in keys.keys] == ["good"]
    assert keys.skipped == (
        SkippedKey("pq", "jwk_invalid", "pub", "found 3, expected 'its size'"),
        SkippedKey("x", "jwk_invalid", "kty", "found ('OKP', 'X448')"),
        SkippedKey("short", "key_too_small", "n", "found 17, expected 2048"),
        SkippedKey("weak", "key_weak", "x", "found 'a point of small order'"),
        SkippedKey("private", "key_not_public", "d"),
        SkippedKey("secret", "key_not_public", "k"),
        SkippedKey(None, "kid_malformed", "kid", "expected 'at most 1024 characters'"),
        SkippedKey("x" * 1024, "kid_malformed", "kid", "expected 'at most 1024 characters'"),
        SkippedKey(None, "jwk_invalid", "", "expected an object"),
    )
    assert [key.kid for key in keys.select("good", "RS256")] == ["good"]


@pytest.mark.parametrize(
    ("kid", "code"),
    [
        ("short", "key_too_small"),
        ("weak", "key_weak"),
        ("private", "key_not_public"),
        ("pq", "jwk_invalid"),
    ],
)
def test_a_token_of_a_skipped_key_is_refused_with_that_keys_code(kid: str, code: str) -> None:
    """F27, F28."""
    keys = key_set(
        rsa(n="AQAB", kid="short"),
        okp(x=b64url_encode(bytes(32)), kid="weak"),
        rsa(d="AQAB", kid="private"),
        JsonObject({"kty": "AKP", "kid": "pq"}),
        rsa(kid="good"),
    )
    for _ in range(2):
        assert selection_refusal(keys, kid, "EdDSA") == code


# --- selection by kid ----------------------------------------------------------------------------


def test_a_kid_finds_its_key_and_remembers_it() -> None:
    keys = key_set(rsa(1, kid="1"), rsa(2, kid="2"), ec(kid="3"))
    (found,) = keys.select("2", "PS256")
    assert found == parse_jwk(rsa(2, kid="2"))
    assert keys.select("2", "PS256")[0] is found
    assert keys.select("2", "RS512")[0] is found


@pytest.mark.req("RFC7515-4.1.4-01", "RFC8725-3.10-01")
@pytest.mark.parametrize("kid", ["", "a", "A ", "../A", "' or 1=1", "\ud800"])
def test_a_kid_is_compared_exactly(kid: str) -> None:
    keys = key_set(rsa(kid="A"))
    assert selection_refusal(keys, kid, "RS256") == "key_not_found"
    assert not keys.has(kid)
    assert keys.has("A")


def test_strangers_kids_are_not_remembered() -> None:
    keys = key_set(rsa(kid="A"))
    for n in range(1000):
        assert selection_refusal(keys, f"stranger {n}", "RS256") == "key_not_found"
    keys.select("A", "RS256")
    assert list(keys._judged) == ["A"]


@pytest.mark.parametrize("alg", ["HS256", "none", "", "RS1", "ML-DSA"])
def test_no_public_key_serves_a_mac_or_an_unknown_algorithm(alg: str) -> None:
    keys = key_set(rsa(kid="A"))
    assert selection_refusal(keys, "A", alg) == "alg_not_allowed"
    assert selection_refusal(keys, None, alg) == "alg_not_allowed"


@pytest.mark.parametrize(
    ("members", "alg"),
    [
        (rsa(kid="A", alg="RS256"), "PS256"),
        (rsa(kid="A", alg="RSA-OAEP"), "RS256"),
        (ec(kid="A", alg="ES521"), "ES256"),
        (ec(kid="A"), "ES384"),
        (ec(kid="A"), "RS256"),
        (okp(kid="A", alg="EdDSA"), "Ed25519"),
    ],
)
@pytest.mark.req("RFC7517-4.4-01", "RFC8725-3.1-02")
def test_a_key_for_another_algorithm_is_refused(members: JsonObject, alg: str) -> None:
    """F10, F12."""
    assert selection_refusal(key_set(members), "A", alg) == "key_alg_mismatch"
    assert selection_refusal(key_set(members), None, alg) == "key_not_found"


@pytest.mark.req("OIDCD-3-05")
@pytest.mark.parametrize("members", [{"use": "enc"}, {"key_ops": ("encrypt",)}])
def test_a_key_for_another_use_is_refused(members: dict[str, JsonValue]) -> None:
    """F11."""
    keys = key_set(rsa(kid="A", **members))
    assert selection_refusal(keys, "A", "RS256") == "key_use_mismatch"
    assert selection_refusal(keys, None, "RS256") == "key_not_found"


@pytest.mark.req("RFC7517-4.5-01")
def test_keys_that_share_a_kid_are_told_apart_by_type_use_and_algorithm() -> None:
    keys = key_set(
        rsa(1, kid="A", use="enc"),
        rsa(2, kid="A", alg="RS256"),
        rsa(3, kid="A", alg="PS256"),
        ec(kid="A"),
        okp(kid="A", x="AA"),
    )
    assert keys.select("A", "RS256") == (parse_jwk(rsa(2, kid="A", alg="RS256")),)
    assert keys.select("A", "PS256") == (parse_jwk(rsa(3, kid="A", alg="PS256")),)
    assert keys.select("A", "ES256") == (parse_jwk(ec(kid="A")),)
    assert selection_refusal(keys, "A", "EdDSA") == "key_alg_mismatch"


def test_the_same_key_twice_is_one() -> None:
    keys = key_set(rsa(kid="A"), rsa(kid="A", alg="RS256", x5t="abc"))
    assert len(keys.select("A", "RS256")) == 1
    assert len(keys.select(None, "RS256")) == 1


def test_different_keys_of_one_kid_refuse_that_kid_only() -> None:
    """F09."""
    keys = key_set(rsa(1, kid="A"), rsa(2, kid="A"), rsa(3, kid="B"))
    assert selection_refusal(keys, "A", "RS256") == "kid_duplicated"
    assert len(keys.select("B", "RS256")) == 1


@pytest.mark.parametrize("kid", ["A", None])
def test_one_key_for_two_issuers_is_one_that_serves_both(kid: str | None) -> None:
    a, b = "https://a.example", "https://b.example"
    keys = key_set(rsa(kid="A", issuer=a), rsa(kid="A", issuer=b), rsa(kid="A", issuer=a))
    (key,) = keys.select(kid, "RS256")
    assert key.issuers == {a, b}
    assert key.thumbprint == parse_jwk(rsa()).thumbprint
    assert [key.issuers for key in keys.keys] == [{a}, {b}, {a}]


@pytest.mark.parametrize("kid", ["A", None])
@pytest.mark.parametrize("silent_first", [True, False])
def test_a_key_that_is_bound_once_stays_bound(kid: str | None, *, silent_first: bool) -> None:
    silent, bound = rsa(kid="A", x5t="abc"), rsa(kid="A", issuer="https://a.example")
    keys = key_set(*((silent, bound) if silent_first else (bound, silent)))
    (key,) = keys.select(kid, "RS256")
    assert key.issuers == {"https://a.example"}


def test_a_copy_for_another_algorithm_or_use_binds_nothing() -> None:
    keys = key_set(
        rsa(kid="A", issuer="https://a.example", alg="RS256"),
        rsa(kid="A", issuer="https://b.example", alg="PS256"),
        rsa(kid="A", issuer="https://c.example", use="enc"),
    )
    assert keys.select("A", "RS256")[0].issuers == {"https://a.example"}
    assert keys.select("A", "PS256")[0].issuers == {"https://b.example"}


def test_different_keys_of_one_kid_stay_ambiguous_whomever_they_are_for() -> None:
    keys = key_set(
        rsa(1, kid="A", issuer="https://a.example"), rsa(2, kid="A", issuer="https://b.example")
    )
    assert selection_refusal(keys, "A", "RS256") == "kid_duplicated"
    assert [key.issuers for key in keys.select(None, "RS256")] == [
        {"https://a.example"},
        {"https://b.example"},
    ]


# --- selection without kid -----------------------------------------------------------------------


def test_without_a_kid_every_key_that_fits_is_a_candidate() -> None:
    keys = key_set(rsa(1, kid="1"), ec(kid="2"), rsa(3), rsa(4, use="enc"), rsa(5, alg="PS256"))
    assert keys.select(None, "RS256") == (parse_jwk(rsa(1, kid="1")), parse_jwk(rsa(3)))


def test_without_a_kid_at_most_four_keys_are_tried() -> None:
    """F08."""
    four = [rsa(n, kid=str(n)) for n in range(4)]
    assert len(key_set(*four).select(None, "RS256")) == 4
    assert selection_refusal(key_set(*four, rsa(4)), None, "RS256") == "key_ambiguous"


# --- known vectors -------------------------------------------------------------------------------

WEAK = {7: "key_weak", 8: "key_too_small", 9: "jwk_invalid", 22: "jwk_invalid"}
MISFIT = {
    6: "key_use_mismatch",
    19: "key_alg_mismatch",
    20: "key_alg_mismatch",
    21: "key_use_mismatch",
}
MISSHAPEN = {23: "jwk_invalid", 24: "jwk_invalid"}


def _json(value: dict[str, object]) -> JsonObject:
    frozen = frozen_json(value)
    assert isinstance(frozen, JsonObject)
    return frozen


def _decoded(text: str) -> bytes:
    from oidc_core.wire.encoding import b64url_decode

    return b64url_decode(text.encode())


def test_wycheproof_key_sets(vectors: Path) -> None:
    groups = json.loads((vectors / "wycheproof_json_web_key_test.json").read_bytes())["testGroups"]
    judged = 0
    for group in groups:
        keys = parse_key_set(_json({**group.get("public", group["private"])}))
        for row in group["tests"]:
            judged += 1
            _judge(row, keys)
    assert judged == 26


def _judge(row: dict[str, str | int], keys: KeySet) -> None:
    protected = str(row["jws"]).partition(".")[0]
    header = json.loads(_decoded(protected))
    kid, alg = header["kid"], header["alg"]
    number = int(row["tcId"])
    expected = {**WEAK, **MISFIT, **MISSHAPEN}.get(number)
    if expected is not None:
        assert selection_refusal(keys, kid, alg) == expected, number
    elif number == 5:
        assert len(keys.select(kid, alg)) == 1
    else:  # sets of symmetric keys: nothing in them is ever a key
        assert alg.startswith("HS")
        assert selection_refusal(keys, kid, alg) == "alg_not_allowed"
        assert "key_not_public" in {skipped.code for skipped in keys.skipped}
        assert all(key.kty != "oct" for key in keys.keys)


@pytest.mark.parametrize(
    ("kid", "alg", "facts"),
    [
        ("a", "HS256", ("alg_not_allowed", "", "HS256", None)),
        ("z", "RS256", ("key_not_found", "", "z", None)),
        ("a", "ES256", ("key_alg_mismatch", "", "a", "ES256")),
        ("enc", "RS256", ("key_use_mismatch", "", "enc", "sig")),
        ("weak", "EdDSA", ("key_weak", "x", "weak", None)),
        ("two", "RS256", ("kid_duplicated", "", "two", None)),
        (None, "ES384", ("key_not_found", "", None, "ES384")),
        (None, "RS256", ("key_ambiguous", "", 5, 4)),
    ],
)
def test_a_refused_selection_tells_the_kid_and_the_algorithm(
    kid: str | None, alg: str, facts: tuple[str, str, str | int | None, str | int | None]
) -> None:
    keys = key_set(
        rsa(0, kid="a"),
        rsa(1, kid="two"),
        rsa(2, kid="two"),
        rsa(3, kid="enc", use="enc"),
        rsa(4),
        rsa(5),
        okp(kid="weak", x=b64url_encode(bytes(32))),
    )
    assert told(lambda: keys.select(kid, alg)) == facts


def test_a_key_that_cannot_be_used_is_told_with_its_reason() -> None:
    keys = key_set(rsa(n="AQAB", kid="short"), rsa(kid="good"))
    with pytest.raises(ProtocolViolation) as caught:
        keys.select("short", "RS256")
    error = caught.value
    assert (error.code, error.about) == ("key_too_small", "n")
    assert error.hint.endswith(" (found 17, expected 2048)")


def test_a_sound_key_that_is_oddly_encoded_names_the_quirk() -> None:
    odd = key_set(ec(kid="odd", x=f"{ec()['x']}="), okp(kid="weak", x=b64url_encode(bytes(32))))
    with pytest.raises(ProtocolViolation) as caught:
        odd.select("odd", "ES256")
    assert (caught.value.code, caught.value.about) == ("jwk_invalid", "x")
    assert "lenient_key_encoding" in caught.value.hint
    with pytest.raises(ProtocolViolation) as caught:
        odd.select("weak", "EdDSA", lenient=True)
    assert "quirk" not in caught.value.hint
    assert odd.keys == ()
    assert [key.kid for key in odd.skipped] == ["odd", "weak"]
    for kid in ("odd", None):
        assert [key.kid for key in odd.select(kid, "ES256", lenient=True)] == ["odd"]
        assert odd.select(kid, "ES256", lenient=True)[0].odd == odd.skipped[0]
    assert selection_refusal(odd, None, "ES256") == "key_not_found"


@pytest.mark.parametrize(("kid", "alg"), [("z", "RS256"), (None, "RS256")])
def test_where_no_key_is_found_those_that_are_not_used_are_named(kid: str | None, alg: str) -> None:
    keys = parse_key_set(b'{"keys":[{"kty":"RSA","kty":"RSA"},{"kty":"RSA","kid":"k1","n":5},7]}')
    with pytest.raises(ProtocolViolation) as caught:
        keys.select(kid, alg)
    assert caught.value.hint == (
        "the provider publishes no such key; it publishes keys that are not used: "
        "'k1': jwk_invalid (n): expected 'a string'; "
        "a key without kid: jwk_invalid: expected an object; "
        "a key without kid: json_member_duplicated: found 'kty'"
    )
    many = key_set(*range(9))
    with pytest.raises(ProtocolViolation) as caught:
        many.select(kid, alg)
    assert caught.value.hint.endswith(" and 5 more")
    with pytest.raises(ProtocolViolation) as caught:
        KeySet().select(kid, alg)
    assert caught.value.hint == "the provider publishes no such key"


def test_a_refused_set_tells_what_it_lacks_or_has_too_much_of() -> None:
    document = JsonObject({"keys": (rsa(), rsa())})
    few = Limits(keys=1, key_set=16)
    assert told(lambda: parse_key_set(document, limits=few)) == (
        "jwks_invalid",
        "keys",
        2,
        "up to 1",
    )
    assert told(lambda: parse_key_set(b" " * 17, limits=few)) == (
        "json_too_large",
        "key_set",
        17,
        "up to 16",
    )
    assert told(lambda: parse_key_set(b"{}")) == ("jwks_invalid", "keys", None, "an array")
