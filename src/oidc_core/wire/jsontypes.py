"""Frozen, strict JSON; the only place in the core where a value of any type comes in.

``json.loads`` sniffs encodings, lets a member stand twice, and knows ``NaN``.  :func:`parse_object`
refuses all of that, bounds depth, size and numbers (RFC 8259 §9 allows it), and returns values that
can be compared, hashed and pickled but not changed.

The common document takes the short way: a few scans in C decide that no bound is near.  Whatever
is suspicious, and may yet be legal, takes the long way.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import compress
from json import JSONDecoder, JSONEncoder
from json.encoder import encode_basestring_ascii
from math import isfinite
from types import MappingProxyType, NoneType
from typing import Any, Final, NoReturn, TypeAlias, cast, final

from oidc_core.wire.errors import Fact, ProtocolViolation, UsageError, fingerprint

MAX_DEPTH: Final = 16
MAX_MEMBERS: Final = 256
MAX_NESTED: Final = 8_192
MAX_STRING: Final = 16_384
MAX_DIGITS: Final = 19
MAX_GIVEN: Final = 64
"""How deep what the application gives may be nested; what a provider sends has MAX_DEPTH."""
MAX_VALUES: Final = 2**20
"""How many values it may have in all; more than the largest document of a provider."""

_TOO_LONG: Final = 10**MAX_DIGITS
_SIMPLE: Final = frozenset({str, bool, type(None)})

JsonValue: TypeAlias = "str | int | float | bool | JsonObject | tuple[JsonValue, ...] | None"


@final
class JsonObject(Mapping[str, JsonValue]):
    """A JSON object that does not change: hashable, picklable, equal to a mapping like it.

    Arrays within are tuples, objects within are ``JsonObject`` again; what it is made of is frozen
    as :func:`frozen_json` does it.

    Attributes:
        members: the same members as a read-only view; code that runs on every login asks this.

    Raises:
        UsageError: ``parameter_invalid`` for what is no JSON object.
    """

    __slots__ = ("members",)
    members: MappingProxyType[str, JsonValue]

    def __init__(self, members: Mapping[str, Any]) -> None:
        if not isinstance(cast("object", members), Mapping):
            raise _no_json(members, "an object")
        object.__setattr__(self, "members", MappingProxyType(_frozen_members(members, 0, _left())))

    def __getitem__(self, name: str) -> JsonValue:
        return self.members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def __hash__(self) -> int:
        return hash(frozenset(self.members.items()))

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

    def __reduce__(self) -> tuple[type["JsonObject"], tuple[dict[str, JsonValue]]]:
        return JsonObject, ({**self.members},)


_KINDS: Final = MappingProxyType[type, str](
    {
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        tuple: "a list",
        JsonObject: "an object",
        NoneType: "absent",
    }
)


def kind_of(value: JsonValue) -> str:
    """Return what a value is, in the words of JSON; null is absent."""
    return _KINDS[type(value)]


def described(value: JsonValue) -> Fact:
    """Return a value as a fact of an error: text, numbers and lists of text as they are."""
    if isinstance(value, tuple):
        texts = tuple([item for item in value if isinstance(item, str)])
        return texts if len(texts) == len(value) else kind_of(value)
    return kind_of(value) if value is None or isinstance(value, JsonObject) else value


def private(value: JsonValue) -> str:
    """Return what an error may tell of a value that is a secret or personal: its fingerprint."""
    if isinstance(value, str):
        return fingerprint(value) if value else "an empty string"
    return kind_of(value)


_is_array: Final = list.__instancecheck__


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    """Build an object of its members, each of which may stand but once (RFC 8259 §4)."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ProtocolViolation("json_member_duplicated")
    if len(pairs) > MAX_MEMBERS:
        raise ProtocolViolation("json_too_large", found=len(pairs), expected=MAX_MEMBERS)
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
        UsageError: ``parameter_invalid`` for what is no JSON, as bytes, NaN, a name that is no
            text, or a number of more than 19 digits; or for what is nested too deeply, or has too
            many values, as a list may that holds another many times.
    """
    return _frozen(value, 0, _left())


def read_once(given: Mapping[Any, Any]) -> dict[Any, Any] | None:
    """Return what a mapping holds, or ``None`` if it cannot be read.

    It may be of any class, and answer otherwise the next time: whatever is judged is what is kept.
    """
    with suppress(Exception):
        return dict(given.items())
    return None


def _left() -> Iterator[int]:
    """Return what is used up by the values of one document."""
    return iter(range(MAX_VALUES))


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


def _float(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ProtocolViolation("json_number_invalid")
    return number


def _int(text: str) -> int:
    digits = len(text.removeprefix("-"))
    if digits > MAX_DIGITS:
        raise ProtocolViolation("json_number_invalid", found=digits, expected=MAX_DIGITS)
    return int(text)


def _constant(text: str) -> NoReturn:
    raise ProtocolViolation("json_number_invalid", found=text)


_Scan: TypeAlias = Callable[[str, int], tuple[Any, int]]


def _scanner(**hooks: Any) -> _Scan:
    """Return the scanner of a decoder: it takes a string as it is and sniffs no encoding."""
    decoder: Any = JSONDecoder(
        object_pairs_hook=_object, parse_float=_float, parse_constant=_constant, **hooks
    )
    return cast("_Scan", decoder.scan_once)


_quick: Final = _scanner()
_careful: Final = _scanner(parse_int=_int)

# Twenty digits in a row; in a string they merely cost the careful scan.
_LONG_NUMBER: Final = b"0" * (MAX_DIGITS + 1)
_DIGITS: Final = bytes(48 if octet in b"0123456789" else 46 for octet in range(256))
# A string may lack its end: it is taken whole even so, or each quote in it would be tried again.
_bracket: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL).finditer
_WHITESPACE: Final = " \t\n\r"


def parse_object(
    octets: bytes, *, max_string: int = MAX_STRING, max_depth: int = MAX_DEPTH
) -> JsonObject:
    """Parse one JSON object (RFC 8259), strictly.

    Args:
        octets: the document.
        max_string: how many characters a string may have; 16 KiB by default.
        max_depth: how deep arrays and objects may be nested; 16 by default.

    Raises:
        ProtocolViolation: ``json_not_utf8`` if it is not UTF-8 or starts with a byte order mark,
            ``json_malformed``, ``json_not_object``, ``json_member_duplicated``,
            ``json_number_invalid`` for NaN, infinities and more than 19 digits,
            ``json_string_invalid`` for an unpaired surrogate or a string that is too long,
            ``json_too_deep``, ``json_too_large`` beyond 256 members in one object, or 8,192 arrays
            and objects in all.
    """
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolViolation("json_not_utf8") from None
    except AttributeError:
        raise _no_json(octets, "bytes") from None
    if text.count("[") + text.count("{") > max_depth:
        _refuse_nesting(text, max_depth)
    scan = _careful if _LONG_NUMBER in octets.translate(_DIGITS) else _quick
    try:
        value, end = scan(text, 0 if text[:1] == "{" else _start(text))
    except (StopIteration, ValueError):
        # UTF-16 and UTF-32 without a byte order mark are good UTF-8, full of NUL.
        code = "json_not_utf8" if "\0" in text else "json_malformed"
        raise ProtocolViolation(code) from None
    if end != len(text) and text[end:].strip(_WHITESPACE):
        raise ProtocolViolation("json_malformed")
    if value.__class__ is not JsonObject:
        raise ProtocolViolation("json_not_object")
    if "\\u" in text or len(text) > max_string:
        _refuse_strings(value, max_string)
    return value


def _start(text: str) -> int:
    """Find where the value starts, in a text that does not start with ``{``."""
    if text[:1] == "\ufeff":
        raise ProtocolViolation("json_not_utf8")
    return len(text) - len(text.lstrip(_WHITESPACE))


def _refuse_nesting(text: str, limit: int) -> None:
    """Refuse what is nested too deeply, or too often: an empty object costs more than its size."""
    depth = opened = 0
    for match in _bracket(text):
        token = match.group()
        if token in "[{":
            depth += 1
            opened += 1
            if opened > MAX_NESTED:
                raise ProtocolViolation("json_too_large", expected=MAX_NESTED)
            if depth > limit:
                raise ProtocolViolation("json_too_deep", expected=limit)
        elif token in "]}":
            depth -= 1
            if depth <= 0:  # the value ends here, or is none: the parser goes no further either
                return


def _refuse_strings(value: JsonValue, limit: int) -> None:
    """Refuse strings that are too long, or that no encoding of Unicode could carry."""
    if isinstance(value, JsonObject):
        for name, member in value.members.items():
            _refuse_strings(name, limit)
            _refuse_strings(member, limit)
    elif isinstance(value, tuple):
        for member in value:
            _refuse_strings(member, limit)
    elif isinstance(value, str):
        if len(value) > limit:
            raise ProtocolViolation("json_string_invalid", found=len(value), expected=limit)
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ProtocolViolation(
                "json_string_invalid", expected="Unicode scalar values"
            ) from None


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
        UsageError: ``parameter_invalid`` for what is no JSON.
    """
    try:
        return _encoder(value)
    except (TypeError, ValueError, RecursionError):
        raise _no_json(value, "JSON") from None


quoted: Final = encode_basestring_ascii
"""Returns one string as ASCII JSON, for objects of a fixed form that are written in one go."""
