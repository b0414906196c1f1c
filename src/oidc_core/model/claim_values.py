"""The values of claims: what counts as a time, a text or a list, and which read as absent."""

from collections.abc import Callable, Iterator
from operator import methodcaller
from types import MappingProxyType
from typing import Final

from oidc_core.wire.jsontypes import JsonObject, JsonValue, Unreadable, unreadable

MAX_DATE: Final = 2**53
of_verified: Final[Callable[[str], bool]] = methodcaller("endswith", "_verified")
_BOOL: Final = frozenset({bool})


def claims_view(claims: JsonObject) -> JsonObject:
    """Return claims without those that cannot be read, and without an unclear ``…_verified``.

    One of these that is not a boolean is unclear: only ``True`` may pass for true.
    """
    members = claims.members
    names: Iterator[str] = filter(of_verified, members)
    clear = _BOOL.issuperset(map(type, map(members.get, names)))
    if clear and Unreadable not in map(type, members.values()):
        return claims
    odd = {*unclear(claims), *unreadable(claims)}
    return JsonObject({name: value for name, value in members.items() if name not in odd})


def unclear(claims: JsonObject) -> tuple[str, ...]:
    """Return which ``…_verified`` are not booleans."""
    members = claims.members
    return tuple([n for n in filter(of_verified, members) if not isinstance(members[n], bool)])


VERIFIED_AS_TEXT: Final = "verified_as_text"
"""The quirk under which the texts ``true`` and ``false`` are a ``…_verified``."""

_TRUTH: Final = MappingProxyType[JsonValue, bool]({"true": True, "false": False})


def verified_as_text(claims: JsonObject) -> tuple[str, ...]:
    """Return which ``…_verified`` are the text ``true`` or ``false``."""
    members = claims.members
    named = [(name, members[name]) for name in filter(of_verified, members)]
    return tuple([name for name, value in named if isinstance(value, str) and value in _TRUTH])


def with_booleans(claims: JsonObject) -> JsonObject:
    """Return claims with each such text read as the boolean that it spells."""
    members = claims.members
    read = {name: _TRUTH[members[name]] for name in verified_as_text(claims)}
    return JsonObject({**members, **read}) if read else claims


def numeric_date(value: JsonValue) -> int | None:
    """Return a NumericDate in whole seconds, ``None`` if it is malformed (RFC 7519 §2).

    Fractions are cut off. Booleans, strings, negative numbers and those from 2**53 are malformed.
    """
    if (type(value) is int or type(value) is float) and 0 <= value < MAX_DATE:
        return int(value)
    return None


def audience(value: JsonValue) -> tuple[str, ...] | None:
    """Return an audience as a tuple, ``None`` if it is neither string nor list of strings."""
    if isinstance(value, str):
        return (value,)
    return texts(value)


def filled(value: JsonValue) -> str | None:
    """Return a string that is not blank, ``None`` for everything else."""
    return value if isinstance(value, str) and value.strip() else None


def texts(value: JsonValue) -> tuple[str, ...] | None:
    """Return a list of strings as a tuple, ``None`` for any other value."""
    if not isinstance(value, tuple):
        return None
    found = tuple([item for item in value if isinstance(item, str)])
    return found if len(found) == len(value) else None


def text(value: JsonValue) -> str | None:
    """Return a string, ``None`` for everything else."""
    return value if isinstance(value, str) else None
