"""The base of every sample: a frozen value whose text is the call that builds it."""

from collections.abc import Mapping
from typing import Final, Protocol, cast

from attrs import AttrsInstance, fields


class Printer(Protocol):
    """The part of a pretty printer that a sample needs: Hypothesis and IPython have one."""

    def text(self, text: str, /) -> object:
        """Print this text as it is."""
        ...


class Sample:
    """A value whose ``repr`` is the call that builds it, without the arguments left at default.

    Hypothesis prints that call when a test fails.  A sample holds seeds in place of secrets, so its
    call never shows a secret.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return call_of(cast("AttrsInstance", self))

    def _repr_pretty_(self, printer: Printer, _cycle: object) -> None:
        printer.text(repr(self))


def call_of(value: AttrsInstance) -> str:
    """Return the call that builds a value of attrs, as in ``Policy(leeway=5)``.

    It names the class and each argument that differs from its default.  It leaves out the fields
    that the class computes, and those that the class keeps out of ``repr``.
    """
    return f"{type(value).__name__}({', '.join(_arguments(value))})"


def _arguments(value: AttrsInstance) -> list[str]:
    shown: list[str] = []
    for attribute in fields(type(value)):
        held: object = getattr(value, attribute.name)
        if attribute.init and attribute.repr and held != attribute.default:
            shown.append(f"{attribute.name}={_literal(held)}")
    return shown


_ATOMS: Final = (tuple, list)


def _literal(value: object) -> str:
    """Return the text of an argument; frozen JSON is shown as the dict or list it was made of."""
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value)
        shown = [f"{name!r}: {_literal(held)}" for name, held in members.items()]
        return f"{{{', '.join(shown)}}}"
    if isinstance(value, frozenset):
        names = sorted(map(repr, cast("frozenset[object]", value)))
        return f"{{{', '.join(names)}}}" if names else "frozenset()"
    if isinstance(value, _ATOMS):
        items = [_literal(item) for item in cast("tuple[object, ...]", value)]
        return f"({', '.join(items)}{',' * (len(items) == 1)})"
    return repr(value)
