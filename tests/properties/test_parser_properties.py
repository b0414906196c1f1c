"""Every input gives a value that renders back, or an error of this library; nothing else."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from hypothesis import assume, example, given
from hypothesis import strategies as st
from urllib3.util import parse_url as other_parser

from oidc_core.jose.jws import claims_kept, parse_header, split
from oidc_core.model.provider import metadata_of
from oidc_core.wire.encoding import b64url_decode, b64url_encode, percent_encode, same
from oidc_core.wire.errors import OidcError, ProtocolViolation, fingerprint
from oidc_core.wire.jsontypes import JsonObject, frozen_json, parse_object, render
from oidc_core.wire.urls import (
    encode_form,
    explain_difference,
    parse_form,
    parse_issuer,
    parse_url,
    query_names,
    with_query,
)
from tests.strategies import json_objects, json_values, urls

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_core.wire.jsontypes import JsonValue

T = TypeVar("T")

ANY_TEXT = st.text() | st.text(st.characters(exclude_categories=()))
PAIRS = st.lists(st.tuples(st.text(), st.text()), max_size=6).map(tuple)
JSON_PIECES = st.sampled_from(
    ('{"a":', "{", "}", "[", "]", ",", ":", '"', "\\", "\\u", "d800", "1", "9" * 20, "NaN", "1e999",
     "null", "true", " ", "\n", "\x00", "é", "\ufeff", '"a"', "-", ".")
)  # fmt: skip
NEARLY_JSON = st.lists(JSON_PIECES, max_size=40).map("".join)


def outcome(parse: Callable[..., T], *arguments: Any) -> T | OidcError:
    """Return the result or the refusal of a parser; anything else it raises is a failure."""
    try:
        return parse(*arguments)
    except OidcError as refused:
        error = refused
    assert str(error).isprintable()
    return error


# --- base64url -----------------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_octets_become_text_and_the_same_octets(octets: bytes) -> None:
    text = b64url_encode(octets)
    assert re.fullmatch(r"[A-Za-z0-9_-]*", text)
    assert b64url_decode(text.encode()) == octets
    assert base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) == octets


@given(st.binary(max_size=40) | st.text("AQgw-_+/=\n", max_size=12).map(str.encode))
def test_there_is_but_one_text_for_any_octets(text: bytes) -> None:
    octets = outcome(b64url_decode, text)
    if isinstance(octets, bytes):
        assert b64url_encode(octets).encode() == text
    else:
        assert octets.code == "base64url_malformed"


# --- JSON ----------------------------------------------------------------------------------------


def doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


@given(json_objects())
def test_json_reads_back_the_same(value: JsonObject) -> None:
    assert parse_object(render(value).encode()) == value
    assert json.loads(render(value)) == json.loads(json.dumps(plain(value)))
    assert hash(parse_object(render(value).encode())) == hash(value)


def plain(value: JsonValue) -> object:
    if isinstance(value, JsonObject):
        return {name: plain(member) for name, member in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


@given(st.binary() | NEARLY_JSON.map(str.encode) | json_values().map(render).map(str.encode))
@example(b'{"a":"' + b'\\"' * 5_000 + b"[" * 17)
@example(b'{"a":1e400}')
@example(b'{"a":-9999999999999999999,"b":"99999999999999999999"}')
@example("{}".encode("utf-16-le"))
def test_any_octets_are_a_strict_object_or_a_violation(octets: bytes) -> None:
    found = outcome(parse_object, octets)
    if isinstance(found, JsonObject):
        lenient = json.loads(octets.decode("utf-8"), object_pairs_hook=doubles)
        assert frozen_json(lenient) == found
        assert parse_object(render(found).encode()) == found
        render(found).encode("ascii")
    else:
        assert isinstance(found, ProtocolViolation)
        assert found.row.stage == "json"


@given(json_objects(), st.sampled_from(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig")))
def test_json_in_another_encoding_is_refused(value: JsonObject, encoding: str) -> None:
    found = outcome(parse_object, render(value).encode(encoding))
    assert isinstance(found, ProtocolViolation)
    assert found.code in {"json_not_utf8", "json_too_deep"}


@given(json_objects(), st.text(max_size=8), json_values(), json_values())
def test_a_member_that_stands_twice_is_refused(
    value: JsonObject, name: str, first: JsonValue, second: JsonValue
) -> None:
    double = f"{json.dumps(name)}:{render(first)},{json.dumps(name)}:{render(second)}"
    for text in (f"{{{double}}}", f'{{"x":[{{"y":{{{double}}}}}],"z":{render(value)}}}'):
        found = outcome(parse_object, text.encode())
        assert isinstance(found, ProtocolViolation)
        assert found.code in {"json_member_duplicated", "json_too_deep"}


# --- JWS and metadata ----------------------------------------------------------------------------

SEGMENTS = st.text("ey.JhbGciOiJ=+/ \n{", max_size=20) | st.binary(max_size=30).map(b64url_encode)


@given(st.lists(SEGMENTS, max_size=6).map(".".join) | ANY_TEXT)
def test_any_text_is_three_parts_or_a_violation(token: str) -> None:
    found = outcome(split, token)
    if isinstance(found, OidcError):
        assert found.code == "jws_malformed"
    else:
        assert b".".join((found.protected, found.payload, found.signature)).decode() == token
        assert found.signing_input + b"." + found.signature == token.encode()


@given(
    st.binary() | json_objects().map(lambda header: b64url_encode(render(header).encode()).encode())
)
def test_any_octets_are_a_header_or_a_violation(protected: bytes) -> None:
    found = outcome(parse_header, protected)
    if isinstance(found, OidcError):
        assert found.row.stage in {"jose", "json"}
    else:
        assert isinstance(found.alg, str)


@given(json_objects(), st.text(max_size=8), st.text(max_size=8))
def test_claims_that_were_signed_are_the_claims(claims: JsonObject, alg: str, odd: str) -> None:
    parts = (render(JsonObject({"alg": alg})), render(claims), odd + "x")
    token = ".".join(b64url_encode(part.encode()) for part in parts)
    assert claims_kept(token) == claims


@given(json_objects(), json_objects())
def test_any_object_is_metadata_or_a_violation(known: JsonObject, others: JsonObject) -> None:
    names = ("issuer", "token_endpoint", "scopes_supported", "claims_parameter_supported")
    renamed = dict(zip(names, known.values(), strict=False))
    for members in (
        others,
        JsonObject({**others, **renamed}),
        JsonObject({"issuer": "x", **others}),
    ):
        found = outcome(metadata_of, members)
        if isinstance(found, OidcError):
            assert found.row.stage == "metadata"
        else:
            assert found.issuer == members["issuer"]


# --- URLs and forms ------------------------------------------------------------------------------


@given(urls() | ANY_TEXT)
@example("https://good.example\\@evil.example/")
@example("https://[::ffff:127.0.0.1]/")
@example("https://op.example:443@evil.example")
def test_any_text_is_a_url_that_others_read_alike_or_refused(text: str) -> None:
    found = outcome(parse_url, text)
    if isinstance(found, OidcError):
        assert found.row.fault == "usage"
        assert found.code.startswith("url_")
        return
    split_url, other = urlsplit(text), other_parser(text)
    assert found.text == text
    assert found.host.lower() == other.host
    assert found.host.lower().strip("[]") == split_url.hostname
    assert found.port == (split_url.port or 443)
    assert (found.scheme, split_url.username, split_url.fragment) == ("https", None, "")
    assert text.isascii()
    assert text.isprintable()


@given(urls() | ANY_TEXT)
def test_any_text_is_an_issuer_to_the_letter_or_refused(text: str) -> None:
    found = outcome(parse_issuer, text)
    if isinstance(found, OidcError):
        assert found.code.startswith(("url_", "issuer_invalid"))
    else:
        assert found is text
        assert "?" not in text


@given(urls() | ANY_TEXT, urls() | ANY_TEXT)
def test_any_difference_is_explained_in_bounded_printable_words(left: str, right: str) -> None:
    said = explain_difference(left, right)
    assert said.isprintable()
    assert len(said) < 800


@given(PAIRS)
def test_a_form_reads_back_the_same_everywhere(pairs: tuple[tuple[str, str], ...]) -> None:
    text = encode_form(pairs)
    assume(all(name or value for name, value in pairs))
    assert parse_form(text) == pairs
    assert tuple(parse_qsl(text, keep_blank_values=True)) == pairs
    assert re.fullmatch(r"[A-Za-z0-9._~%=&-]*", text)


@given(ANY_TEXT | st.lists(st.sampled_from("a=&%+;2bé\ud800f"), max_size=30).map("".join))
def test_any_text_is_a_form(text: str) -> None:
    found = parse_form(text)
    assert len(found) == len([part for part in text.split("&") if part])
    assert all((name + value).encode("utf-8") is not None for name, value in found)


@given(st.sampled_from(("https://op.example/a", "https://op.example/a?x=1")), PAIRS)
def test_parameters_are_found_in_the_url_they_were_put_into(
    endpoint: str, pairs: tuple[tuple[str, str], ...]
) -> None:
    assume(all(name for name, _ in pairs))
    url = with_query(endpoint, encode_form(pairs))
    assert query_names(url) == query_names(endpoint) | {name for name, _ in pairs}


# --- texts ---------------------------------------------------------------------------------------


@given(ANY_TEXT, ANY_TEXT)
def test_secrets_are_the_same_only_if_they_are(left: str, right: str) -> None:
    assert same(left, left)
    assert same(left, right) == (left == right)
    assert re.fullmatch(r"#[0-9a-f]{8}", fingerprint(left))
    assert re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*", percent_encode(left))
