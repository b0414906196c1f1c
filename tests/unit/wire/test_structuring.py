"""Strict conversion between JSON and attrs values."""

from typing import NamedTuple

import pytest
from attrs import field, frozen

from oidc_core.wire.errors import OidcError, ProtocolViolation, StoreFailure
from oidc_core.wire.jsontypes import JsonObject, JsonValue, render
from oidc_core.wire.structuring import Structured, structured, unstructured

EMPTY = JsonObject({})


class Leaf(NamedTuple):
    text: str
    maybe_number: int | None = None
    texts: tuple[str, ...] = ("a",)


class Branch(NamedTuple):
    leaf: Leaf
    maybe_leaf: Leaf | None = None


class Bough(NamedTuple):
    leaf: Leaf | None


@frozen(kw_only=True)
class Tree:
    leaves: tuple[Leaf, ...] = ()
    branch: Branch | None = None
    bough: Bough | None = None


@frozen(kw_only=True)
class Sample:
    text: str
    truth: bool = False
    number: int = 7
    texts: tuple[str, ...] = ("a",)
    members: JsonObject = EMPTY
    maybe_text: str | None = None
    maybe_number: int | None = None
    maybe_truth: bool | None = None
    derived: int = field(init=False, default=3)


def refusal(**members: JsonValue) -> OidcError:
    with pytest.raises(StoreFailure) as caught:
        structured(JsonObject(members), Sample, StoreFailure, "record_invalid")
    return caught.value


def sample(**members: JsonValue) -> Sample:
    """Structure a sample from which no member must be dropped."""
    given = JsonObject({"text": "x", **members})
    value, dropped = structured(given, Sample, StoreFailure, "record_invalid")
    assert dropped == ()
    return value


FULL = Sample(
    text="x",
    truth=True,
    number=0,
    texts=(),
    members=JsonObject({"a": (1, JsonObject({"b": None}))}),
    maybe_text="",
    maybe_number=0,
    maybe_truth=False,
)


def test_members_that_are_absent_or_null_take_the_default() -> None:
    assert sample() == Sample(text="x")
    names = ("truth", "number", "texts", "members", "maybe_text", "maybe_number", "maybe_truth")
    nulls = dict.fromkeys(names)
    assert sample(**nulls) == Sample(text="x")


def test_a_value_reads_back_as_it_was() -> None:
    read = structured(unstructured(FULL), Sample, StoreFailure, "record_invalid")
    assert read == Structured(FULL, ())
    assert unstructured(Sample(text="x")) == {"text": "x"}
    assert render(unstructured(FULL)) == (
        '{"text":"x","truth":true,"number":0,"texts":[],"members":{"a":[1,{"b":null}]},'
        '"maybe_text":"","maybe_number":0,"maybe_truth":false}'
    )


def test_what_is_unknown_or_derived_is_not_read() -> None:
    assert sample(unknown=1, derived=9) == Sample(text="x")


ODD: list[JsonValue] = ["300", "true", 1, 1.0, True, ("a", 1), ("a", None), JsonObject({"a": 1})]
TAKEN: dict[str, list[JsonValue]] = {
    "text": ["300", "true"],
    "truth": [True],
    "number": [1],
    "texts": [],
    "members": [JsonObject({"a": 1})],
    "maybe_text": ["300", "true"],
    "maybe_number": [1],
    "maybe_truth": [True],
}


KINDS: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    tuple: "a list",
    JsonObject: "an object",
}


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_nothing_is_coerced(name: str, value: JsonValue) -> None:
    taken = any(value == good and type(value) is type(good) for good in TAKEN[name])
    if taken:
        assert getattr(sample(**{name: value}), name) == value
        return
    error = refusal(**{"text": "x", name: value})
    assert (error.code, error.about) == ("record_invalid", name)
    assert error.found == KINDS[type(value)]


@pytest.mark.parametrize("name", [name for name in TAKEN if name != "text"])
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_a_member_that_nothing_reads_is_dropped_if_it_is_malformed(
    name: str, value: JsonValue
) -> None:
    given = JsonObject({"text": "x", name: value})
    read = structured(given, Sample, StoreFailure, "record_invalid", droppable={name, "other"})
    if any(value == good and type(value) is type(good) for good in TAKEN[name]):
        assert read == Structured(sample(**{name: value}), ())
    else:
        assert read == Structured(Sample(text="x"), (name,))


def test_all_that_is_dropped_is_named_and_the_rest_is_kept() -> None:
    given = JsonObject({"text": "x", "number": "1", "truth": 1, "maybe_text": "kept"})
    droppable = {"number", "truth", "maybe_text"}
    assert structured(given, Sample, StoreFailure, "record_invalid", droppable=droppable) == (
        Sample(text="x", maybe_text="kept"),
        ("truth", "number"),
    )


@pytest.mark.parametrize(
    ("members", "about", "found"),
    [
        ({"text": 5}, "text", "a number"),
        ({}, "text", None),
        ({"text": "x", "maybe_number": "1"}, "maybe_number", "a string"),
    ],
)
def test_beside_what_may_be_dropped_the_rest_is_refused_as_ever(
    members: dict[str, JsonValue], about: str, found: str | None
) -> None:
    given = JsonObject({"number": "1", **members})
    with pytest.raises(StoreFailure) as caught:
        structured(given, Sample, StoreFailure, "record_invalid", droppable={"number"})
    error = caught.value
    assert (error.code, error.about, error.found) == ("record_invalid", about, found)


def test_a_required_member_that_is_missing_is_named() -> None:
    for error in (refusal(), refusal(text=None), refusal(number=1)):
        assert (error.code, error.about, error.found) == ("record_invalid", "text", None)


def test_the_caller_says_whose_fault_it_is() -> None:
    with pytest.raises(ProtocolViolation) as caught:
        structured(JsonObject({}), Sample, ProtocolViolation, "metadata_invalid")
    assert caught.value.code == "metadata_invalid"


# --- named tuples --------------------------------------------------------------------------------


def tree(**members: JsonValue) -> Tree:
    return structured(JsonObject(members), Tree, StoreFailure, "record_invalid").value


def test_a_named_tuple_is_an_object() -> None:
    grown = Tree(
        leaves=(Leaf("x"), Leaf("y", 0, ())), branch=Branch(Leaf("z"), Leaf("w", texts=("b",)))
    )
    written = unstructured(grown)
    assert render(written) == (
        '{"leaves":[{"text":"x","texts":["a"]},{"text":"y","maybe_number":0,"texts":[]}],'
        '"branch":{"leaf":{"text":"z","texts":["a"]},"maybe_leaf":{"text":"w","texts":["b"]}}}'
    )
    assert tree(**written.members) == grown
    assert tree() == Tree()


def test_members_of_a_named_tuple_that_are_absent_null_or_unknown_do_not_count() -> None:
    leaf = JsonObject({"text": "x", "maybe_number": None, "texts": None, "unknown": 1})
    assert tree(leaves=(leaf,)) == Tree(leaves=(Leaf("x"),))
    assert tree(branch=JsonObject({"leaf": leaf})) == Tree(branch=Branch(Leaf("x")))


def test_a_member_that_may_be_none_and_has_no_default_reads_back() -> None:
    for bough in (Bough(None), Bough(Leaf("x"))):
        assert tree(**unstructured(Tree(bough=bough)).members) == Tree(bough=bough)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("leaves", "x"),
        ("leaves", JsonObject({"text": "x"})),
        ("leaves", ("x",)),
        ("leaves", (None,)),
        ("leaves", (JsonObject({}),)),
        ("leaves", (JsonObject({"text": 5}),)),
        ("leaves", (JsonObject({"text": "x", "maybe_number": True}),)),
        ("leaves", (JsonObject({"text": "x", "texts": "a"}),)),
        ("branch", ("x",)),
        ("branch", JsonObject({})),
        ("branch", JsonObject({"leaf": ("x",)})),
        ("branch", JsonObject({"leaf": JsonObject({"text": "x"}), "maybe_leaf": "x"})),
    ],
)
def test_nothing_else_becomes_a_named_tuple(name: str, value: JsonValue) -> None:
    with pytest.raises(StoreFailure) as caught:
        tree(**{name: value})
    assert (caught.value.code, caught.value.about) == ("record_invalid", name)


@frozen
class Picky:
    text: str = ""

    def __attrs_post_init__(self) -> None:
        raise TypeError


def test_a_value_that_refuses_itself_names_no_member() -> None:
    with pytest.raises(StoreFailure) as caught:
        structured(JsonObject({"text": ""}), Picky, StoreFailure, "record_invalid")
    assert (caught.value.code, caught.value.about) == ("record_invalid", "")
