"""Frozen JSON, parsed strictly."""

import copy
import json
import operator
import pickle
import tracemalloc
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, Final, cast

import pytest

from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.jsontext import MAX_DIGITS
from oidc_core.wire.jsontypes import (
    MAX_DEPTH,
    MAX_MEMBERS,
    MAX_VALUES,
    NESTED,
    UNREADABLE,
    JsonObject,
    JsonValue,
    frozen_json,
    parse_object,
    quoted,
    read_once,
    render,
    unreadable,
)
from tests.unit.parties import Fickle, Unreadable, told


def refusal(document: bytes | str) -> str:
    octets = document.encode() if isinstance(document, str) else document
    with pytest.raises(ProtocolViolation) as caught:
        parse_object(octets)
    return caught.value.code


def value_of(text: str) -> JsonValue:
    return parse_object(f'{{"a":{text}}}'.encode())["a"]


# --- the frozen object ---------------------------------------------------------------------------

OBJECT = parse_object(b'{"b":[1,{"c":null}],"a":{"d":[[]]},"e":1.5}')


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"a":1,"b":2,"b":3,"c":4}', "b"),
        ('{"sub":1,"sub":2}', "sub"),
        ('{"' + "x" * 999 + '":1,"' + "x" * 999 + '":2}', "x" * 62 + "..." + "x" * 63),
    ],
)
def test_a_name_that_is_given_twice_is_told_bounded(text: str, name: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        parse_object(text.encode())
    assert (caught.value.code, caught.value.found) == ("json_member_duplicated", name)


def test_an_object_reads_like_a_mapping() -> None:
    assert [*OBJECT] == ["b", "a", "e"]
    assert len(OBJECT) == 3
    assert OBJECT["b"] == (1, JsonObject({"c": None}))
    assert OBJECT["a"] == JsonObject({"d": ((),)})
    assert OBJECT == {**OBJECT}
    assert OBJECT.members == {**OBJECT}
    assert repr(OBJECT) == "JsonObject(a, b, e)"
    with pytest.raises(KeyError):
        OBJECT["z"]


def test_an_object_is_given_out_as_plain_dicts_and_lists() -> None:
    plain = OBJECT.plain()
    assert plain == {"b": [1, {"c": None}], "a": {"d": [[]]}, "e": 1.5}
    assert type(plain["b"][1]) is dict
    assert parse_object(json.dumps(plain).encode()) == OBJECT
    plain["b"].append(2)
    plain["a"]["d"] = 5
    assert OBJECT.plain() == {"b": [1, {"c": None}], "a": {"d": [[]]}, "e": 1.5}
    assert JsonObject({}).plain() == {}


def test_an_object_does_not_change() -> None:
    kept = render(OBJECT)
    with pytest.raises(AttributeError):
        setattr(OBJECT, *("members", {}))
    with pytest.raises(AttributeError, match=r"^a JsonObject does not change$"):
        del OBJECT.members
    with pytest.raises(AttributeError):
        setattr(OBJECT, *("other", 1))
    with pytest.raises(TypeError):
        operator.setitem(cast("dict[str, JsonValue]", OBJECT.members), "b", 1)
    assert render(OBJECT) == kept


def test_an_object_keeps_no_hold_of_what_it_was_made_of() -> None:
    members: dict[str, JsonValue] = {"a": 1}
    made = JsonObject(members)
    members["a"] = 2
    assert made["a"] == 1


def test_an_object_can_be_copied_pickled_and_hashed() -> None:
    assert copy.copy(OBJECT) is OBJECT
    assert copy.deepcopy(OBJECT) is OBJECT
    for version in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(OBJECT, version)) == OBJECT
    same = parse_object(b'{"e":1.5,"a":{"d":[[]]},"b":[1,{"c":null}]}')
    assert (hash(same), same) == (hash(OBJECT), OBJECT)
    assert JsonObject({"a": 1}) != JsonObject({"a": 2})
    assert len({hash(JsonObject({"a": number})) for number in range(9)}) == 9


def test_what_json_would_take_is_frozen() -> None:
    assert frozen_json({"a": [1, (2, {"b": None})]}) == JsonObject(
        {"a": (1, (2, JsonObject({"b": None})))}
    )
    assert frozen_json("x") == "x"


# --- what is taken -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0", 0),
        ("true", True),
        ("false", False),
        ("null", None),
        ('"\\u00e9\\n\\/"', "é\n/"),
        ("1e2", 100.0),
        ("-1.25E-2", -0.0125),
        ("9" * MAX_DIGITS, int("9" * MAX_DIGITS)),
        ("-" + "9" * MAX_DIGITS, -int("9" * MAX_DIGITS)),
        ("0." + "1" * 30, float("0." + "1" * 30)),
        ('"' + "1" * 30 + '"', "1" * 30),
        ("[[],{}]", ((), JsonObject({}))),
    ],
)
def test_values_are_read(text: str, value: JsonValue) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["9" * MAX_DIGITS, "-" + "9" * MAX_DIGITS])
def test_a_number_is_judged_alike_whatever_stands_beside_it(text: str) -> None:
    beside = parse_object(f'{{"a":{text},"b":"{"1" * 20}"}}'.encode())
    assert beside["a"] == int(text)


@pytest.mark.parametrize("white", [" ", "\t", "\n", "\r", " \r\n\t "])
def test_white_space_around_is_legal(white: str) -> None:
    assert parse_object(f'{white}{{{white}"a"{white}:{white}1{white}}}{white}'.encode()) == {"a": 1}


@pytest.mark.req("RFC7515-10.13-01")
def test_characters_beyond_the_basic_plane_are_kept() -> None:
    assert value_of('"\\ud83d\\ude00"') == value_of('"😀"') == "😀"
    assert value_of('"é"') != value_of('"e\u0301"')


def test_members_differing_in_case_are_different() -> None:
    """E10."""
    assert parse_object(b'{"alg":"RS256","ALG":"none"}') == {"alg": "RS256", "ALG": "none"}


@pytest.mark.parametrize("name", ["__class__", "__proto__", "items", "members", ""])
def test_a_member_of_any_name_is_a_member_and_nothing_else(name: str) -> None:
    """E26."""
    found = parse_object(json.dumps({name: {"x": 1}}).encode())
    assert type(found) is JsonObject
    assert [*found.items()] == [(name, JsonObject({"x": 1}))]


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.req("RFC8725-3.7-01", "RFC7519-4-02", "RFC7515-5.2-01")
@pytest.mark.parametrize(
    "encoding",
    ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"],
)
def test_another_encoding_is_refused(encoding: str) -> None:
    """E11."""
    assert refusal('{"alg":"RS256"}'.encode(encoding)) == "json_not_utf8"


@pytest.mark.parametrize(
    "octets",
    [b'{"a":"\xff"}', b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xf4\x90\x80\x80"}'],
    ids=["stray", "overlong", "surrogate", "beyond"],
)
def test_what_is_not_utf_8_is_refused(octets: bytes) -> None:
    """E12."""
    assert refusal(octets) == "json_not_utf8"


@pytest.mark.req("RFC7515-10.12-01")
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "}",
        '{"a"}',
        '{"a":1',
        '{"a":1,}',
        '{"a":1}x',
        '{"a":1}{}',
        '{"a":1}\u00a0',
        '{"a":1}X',
        'X{"a":1}',
        "{'a':1}",
        "{a:1}",
        '{"a":01}',
        '{"a":+1}',
        '{"a":.5}',
        '{"a":1.}',
        '{"a":0x1}',
        '{"a":1_0}',
        '{"a":TRUE}',
        '{"a":"\n"}',
        '{"a":"\\x41"}',
        '{"a":"\\u12"}',
        '{"a":"b}',
        '{"a":1}//',
        "[1,]",
        "\u00a0{}",
        "{" * 16,
    ],
)
def test_what_is_not_json_is_refused(text: str) -> None:
    assert refusal(text) == "json_malformed"


@pytest.mark.parametrize("text", ["[]", "[{}]", '"a"', "1", "null", "true", " 1.5 ", '"{}"'])
def test_what_is_no_object_is_refused(text: str) -> None:
    """E17."""
    assert refusal(text) == "json_not_object"


@pytest.mark.req("RFC7515-4-01", "RFC7519-4-01", "RFC7517-4-01")
@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1,"\\u0061":2}',
        '{"b":{"a":1,"a":null}}',
        '{"b":[1,[{"a":1,"c":2,"a":3}]]}',
        '{"a":[],"a":[]}',
    ],
)
def test_a_member_may_stand_but_once_at_any_depth(text: str) -> None:
    """E09, D27."""
    assert refusal(text) == "json_member_duplicated"


def test_a_duplicate_is_seen_at_the_greatest_depth() -> None:
    around = MAX_DEPTH - 1
    assert refusal('{"x":' * around + '{"a":1,"a":2}' + "}" * around) == "json_member_duplicated"


@pytest.mark.parametrize(
    "number",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "9" * (MAX_DIGITS + 1),
        "-" + "9" * (MAX_DIGITS + 1),
        "9" * 5_000,
        "1" + "0" * 5_000,
    ],
    ids=lambda text: text[:10],
)
def test_a_number_is_finite_and_short(number: str) -> None:
    """E13, E14."""
    assert refusal(f'{{"a":{number}}}') == "json_number_invalid"
    assert refusal(f'{{"a":[{{"b":[{number}]}}]}}') == "json_number_invalid"


@pytest.mark.parametrize("before", range(12))
def test_a_number_that_is_too_long_is_seen_wherever_it_stands(before: int) -> None:
    for number in ("1" * 20, "-" + "1" * 20):
        assert refusal(f'{{"a":{" " * before}{number}}}') == "json_number_invalid"
    assert refusal(f'{{"a":[{" " * before}{"1" * 20}') == "json_number_invalid"


def test_a_number_that_is_refused_is_told_by_its_length_or_name() -> None:
    for text in ("9" * 20, "-" + "9" * 20):
        octets = f'{{"a":{text}}}'.encode()
        assert told(partial(parse_object, octets)) == (
            "json_number_invalid",
            "",
            20,
            "up to 19 digits",
        )
    assert told(lambda: value_of("NaN")) == ("json_number_invalid", "", "NaN", None)
    assert told(lambda: value_of("-Infinity")) == ("json_number_invalid", "", "-Infinity", None)
    assert told(lambda: value_of("1e400")) == ("json_number_invalid", "", None, None)


@pytest.mark.parametrize(
    "text",
    ["\\ud800", "\\udc00", "\\ude00\\ud83d", "a\\uD800b", "\\ud800\\ud800"],
)
def test_an_unpaired_surrogate_is_refused_in_names_and_values(text: str) -> None:
    """E12."""
    assert refusal(f'{{"a":"{text}"}}') == "json_string_invalid"
    assert refusal(f'{{"{text}":1}}') == "json_string_invalid"
    assert refusal(f'{{"a":[1,{{"b":["{text}"]}}]}}') == "json_string_invalid"


def test_a_string_may_be_as_long_as_its_document() -> None:
    assert value_of(f'"{"x" * 1_000_000}"') == "x" * 1_000_000


def test_long_documents_of_short_strings_are_fine() -> None:
    document = {"a": ["x" * 1_000] * 40, "b": 1.5, "c": None}
    assert parse_object(json.dumps(document).encode()) == frozen_json(document)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_has_a_limit(opening: str, closing: str) -> None:
    def nested(depth: int) -> str:
        inner = depth - 1
        return '{"a":' + opening * inner + "0" + closing * inner + "}"

    assert render(parse_object(nested(MAX_DEPTH).encode())) == nested(MAX_DEPTH)
    assert refusal(nested(MAX_DEPTH + 1)) == "json_too_deep"
    deeper = parse_object(nested(MAX_DEPTH + 1).encode(), depth=MAX_DEPTH + 1)
    assert render(deeper) == nested(MAX_DEPTH + 1)


def test_depth_is_counted_up_and_down_again() -> None:
    deepest, beside = '{"a":' + "[" * (MAX_DEPTH - 1), "]" * (MAX_DEPTH - 1) + ',"b":[{}]}'
    assert render(parse_object(f"{deepest}{beside}".encode())) == deepest + beside
    two_less = '{"a":' + "[" * (MAX_DEPTH - 2)
    above = f"{two_less}[],[],[],[[]]{']' * (MAX_DEPTH - 2)}}}"
    assert told(lambda: parse_object(above.encode())) == ("json_too_deep", "", None, "up to 16")
    assert refusal('{"b":[],"a":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}") == "json_too_deep"


@pytest.mark.parametrize(
    "document", ["[" * 200_000, '{"a":' * 200_000, '{"a":' + "[" * 200_000 + "]" * 200_000 + "}"]
)
def test_a_tower_is_refused_before_it_is_climbed(document: str) -> None:
    """E15."""
    assert refusal(document) == "json_too_deep"


def test_brackets_side_by_side_or_in_strings_are_not_depth() -> None:
    text = '{"a":[' + ",".join(['{"b":[]}'] * 40) + '],"c":"[[[[[{{{{{\\"[[[[[[[[[["}'
    assert render(parse_object(text.encode())) == text


def test_a_string_is_passed_over_whole_even_if_a_line_ends_in_it() -> None:
    assert refusal('{"a":"\\\n' + "[" * 17 + '"}') == "json_malformed"


def test_the_limits_are_those_that_are_written_down() -> None:
    assert (MAX_DEPTH, MAX_MEMBERS, NESTED, MAX_DIGITS) == (16, 2_048, 4, 19)


def test_an_endless_string_is_read_but_once() -> None:
    # Were each quote in it tried again, this would take an hour.
    document = '{"a":"' + '\\"' * 500_000 + "[" * 17
    assert refusal(document) == "json_malformed"
    assert refusal("[" * 17 + document) == "json_too_deep"


def test_an_object_has_a_limited_number_of_members() -> None:
    """E16."""

    def members(count: int) -> str:
        return "{" + ",".join(f'"{n}":0' for n in range(count)) + "}"

    assert len(parse_object(members(MAX_MEMBERS).encode())) == MAX_MEMBERS
    assert refusal(members(MAX_MEMBERS + 1)) == "json_too_large"
    within = ('{"a":[' + members(MAX_MEMBERS + 1) + "]}").encode()
    told_of = ("json_too_large", "", MAX_MEMBERS + 1, "up to 2048")
    assert told(partial(parse_object, within)) == told_of
    assert len(parse_object(within, members=MAX_MEMBERS + 1)) == 1
    least = b'{"a":0,"":0}'
    assert told(partial(parse_object, least, members=1)) == ("json_too_large", "", 2, "up to 1")
    assert len(parse_object(least, members=2)) == 2


def test_many_colons_are_no_members() -> None:
    text = '{"a":"' + ":" * 20_000 + '","b":[[1],{"c":2}]}'
    assert render(parse_object(text.encode())) == text


@pytest.mark.parametrize("empty", ["[]", "{}"])
def test_arrays_and_objects_have_a_limited_number(empty: str) -> None:
    """E16: side by side, each makes more work than its two octets let expect."""

    def many(count: int) -> str:
        return '{"a":[' + ",".join([empty] * (count - 2)) + "]}"

    most = NESTED * MAX_MEMBERS
    assert render(parse_object(many(most).encode())) == many(most)
    too_many = many(most + 1).encode()
    assert told(lambda: parse_object(too_many)) == ("json_too_large", "", None, "up to 8192")
    more = parse_object(too_many, members=MAX_MEMBERS + 1)
    assert render(more) == many(most + 1)
    assert refusal(many(1_000_000)) == "json_too_large"
    text = '{"a":"' + "[{" * most + '"}'  # in a string they are ordinary text
    assert render(parse_object(text.encode())) == text


@pytest.mark.parametrize(
    "document",
    [
        '{"a":[' + ",".join(20 * ["[]"]) + 1_000_000 * "]" + 17 * "[",
        "{}" + 17 * "[",
        "[]" * 100_000,
        "]" + 17 * "[",
    ],
)
def test_nobody_looks_for_depth_beyond_the_end_of_the_value(document: str) -> None:
    assert refusal(document) == "json_malformed"


def test_a_refusal_costs_little_memory() -> None:
    octets = b"[" * 1_000_000
    tracemalloc.start()
    code = refusal(octets)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert code == "json_too_deep"
    assert peak < 3 * len(octets)


# --- what costs its own member -------------------------------------------------------------------


def spared(document: str) -> JsonObject:
    return parse_object(document.encode(), tolerant=True)


ODD: Final = ("9" * 20, "-" + "9" * 5_000, "1e400", "-1e400", '"\\ud800"', '"a\\udc00b"')


@pytest.mark.parametrize("odd", ODD, ids=lambda text: text[:8])
@pytest.mark.parametrize("around", ["{}", "[{}]", '{{"x":{}}}', '[1,[{{"y":[{}]}}]]'])
def test_what_cannot_be_read_costs_its_top_level_member(odd: str, around: str) -> None:
    found = spared(f'{{"a":1,"odd":{around.format(odd)},"b":["x"]}}')
    assert found == {"a": 1, "odd": UNREADABLE, "b": ("x",)}
    assert found["odd"] is UNREADABLE
    assert unreadable(found) == ("odd",)


def test_what_can_be_read_is_read_alike() -> None:
    text = '{"a":{},"b":"\\ud83d\\ude00","c":9999999999999999999,"d":1.5}'
    assert spared(text) == parse_object(text.encode())
    assert unreadable(spared(text)) == ()


def test_several_members_are_told_in_order() -> None:
    found = spared('{"c":1e999,"a":"\\ud800","b":11111111111111111111,"d":0.5}')
    assert (unreadable(found), found["d"]) == (("c", "a", "b"), 0.5)


def test_a_name_that_is_no_unicode_costs_what_it_names() -> None:
    assert spared('{"\\ud800":1,"a":2}') == {"a": 2}
    assert unreadable(spared('{"x":{"\\ud800":1},"a":2}')) == ("x",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a":NaN}', "json_number_invalid"),
        ('{"b":1e999,"a":-Infinity}', "json_number_invalid"),
        ('{"b":1e999,"a":1,"a":2}', "json_member_duplicated"),
        ('{"b":1e999,"a":1', "json_malformed"),
        ('{"b":1e999}x', "json_malformed"),
        ("1e999", "json_not_object"),
        ('{"b":1e999,"a":' + "[" * 16 + "]" * 16 + "}", "json_too_deep"),
        ('{"b":1e999,' + ",".join([f'"{n}":0' for n in range(2_048)]) + "}", "json_too_large"),
        ('{"b":1e999,"a":"\0"}', "json_not_utf8"),
    ],
    ids=lambda text: text[:22],
)
def test_all_else_costs_the_document(text: str, code: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        spared(text)
    assert caught.value.code == code


def test_what_cannot_be_read_is_malformed_and_never_absent() -> None:
    assert (repr(UNREADABLE), type(UNREADABLE).__name__) == ("UNREADABLE", "Unreadable")
    assert isinstance(UNREADABLE, JsonObject)
    assert JsonObject({}) == UNREADABLE
    assert UNREADABLE is not None
    assert not isinstance(UNREADABLE, (str, int, float, tuple))
    for version in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(UNREADABLE, version)) is UNREADABLE
    assert copy.deepcopy(UNREADABLE) is copy.copy(UNREADABLE) is UNREADABLE
    again = pickle.loads(pickle.dumps(spared('{"a":1e999}')))
    assert unreadable(again) == unreadable(JsonObject({**again})) == ("a",)
    assert render(again) == '{"a":{}}'


# --- rendering -----------------------------------------------------------------------------------


def test_rendering_is_compact_ascii_in_order() -> None:
    text = '{"b":[1,{"c":null}],"a":"\\u00e9\\"","d":true,"e":1.5}'
    assert render(parse_object(text.encode())) == text


def nested(levels: int, kind: Callable[[object], object]) -> object:
    value: object = 1
    for _ in range(levels):
        value = kind(value)
    return value


def in_object(value: object) -> object:
    return {"a": value}


def in_list(value: object) -> object:
    return [value]


class Text(StrEnum):
    GOLD = "gold"


NO_JSON: Final[dict[str, object]] = {
    "NaN": float("nan"),
    "infinite": float("-inf"),
    "bytes": b"a",
    "a set": {1},
    "an object": object(),
    "20 digits": 10**19,
    "too long to print": -(10**5_000),
    "an enumeration": Text.GOLD,
    "a number as a name": {1: 2},
    "bytes as a name": {b"a": 1},
    "deep lists": nested(66, in_list),
    "deep objects": nested(66, in_object),
    "deeper than Python's stack": nested(100_000, in_list),
}


@pytest.mark.parametrize("value", NO_JSON.values(), ids=NO_JSON.keys())
def test_what_is_no_json_is_not_frozen(value: object) -> None:
    inside: dict[str, object] = {"a": value}
    for freeze in (
        partial(frozen_json, value),
        partial(frozen_json, [inside]),
        partial(JsonObject, inside),
    ):
        with pytest.raises(UsageError) as caught:
            freeze()
        assert (caught.value.code, caught.value.about) == ("parameter_invalid", "JSON")


@pytest.mark.parametrize("value", [None, "a", b"a", 1, [("a", 1)], ("a",)])
def test_an_object_is_made_of_a_mapping(value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        JsonObject(value)
    assert (caught.value.code, caught.value.expected) == ("parameter_invalid", "an object")


def test_a_list_that_holds_itself_ends() -> None:
    ring: list[object] = []
    ring.append(ring)

    with pytest.raises(UsageError):
        frozen_json(ring)


def test_an_object_is_frozen_all_the_way_down() -> None:
    given = {"a": [1, {"b": [2]}], "c": MappingProxyType({"d": (3,)})}
    made = JsonObject(given)

    assert made == frozen_json(given)
    assert made["a"] == (1, JsonObject({"b": (2,)}))
    assert isinstance(made["c"], JsonObject)
    assert hash(made) == hash(frozen_json(given))
    assert frozen_json(nested(63, in_object)) == nested(63, in_object)
    assert frozen_json(-(10**19) + 1) == -(10**19) + 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1}, b"a", object()])
def test_what_is_no_json_is_not_rendered(value: Any) -> None:
    for given in (value, (value,)):
        with pytest.raises(UsageError) as caught:
            render(given)
        assert (caught.value.code, caught.value.about) == ("parameter_invalid", "JSON")


@pytest.mark.parametrize("octets", ["{}", None, 5, ["{}"]])
def test_a_document_is_octets(octets: Any) -> None:
    with pytest.raises(UsageError) as caught:
        parse_object(octets)
    assert (caught.value.code, caught.value.expected) == ("parameter_invalid", "bytes")


def test_one_string_is_quoted_as_in_rendering() -> None:
    for text in ("", 'a"\\é\n', "\x7f\u2028😀"):
        assert quoted(text) == render(text)


# --- mappings of any class, and lists that hold one another --------------------------------------


def test_a_mapping_is_read_once() -> None:
    assert JsonObject(Fickle({"a": 1}, {5: 1})).members == {"a": 1}
    assert frozen_json([Fickle({"a": 1}, {5: 1})]) == (JsonObject({"a": 1}),)
    assert read_once(Fickle({"a": 1}, {})) == {"a": 1}


def test_a_mapping_that_cannot_be_read_is_no_json() -> None:
    assert read_once(Unreadable()) is None
    calls: tuple[Callable[[], object], ...] = (
        lambda: JsonObject(Unreadable()),
        lambda: frozen_json([Unreadable()]),
    )
    for call in calls:
        with pytest.raises(UsageError) as caught:
            call()
        assert (caught.value.code, caught.value.about) == ("parameter_invalid", "JSON")


def doubled(leaf: Any, wrap: Callable[[Any], Any]) -> Any:
    for _ in range(40):
        leaf = wrap(leaf)
    return leaf


TWICE: dict[str, Callable[[Any], Any]] = {
    "list": lambda inner: [inner, inner],
    "tuple": lambda inner: (inner, inner),
    "dict": lambda inner: {"a": inner, "b": inner},
    "both": lambda inner: [{"a": inner}, {"a": inner}],
}


@pytest.mark.parametrize("wrap", TWICE.values(), ids=TWICE)
def test_what_holds_another_many_times_has_a_limit(wrap: Callable[[Any], Any]) -> None:
    for value in (doubled("x", wrap), doubled(1, wrap)):
        with pytest.raises(UsageError) as caught:
            JsonObject({"a": value})
        assert caught.value.code == "parameter_invalid"


@pytest.mark.slow
def test_objects_that_hold_one_another_are_counted_in_full() -> None:
    with pytest.raises(UsageError) as caught:
        doubled(JsonObject({}), lambda inner: JsonObject({"a": inner, "b": inner}))
    assert caught.value.expected == f"at most {MAX_VALUES} values"


def test_as_many_values_as_any_answer_has_are_taken() -> None:
    many = JsonObject({"a": [0] * (2**19)})
    assert JsonObject({**many.members}) == many
