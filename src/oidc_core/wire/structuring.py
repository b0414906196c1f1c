"""Strict conversion between JSON and frozen attrs values, with cattrs.

Importing this module loads cattrs, so it is imported when a document is read or written, and not
on the way of every login.  cattrs coerces by default (``"300"`` becomes 300, ``"abc"`` becomes a
list of letters); every hook here refuses instead.
"""

from typing import Final, TypeVar, cast

from attrs import AttrsInstance, fields
from cattrs import Converter

from oidc_core.wire.errors import OidcError
from oidc_core.wire.jsontypes import JsonObject, frozen_json

T = TypeVar("T", bound=AttrsInstance)


def _text(value: object, _type: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _boolean(value: object, _type: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _integer(value: object, _type: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _texts(value: object, _type: object) -> tuple[str, ...]:
    if not isinstance(value, tuple):
        raise TypeError
    return tuple([_text(item, str) for item in cast("tuple[object, ...]", value)])


def _object(value: object, _type: object) -> JsonObject:
    if not isinstance(value, JsonObject):
        raise TypeError
    return value


def _optional_text(value: object, _type: object) -> str | None:
    return None if value is None else _text(value, str)


def _optional_integer(value: object, _type: object) -> int | None:
    return None if value is None else _integer(value, int)


def _strict_converter() -> Converter:
    converter = Converter(detailed_validation=False)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(JsonObject, _object)
    converter.register_structure_hook_func(lambda kind: kind == tuple[str, ...], _texts)
    converter.register_structure_hook_func(lambda kind: kind == str | None, _optional_text)
    converter.register_structure_hook_func(lambda kind: kind == int | None, _optional_integer)
    converter.register_unstructure_hook(JsonObject, lambda value: value)
    return converter


_converter: Final = _strict_converter()


def structured(members: JsonObject, kind: type[T], error: type[OidcError], code: str) -> T:
    """Build an attrs value of JSON members; absent and null members take the default.

    Raises:
        OidcError: of class ``error`` with ``code``, naming the first member of a wrong type or the
            first required one that is missing.
    """
    found: dict[str, object] = {}
    for attribute in fields(kind):
        value = members.members.get(attribute.name)
        if value is None or not attribute.init:
            continue
        try:
            found[attribute.name] = _converter.structure(value, attribute.type)
        except (TypeError, ValueError, LookupError):
            raise error(code, about=attribute.name, found=type(value).__name__) from None
    try:
        return kind(**found)
    except TypeError:
        missing = tuple([a.name for a in fields(kind) if a.init and a.name not in found])
        raise error(code, about=missing[0] if missing else "") from None


def unstructured(value: AttrsInstance) -> JsonObject:
    """Return an attrs value as JSON, without the members that have their default."""
    members: dict[str, object] = {}
    for attribute in fields(type(value)):
        member = getattr(value, attribute.name)
        if attribute.init and member != attribute.default:
            members[attribute.name] = _converter.unstructure(member)
    return JsonObject({name: frozen_json(member) for name, member in members.items()})
