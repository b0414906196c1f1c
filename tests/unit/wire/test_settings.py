"""Fields are held to their annotations, and what may be given in another form is frozen."""

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum, IntEnum, StrEnum
from functools import partial, wraps
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeVar

import pytest
from attrs import field, frozen, make_class

from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.settings import (
    as_count,
    as_entries,
    check_fields,
    check_kind,
    check_text,
    fields_of,
    json_array,
    json_object,
    names,
    octets_of,
    optional_json_object,
    pairs,
    text_set,
    texts,
)
from tests.unit.parties import Fickle, Unreadable

T = TypeVar("T")


class Port(Protocol):
    """Something with a method and a property."""

    @property
    def name(self) -> str: ...

    def call(self) -> None: ...


class Fulfilled:
    name = "n"

    def call(self) -> None: ...


FULFILLED = Fulfilled()


class Mode(Enum):
    OFF = "off"


@frozen
class Part:
    number: int = 1


class Special(Part):
    """One of our own classes, extended."""


@frozen(kw_only=True)
class Everything:
    text: str = ""
    number: int = 0
    truth: bool = False
    octets: bytes = b""
    perhaps: str | None = None
    count: int | None = None
    word: Literal["a", "b"] = "a"
    word_or_none: Literal["a", "b"] | None = None
    listed: tuple[str, ...] = field(default=(), converter=texts)
    named: tuple[str, ...] = field(default=(), converter=names)
    grouped: frozenset[str] = field(default=frozenset(), converter=text_set)
    paired: tuple[tuple[str, str], ...] = field(default=(), converter=pairs)
    members: JsonObject = field(default=JsonObject({}), converter=json_object)
    claims: JsonObject | None = field(default=None, converter=optional_json_object)
    keys: tuple[Any, ...] = field(default=(), converter=json_array)
    part: Part = Part()
    part_or_mode: Part | Mode = Mode.OFF
    port: Port = FULFILLED
    by_pair: Mapping[tuple[str, str], str] = MappingProxyType({})
    call: Callable[[], None] | None = None

    def __attrs_post_init__(self) -> None:
        check_fields(self, FIELDS)


FIELDS = fields_of(Everything, "parameter_invalid", keys=tuple[object, ...])


class Text(StrEnum):
    GOLD = "gold"


class Level(IntEnum):
    ONE = 1


RING: list[object] = []
RING.append(RING)


KEPT: list[tuple[str, Any, object]] = [
    ("text", "a", "a"),
    ("number", -5, -5),
    ("truth", True, True),
    ("octets", b"a", b"a"),
    ("perhaps", None, None),
    ("perhaps", "", ""),
    ("count", 3, 3),
    ("word", "b", "b"),
    ("word_or_none", None, None),
    ("word_or_none", "b", "b"),
    ("listed", ["b", "a", "b"], ("b", "a", "b")),
    ("listed", ("b", "a"), ("b", "a")),
    ("listed", [], ()),
    ("named", {"b", "a"}, ("a", "b")),
    ("named", frozenset({"b", "a"}), ("a", "b")),
    ("named", ["b", "a"], ("b", "a")),
    ("grouped", ["b", "a", "b"], frozenset({"a", "b"})),
    ("grouped", ("a",), frozenset({"a"})),
    ("grouped", {"a"}, frozenset({"a"})),
    ("grouped", set(), frozenset()),
    ("paired", {"a": "b"}, (("a", "b"),)),
    ("paired", MappingProxyType({"a": "b"}), (("a", "b"),)),
    ("paired", [("a", "b"), ["a", "c"]], (("a", "b"), ("a", "c"))),
    ("paired", (["a", "b"],), (("a", "b"),)),
    ("paired", {}, ()),
    ("members", {"a": [1, {"b": None}]}, JsonObject({"a": (1, {"b": None})})),
    ("claims", {"a": {}}, JsonObject({"a": {}})),
    ("claims", None, None),
    ("keys", [{"a": [1]}, 5], (JsonObject({"a": (1,)}), 5)),
    ("part", Part(2), Part(2)),
    ("part_or_mode", Mode.OFF, Mode.OFF),
    ("by_pair", {("a", "b"): "c"}, {("a", "b"): "c"}),
    ("call", None, None),
]


@pytest.mark.parametrize(("name", "given", "kept"), KEPT)
def test_what_fits_is_kept_and_frozen(name: str, given: Any, kept: object) -> None:
    held = getattr(Everything(**{name: given}), name)

    assert held == kept
    assert name == "by_pair" or not isinstance(held, list | set | dict)


def test_a_class_of_our_own_may_be_extended_and_a_port_fulfilled() -> None:
    extended, fulfilled = Special(), Fulfilled()

    made = Everything(part=extended, part_or_mode=extended, port=fulfilled)

    assert (made.part, made.part_or_mode, made.port) == (extended, extended, fulfilled)


ODD: dict[str, list[Any]] = {
    "text": [None, b"a", 1, ["a"], Text.GOLD, object()],
    "number": [None, True, 1.0, "1", Level.ONE, [1]],
    "truth": [None, 1, 0, "true", ""],
    "octets": [None, "a", bytearray(b"a"), memoryview(b"a"), [97]],
    "perhaps": [b"a", 0, False, ()],
    "count": [True, "3", 3.5, [3]],
    "word": [None, "c", "", b"a", 1, ["a"], {"a"}, {}, Text.GOLD],
    "word_or_none": ["c", b"a", 0, ["a"], {}],
    "listed": [None, "ab", b"ab", 5, {"a"}, frozenset({"a"}), {"a": "b"}, ["a", None], [b"a"],
               ("a", 1), [["a"]], [Text.GOLD], iter(["a"]), RING],
    "named": [None, "ab", b"ab", {"a": "b"}, {"a", None}, {b"a"}, ["a", 1], {1}, {("a",)}],
    "grouped": [None, "ab", b"ab", {"a": "b"}, ["a", None], [["a"]], {b"a"}, {Text.GOLD}, [{}]],
    "paired": [None, "ab", b"ab", ["ab"], [("a",)], [("a", "b", "c")], [("a", None)], [(1, "b")],
               {"a": None}, {"a": ["b"]}, {1: "b"}, {("a", "b")}, ["a"], [{"a": "b"}], (None,)],
    "members": [None, "a", b"{}", [("a", 1)], {"a": b"b"}, {1: 2}, {"a": {"b": {1}}}, {"a": RING}],
    "claims": ["a", b"{}", [], {"a": {1}}, {None: 1}, {"a": float("nan")}, 0, False],
    "keys": [None, "a", {"a": 1}, {"a"}],
    "part": [None, "a", {"number": 1}, Part, Mode.OFF],
    "part_or_mode": [None, "off", Part, Mode],
    "port": [None, "a", Part(), {"name": "n", "call": None}],
    "by_pair": [None, {"a": "b"}, {("a",): "b"}, {("a", "b"): None}, [(("a", "b"), "c")], "a"],
    "call": ["a", {}, ()],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given"),
    [
        pytest.param(name, given, id=f"{name}-{at}")
        for name, values in ODD.items()
        for at, given in enumerate(values)
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(name: str, given: Any) -> None:
    with pytest.raises(UsageError) as caught:
        Everything(**{name: given})

    assert (caught.value.code, caught.value.about) == ("parameter_invalid", name)
    assert caught.value.found is not None
    assert caught.value.expected


@pytest.mark.parametrize(
    ("name", "given", "found", "expected"),
    [
        ("text", 5, "int", "str"),
        ("perhaps", b"s", "bytes", "str or None"),
        ("listed", "a secret", "str", "a list of str"),
        ("listed", ["a", None, b"b"], "tuple of NoneType and bytes and str", "a list of str"),
        ("grouped", [None], "list of NoneType", "a set of str"),
        ("paired", ["a secret"], "tuple of str", "a list of (str, str)"),
        ("paired", "a secret", "str", "a list of (str, str)"),
        ("word", "c", "c", "'a' or 'b'"),
        ("word_or_none", "c", "c", "'a' or 'b' or None"),
        ("claims", [], "an empty list", "JsonObject or None"),
        ("part", None, "NoneType", "Part"),
    ],
)
def test_a_refusal_tells_types_and_shows_nothing_of_what_was_given(
    name: str, given: Any, found: str, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Everything(**{name: given})

    assert (caught.value.found, caught.value.expected) == (found, expected)
    assert "secret" not in str(caught.value)


def test_another_code_and_another_annotation_may_be_named() -> None:
    @frozen
    class Named:
        held: int

    fields = fields_of(Named, held=str)
    text: Any = "a"
    check_fields(Named(text), fields)
    with pytest.raises(UsageError) as caught:
        check_fields(Named(1), fields)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "held")


def test_annotations_that_are_text_are_found_out() -> None:
    written: Any = "str"
    late = make_class("Late", {"held": field(type=written)})

    with pytest.raises(TypeError, match="the annotation of held is text"):
        fields_of(late)


def test_a_class_without_fields_to_give_is_good() -> None:
    @frozen
    class Empty:
        made: int = field(init=False, default=1)

    check_fields(Empty(), fields_of(Empty))


def test_a_single_argument_is_checked_alike() -> None:
    check_kind("a", str | None, about="a")
    check_kind({"a": 1}, Mapping[str, object], about="a")
    check_kind(5, T, about="a")
    check_text("", "a")
    for value, kind in ((5, str), ({1: 1}, Mapping[str, object]), (None, Mapping[str, object])):
        with pytest.raises(UsageError) as caught:
            check_kind(value, kind, about="a")
        assert (caught.value.code, caught.value.about) == ("parameter_invalid", "a")
    for odd in (None, b"a", 5, ["a"], Text.GOLD):
        with pytest.raises(UsageError):
            check_text(odd, "a")


def test_a_record_is_text_or_octets() -> None:
    assert octets_of("é\ud800", "record") == b"\xc3\xa9\xed\xa0\x80"
    assert octets_of(b"{}", "record") == b"{}"
    for value in (None, 5, ["a"], {"a": 1}, bytearray(b"a")):
        with pytest.raises(UsageError) as caught:
            octets_of(value, "record")
        assert (caught.value.about, caught.value.expected) == ("record", "str or bytes")


# --- what stands for a port ----------------------------------------------------------------------


class Both(Protocol):
    """A port with a method to call, one to await, and a property."""

    @property
    def name(self) -> str: ...

    def call(self) -> bool: ...

    async def wait(self) -> bool: ...


async def awaited(*_: object) -> bool:
    return True


def called(*_: object) -> bool:
    return True


class Awaited:
    async def __call__(self) -> bool:
        return True


@wraps(awaited)
def again(*given: object) -> Awaitable[bool]:
    return awaited(*given)


class Failing:
    def __get__(self, held: object, kind: type) -> object:
        if held is None:
            return self
        raise ConnectionError


def standing(**members: object) -> object:
    return type("Standing", (), {"name": "n", "call": called, "wait": awaited, **members})()


@pytest.mark.parametrize(
    "value",
    [
        standing(),
        standing(name=Failing()),
        standing(call=staticmethod(called)),
        standing(call=staticmethod(partial(called, 1))),
        standing(call=Fulfilled),
        standing(wait=again),
        standing(wait=Awaited()),
        standing(wait=staticmethod(partial(awaited, 1))),
    ],
    ids=["plain", "failing_property", "static", "partial", "class", "wrapped", "object", "waits"],
)
def test_what_has_the_methods_of_a_port_stands_for_it(value: object) -> None:
    check_kind(value, Both, about="port")
    check_kind(value, Both | None, about="port")


@pytest.mark.parametrize(
    "value",
    [
        standing(call=awaited),
        standing(call=staticmethod(awaited)),
        standing(call=partial(awaited, 1)),
        standing(call=Awaited()),
        standing(call="text"),
        standing(call=None),
        standing(call=Failing()),
        standing(wait=called),
        standing(wait=True),
        type(standing()),
        Both,
    ],
    ids=[
        "async", "async_static", "async_partial", "async_object", "text", "none", "failing",
        "wait_called", "wait_bool", "class", "port",
    ],
)  # fmt: skip
def test_what_has_other_members_than_a_port_does_not_stand_for_it(value: object) -> None:
    with pytest.raises(UsageError) as caught:
        check_kind(value, Both, about="port")
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", "port")


def test_a_mapping_among_the_settings_is_read_once() -> None:
    kind = Mapping[tuple[str, str], str] | None
    fickle = Fickle({("a", "b"): "c"}, {5: 5})
    assert as_entries(fickle, kind, "secrets") == {("a", "b"): "c"}
    assert as_entries(None, kind, "secrets") == {}
    odd: Any
    for odd in (Unreadable(), Fickle({5: 5}, {}), "text", 5, {"a": "b"}, [("a", "b")]):
        with pytest.raises(UsageError) as caught:
            as_entries(odd, kind, "secrets")
        assert (caught.value.code, caught.value.about) == ("config_invalid", "secrets")


def test_pairs_are_read_once() -> None:
    unreadable: Any = Unreadable()
    assert pairs(Fickle({"a": "b"}, {5: 5})) == (("a", "b"),)
    with pytest.raises(UsageError):
        Everything(paired=unreadable)
    with pytest.raises(UsageError):
        Everything(by_pair=unreadable)


@pytest.mark.parametrize(
    ("value", "least"), [(0, 1), (-1, 1), (1, 2), (True, 1), (1.0, 1), ("1", 1)]
)
def test_a_count_is_a_whole_number_of_at_least_so_many(value: Any, least: int) -> None:
    assert as_count(least, "cap", least=least) == least
    with pytest.raises(UsageError) as caught:
        as_count(value, "cap", least=least)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "cap")
