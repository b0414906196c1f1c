"""Strict conversion between JSON and frozen attrs values, with cattrs.

Importing this module loads cattrs, so it is imported when a document is read or written, and not
on the way of every login.  cattrs coerces by default (``"300"`` becomes 300, ``"abc"`` becomes a
list of letters); every hook here refuses instead.
"""

from collections.abc import Set as AbstractSet
from typing import Final, Generic, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

from attrs import AttrsInstance
from cattrs import ClassValidationError, Converter

from oidc_core.wire.errors import OidcError
from oidc_core.wire.facts import kind_of
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


def _optional_boolean(value: object, _type: object) -> bool | None:
    return None if value is None else _boolean(value, bool)


def _optional_integer(value: object, _type: object) -> int | None:
    return None if value is None else _integer(value, int)


def _is_named(kind: object) -> bool:
    fields: object = getattr(kind, "_fields", None)
    return isinstance(kind, type) and tuple in kind.__mro__ and isinstance(fields, tuple)


def _named(value: object, kind: type[NamedTuple]) -> NamedTuple:
    """Build a named tuple of an object; members that it does not know are ignored."""
    members, hints = _object(value, JsonObject).members, get_type_hints(kind)
    made: list[object] = []
    for name in kind._fields:
        member = members.get(name)
        if member is None and name in kind._field_defaults:
            made.append(kind._field_defaults[name])
        else:
            made.append(_converter.structure(member, hints[name]))
    return kind._make(made)


def _is_list_of_named(kind: object) -> bool:
    return get_origin(kind) is tuple and _is_named(get_args(kind)[0])


def _list_of_named(value: object, kind: object) -> tuple[object, ...]:
    if not isinstance(value, tuple):
        raise TypeError
    of = get_args(kind)[0]
    return tuple([_named(item, of) for item in cast("tuple[object, ...]", value)])


def _members_of(value: NamedTuple) -> dict[str, object]:
    return {
        name: _converter.unstructure(member)
        for name, member in value._asdict().items()
        if member is not None
    }


def _strict_converter() -> Converter:
    converter = Converter(omit_if_default=True)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(JsonObject, _object)
    converter.register_structure_hook_func(lambda kind: kind == tuple[str, ...], _texts)
    converter.register_structure_hook_func(lambda kind: kind == str | None, _optional_text)
    converter.register_structure_hook_func(lambda kind: kind == bool | None, _optional_boolean)
    converter.register_structure_hook_func(lambda kind: kind == int | None, _optional_integer)
    converter.register_structure_hook_func(_is_named, _named)
    converter.register_structure_hook_func(_is_list_of_named, _list_of_named)
    converter.register_unstructure_hook_func(_is_named, _members_of)
    converter.register_unstructure_hook(JsonObject, lambda value: value)
    return converter


_converter: Final = _strict_converter()


class Structured(NamedTuple, Generic[T]):
    """A value made of JSON members, and the names of the members that were dropped."""

    value: T
    dropped: tuple[str, ...]


def structured(
    members: JsonObject,
    kind: type[T],
    error: type[OidcError],
    code: str,
    *,
    droppable: AbstractSet[str] = frozenset(),
) -> Structured[T]:
    """Build an attrs value of JSON members; absent and null members take the default.

    Args:
        members: the members.
        kind: the class.
        error: what is raised for a member of a wrong type, or for one that is missing.
        code: its code.
        droppable: members that no rule reads: one of a wrong type is dropped.

    Raises:
        OidcError: of class ``error`` with ``code``, naming the first member that does not fit.
    """
    held = {name: value for name, value in members.items() if value is not None}
    try:
        return Structured(_converter.structure(held, kind), ())
    except ClassValidationError as fault:
        failing = [note.name for _, note in fault.group_exceptions()[0]]
    if not failing:  # the value itself refused what its members say together
        raise error(code)
    for name in failing:
        if name not in droppable:
            found = kind_of(held[name]) if name in held else None
            raise error(code, about=name, found=found)
    kept = JsonObject({name: value for name, value in held.items() if name not in failing})
    value, _ = structured(kept, kind, error, code)
    return Structured(value, tuple(failing))


def unstructured(value: AttrsInstance) -> JsonObject:
    """Return an attrs value as JSON, without the members that have their default."""
    members: dict[str, object] = _converter.unstructure(value)
    return JsonObject({name: frozen_json(member) for name, member in members.items()})
