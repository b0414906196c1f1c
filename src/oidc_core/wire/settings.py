"""Settings and records are held to their annotations: anything else is a ``UsageError`` by name.

It takes two parts.  A converter, such as :func:`texts`, freezes what may be given in another form:
a list becomes a tuple, a set a frozenset, a dict frozen JSON. A value that it does not know stays
unchanged. Then :func:`check_fields` compares every field with its annotation, all the way down, and
names the first that does not fit.

Types are exact: ``True`` is not a number, and a member of an enumeration is not text, because it
prints as its name. Our own classes may be subclassed; a value for a port has its methods, awaited
as there. The validators of attrs are not used: ``attrs.validators.set_disabled`` switches them off.
"""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from inspect import iscoroutinefunction, unwrap
from itertools import chain, starmap
from operator import attrgetter, contains
from types import FunctionType, MappingProxyType, NoneType, UnionType
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar, Union, cast, get_args, get_origin

from attrs import AttrsInstance, fields

from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.jsontypes import JsonObject, JsonValue, frozen_json, read_once

_SCALARS: Final = frozenset({str, int, bool, bytes, NoneType})
_COLLECTIONS: Final = frozenset({tuple, frozenset})
_UNIONS: Final = frozenset({Union, UnionType})
_LISTS: Final = (list, tuple)
_SETS: Final = (list, tuple, set, frozenset)
_TEXT: Final = frozenset({str})
_TUPLE: Final = frozenset({tuple})
_TWO: Final = frozenset({2})
_PAIRS: Final = tuple[tuple[str, str], ...]
_TEXTS: Final = frozenset({frozenset({tuple}), frozenset({frozenset})})
_USUAL: Final[Mapping[object, frozenset[type]]] = MappingProxyType(
    {
        str: _TEXT,
        int: frozenset({int}),
        bool: frozenset({bool}),
        bytes: frozenset({bytes}),
        str | None: frozenset({str, NoneType}),
        int | None: frozenset({int, NoneType}),
        tuple[str, ...]: frozenset({tuple}),
        frozenset[str]: frozenset({frozenset}),
        JsonObject: frozenset({JsonObject}),
    }
)
"""The exact types of usual annotations: these are enough, except for members of collections."""

T = TypeVar("T")
K = TypeVar("K")
_Texts: TypeAlias = Callable[[object], tuple[Iterable[object], ...]]


# --- converters ----------------------------------------------------------------------------------


def texts(value: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Freeze a list of texts whose order counts."""
    return tuple(value) if type(value) is list else cast("tuple[str, ...]", value)


def names(value: list[str] | tuple[str, ...] | AbstractSet[str]) -> tuple[str, ...]:
    """Freeze a list of texts whose order does not count; those of a set are sorted."""
    if isinstance(value, tuple):  # as nearly always
        return value
    if type(value) in _SETS and _TEXT.issuperset(map(type, value)):
        return tuple(value) if isinstance(value, list) else tuple(sorted(value))
    return cast("tuple[str, ...]", value)


def text_set(value: list[str] | tuple[str, ...] | AbstractSet[str]) -> frozenset[str]:
    """Freeze a set of texts, or take one out of a list."""
    if type(value) in _SETS and _TEXT.issuperset(map(type, value)):
        return frozenset(value)
    return cast("frozenset[str]", value)


_Pairs: TypeAlias = (
    Mapping[str, str] | list[tuple[str, str]] | list[list[str]] | tuple[tuple[str, str], ...]
)


def pairs(value: _Pairs) -> tuple[tuple[str, str], ...]:
    """Freeze names with values, as a mapping or as a list of pairs."""
    found: object = value
    if isinstance(value, Mapping):
        held = read_once(value)
        found = value if held is None else tuple(held.items())
    elif type(value) in _LISTS:
        items = cast("Iterable[object]", value)
        found = tuple([tuple(cast("list[str]", i)) if type(i) is list else i for i in items])
    return cast("tuple[tuple[str, str], ...]", found)


def json_object(value: Mapping[str, object]) -> JsonObject:
    """Freeze a mapping as JSON, all the way down; a value that is not JSON is refused later."""
    if isinstance(value, JsonObject):
        return value
    try:
        return JsonObject(value)
    except OidcError:
        return cast("JsonObject", value)


def optional_json_object(value: Mapping[str, object] | None) -> JsonObject | None:
    """Freeze a mapping as :func:`json_object`, or leave it out."""
    return None if value is None else json_object(value)


def json_array(value: list[object] | tuple[object, ...]) -> tuple[JsonValue, ...]:
    """Freeze a list as JSON, all the way down."""
    if type(value) not in _LISTS:
        return cast("tuple[JsonValue, ...]", value)
    return cast("tuple[JsonValue, ...]", frozen_json(value))


# --- checks --------------------------------------------------------------------------------------


class Fields(NamedTuple):
    """The allowed values of one class's fields; made once, by :func:`fields_of`.

    Attributes:
        code: of the error.
        kinds: name and annotation of each field.
        held: returns what the fields hold, in order.
        types: for each the types that need no second look.
        texts: returns the collections of text among them, if there are some.
        chosen: returns the field with one of a few words, if there is one.
        choices: the words, for each of these.
        deep: those that are looked through each time, by their checks.
    """

    code: str
    kinds: tuple[tuple[str, object], ...]
    held: Callable[[object], tuple[object, ...]]
    types: tuple[frozenset[type], ...]
    texts: _Texts | None
    chosen: Callable[[object], tuple[object, ...]] | None
    choices: tuple[frozenset[object], ...]
    deep: tuple[tuple[str, Callable[[object], bool]], ...]


def fields_of(kind: type[AttrsInstance], code: str = "config_invalid", **others: object) -> Fields:
    """Return what the fields of a class may hold, by their annotations.

    Args:
        kind: the class.
        code: of the error for callers who pass anything else.
        others: annotations in place of the field's own, by name.
    """
    kinds = [(each.name, others.get(each.name, each.type)) for each in fields(kind) if each.init]
    plain: list[tuple[str, frozenset[type]]] = []
    chosen: list[tuple[str, frozenset[object]]] = []
    deep: list[tuple[str, Callable[[object], bool]]] = []
    for name, annotation in kinds:
        if isinstance(annotation, str):
            message = f"the annotation of {name} is text: there is nothing to compare with"
            raise TypeError(message)
        types = _USUAL.get(annotation)
        if types is None and (words := _words(annotation)):
            chosen.append((name, words))
            types = frozenset(map(type, words))
        if types is None:
            types = _exact(annotation)
        if types is not None:
            plain.append((name, types))
        else:
            deep.append((name, _are_pairs if annotation == _PAIRS else partial(_fits, annotation)))
    return Fields(
        code,
        tuple(kinds),
        _getter([name for name, _ in plain]) if plain else _nothing,
        tuple([types for _, types in plain]),
        cast("_Texts | None", _optional([name for name, types in plain if types in _TEXTS])),
        _optional([name for name, _ in chosen]),
        tuple([words for _, words in chosen]),
        tuple(deep),
    )


def _optional(named: list[str]) -> Callable[[object], tuple[object, ...]] | None:
    return _getter(named) if named else None


def _getter(named: list[str]) -> Callable[[object], tuple[object, ...]]:
    """Return what gets these fields as a tuple, which it would not be for one alone."""
    return attrgetter(*named, named[0])


def _nothing(_value: object) -> tuple[object, ...]:
    return ()


def check_fields(value: AttrsInstance, of: Fields) -> None:
    """Refuse a value with a field that is not as its annotation says.

    Raises:
        UsageError: ``of.code``, naming the field.
    """
    if (
        not all(map(contains, of.types, map(type, of.held(value))))
        or (of.texts and not _TEXT.issuperset(map(type, chain.from_iterable(of.texts(value)))))
        or (of.chosen and not all(map(contains, of.choices, of.chosen(value))))
        or (of.deep and not all(test(getattr(value, name)) for name, test in of.deep))
    ):
        for name, kind in of.kinds:
            check_kind(getattr(value, name), kind, about=name, code=of.code)


def check_kind(value: object, kind: object, *, about: str, code: str = "parameter_invalid") -> None:
    """Refuse an argument that is not as its annotation says; what it holds is never shown.

    Raises:
        UsageError: ``code``, naming it.
    """
    if not _fits(kind, value):
        raise UsageError(code, about=about, found=_found(value, kind), expected=_expected(kind))


def as_setting(value: T, kind: object, about: str) -> T:
    """Return a setting that fits its annotation; for values that are derived early.

    Raises:
        UsageError: ``config_invalid``, naming it.
    """
    check_kind(value, kind, about=about, code="config_invalid")
    return value


def as_entries(value: Mapping[K, T] | None, kind: object, about: str) -> dict[K, T]:
    """Return what a mapping among the settings holds, read once; refuse it as others are."""
    held = read_once(value) if isinstance(value, Mapping) else None
    check_kind(value if held is None else held, kind, about=about, code="config_invalid")
    return held or {}


def as_count(value: int, about: str, *, least: int = 1) -> int:
    """Return a setting that is a whole number of at least so many.

    Raises:
        UsageError: ``config_invalid``, naming it.
    """
    number = as_setting(value, int, about)
    if number < least:
        raise UsageError("config_invalid", about=about, found=number, expected=f"{least} or more")
    return number


def check_text(value: object, about: str) -> None:
    """Refuse a value that is not text.

    Raises:
        UsageError: ``parameter_invalid``, naming it.
    """
    if type(value) is not str:
        check_kind(value, str, about=about)


def octets_of(value: object, about: str) -> bytes:
    """Return the octets of a document or record, which may be given as text too.

    Raises:
        UsageError: ``parameter_invalid`` for anything else.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    found = type(value).__name__
    raise UsageError("parameter_invalid", about=about, found=found, expected="str or bytes")


def _are_pairs(value: object) -> bool:
    """Return whether these are names and values, in a handful of calls: each answer has some."""
    if type(value) is not tuple:
        return False
    items = cast("tuple[tuple[object, ...], ...]", value)
    return (
        _TUPLE.issuperset(map(type, items))
        and _TWO.issuperset(map(len, items))
        and _TEXT.issuperset(map(type, chain.from_iterable(items)))
    )


def _fits(kind: object, value: object) -> bool:
    """Return whether a value is what an annotation says, all the way down."""
    if kind is type(value):
        return True
    origin = get_origin(kind)
    if origin is Literal:
        return type(value) is str and value in get_args(kind)
    if origin in _UNIONS:
        return any(_fits(each, value) for each in get_args(kind))
    if origin in _COLLECTIONS:
        return type(value) is origin and _items_fit(cast("Iterable[object]", value), kind)
    if origin is not None and isinstance(value, Mapping):
        return _entries_fit(cast("Mapping[object, object]", value), kind)
    if isinstance(kind, type) and kind in _SCALARS:
        return type(value) is kind
    sought = kind if origin is None else origin
    if not isinstance(sought, type) or sought is object:
        return True  # a type variable: any value
    if getattr(sought, "_is_protocol", False):
        return _fulfils(value, sought)
    return isinstance(value, sought)


def _items_fit(items: Iterable[object], kind: object) -> bool:
    parts = get_args(kind)
    if get_origin(kind) is tuple and parts[-1] is not ...:
        held = tuple(items)
        return len(held) == len(parts) and all(map(_fits, parts, held))
    return all(_fits(parts[0], item) for item in items)


def _entries_fit(entries: Mapping[object, object], kind: object) -> bool:
    held = read_once(entries) if issubclass(type(entries), get_origin(kind) or object) else None
    return held is not None and all(all(map(_fits, get_args(kind), e)) for e in held.items())


def _fulfils(value: object, port: type) -> bool:
    """Return whether this is an instance that has the methods and properties of a port."""
    owners = [each for each in port.__mro__ if getattr(each, "_is_protocol", False)]
    members = chain.from_iterable(vars(owner).items() for owner in owners)
    with suppress(Exception):  # an exception of the value counts as a no
        return not isinstance(value, type) and all(starmap(partial(_serves, value), members))
    return False


def _serves(value: object, name: str, as_ported: object) -> bool:
    """Return whether a value has a member like the port; a property may fail and is not read.

    If a method must be awaited and the port does not say so, its result always counts as true.
    """
    if name.startswith("_") or not isinstance(as_ported, FunctionType):
        return name.startswith("_") or hasattr(type(value), name) or hasattr(value, name)
    method: object = getattr(value, name, None)
    if not callable(method):
        return False
    awaited = iscoroutinefunction(method) or iscoroutinefunction(type(method).__call__)
    if iscoroutinefunction(as_ported):
        return awaited or iscoroutinefunction(unwrap(method))
    return not awaited


# --- annotations ---------------------------------------------------------------------------------


def _alternatives(kind: object) -> tuple[object, ...]:
    return get_args(kind) if get_origin(kind) in _UNIONS else (kind,)


def _words(kind: object) -> frozenset[object]:
    """Return the words that are allowed, where nothing else is; ``None`` may be one of them."""
    found: list[object] = []
    for each in _alternatives(kind):
        if get_origin(each) is not Literal and each is not NoneType:
            return frozenset()
        found += [None] if each is NoneType else get_args(each)
    return frozenset(found)


def _exact(kind: object) -> frozenset[type] | None:
    """Return the classes an annotation names, if it names nothing else."""
    found = [each for each in _alternatives(kind) if isinstance(each, type)]
    odd = [each for each in found if get_origin(each) or getattr(each, "_is_protocol", False)]
    return None if odd or len(found) != len(_alternatives(kind)) else frozenset(found)


def _found(value: object, kind: object) -> str:
    """Name the value that was found: a word where words are meant, otherwise the types of it."""
    if type(value) is str and any(get_origin(each) is Literal for each in _alternatives(kind)):
        return value
    if type(value) in _SETS:
        inner = sorted({type(item).__name__ for item in cast("Iterable[object]", value)})
        return f"{type(value).__name__} of {' and '.join(inner)}" if inner else "an empty list"
    return type(value).__name__


def _expected(kind: object) -> str:
    """Put an annotation into words."""
    return " or ".join([_word(each) for each in _alternatives(kind)])


def _word(kind: object) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join([repr(word) for word in parts])
    if origin is tuple and parts[-1] is not ...:
        return f"({', '.join([_expected(part) for part in parts])})"
    if origin in _COLLECTIONS:
        return f"{'a list' if origin is tuple else 'a set'} of {_expected(parts[0])}"
    return "None" if kind in {None, NoneType} else getattr(origin or kind, "__name__", "a value")
