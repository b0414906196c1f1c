"""Compact JWE: what is refused by name before decryption, and that everything else fails alike."""

from __future__ import annotations

import json
from functools import partial
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import frozen

from oidc_adapters.crypto import ClientDecrypter
from oidc_adapters.testing.signing import b64url, rendered
from oidc_core.jose.jwe import (
    EphemeralKey,
    Jwe,
    JweHeader,
    check_replicated,
    decrypt,
    parse_jwe_header,
    signed_inside,
    split,
)
from oidc_core.jose.jws import Encryption
from oidc_core.jose.key_material import PRIVATE_MEMBERS
from oidc_core.jose.profiles import ID_TOKEN
from oidc_core.wire.errors import OidcError, ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, frozen_json
from oidc_core.wire.limits import LIMITS, Limits
from tests.encryption import ECDH, P256, draft, encrypted
from tests.parties import CLIENT_ID, ISSUER, refused
from tests.unit.parties import told

if TYPE_CHECKING:
    from oidc_core.jose.jwe import Decrypted

OWNER: Final = (ISSUER, CLIENT_ID)
DECRYPTER: Final = ClientDecrypter(P256)
DIR: Final = Encryption("dir", "A128GCM")
GCMKW: Final = Encryption("A128GCMKW", "A128GCM")
EPK: Final = {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}


@frozen
class Spy:
    """A decrypter that counts its calls, and decrypts nothing."""

    asked: list[Jwe]

    def check(self, issuer: str, client_id: str, encryption: Encryption) -> None:
        return None

    def decrypt(self, issuer: str, client_id: str, jwe: Jwe) -> bytes | None:
        self.asked.append(jwe)
        return None


def opened(token: str, encryption: Encryption = ECDH, **named: Any) -> Decrypted:
    return decrypt(token, DECRYPTER, OWNER, encryption=encryption, types=ID_TOKEN.types, **named)


def refused_unasked(code: str, token: str, encryption: Encryption = ECDH) -> OidcError:
    """Refuse without a single private operation."""
    spy = Spy([])
    error = refused(
        ProtocolViolation,
        code,
        lambda: decrypt(token, spy, OWNER, encryption=encryption, types=ID_TOKEN.types),
    )
    assert spy.asked == []
    return error


def with_header(header: object, encryption: Encryption = ECDH) -> str:
    """Return a JWE with the caller's header and parts that decode."""
    octets = header if isinstance(header, bytes) else rendered(header)
    return f"{b64url(octets)}.AAAA.AAAA.AAAA.AAAA"


def header_of(header: object, encryption: Encryption = ECDH, *, nested: bool = True) -> JweHeader:
    octets = b64url(rendered(header)).encode()
    return parse_jwe_header(octets, encryption, ID_TOKEN.types, nested=nested)


def members(encryption: Encryption = ECDH, /, **changed: object) -> dict[str, object]:
    alg, enc = encryption
    epk = {"epk": EPK} if alg.startswith("ECDH") else {}
    every: dict[str, object] = {"alg": alg, "enc": enc, **epk, **changed}
    return {name: value for name, value in every.items() if value is not None}


# --- the form ------------------------------------------------------------------------------------


def test_a_jwe_has_five_parts() -> None:
    assert split("aa.bb.cc.dd.ee") == (b"aa", b"bb", b"cc", b"dd", b"ee")
    assert split("....") == (b"", b"", b"", b"", b"")


@pytest.mark.req("RFC7516-5.2-01")
@pytest.mark.parametrize(
    "token", ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e.f", '{"a":1}', "a.b.c.d.é"]
)
def test_another_form_is_refused(token: str) -> None:
    refused_unasked("jwe_malformed", token)


@pytest.mark.req("RFC7516-9-01")
def test_a_plain_jws_where_encryption_was_registered_is_refused() -> None:
    """X14."""
    error = refused_unasked("encryption_missing", "a.b.c")
    assert (error.found, error.expected) == ("three parts", "five parts")


def test_length_is_limited_before_anything_else() -> None:
    error = refused_unasked("token_too_large", (LIMITS.id_token + 1) * ".")
    assert (error.found, error.expected) == (LIMITS.id_token + 1, f"up to {LIMITS.id_token}")
    refused(
        ProtocolViolation, "token_too_large", lambda: opened("a.b.c.d.e", limits=Limits(id_token=8))
    )
    refused(
        ProtocolViolation, "jwe_malformed", lambda: opened("a.b.c.d", limits=Limits(id_token=7))
    )


# --- the header ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (b"[]", "jose_header_invalid"),
        (b"{}", "jose_header_invalid"),
        (b'{"alg":"dir","alg":"dir"}', "json_member_duplicated"),
        (b"\xff", "json_not_utf8"),
        (b"x", "json_malformed"),
        (b" " * 16_384, "jose_header_invalid"),
        (members(crit=["exp"]), "crit_unsupported"),
        (members(b64=False), "crit_unsupported"),
        (members(kid=1), "kid_malformed"),
        (members(kid=1025 * "k"), "kid_malformed"),
        ({**members(), "b64": None}, "crit_unsupported"),
        (members(typ="at+jwt"), "typ_unexpected"),
        (members(typ=1), "typ_unexpected"),
        (members(cty=[]), "cty_unexpected"),
        (members(alg=None), "alg_not_allowed"),
        (members(alg=1), "alg_not_allowed"),
        (members(alg="none"), "alg_not_allowed"),
        (members(enc=None), "alg_not_allowed"),
        (members(enc="A512GCM"), "alg_not_allowed"),
    ],
)
def test_a_header_of_another_kind_is_refused_by_name(header: object, code: str) -> None:
    refused_unasked(code, with_header(header))


def test_a_header_that_is_no_base64url_is_refused() -> None:
    refused_unasked("base64url_malformed", "a+b.AAAA.AAAA.AAAA.AAAA")


@pytest.mark.req("RFC7519-5.2-01")
@pytest.mark.parametrize("cty", [None, "JWT", "jwt", "application/jwt"])
@pytest.mark.parametrize("typ", [None, "JWT", "application/JWT", "id+jwt"])
def test_a_header_says_that_a_jwt_is_inside_or_nothing(cty: str | None, typ: str | None) -> None:
    header = header_of(members(cty=cty, typ=typ))
    assert (header.encryption, header.ignored) == (ECDH, ())


@pytest.mark.parametrize(
    ("changed", "ignored"),
    [
        ({"b64": True}, ("b64",)),
        ({"cty": "json"}, ("cty",)),
        ({"cty": "text"}, ("cty",)),
        ({"cty": ""}, ("cty",)),
        ({"typ": "JOSE"}, ("typ",)),
        ({"typ": "application/jose"}, ("typ",)),
        ({"epk": {**EPK, "d": None}}, ("epk",)),
        *[({"epk": {**EPK, name: "x"}}, ("epk",)) for name in ("kid", "use", "alg", "unknown")],
        ({"epk": {**EPK, "ext": True, "key_ops": []}}, ("epk",)),
        ({"epk": {"kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "1"}}, ("epk",)),
        ({"cty": "json", "b64": True, "epk": {**EPK, "x5c": ["MII"]}}, ("b64", "cty", "epk")),
    ],
)
def test_what_decides_nothing_is_ignored_and_noted(
    changed: dict[str, object], ignored: tuple[str, ...]
) -> None:
    """RFC 7516 §4, RFC 7518 §4.6.1.1."""
    assert header_of(members(**changed)).ignored == ignored


def test_a_compression_of_null_is_none() -> None:
    octets = b64url(rendered({**members(), "zip": None})).encode()
    assert parse_jwe_header(octets, ECDH, ID_TOKEN.types, nested=True).ignored == ()


def test_only_what_the_algorithm_needs_is_looked_at() -> None:
    assert header_of(members(DIR, epk={**EPK, "kid": "1"}), DIR).ignored == ()


def test_claims_without_a_signature_are_not_called_a_jwt() -> None:
    assert header_of(members(cty="json"), nested=False).ignored == ("cty",)
    assert header_of(members(), nested=False).replicated == ()
    error = refused(
        ProtocolViolation, "cty_unexpected", lambda: header_of(members(cty="JWT"), nested=False)
    )
    assert (error.found, error.about) == ("JWT", "cty")


def test_a_type_that_is_required_has_to_be_there() -> None:
    octets = b64url(rendered(members())).encode()
    only = frozenset({"logout+jwt"})
    error = refused(
        ProtocolViolation,
        "typ_unexpected",
        lambda: parse_jwe_header(octets, ECDH, only, nested=True),
    )
    assert (error.found, error.about) == ("NoneType", "typ")


@pytest.mark.req("RFC7516-4.1.1-01")
@pytest.mark.parametrize("alg", ["RSA1_5", "PBES2-HS256+A128KW", "RS256", "none"])
def test_what_is_not_implemented_is_refused_before_any_private_operation(alg: str) -> None:
    """X01."""
    error = refused_unasked("alg_not_allowed", with_header(members(alg=alg)))
    assert (error.found, error.about) == (alg, "alg")


def test_two_thousand_million_rounds_are_not_begun() -> None:
    """X09."""
    header = members(alg="PBES2-HS512+A256KW", p2c=2**31, p2s="AAAA")
    refused_unasked("alg_not_allowed", with_header(header))
    registered = Encryption("PBES2-HS512+A256KW", "A128GCM")
    refused_unasked("alg_not_allowed", with_header(header), registered)


@pytest.mark.req("RFC7516-4.1.3-01")
def test_compressed_content_is_refused_unopened() -> None:
    """X10: before the algorithm is even looked at."""
    refused_unasked("zip_unsupported", encrypted(20_000 * b"\0", ECDH, zip="DEF"))
    refused_unasked("zip_unsupported", with_header(members(zip="DEF", alg="RSA1_5")))


@pytest.mark.req("OIDCC-3.1.3.7-01a")
@pytest.mark.parametrize(
    "changed", [{"alg": "ECDH-ES"}, {"alg": "RSA-OAEP"}, {"alg": "dir"}, {"enc": "A256GCM"}]
)
def test_the_algorithms_are_exactly_those_registered(changed: dict[str, str]) -> None:
    """X03."""
    error = refused_unasked("encryption_mismatch", with_header(members(**changed)))
    named = {"alg": ECDH.alg, "enc": ECDH.enc, **changed}
    assert (error.found, error.expected, error.about) == (
        f"{named['alg']} {named['enc']}",
        "ECDH-ES+A128KW A128GCM",
        "alg",
    )


def test_the_header_is_read_as_far_as_its_algorithm_goes() -> None:
    header = header_of(
        members(kid="k", epk=EPK, apu="QQ", apv="QkI", iv="AAAA", tag="AAAA", jku="https://evil")
    )
    epk = EphemeralKey("EC", "P-256", b"\0\0\0", b"\0\0\0")
    assert header == JweHeader(ECDH, "k", epk, b"A", b"BB")
    assert header_of(members(GCMKW, iv="QQ", tag="QkI"), GCMKW) == JweHeader(
        GCMKW, iv=b"A", tag=b"BB"
    )
    assert header_of(members(DIR, epk=1, apu=1, iv=1, tag=1), DIR) == JweHeader(DIR)


@pytest.mark.parametrize(
    "changed",
    [
        {"epk": None},
        {"epk": "x"},
        {"epk": {**EPK, "kty": 1}},
        {"epk": {**EPK, "crv": 1}},
        {"epk": {**EPK, "x": 1}},
        {"epk": {**EPK, "x": "A"}},
        {"epk": {**EPK, "y": 1}},
        {"epk": {**EPK, "y": 0}},
        {"epk": {**EPK, "d": "AAAA"}},
        *[{"epk": {**EPK, name: "AA"}} for name in PRIVATE_MEMBERS],
        {"apu": 1},
        {"apu": "+"},
        {"apv": []},
    ],
)
def test_what_two_sides_agree_with_is_well_formed(changed: dict[str, object]) -> None:
    """X16."""
    refused_unasked("decryption_failed", with_header(members(**changed)))


def test_a_party_may_be_as_long_as_the_header_has_room() -> None:
    """The header's own bound is the only one."""
    assert len(header_of(members(apu=4096 * "A", apv=1024 * "A")).apu) == 3_072
    assert header_of(members(epk={"kty": "OKP", "crv": "X25519", "x": "AAAA"})).epk == EphemeralKey(
        "OKP", "X25519", b"\0\0\0", b""
    )


@pytest.mark.parametrize("changed", [{"iv": None}, {"tag": None}, {"iv": 1}, {"tag": "A"}])
def test_a_key_wrapped_by_gcm_comes_with_iv_and_tag(changed: dict[str, object]) -> None:
    header = members(GCMKW, **{"iv": "AAAA", "tag": "AAAA", **changed})
    refused_unasked("decryption_failed", with_header(header), GCMKW)


# --- decryption ----------------------------------------------------------------------------------


def test_what_was_encrypted_comes_out() -> None:
    found = opened(encrypted("a.b.c", kid="p-256", cty="JWT", iss=ISSUER))
    assert found.plaintext == b"a.b.c"
    assert (found.header.kid, found.header.replicated) == ("p-256", (("iss", ISSUER),))


def emptied(at: int) -> str:
    parts = encrypted("a.b.c").split(".")
    return ".".join([*parts[:at], "", *parts[at + 1 :]])


def damaged(at: int) -> str:
    """Put a character that is not base64url into a part."""
    parts = encrypted("a.b.c").split(".")
    return ".".join([*parts[:at], f"{parts[at][:-1]}!", *parts[at + 1 :]])


def cut(at: int, octets: int) -> str:
    parts = encrypted("a.b.c").split(".")
    return ".".join([*parts[:at], parts[at][:octets], *parts[at + 1 :]])


@pytest.mark.parametrize("at", range(5))
def test_a_part_that_is_missing_is_a_failure_like_any_other(at: int) -> None:
    """X11."""
    refused(ProtocolViolation, "decryption_failed", lambda: opened(emptied(at)))


@pytest.mark.req("RFC7516-11.5-01")
def test_every_failure_is_the_same_failure() -> None:
    """X02."""
    failures = [
        *[emptied(at) for at in range(5)],
        *[damaged(at) for at in range(1, 5)],
        *[cut(at, 4) for at in range(1, 5)],
        encrypted("a.b.c", apu="A"),
        encrypted("a.b.c", epk={**EPK, "d": "AAAA"}),
        encrypted("a.b.c", epk={"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}),
    ]
    errors = [refused(ProtocolViolation, "decryption_failed", partial(opened, t)) for t in failures]
    for one, other in pairwise(errors):
        assert (repr(one), str(one), one.args) == (repr(other), str(other), other.args)
    for error in errors:
        assert (error.found, error.expected, error.about) == (None, None, "")
        assert (error.__cause__, error.__context__) == (None, None)


def test_strangers_buy_no_private_operation_with_garbage() -> None:
    """X17: a refused header costs no attempt, everything else one with a key that fits."""
    spy = Spy([])
    garbage = [with_header(members(alg="RSA-OAEP", kid=str(at))) for at in range(10_000)]
    for token in garbage:
        with pytest.raises(ProtocolViolation) as caught:
            decrypt(token, spy, OWNER, encryption=ECDH, types=ID_TOKEN.types)
        assert caught.value.code == "encryption_mismatch"
    assert spy.asked == []


# --- what is inside ------------------------------------------------------------------------------


def test_a_signed_token_inside_is_handed_on_unverified() -> None:
    token = f"{b64url(rendered({'alg': 'RS256'}))}.AA.AA"
    assert signed_inside(token.encode()) == token
    assert signed_inside(b"AAAA.AA.AA") == "AAAA.AA.AA"
    assert signed_inside(b"A.AA.AA") == "A.AA.AA"


def none(alg: str, signature: str = "") -> str:
    return f"{b64url(rendered({'alg': alg}))}.e30.{signature}"


@pytest.mark.req("OIDCC-2-14", "OIDCC-10.2-03")
@pytest.mark.parametrize(
    "inner",
    [
        json.dumps({"sub": "alice"}),
        json.dumps({"email": "a.b@c.d"}),
        "",
        "..",
        "a.b",
        "a.b.",
        ".b.c",
        "a..c",
        "a.b.c.d",
        "a.b.c.d.e",
        " a.b.c",
        "a.b.c\n",
        "a.b.é",
        none("none"),
        none("none", "AAAA"),
        none("NoNe", "AAAA"),
    ],
)
def test_what_nobody_signed_is_refused(inner: str) -> None:
    """X12, F34."""
    refused(ProtocolViolation, "signature_missing", lambda: signed_inside(inner.encode()))


def test_a_name_that_only_has_none_in_it_is_somebody_else_s_to_judge() -> None:
    token = f"{b64url(rendered({'alg': 'RS256', 'kid': 'none'}))}.AA.AA"
    assert signed_inside(token.encode()) == token


@pytest.mark.req("RFC7519-5.3-01")
@pytest.mark.parametrize(
    ("name", "header", "claim", "code"),
    [
        ("iss", ISSUER, ISSUER, ""),
        ("iss", ISSUER, "https://evil.example", "iss_mismatch"),
        ("iss", ISSUER, None, "iss_mismatch"),
        ("iss", None, ISSUER, "iss_mismatch"),
        ("aud", "c", ["c"], ""),
        ("aud", ["c", "d"], ["d", "c"], ""),
        ("aud", "c", ["c", "d"], "aud_mismatch"),
        ("aud", ["c"], "d", "aud_mismatch"),
        ("aud", "dc", "cd", "aud_mismatch"),
        ("aud", [1], [2], "aud_mismatch"),
        ("aud", [1, 2], [2, 1], "aud_mismatch"),
        ("aud", [["c"]], ["c"], "aud_mismatch"),
        ("iss", [ISSUER], ISSUER, "iss_mismatch"),
        ("sub", "alice", "bob", "sub_mismatch"),
        ("sub", ["alice"], "alice", "sub_mismatch"),
    ],
)
def test_what_the_header_repeats_is_what_the_claims_say(
    name: str, header: object, claim: object, code: str
) -> None:
    read = header_of({**members(), name: header})
    claims = frozen_json({name: claim})
    assert isinstance(claims, JsonObject)
    if not code:
        check_replicated(read, claims, of="userinfo")
        return
    error = refused(ProtocolViolation, code, lambda: check_replicated(read, claims, of="userinfo"))
    assert isinstance(error, OidcError)
    assert (error.about, error.of) == (name, "userinfo")


@frozen(eq=False)
class Alike:
    """A value of a JSON array that is asked for its hash."""

    def __hash__(self) -> int:
        message = "the sender chooses how it hashes"
        raise AssertionError(message)


def test_nothing_is_hashed_that_a_sender_could_make_to_hash_alike() -> None:
    """Thousands of pairs of numbers with one hash would take minutes in a set."""
    read = header_of(members(aud=CLIENT_ID))
    alike: Any = (CLIENT_ID, (Alike(),))
    claims = JsonObject({})
    object.__setattr__(claims, "members", MappingProxyType({"aud": alike}))
    refused(
        ProtocolViolation, "aud_mismatch", lambda: check_replicated(read, claims, of="userinfo")
    )


def test_what_was_decrypted_does_not_show() -> None:
    found = opened(encrypted("a.b.secret", sub="alice"))
    assert repr(found) == str(found) == "Decrypted(10 octets)"


def test_a_draft_for_a_shared_secret_shows_that_the_port_is_asked_as_it_says() -> None:
    spy = Spy([])
    token = draft("a.b.c", DIR).encrypted()
    with pytest.raises(ProtocolViolation) as caught:
        decrypt(token, spy, OWNER, encryption=DIR, types=ID_TOKEN.types)
    assert caught.value.code == "decryption_failed"
    (jwe,) = spy.asked
    assert jwe.protected.decode() == token.partition(".")[0]
    assert (jwe.encrypted_key, len(jwe.iv), len(jwe.ciphertext), len(jwe.tag)) == (b"", 12, 5, 16)


@pytest.mark.parametrize(
    ("token", "facts"),
    [
        ("a.b.c.d.é", ("jwe_malformed", "", None, "ASCII")),
        ("a.b.c.d", ("jwe_malformed", "", None, "five parts")),
        ("a.b.c.d.e.f.g", ("jwe_malformed", "", None, "five parts")),
        (f"{16_385 * 'A'}....", ("jose_header_invalid", "", 16_385, "up to 16384")),
        (
            with_header(members(kid=1)),
            ("kid_malformed", "kid", "a number", "up to 1024 printable characters"),
        ),
        (with_header(members(alg=1)), ("alg_not_allowed", "alg", "int", None)),
        (with_header(members(enc=["x"])), ("alg_not_allowed", "enc", "tuple", None)),
        (with_header(members(typ=1)), ("typ_unexpected", "typ", "int", None)),
        (with_header(members(cty=["x"])), ("cty_unexpected", "cty", "tuple", None)),
    ],
)
def test_a_refusal_before_decryption_tells_what_is_wrong(
    token: str, facts: tuple[str, str, str | int | None, str | int | None]
) -> None:
    assert told(lambda: opened(token)) == facts


def test_a_header_may_be_as_long_as_the_limit() -> None:
    longest = with_header(b"{}".ljust(12_288)).partition(".")[0].encode()
    assert len(longest) == LIMITS.jose_header
    # It is read, and only then refused for having no member.
    facts = told(lambda: parse_jwe_header(longest, ECDH, ID_TOKEN.types, nested=True))
    assert facts == ("jose_header_invalid", "", None, "a JSON object with alg")


def test_what_is_wrong_inside_is_told_without_showing_it() -> None:
    facts = told(lambda: signed_inside(b"{}"))
    assert facts == ("signature_missing", "", None, "a signed compact JWS")
    read, claims = header_of({**members(), "iss": "a"}), JsonObject({"iss": "b"})
    facts = told(lambda: check_replicated(read, claims, of="userinfo"))
    assert facts == ("iss_mismatch", "iss", "another in the header", None)


def test_a_parameter_of_the_key_that_no_encoding_could_carry_is_a_failure() -> None:
    for odd in ("\ud800", "é"):
        read = partial(header_of, members(apu=odd))
        refused(ProtocolViolation, "decryption_failed", read)


def test_a_parameter_of_the_key_may_be_as_long_as_its_header_lets_it() -> None:
    assert len(header_of(members(apu="A" * 2_000, apv="A" * 2_000)).apu) == 1_500
