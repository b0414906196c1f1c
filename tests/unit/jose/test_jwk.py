"""Public keys, their thumbprints, and what a set of them gives for a token."""

import copy
import json
import pickle
from pathlib import Path

import pytest

from oidc_core.jose.jwk import Jwk, KeySet, SkippedKey, parse_jwk, parse_key_set
from oidc_core.wire.encoding import b64url_encode, sha256_b64url
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.http import LIMITS, Limits
from oidc_core.wire.jsontypes import JsonObject, JsonValue, frozen_json, parse_object
from tests.unit.parties import told


def rsa(seed: int = 0, /, **members: JsonValue) -> JsonObject:
    modulus = (1 << 2047) + 2**700 + 22 * seed + 7
    n = b64url_encode(modulus.to_bytes(256, "big"))
    return JsonObject({"kty": "RSA", "n": n, "e": "AQAB", **members})


def ec(**members: JsonValue) -> JsonObject:
    return JsonObject(
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
            "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
            **members,
        }
    )


def akp(alg: JsonValue = "ML-DSA-44", /, **members: JsonValue) -> JsonObject:
    pub = b64url_encode(b"\x2a" * 1312)
    return JsonObject({"kty": "AKP", "alg": alg, "pub": pub, **members})


def secp256k1(**members: JsonValue) -> JsonObject:
    """The generator of secp256k1 (SEC 2)."""
    x = "eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g"
    y = "SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg"
    return ec(crv="secp256k1", x=x, y=y, **members)


def okp(**members: JsonValue) -> JsonObject:
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    return JsonObject({"kty": "OKP", "crv": "Ed25519", "x": x, **members})


def key_set(*keys: JsonValue) -> KeySet:
    return parse_key_set(JsonObject({"keys": keys}))


def refusal(members: JsonObject) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        parse_jwk(members)
    return caught.value.code


def selection_refusal(keys: KeySet, kid: str | None, alg: str) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        keys.select(kid, alg)
    return caught.value.code


# --- one key -------------------------------------------------------------------------------------


def test_a_key_holds_what_was_published() -> None:
    key = parse_jwk(
        ec(kid="1", alg="ES256", use="sig", key_ops=("verify",), issuer="https://op.example")
    )
    assert (key.kty, key.crv, key.kid, key.alg, key.use) == ("EC", "P-256", "1", "ES256", "sig")
    assert key.key_ops == ("verify",)
    assert key.issuers == {"https://op.example"}
    assert [len(octets) for octets in key.material] == [32, 32]


def test_members_that_are_null_or_unknown_count_as_absent() -> None:
    nulls = dict.fromkeys(("kid", "alg", "use", "key_ops", "issuer", "x5c"))
    assert parse_jwk(rsa(**nulls, x5t="abc", whatever=(1, 2))) == parse_jwk(rsa())


def test_the_curve_of_an_rsa_key_is_ignored() -> None:
    assert parse_jwk(rsa(crv="P-256")) == parse_jwk(rsa())


@pytest.mark.req("OIDCD-3-04")
@pytest.mark.parametrize("name", ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"])
def test_a_private_key_is_refused_whatever_its_member_holds(name: str) -> None:
    """F27."""
    for value in ("AQAB", None, 5):
        assert refusal(rsa(**{name: value})) == "key_not_public"
        assert refusal(okp(**{name: value})) == "key_not_public"


def test_a_symmetric_key_is_refused() -> None:
    """F27, F28."""
    assert refusal(JsonObject({"kty": "oct", "k": "AQAB"})) == "key_not_public"
    assert refusal(JsonObject({"kty": "oct"})) == "key_not_public"


@pytest.mark.req("RFC7517-4.1-01")
@pytest.mark.parametrize(
    "members",
    [
        JsonObject({}),
        rsa(kty=None),
        rsa(kty=5),
        rsa(kty="rsa"),
        JsonObject({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AQAB"}),
        akp(None),
        akp("ML-DSA-65"),
        akp("RS256"),
        akp("SLH-DSA-SHA2-128s"),
        akp(pub=5),
        secp256k1(alg="ES256"),
        ec(alg="ES256K"),
        ec(crv="secp256k1"),
        ec(crv=None),
        ec(crv=("P-256",)),
        ec(kty="RSA"),
        ec(crv="P-384"),
        ec(alg="ES384"),
        ec(alg="RS256"),
        rsa(alg="ES256"),
        rsa(alg="HS256"),
        rsa(alg=256),
        okp(alg="Ed448"),
        rsa(use=("sig",)),
        rsa(key_ops="verify"),
        rsa(key_ops=("verify", "verify")),
        rsa(key_ops=("verify", 5)),
        rsa(issuer=5),
    ],
    ids=str,
)
def test_a_malformed_key_is_refused(members: JsonObject) -> None:
    """F12."""
    assert refusal(members) == "jwk_invalid"


@pytest.mark.parametrize("kid", [5, True, ("a",), "x" * 257])
def test_a_kid_is_a_short_string(kid: JsonValue) -> None:
    assert refusal(rsa(kid=kid)) == "kid_malformed"
    assert parse_jwk(rsa(kid="x" * 256)).kid == "x" * 256


def test_a_weak_key_is_refused() -> None:
    """F13, F16, F23."""
    assert refusal(okp(x=b64url_encode(bytes(32)))) == "key_weak"
    assert refusal(rsa(n=b64url_encode(b"\x91" * 128))) == "key_too_small"
    assert refusal(rsa(n=b64url_encode(b"\x91" * 1025))) == "key_too_large"


@pytest.mark.parametrize(
    ("members", "verifies"),
    [
        ({}, True),
        ({"use": "sig"}, True),
        ({"use": "enc"}, False),
        ({"use": "SIG"}, False),
        ({"key_ops": ("verify",)}, True),
        ({"key_ops": ("verify", "encrypt")}, True),
        ({"key_ops": ("sign",)}, False),
        ({"key_ops": ()}, False),
        ({"use": "sig", "key_ops": ("sign", "verify")}, True),
        ({"use": "sig", "key_ops": ("verify", "encrypt")}, False),
        ({"use": "enc", "key_ops": ("verify",)}, False),
    ],
)
@pytest.mark.req("RFC7517-4.2-01")
def test_use_and_operations_say_whether_a_key_verifies(
    members: dict[str, JsonValue], verifies: bool
) -> None:
    assert parse_jwk(rsa(**members)).verifies is verifies


@pytest.mark.req("RFC7517-4.4-01", "RFC8725BIS-3.1-01")
def test_a_key_with_an_algorithm_serves_only_it() -> None:
    key = parse_jwk(rsa(alg="RS256"))
    assert [alg for alg in ("RS256", "RS384", "PS256", "HS256", "none") if key.fits(alg)] == [
        "RS256"
    ]


def test_a_key_without_an_algorithm_serves_its_type_and_curve() -> None:
    assert [alg for alg in ("RS256", "PS512", "ES256", "HS256") if parse_jwk(rsa()).fits(alg)] == [
        "RS256",
        "PS512",
    ]
    assert [alg for alg in ("EdDSA", "Ed25519", "Ed448") if parse_jwk(okp()).fits(alg)] == [
        "EdDSA",
        "Ed25519",
    ]
    assert [alg for alg in ("ES256", "ES256K") if parse_jwk(secp256k1()).fits(alg)] == ["ES256K"]


def test_a_key_of_ml_dsa_serves_its_own_algorithm() -> None:
    key = parse_jwk(akp(crv="P-256", kid="pq"))
    assert (key.kty, key.crv, key.alg, key.kid) == ("AKP", "", "ML-DSA-44", "pq")
    assert [alg for alg in ("ML-DSA-44", "ML-DSA-65", "RS256") if key.fits(alg)] == ["ML-DSA-44"]
    keys = key_set(akp(kid="pq"), rsa(kid="r"))
    assert keys.select("pq", "ML-DSA-44") == (parse_jwk(akp(kid="pq")),)
    assert selection_refusal(keys, "pq", "ML-DSA-65") == "key_alg_mismatch"
    assert selection_refusal(keys, "r", "ML-DSA-44") == "key_alg_mismatch"


def test_a_key_does_not_show_its_octets_and_does_not_change() -> None:
    key = parse_jwk(rsa(kid="a"))
    assert "material" not in repr(key)
    for name in ("kid", "alg", "material"):
        with pytest.raises(AttributeError):
            setattr(key, name, None)
    assert copy.deepcopy(key) == key == pickle.loads(pickle.dumps(key))


@pytest.mark.req("RFC7638-3-01")
def test_the_thumbprints_of_the_standards(vectors: Path) -> None:
    examples = json.loads((vectors / "rfc_small_examples.json").read_bytes())
    for name in ("rfc7638", "rfc8037"):
        key = parse_jwk(JsonObject(examples[name]["jwk"]))
        assert key.thumbprint == examples[name]["thumbprint_sha256"]


@pytest.mark.req("RFC7638-3-01")
def test_the_thumbprint_takes_only_the_members_that_make_the_key() -> None:
    # "ML-DSA for JOSE and COSE", section 4: the required members alg, kty and pub, and no other.
    of_ml_dsa = f'{{"alg":"ML-DSA-44","kty":"AKP","pub":"{b64url_encode(b"*" * 1312)}"}}'
    assert parse_jwk(akp(kid="1")).thumbprint == sha256_b64url(of_ml_dsa)
    assert parse_jwk(okp()).thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert parse_jwk(okp(kid="1", use="sig", alg="EdDSA")).thumbprint == parse_jwk(okp()).thumbprint
    assert parse_jwk(ec(kid="1", use="sig")).thumbprint == parse_jwk(ec()).thumbprint
    of_rfc_9449 = ec(
        x="l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        y="9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    )
    assert parse_jwk(of_rfc_9449).thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    assert len({parse_jwk(key).thumbprint for key in (rsa(), rsa(1), ec(), okp())}) == 4


@pytest.mark.req("RFC7638-3-01")
@pytest.mark.parametrize("members", [rsa(), ec(), secp256k1(), okp(), akp()])
def test_the_thumbprint_hashes_sorted_members_without_white_space(members: JsonObject) -> None:
    text = json.dumps({**members}, separators=(",", ":"), sort_keys=True)
    assert parse_jwk(members).thumbprint == sha256_b64url(text)


# --- a set ---------------------------------------------------------------------------------------


def test_octets_and_objects_give_the_same_set() -> None:
    octets = b'{"keys": [{"kty": "AKP", "kid": "pq"}, 5], "more": 1}'
    keys = parse_key_set(octets)
    assert keys == parse_key_set(parse_object(octets))
    assert hash(keys) == hash(parse_key_set(octets))
    assert keys.keys == ()
    assert keys.skipped == (SkippedKey("pq", "jwk_invalid"), SkippedKey(None, "jwk_invalid"))


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
        (b'{"keys": [{"kty": "RSA", "kty": "EC"}]}', "json_member_duplicated"),
    ],
)
def test_what_is_no_key_set_is_refused(octets: bytes, code: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        parse_key_set(octets)
    assert caught.value.code == code


def test_a_set_has_at_most_64_keys() -> None:
    assert len(key_set(*[rsa(kid=str(n)) for n in range(64)]).keys) == 64
    with pytest.raises(ProtocolViolation) as caught:
        key_set(*[rsa(kid=str(n)) for n in range(65)])
    assert caught.value.code == "jwks_invalid"
    document = JsonObject({"keys": tuple(rsa(kid=str(n)) for n in range(65))})
    assert len(parse_key_set(document, limits=Limits(keys=65)).keys) == 65


def test_a_set_has_at_most_256_kib() -> None:
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
    assert again.skipped == keys.skipped == (SkippedKey("2", "jwk_invalid"),)


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
        rsa(kid="x" * 300),
        "no key",
        rsa(kid="good"),
    )
    assert [key.kid for key in keys.keys] == ["good"]
    assert keys.skipped == (
        SkippedKey("pq", "jwk_invalid"),
        SkippedKey("x", "jwk_invalid"),
        SkippedKey("short", "key_too_small"),
        SkippedKey("weak", "key_weak"),
        SkippedKey("private", "key_not_public"),
        SkippedKey("secret", "key_not_public"),
        SkippedKey(None, "kid_malformed"),
        SkippedKey("x" * 256, "kid_malformed"),
        SkippedKey(None, "jwk_invalid"),
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


def _json(value: dict[str, object]) -> JsonObject:
    frozen = frozen_json(value)
    assert isinstance(frozen, JsonObject)
    return frozen


def _decoded(text: str) -> bytes:
    from oidc_core.wire.encoding import b64url_decode

    return b64url_decode(text.encode())


def test_a_jwk_can_be_made_by_hand() -> None:
    key = Jwk(kty="OKP", crv="Ed25519", material=(b"\x2a" * 32,))
    assert Jwk(kty="RSA", material=(b"n", b"e")).crv == ""
    assert (key.kid, key.alg, key.use, key.key_ops) == (None,) * 4
    assert key.issuers == frozenset()


# --- what a refusal tells ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "facts"),
    [
        (JsonObject({}), ("jwk_invalid", "kty", None, "a string")),
        (rsa(kty=5), ("jwk_invalid", "kty", None, "a string")),
        (ec(crv=("P-256",)), ("jwk_invalid", "crv", None, "a string")),
        (ec(crv=None), ("jwk_invalid", "kty", ("EC", ""), None)),
        (rsa(alg="ES256"), ("jwk_invalid", "alg", "ES256", None)),
        (rsa(use=("sig",)), ("jwk_invalid", "use", None, "a string")),
        (rsa(key_ops="verify"), ("jwk_invalid", "key_ops", None, "an array")),
        (rsa(key_ops=("verify",) * 2), ("jwk_invalid", "key_ops", None, "different strings")),
        (rsa(kid=5), ("kid_malformed", "", None, "at most 256 characters")),
        (rsa(d="AQAB"), ("key_not_public", "", None, None)),
    ],
    ids=str,
)
def test_a_refused_key_tells_the_member_and_what_is_wrong_with_it(
    members: JsonObject, facts: tuple[str, str, str | tuple[str, ...] | None, str | None]
) -> None:
    assert told(lambda: parse_jwk(members)) == facts


@pytest.mark.parametrize(
    ("kid", "alg", "facts"),
    [
        ("a", "HS256", ("alg_not_allowed", "", "HS256", None)),
        ("z", "RS256", ("key_not_found", "", "z", None)),
        ("a", "ES256", ("key_alg_mismatch", "", "a", "ES256")),
        ("enc", "RS256", ("key_use_mismatch", "", "enc", "sig")),
        ("weak", "EdDSA", ("key_weak", "", "weak", None)),
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


def test_a_refused_set_tells_what_it_lacks_or_has_too_much_of() -> None:
    document = JsonObject({"keys": (rsa(), rsa())})
    few = Limits(keys=1, key_set=16)
    assert told(lambda: parse_key_set(document, limits=few)) == ("jwks_invalid", "keys", 2, 1)
    assert told(lambda: parse_key_set(b" " * 17, limits=few)) == ("json_too_large", "", 17, 16)
    assert told(lambda: parse_key_set(b"{}")) == ("jwks_invalid", "keys", None, "an array")
