"""Compact JWS: its form, its header, its signature; hostile ones at each."""

import tracemalloc
from collections.abc import Callable
from functools import partial
from string import ascii_letters, digits
from typing import Any

import pytest
from attrs import field, frozen

from oidc_core.jose.algorithms import ASYMMETRIC, HMAC, SIGNATURES
from oidc_core.jose.jwk import Jwk
from oidc_core.jose.jws import (
    JoseHeader,
    Recognised,
    UnverifiedJws,
    VerifiedJws,
    check_header,
    claims_kept,
    first_seen,
    parse_header,
    split,
    verify,
    verify_mac,
)
from oidc_core.jose.key_set import KeySet, parse_key_set
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, JsonValue, frozen_json, parse_object, render
from oidc_core.wire.limits import LIMITS, UPPER_BOUNDS, Limits
from tests.parties import refused
from tests.unit.parties import CLIENT_ID, ISSUER, NOW, Believer, told

NONE_OR_JWT = frozenset({"", "jwt"})
RS256 = frozenset({"RS256"})


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        call()
    return caught.value.code


def encoded(text: str | bytes) -> bytes:
    return b64url_encode(text if isinstance(text, bytes) else text.encode()).encode()


def read(header: str | bytes) -> JoseHeader:
    return parse_header(encoded(header))


def header_refusal(header: str | bytes) -> str:
    return code_of(lambda: read(header))


def with_member(name: str, value: JsonValue) -> str:
    return render(JsonObject({"alg": "RS256", name: value}))


# --- the form ------------------------------------------------------------------------------------


def test_a_compact_jws_has_three_parts() -> None:
    assert split("aa.bb.cc") == UnverifiedJws(b"aa", b"bb", b"cc", b"aa.bb")
    for first in f"{ascii_letters}{digits}-_":
        assert split(f"{first}.bb.cc").protected == first.encode()


def test_a_jws_that_is_no_jwt_may_have_an_empty_payload() -> None:
    """E23."""
    assert split("aa..cc", empty_payload=True) == UnverifiedJws(b"aa", b"", b"cc", b"aa.")
    for token in ("aa.cc", "aa", ".", "", "..cc", "...cc", "aa...cc", "aa.bb.cc.", "aa..bb.cc"):
        assert code_of(partial(split, token, empty_payload=True)) == "jws_malformed"
    assert code_of(lambda: split("aa..cc")) == "jws_malformed"


def test_an_absent_signature_is_left_to_the_algorithm_to_judge() -> None:
    assert split("aa.bb.").signature == b""


@pytest.mark.req("RFC7515-5.2-01")
@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "....",
        "aa",
        "aa.bb",
        "aa.",
        ".bb",
        ".bb.cc",
        "aa..cc",
        "..cc",
        "aa.bb.cc.",
        ".aa.bb.cc",
        "aa.bb.cc.dd",
        "aa.bb.cc.dd.ee",
        "aa..bb.cc",
    ],
)
def test_any_other_number_of_parts_is_refused(token: str) -> None:
    """E01."""
    assert code_of(lambda: split(token)) == "jws_malformed"


@pytest.mark.req("OIDCC-1.1-01")
@pytest.mark.parametrize(
    "token",
    [
        '{"payload":"bb","protected":"aa","signature":"cc"}',
        '{"payload":"bb","signatures":[{"protected":"aa","signature":"cc"}]}',
        '{"aa.bb.cc":1}',
        '{"  aa.bb.":"","protected":"aa"}',
        '["aa.bb.cc"]',
        '"aa.bb.cc"',
    ],
)
def test_a_json_serialization_is_refused(token: str) -> None:
    """E02."""
    assert code_of(lambda: split(token)) == "jws_malformed"


@pytest.mark.parametrize("white", ["\n", "\r\n", " ", "\t", "\x0b", "\x1f"])
def test_white_space_around_a_token_is_refused(white: str) -> None:
    """E07."""
    assert code_of(lambda: split(f"aa.bb.cc{white}")) == "jws_malformed"
    assert code_of(lambda: split(f"{white}aa.bb.cc")) == "jws_malformed"


@pytest.mark.parametrize("odd", ["é", "\ud800", "ａ", "\u2028", "\u00a0"])
def test_a_token_is_ascii(odd: str) -> None:
    assert code_of(lambda: split(f"aa.b{odd}b.cc")) == "jws_malformed"


def test_a_token_has_a_limit() -> None:
    longest = "a." + "b" * (LIMITS.id_token - 4) + ".c"
    assert split(longest).signature == b"c"
    assert code_of(lambda: split(longest + "c")) == "token_too_large"
    few = Limits(userinfo=7, id_token=8)
    assert code_of(lambda: split("aa.bb.cc", few, "userinfo")) == "token_too_large"
    assert split("aa.bb.cc", few).signature == b"cc"


@pytest.mark.parametrize("octet", [".", "a", "{"])
def test_a_huge_token_is_refused_at_no_cost(octet: str) -> None:
    """E08."""
    token = octet * (10 * 2**20)
    tracemalloc.start()
    code = code_of(lambda: split(token))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert code == "token_too_large"
    assert peak < 2**20


def test_a_token_full_of_dots_is_refused_within_the_limit() -> None:
    assert code_of(lambda: split("." * LIMITS.id_token)) == "jws_malformed"


# --- the header ----------------------------------------------------------------------------------


def test_a_header_tells_what_anybody_may_listen_to() -> None:
    assert read('{"alg":"RS256","kid":"1","typ":"JWT"}') == JoseHeader("RS256", "1", "jwt", ())
    nulls = '{"alg":"RS256","kid":null,"typ":null,"cty":null}'
    assert read(nulls) == JoseHeader("RS256", None, "", ())


@pytest.mark.req("RFC7515-4-02")
@pytest.mark.parametrize(
    "name", ["x-foo", "iss", "exp", "__class__", "__proto__", "items", "alg ", "kıd", ""]
)
def test_an_unknown_member_is_ignored(name: str) -> None:
    """E26."""
    assert read(with_member(name, JsonObject({"a": 1}))) == JoseHeader("RS256", None, "", ())


@pytest.mark.req("OIDCC-2-16", "RFC7515-6-01", "RFC8725-3.10-02")
@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "zip"])
def test_what_might_mean_something_is_ignored_and_noted(name: str) -> None:
    """F04, F05: a key in the header.  Compression belongs to JWE (RFC 7516 §4.1.3)."""
    for value in ("https://evil.example", JsonObject({"kty": "RSA"}), ("MII",), 5, None):
        assert read(with_member(name, value)).ignored == (name,)


@pytest.mark.req("RFC7515-5.2-02")
def test_white_space_in_a_header_is_legal() -> None:
    """E29."""
    assert read(' {\n "alg"\t: "RS256" ,\r\n "kid" : "1" } ') == JoseHeader("RS256", "1", "", ())


def test_names_and_values_are_told_apart_by_case() -> None:
    """E10."""
    assert read('{"ALG":"none","alg":"RS256","KID":"2","kid":"1"}')[:2] == ("RS256", "1")
    assert header_refusal('{"ALG":"RS256"}') == "alg_not_allowed"


@pytest.mark.req("RFC7515-2-01", "RFC8725BIS-3.14-01")
@pytest.mark.parametrize(
    "protected",
    [
        b"eyJhbGciOiJSUzI1NiJ9=",
        b"eyJhbGciOiJSUzI1NiJ9==",
        b"eyJhbGciOiJSUzI1NiJ9\n",
        b" eyJhbGciOiJSUzI1NiJ9",
        b"eyJh bGciOiJSUzI1NiJ9",
        b"eyJhbGci+iJSUzI1NiJ9",
        b"eyJhbGci/iJSUzI1NiJ9",
        b"eyJhbGciOiJSUzI1NiJ9A",
        b'{"alg":"RS256"}',
        b"eyJhbGciOiJSUzI1NiIgfX",
        b"%65yJhbGciOiJSUzI1NiJ9",
    ],
)
def test_a_header_is_strict_base64url(protected: bytes) -> None:
    """E03, E04, E05, E06."""
    assert code_of(lambda: parse_header(protected)) == "base64url_malformed"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("{}", "jose_header_invalid"),
        ("[]", "jose_header_invalid"),
        ('["alg","RS256"]', "jose_header_invalid"),
        ('"RS256"', "jose_header_invalid"),
        ("null", "jose_header_invalid"),
        ("7", "jose_header_invalid"),
        ("{", "json_malformed"),
        ('{"alg":"RS256"}x', "json_malformed"),
        ('{"alg":"RS256","alg":"RS256"}', "json_member_duplicated"),
        ('{"alg":"RS256","alg":"none"}', "json_member_duplicated"),
        ('{"alg":"RS256","\\u0061lg":"none"}', "json_member_duplicated"),
        ('{"alg":"RS256","a":[{"b":1,"b":2}]}', "json_member_duplicated"),
        ('{"alg":"RS256","a":NaN}', "json_number_invalid"),
        ('{"alg":"RS256","kid":"\\ud800"}', "kid_malformed"),
        ('{"alg":"\\ud800"}', "alg_not_allowed"),
        ('{"alg":"RS256","typ":["\\ud800"]}', "typ_unexpected"),
        ('{"alg":"RS256","cty":1e999}', "cty_unexpected"),
        ('{"alg":"RS256","crit":1e999}', "crit_unsupported"),
        ('{"alg":"RS256","b64":1e999}', "crit_unsupported"),
        ('{"alg":"RS256","a":' + "[" * 40, "json_too_deep"),
        (b'{"alg":"RS256","a":"\xff"}', "json_not_utf8"),
        ('{"alg":"RS256"}'.encode("utf-8-sig"), "json_not_utf8"),
        ('{"alg":"RS256"}'.encode("utf-16"), "json_not_utf8"),
        ('{"alg":"RS256"}'.encode("utf-16-le"), "json_not_utf8"),
        ('{"alg":"RS256"}'.encode("utf-16-be"), "json_not_utf8"),
        ('{"alg":"RS256"}'.encode("utf-32"), "json_not_utf8"),
    ],
    ids=lambda value: str(value)[:45],
)
def test_a_header_is_a_strict_json_object(header: str | bytes, code: str) -> None:
    """E09, E11, E12, E13, E14, E15, E18, E25."""
    assert header_refusal(header) == code


def test_a_header_has_a_limit() -> None:
    """E08."""
    protected = encoded('{"alg":"RS256","a":"' + "x" * 12_260 + '"}')
    assert len(protected) <= LIMITS.jose_header
    assert parse_header(protected).alg == "RS256"
    longer = encoded('{"alg":"RS256","a":"' + "x" * 12_270 + '"}')
    assert code_of(lambda: parse_header(longer)) == "jose_header_invalid"
    assert code_of(lambda: parse_header(b"." * 10**7)) == "jose_header_invalid"
    assert parse_header(longer, UPPER_BOUNDS).alg == "RS256"
    size = len(protected)
    assert parse_header(protected, Limits(jose_header=size)).alg == "RS256"
    few = Limits(jose_header=size - 1)
    error = refused(ProtocolViolation, "jose_header_invalid", lambda: parse_header(protected, few))
    assert (error.found, error.expected) == (size, f"up to {size - 1}")
    assert error.hint == "raise Policy.limits.jose_header, up to 65536, or have less sent"
    two = encoded('{"alg":"RS256","a":1}')
    few = Limits(members=1)
    refused(ProtocolViolation, "json_too_large", lambda: parse_header(two, few))
    assert header_refusal('{"alg":"RS256","kid":"' + "x" * 20_480 + '"}') == "jose_header_invalid"


@pytest.mark.req("RFC7515-4.1.11-01", "RFC7515-4.1.11-02", "RFC7797-3-01", "RFC7797-6-01")
@pytest.mark.parametrize(
    "members",
    [
        '"crit":["exp2"],"exp2":1',
        '"crit":["exp2"]',
        '"crit":["b64"],"b64":true',
        '"crit":["alg"]',
        '"crit":["a","a"],"a":1',
        '"crit":[]',
        '"crit":"b64"',
        '"crit":null',
        '"crit":[1]',
        '"b64":false',
        '"b64":null',
        '"b64":"true"',
        '"b64":1',
        '"crit":["b64"],"b64":false',
    ],
)
def test_no_critical_extension_is_understood(members: str) -> None:
    """E21, E22."""
    assert header_refusal(f'{{"alg":"RS256",{members}}}') == "crit_unsupported"


def test_an_encoding_that_is_the_usual_one_is_noted() -> None:
    """RFC 7797 §3: ``b64`` of true is what a JWS without it is."""
    assert read('{"alg":"RS256","b64":true}') == JoseHeader("RS256", None, "", ("b64",))


@pytest.mark.parametrize("cty", ["json", "application/json", "at+jwt", "text", "", "JOSE"])
def test_a_content_type_that_announces_no_token_is_noted(cty: str) -> None:
    assert read(with_member("cty", cty)) == JoseHeader("RS256", None, "", ("cty",))


@pytest.mark.parametrize("typ", ["JOSE", "jose", "application/jose", "Application/JOSE"])
def test_a_typ_of_jose_says_nothing_of_the_kind(typ: str) -> None:
    """RFC 7515 §4.1.9: it tells the compact serialization, which this is."""
    assert read(with_member("typ", typ)) == JoseHeader("RS256", None, "jwt", ("typ",))


@pytest.mark.parametrize("typ", ["jose+json", "JOSE+JSON", "application/jose+json", "jose "])
def test_a_typ_of_another_serialization_is_another_kind(typ: str) -> None:
    header = read(with_member("typ", typ))
    assert code_of(lambda: check_header(header, RS256, NONE_OR_JWT)) == "typ_unexpected"


@pytest.mark.req("RFC7515-4.1.4-01", "RFC8725-3.10-01")
@pytest.mark.parametrize(
    "kid", [1, 1.5, True, ("a",), JsonObject({}), "x" * 1025, "a\x00b", "a\nb", "\x7f", "\u2028"]
)
def test_a_kid_is_a_short_printable_string(kid: JsonValue) -> None:
    """E27, E30."""
    assert header_refusal(with_member("kid", kid)) == "kid_malformed"


@pytest.mark.parametrize(
    "kid", ["", "x" * 1024, "../../etc/passwd", "' OR 1=1 --", "https://evil.example/", "é"]
)
def test_a_kid_is_but_a_name(kid: str) -> None:
    """E27."""
    assert read(with_member("kid", kid)).kid == kid


@pytest.mark.parametrize("typ", [1, True, ("JWT",), JsonObject({})])
def test_a_typ_is_a_string(typ: JsonValue) -> None:
    """E24."""
    assert header_refusal(with_member("typ", typ)) == "typ_unexpected"


@pytest.mark.parametrize("cty", ["JWT", "jwt", "application/jwt", 1, ("JWT",)])
def test_a_jws_holds_no_other_token(cty: JsonValue) -> None:
    """E24."""
    assert header_refusal(with_member("cty", cty)) == "cty_unexpected"


# --- what is agreed on ---------------------------------------------------------------------------


def with_alg(alg: JsonValue, **members: JsonValue) -> str:
    return render(JsonObject({"alg": alg, **members}))


def checked(text: str, algorithms: frozenset[str]) -> None:
    check_header(read(text), algorithms, NONE_OR_JWT)


@pytest.mark.req("RFC7515-4.1.1-01", "RFC7515-5.2-03", "RFC8725-3.1-01", "RFC7518-3.6-01")
@pytest.mark.parametrize(
    "alg",
    [
        None,
        1,
        True,
        ("RS256",),
        JsonObject({"alg": "RS256"}),
        "",
        "rs256",
        "RS256 ",
        " RS256",
        "RS256\x00",
        "RS２５６",
        "RS512",
        "HS256",
        "ES256",
        *("none", "None", "NONE", "nOnE", "none ", "nоne", "", "null"),
    ],
    ids=ascii,
)
def test_only_an_algorithm_agreed_on_is_taken(alg: JsonValue) -> None:
    """E19, E20."""
    for text in (with_alg(alg), with_alg(alg, typ="JWT")):
        assert code_of(partial(checked, text, RS256)) == "alg_not_allowed"


def test_none_is_in_nothing_that_could_be_agreed_on() -> None:
    assert "none" not in SIGNATURES
    for algorithms in (ASYMMETRIC, HMAC, SIGNATURES):
        assert code_of(partial(checked, with_alg("none"), algorithms)) == "alg_not_allowed"


def test_an_absent_algorithm_is_refused() -> None:
    assert header_refusal('{"typ":"JWT"}') == "alg_not_allowed"


@pytest.mark.req("RFC7515-4.1.9-01", "RFC8725-3.11-01")
@pytest.mark.parametrize("typ", ["logout+jwt", "Logout+JWT", "application/LOGOUT+jwt"])
def test_a_typ_is_a_media_type(typ: str) -> None:
    header = read(with_member("typ", typ))
    assert header.typ == "logout+jwt"
    check_header(header, RS256, frozenset({"logout+jwt"}))
    assert told(lambda: check_header(header, RS256, NONE_OR_JWT)) == (
        "typ_unexpected", "typ", "logout+jwt", None,
    )  # fmt: skip


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "application/jwt"])
def test_a_token_of_no_special_kind_may_lack_its_typ(typ: str | None) -> None:
    header = read(with_member("typ", typ))
    check_header(header, RS256, NONE_OR_JWT)
    code = code_of(lambda: check_header(header, RS256, frozenset({"logout+jwt"})))
    assert code == "typ_unexpected"


@pytest.mark.parametrize(
    "typ", ["", "application/", "Application/", "application/ ", " ", "/", "/jwt", "/x", "jwt "]
)
def test_a_typ_that_names_nothing_is_not_absent(typ: str) -> None:
    header = read(with_member("typ", typ))

    assert code_of(lambda: check_header(header, RS256, NONE_OR_JWT)) == "typ_unexpected"


@pytest.mark.parametrize("typ", [0, False, [], {}, ["JWT"], 1.5])
def test_a_typ_is_text(typ: object) -> None:
    assert code_of(lambda: read(with_member("typ", frozen_json(typ)))) == "typ_unexpected"


# --- the signature -------------------------------------------------------------------------------


@frozen
class Remembering(Believer):
    """Believes good octets, and remembers what it is given."""

    memory: dict[tuple[bytes, KeySet], Recognised] = field(
        factory=dict[tuple[bytes, KeySet], Recognised]
    )

    def recall(self, protected: bytes, keys: KeySet) -> Recognised | None:
        return self.memory.get((protected, keys))

    def remember(self, protected: bytes, keys: KeySet, recognised: Recognised) -> None:
        self.memory[protected, keys] = recognised


def okp(x: str, kid: str | None) -> JsonObject:
    members: dict[str, JsonValue] = {"kty": "OKP", "crv": "Ed25519", "x": x}
    return JsonObject(members if kid is None else {**members, "kid": kid})


ONE = okp("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "1")
TWO = okp("GUaJAGyIOqGGY7gXAR9hIzOXAIcVYdnSkPTWaUVkJXk", "2")
EC = JsonObject(
    {
        "kty": "EC",
        "crv": "P-256",
        "kid": "1",
        "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
        "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
    }
)
RSA = JsonObject(
    {
        "kty": "RSA",
        "kid": "1",
        "n": b64url_encode(((1 << 2047) + 2**700 + 7).to_bytes(256, "big")),
        "e": "AQAB",
    }
)
EDDSA = frozenset({"EdDSA"})
GOOD = b"good" + bytes(60)


def keys_of(*members: JsonObject) -> KeySet:
    return parse_key_set(JsonObject({"keys": members}))


KEYS = keys_of(ONE, TWO)


def token(
    header: str = '{"alg":"EdDSA","kid":"1"}',
    payload: str | bytes = '{"sub":"a"}',
    signature: bytes = GOOD,
) -> str:
    return b".".join(map(encoded, (header, payload, signature))).decode()


def verified(
    text: str, keys: KeySet = KEYS, verifier: Believer | None = None, algs: frozenset[str] = EDDSA
) -> VerifiedJws:
    """Verify as the machine does: with the header that the verifier recalls, or with a new one."""
    jws, port = split(text), verifier or Believer()
    return verify(
        jws,
        keys,
        port,
        algorithms=algs,
        types=NONE_OR_JWT,
        now=NOW,
        keys_fetched_at=NOW - 5,
        known=port.recall(jws.protected, keys) or first_seen(jws.protected),
    )


def test_a_good_signature_names_its_key() -> None:
    jws = verified(token())
    assert jws.header == JoseHeader("EdDSA", "1", "", ())
    assert (jws.payload, jws.key) == (b'{"sub":"a"}', KEYS.keys[0])
    assert (jws.verified_at, jws.keys_fetched_at) == (NOW, NOW - 5)


def test_the_octets_as_received_are_verified() -> None:
    seen: list[bytes] = []

    class Witness(Believer):
        def verifies(self, key: Jwk, alg: str, signing_input: bytes, signature: bytes) -> bool:
            seen.append(signing_input)
            return True

    text = token(header=' {"kid":"1" , "alg":"EdDSA"}')
    assert verified(text, verifier=Witness()).header.kid == "1"
    assert seen == [text.rpartition(".")[0].encode()]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (token(signature=b"evil" + bytes(60)), "signature_invalid"),
        (token(signature=b"evil" + bytes(59)), "signature_length_mismatch"),
        (token(signature=GOOD + b"\x00"), "signature_length_mismatch"),
        (token()[: -len(encoded(GOOD))], "jws_malformed"),
        (token('{"alg":"EdDSA"}', signature=b""), "jws_malformed"),
        (token('{"alg":"EdDSA","kid":"3"}', signature=b""), "jws_malformed"),
        (token() + "=", "base64url_malformed"),
        (token()[:-1] + "B", "base64url_malformed"),
        (token().replace(".", ".=", 1), "base64url_malformed"),
        (token('{"alg":"EdDSA","kid":"3"}'), "key_not_found"),
        (token('{"alg":"EdDSA","kid":"e\u0301"}'), "key_not_found"),
        (token('{"alg":"RS256","kid":"1"}'), "alg_not_allowed"),
        (token('{"alg":"none"}', signature=b""), "alg_not_allowed"),
        (token('{"alg":"EdDSA","kid":"1","typ":"logout+jwt"}'), "typ_unexpected"),
        (token('{"alg":"EdDSA"}', signature=b"evil"), "signature_invalid"),
    ],
)
def test_what_does_not_hold_is_refused(text: str, code: str) -> None:
    assert code_of(lambda: verified(text)) == code


@pytest.mark.req("RFC7518-3.4-01")
@pytest.mark.parametrize(
    ("alg", "key", "length"),
    [
        ("ES256", EC, 64),
        ("RS256", RSA, 256),
        ("PS256", RSA, 256),
        ("EdDSA", ONE, 64),
    ],
)
def test_a_signature_is_as_long_as_its_algorithm_has_it(
    alg: str, key: JsonObject, length: int
) -> None:
    """F20."""
    header, keys, algs = f'{{"alg":"{alg}","kid":"1"}}', keys_of(key), frozenset({alg})
    fitting = token(header, signature=b"good".ljust(length, b"\0"))
    assert verified(fitting, keys=keys, algs=algs).header.alg == alg
    for other in (4, length - 1, length + 1, length + 8):
        text = token(header, signature=b"good".ljust(other, b"\0"))
        assert code_of(partial(verified, text, keys, algs=algs)) == "signature_length_mismatch"


@pytest.mark.req("OIDCC-10.1-05")
def test_without_a_kid_each_key_that_fits_is_tried() -> None:
    class Second(Believer):
        def verifies(self, key: Jwk, alg: str, signing_input: bytes, signature: bytes) -> bool:
            return key.kid == "2"

    verifier = Second()
    assert verified(token('{"alg":"EdDSA"}'), verifier=verifier).key == KEYS.keys[1]
    alone = keys_of(okp("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", None))
    assert verified(token('{"alg":"EdDSA"}'), keys=alone).key == alone.keys[0]


@pytest.mark.req("RFC7515-10.13-01")
def test_a_kid_is_compared_code_point_for_code_point() -> None:
    """E28."""
    keys = keys_of(okp("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "é"))
    assert verified(token('{"alg":"EdDSA","kid":"é"}'), keys=keys).header.kid == "é"
    other = token('{"alg":"EdDSA","kid":"e\u0301"}')
    assert code_of(lambda: verified(other, keys=keys)) == "key_not_found"


def test_a_good_header_may_be_remembered_and_is_judged_all_the_same() -> None:
    verifier = Remembering()
    first = verified(token(), verifier=verifier)
    assert [*verifier.memory.values()] == [Recognised(first.header, KEYS.keys[0])]
    assert verified(token(), verifier=verifier) == first
    forged = token(signature=b"evil" + bytes(60))
    assert code_of(lambda: verified(forged, verifier=verifier)) == "signature_invalid"
    for signature, code in ((b"", "jws_malformed"), (b"evil", "signature_length_mismatch")):
        odd = token(signature=signature)
        for anyone in (verifier, None):
            assert code_of(partial(verified, odd, verifier=anyone)) == code
    assert code_of(lambda: verified(token(), verifier=verifier, algs=RS256)) == "alg_not_allowed"


def test_neither_a_token_nor_its_payload_is_shown() -> None:
    told = repr((split(token()), verified(token())))
    for part in (token().split(".")[1], '"sub"', GOOD.decode()[:4]):
        assert part not in told


def test_a_header_is_not_remembered_unless_it_means_one_key() -> None:
    verifier = Remembering()
    forged = token(signature=b"evil" + bytes(60))
    assert code_of(lambda: verified(forged, verifier=verifier)) == "signature_invalid"
    assert verified(token('{"alg":"EdDSA"}'), verifier=verifier).header.kid is None
    assert verifier.memory == {}


@pytest.mark.parametrize("payload", ["AAAAA", "aa=", "a+b", "AB"])
def test_a_payload_is_strict_base64url_no_matter_who_signed_it(payload: str) -> None:
    """E03, E04, E05, E06."""
    header, _, signature = token().split(".")
    assert code_of(lambda: verified(f"{header}.{payload}.{signature}")) == "base64url_malformed"
    forged = b64url_encode(b"evil" + bytes(60))
    assert code_of(lambda: verified(f"{header}.{payload}.{forged}")) == "base64url_malformed"


# --- MACs ----------------------------------------------------------------------------------------

HS256 = JoseHeader("HS256", None, "", ())
OWNER = (ISSUER, CLIENT_ID)


def test_a_mac_has_no_key_to_name() -> None:
    jws = verify_mac(split(token(signature=b"good")), HS256, OWNER, Believer(), NOW)
    assert jws == VerifiedJws(HS256, b'{"sub":"a"}', None, NOW, None)
    assert (jws.key, jws.keys, jws.keys_fetched_at, jws.encryption) == (None,) * 4


@pytest.mark.parametrize(
    ("signature", "owner", "code"),
    [
        (b"evil", OWNER, "signature_invalid"),
        (b"good", ("https://other.example", CLIENT_ID), "signature_invalid"),
        (b"good", (ISSUER, "client-2"), "signature_invalid"),
        (b"", OWNER, "jws_malformed"),
    ],
)
def test_a_mac_that_does_not_hold_is_refused(
    signature: bytes, owner: tuple[str, str], code: str
) -> None:
    jws = split(token(signature=signature))
    assert code_of(lambda: verify_mac(jws, HS256, owner, Believer(), NOW)) == code


# --- what the port is asked, and what a refusal tells -------------------------------------------


@frozen
class Asked(Remembering):
    """Remembers, believes good octets, and keeps what it was asked."""

    asked: list[tuple[object, ...]] = field(factory=list[tuple[object, ...]])

    def verifies(self, key: Jwk, alg: str, signing_input: bytes, signature: bytes) -> bool:
        self.asked.append((key, alg, signing_input, signature))
        return signature.startswith(self.good)

    def verifies_mac(
        self, issuer: str, client_id: str, alg: str, signing_input: bytes, signature: bytes
    ) -> bool:
        self.asked.append((issuer, client_id, alg, signing_input, signature))
        return signature.startswith(self.good)


def test_key_algorithm_and_octets_are_handed_to_the_port_whether_remembered_or_not() -> None:
    verifier, jws = Asked(), split(token())
    first, again = verified(token(), verifier=verifier), verified(token(), verifier=verifier)
    assert first == again
    assert first.keys is again.keys is KEYS
    assert [*verifier.memory] == [(jws.protected, KEYS)]
    assert verifier.asked == [(KEYS.keys[0], "EdDSA", jws.signing_input, GOOD)] * 2
    verifier.asked.clear()
    verify_mac(jws, HS256, OWNER, verifier, NOW)
    assert verifier.asked == [(*OWNER, "HS256", jws.signing_input, GOOD)]


def test_a_remembered_header_is_not_read_again() -> None:
    verifier, other = Asked(), JoseHeader("EdDSA", "of old", "", ())
    protected = split(token("not even JSON")).protected
    verifier.remember(protected, KEYS, Recognised(other, KEYS.keys[1]))
    jws = verified(token("not even JSON"), verifier=verifier)
    assert (jws.header, jws.key) == (other, KEYS.keys[1])


@pytest.mark.parametrize("signature", ["", "AAAA"])
def test_a_refused_signature_tells_what_is_wrong_with_it(signature: str) -> None:
    text = f"{token().rpartition('.')[0]}.{signature}"
    missing = ("jws_malformed", "", None, "a signature")
    remembering = Asked()
    verified(token(), verifier=remembering)
    for verifier in (None, remembering):
        assert told(partial(verified, text, verifier=verifier)) == (
            ("signature_length_mismatch", "", 3, 64) if signature else missing
        )
    mac = partial(verify_mac, split(text), HS256, OWNER, Believer(), NOW)
    assert told(mac) == (("signature_invalid", "", None, None) if signature else missing)


# --- the claims ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("[]", "json_not_object"),
        ('"a"', "json_not_object"),
        ("1", "json_not_object"),
        ("not json", "json_malformed"),
        ('{"sub":"a","sub":"b"}', "json_member_duplicated"),
        ('{"exp":NaN}', "json_number_invalid"),
        ('{"sub":"a"}'.encode("utf-16"), "json_not_utf8"),
        ("[" * 20_000, "json_too_deep"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_claims_are_a_strict_json_object(payload: str | bytes, code: str) -> None:
    """E17, D27."""
    assert code_of(lambda: claims_kept(token(payload=payload))) == code


def test_claims_of_a_kept_token_are_read_without_its_key() -> None:
    assert claims_kept(token()) == parse_object(b'{"sub":"a"}')
    assert code_of(lambda: claims_kept("aa.bb")) == "jws_malformed"


# --- what is merely true -------------------------------------------------------------------------


def merely(answer: object) -> Any:
    """A verifier that answers with something that is true, and is not ``True``."""

    class Merely(Believer):
        verifies: Any = staticmethod(lambda *_: answer)
        verifies_mac: Any = staticmethod(lambda *_: answer)

    return Merely()


@pytest.mark.parametrize(
    "answer",
    [1, "yes", b"ok", (), object(), {"verified": True}, Believer, None],
    ids=["number", "text", "octets", "empty", "object", "dict", "class", "none"],
)
def test_only_true_itself_is_a_good_signature(answer: object) -> None:
    jws, verifier = split(token()), merely(answer)
    of_one = keys_of(okp("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "1"))
    judged = partial(
        verify,
        jws,
        of_one,
        verifier,
        algorithms=frozenset({"EdDSA"}),
        types=frozenset({""}),
        now=NOW,
        keys_fetched_at=NOW,
    )
    header = parse_header(jws.protected)
    for known in (Recognised(header, None), Recognised(header, of_one.keys[0])):
        assert code_of(partial(judged, known=known)) == "signature_invalid"
    assert code_of(lambda: verify_mac(jws, HS256, OWNER, verifier, NOW)) == "signature_invalid"
