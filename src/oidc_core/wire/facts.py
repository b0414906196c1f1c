"""Values as facts of an error: the part that may be shown, in the words of JSON."""

from collections.abc import Sequence
from types import MappingProxyType, NoneType
from typing import Final

from oidc_core.wire.errors import fingerprint
from oidc_core.wire.jsontypes import JsonObject, JsonValue, Unreadable
from oidc_core.wire.messages import Fact, shown_name

_NAMES: Final = 16
_KINDS: Final = MappingProxyType[type, str](
    {
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        tuple: "a list",
        JsonObject: "an object",
        Unreadable: "a value that cannot be read",
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
    """Return the part of a secret or personal value that an error may show: its fingerprint."""
    if isinstance(value, str):
        return fingerprint(value) if value else "an empty string"
    return kind_of(value)


def shown_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names, each bounded and printable: at most 16, then the number of the others."""
    told = tuple(map(shown_name, names[:_NAMES]))
    more = len(names) - len(told)
    return (*told, f"and {more} more") if more else told
