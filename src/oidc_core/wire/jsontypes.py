"""Frozen, strict JSON; the only place in the core where a value of any type comes in.

``json.loads`` sniffs encodings, lets a member appear twice, and knows ``NaN``. :func:`parse_object`
refuses all of that, bounds depth, members and numbers (RFC 8259 §9 allows it), and returns values
that can be compared, hashed and pickled but not changed.

A provider's document is read *tolerantly*: a number out of range or an unpaired surrogate costs its
own top-level member only. The member is not absent then: :data:`UNREADABLE` replaces its value.

The common document takes the short way: a few scans in C decide that no bound is near. Text that is
suspicious, and may yet be legal, takes the long way.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import compress
from json import JSONDecoder, JSONEncoder
from json.encoder import encode_basestring_ascii
from math import isfinite
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeAlias, TypeVar, cast, final

from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError
from oidc_core.wire.jsontext import (
    MAX_DIGITS,
    MORE_MEMBERS,
    WHITESPACE,
    finite_number,
    malformed,
    no_number,
    refuse_nesting,
    short_number,
    start_of,
    twice,
)

MAX_DEPTH: Final = 16
MAX_MEMBERS: Final = 2_048
"""How many members one object has at most, unless a policy says otherwise."""
NESTED: Final = 4
"""A document has at most so many arrays and objects for each member that one object may have."""
MAX_GIVEN: Final = 64
"""How deep what the application gives may be nested; what a provider sends has MAX_DEPTH."""
MAX_VALUES: Final = 2**22
"""How many values it may have in all; more than the largest document of a provider."""

_FEW: Final = 2**17
_TOO_LONG: Final = 10**MAX_DIGITS
_SIMPLE: Final = frozenset({str, bool, type(None)})

T = TypeVar("T")
JsonValue: TypeAlias = "str | int | float | bool | JsonObject | tuple[JsonValue, ...] | None"


class JsonObject(Mapping[str, JsonValue]):
    """A JSON object that does not change: hashable, picklable, equal to a mapping like it.

    Arrays within are tuples, objects within are ``JsonObject`` again; what it is made of is frozen
    as :func:`frozen_json` does it.

    Attributes:
        members: the same members as a read-only view; code that runs on every login asks this.

    Raises:
        UsageError: ``parameter_invalid`` for a value that is not a JSON object.
    """

    __slots__ = ("members",)
    members: MappingProxyType[str, JsonValue]

    def __init__(self, members: Mapping[str, Any]) -> None:
        if not isinstance(cast("object", members), Mapping):
            raise _no_json(members, "an object")
        held = _whole(partial(_frozen_members, members, 0), members)
        object.__setattr__(self, "members", MappingProxyType(held))

    def __getitem__(self, name: str) -> JsonValue:
        return self.members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def __hash__(self) -> int:
        return hash(frozenset(self.members.items()))

    def plain(self) -> dict[str, Any]:
        """Return the members as new dicts and lists, as ``json.dumps`` takes them."""
        return {name: _thawed(value) for name, value in self.members.items()}

    def __repr__(self) -> str:
        return f"JsonObject({', '.join(sorted(self.members))})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        message = "a JsonObject does not change"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> NoReturn:
        message = "a JsonObject does not change"
        raise AttributeError(message)

    def __copy__(self) -> "JsonObject":
        return self

    def __deepcopy__(self, memo: Mapping[int, object]) -> "JsonObject":
        return self

    def __reduce__(self) -> str | tuple[type["JsonObject"], tuple[dict[str, JsonValue]]]:
        return JsonObject, ({**self.members},)


def _thawed(value: JsonValue) -> object:
    if isinstance(value, JsonObject):
        return value.plain()
    return [_thawed(item) for item in value] if isinstance(value, tuple) else value


@final
class Unreadable(JsonObject):
    """Stands in a document for a member that is there and whose value cannot be read.

    It is an empty object, so that code that looks for a text, a number or a list finds it
    malformed, and nobody takes the member for absent.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNREADABLE"

    def __reduce__(self) -> str:
        return "UNREADABLE"


_is_array: Final = list.__instancecheck__


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    """Build an object of its members; no name may appear twice (RFC 8259 §4)."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ProtocolViolation("json_member_duplicated", found=twice(pairs))
    for name in compress(members, map(_is_array, members.values())):
        array = members[name]
        members[name] = _tuple(array) if list in map(type, array) else tuple(array)
    frozen = JsonObject.__new__(JsonObject)  # these members are nobody else's: no need to copy them
    object.__setattr__(frozen, "members", MappingProxyType(members))
    return frozen


def _tuple(items: Any) -> tuple[Any, ...]:
    """Freeze an array with arrays in it; the objects in it are frozen already."""
    return tuple([_tuple(item) if item.__class__ is list else item for item in items])


def frozen_json(value: Any) -> JsonValue:
    """Turn what ``json`` would take into frozen JSON: lists into tuples, mappings into objects.

    Raises:
        UsageError: ``parameter_invalid`` for a value that is not JSON, such as bytes, NaN, a name
            that is not text, or a number of more than 19 digits; or for a value that is nested too
            deeply, or has too many values, as a list may that holds another many times.
    """
    return _whole(partial(_frozen, value, 0), value)


def read_once(given: Mapping[Any, Any]) -> dict[Any, Any] | None:
    """Return what a mapping holds, or ``None`` if it cannot be read.

    It may be of any class, and answer otherwise the next time: exactly the judged value is kept.
    """
    with suppress(Exception):
        return dict(given.items())
    return None


def _whole(freeze: Callable[[Iterator[int]], T], value: object) -> T:
    """Freeze a value; what holds another many times is refused before all of it is made."""
    try:
        return freeze(iter(range(_FEW)))
    except UsageError:
        if _values(value, 0, {}) > MAX_VALUES:
            raise
    return freeze(iter(range(MAX_VALUES)))


def _values(value: object, depth: int, known: dict[int, int]) -> int:
    """Count the values in a value, and look once into what comes several times."""
    key, kind, held = id(value), type(value), cast("Mapping[str, object]", value)
    if depth > MAX_GIVEN or not (kind in {list, tuple, dict} or isinstance(value, JsonObject)):
        return 1
    if key not in known:
        within = cast("list[object]", value) if kind in {list, tuple} else [*held.values()]
        known[key] = 1 + sum([_values(each, depth + 1, known) for each in within])
    return known[key]


def _frozen(value: Any, depth: int, left: Iterator[int]) -> JsonValue:
    if next(left, None) is None:
        raise _no_json(value, f"at most {MAX_VALUES} values")
    kind = cast("type[object]", type(value))
    if kind in _SIMPLE:
        return cast("JsonValue", value)
    if (kind is int and abs(value) < _TOO_LONG) or (kind is float and isfinite(value)):
        return cast("JsonValue", value)
    if depth > MAX_GIVEN:
        raise _no_json(value, f"at most {MAX_GIVEN} levels")
    if kind in {list, tuple}:
        return tuple([_frozen(item, depth + 1, left) for item in value])
    if isinstance(value, JsonObject):
        for member in value.members.values():
            _frozen(member, depth + 1, left)
        return value
    if isinstance(value, Mapping):
        given = cast("Mapping[str, Any]", value)
        frozen = JsonObject.__new__(JsonObject)
        members = MappingProxyType(_frozen_members(given, depth + 1, left))
        object.__setattr__(frozen, "members", members)
        return frozen
    raise _no_json(value, "JSON")


def _frozen_members(
    given: Mapping[str, Any], depth: int, left: Iterator[int]
) -> dict[str, JsonValue]:
    held = read_once(given)
    if held is None:
        raise _no_json(given, "a mapping that can be read")
    for name in held:
        if type(name) is not str:
            raise _no_json(name, "names in text")
    return {name: _frozen(member, depth, left) for name, member in held.items()}


def _no_json(value: object, expected: str) -> UsageError:
    found = type(value).__name__
    return UsageError("parameter_invalid", about="JSON", found=found, expected=expected)


UNREADABLE: Final = Unreadable({})
"""The only one there is."""


def unreadable(members: JsonObject) -> tuple[str, ...]:
    """Return the names of the members whose values could not be read, in order."""
    held = members.members
    if Unreadable not in map(type, held.values()):
        return ()
    return tuple([name for name, value in held.items() if value is UNREADABLE])


def _number(read: Callable[[str], float], text: str) -> JsonValue:
    """Read a number, or the mark of a refused one, which costs the member that contains it."""
    try:
        return read(text)
    except ProtocolViolation:
        return UNREADABLE


_Scan: TypeAlias = Callable[[str, int], tuple[Any, int]]


def _scanner(**hooks: Any) -> _Scan:
    """Return the scanner of a decoder: it takes a string as it is and sniffs no encoding."""
    decoder: Any = JSONDecoder(object_pairs_hook=_object, parse_constant=no_number, **hooks)
    return cast("_Scan", decoder.scan_once)


_quick: Final = _scanner(parse_float=finite_number)
_careful: Final = _scanner(parse_float=finite_number, parse_int=short_number)
_lenient: Final = _scanner(
    parse_float=partial(_number, finite_number), parse_int=partial(_number, short_number)
)

# Twenty digits in a row; in a string they merely cost the careful scan.
_LONG_NUMBER: Final = b"0" * (MAX_DIGITS + 1)
_DIGITS: Final = bytes(48 if octet in b"0123456789" else 46 for octet in range(256))
_LEAST_MEMBER: Final = len('"":0,')


def parse_object(
    octets: bytes, *, members: int = MAX_MEMBERS, depth: int = MAX_DEPTH, tolerant: bool = False
) -> JsonObject:
    """Parse one JSON object (RFC 8259), strictly.  A string may be as long as the document.

    Args:
        octets: the document; the caller has judged its size.
        members: how many one object may have; in all, there are four times as many objects.
        depth: how deep arrays and objects may be nested.
        tolerant: whether what cannot be read only makes its top-level member ``UNREADABLE``.

    Raises:
        ProtocolViolation: a code of the stage ``json``; the table has their meaning.
    """
    try:
        text = octets.decode("utf-8")
    except (UnicodeDecodeError, AttributeError):
        raise _no_text(octets) from None
    if text.count("[") + text.count("{") > depth:
        refuse_nesting(text, depth, NESTED * members)
    scan, spared = _careful if _LONG_NUMBER in octets.translate(_DIGITS) else _quick, False
    start = 0 if text[:1] == "{" else start_of(text)
    try:
        value, end = scan(text, start)
    except (StopIteration, ValueError):
        raise malformed(text) from None
    except ProtocolViolation:
        if not tolerant:
            raise
        value, end = _leniently(text, start)
        spared = True
    if end != len(text) and text[end:].strip(WHITESPACE):
        raise ProtocolViolation("json_malformed")
    if value.__class__ is not JsonObject:
        raise ProtocolViolation("json_not_object")
    if len(text) > _LEAST_MEMBER * members and text.count(":") > members:
        _refuse_members(value, members)
    if spared or ("\\u" in text and _flawed(value)):
        return _without_flaws(value, tolerant=tolerant)
    return value


def _no_text(octets: object) -> OidcError:
    is_bytes = isinstance(octets, bytes)
    return ProtocolViolation("json_not_utf8") if is_bytes else _no_json(octets, "bytes")


def _leniently(text: str, start: int) -> tuple[Any, int]:
    """Read on beyond a number out of range: :data:`UNREADABLE` stands for it."""
    try:
        return _lenient(text, start)
    except (StopIteration, ValueError):
        raise malformed(text) from None


def _refuse_members(value: JsonValue, limit: int) -> None:
    """Refuse an object with too many members, in any place."""
    if isinstance(value, tuple):
        for item in value:
            _refuse_members(item, limit)
    elif isinstance(value, JsonObject):
        if len(value) > limit:
            found, most = len(value), f"up to {limit}"
            raise ProtocolViolation("json_too_large", found=found, expected=most, hint=MORE_MEMBERS)
        _refuse_members(tuple(value.members.values()), limit)


def _without_flaws(value: JsonObject, *, tolerant: bool) -> JsonObject:
    """Put :data:`UNREADABLE` in the place of each member with something that cannot be read."""
    if not tolerant:
        raise ProtocolViolation("json_string_invalid", expected="Unicode scalar values")
    named = [(n, member) for n, member in value.members.items() if not _flawed(n)]
    return _object([(n, UNREADABLE if _flawed(member) else member) for n, member in named])


def _flawed(value: JsonValue) -> bool:
    """Return whether it contains a string that no encoding of Unicode could carry.

    An :data:`UNREADABLE` in it counts too: a number that could not be read.
    """
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return True
        return False
    if isinstance(value, JsonObject):
        held = value.members
        return value is UNREADABLE or any(map(_flawed, (*held, *held.values())))
    return isinstance(value, tuple) and any(map(_flawed, value))


def _plain(value: object) -> object:
    if isinstance(value, JsonObject):
        return {**value.members}
    raise TypeError(type(value).__name__)


_encoder: Final = JSONEncoder(
    ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=_plain
).encode


def render(value: JsonValue) -> str:
    """Return compact ASCII JSON; members keep their order.

    Raises:
        UsageError: ``parameter_invalid`` for a value that is not JSON.
    """
    try:
        return _encoder(value)
    except (TypeError, ValueError, RecursionError):
        raise _no_json(value, "JSON") from None


quoted: Final = encode_basestring_ascii
"""Returns one string as ASCII JSON, for objects of a fixed form that are written in one go."""
