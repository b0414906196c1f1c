"""The used part of atheris, which comes without types, and is installed only where it is run."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    Judge = Callable[[bytes], None]
    Mutator = Callable[[bytes, int, int], bytes]
    """Octets, the longest allowed result, and a seed, to other octets."""


class Engine(Protocol):
    """The module ``atheris``, as far as it is used."""

    def instrument_imports(self, include: Sequence[str]) -> AbstractContextManager[object]:
        """Record the coverage of these packages for the modules that are imported meanwhile."""
        ...

    def Setup(
        self, arguments: list[str], judge: Judge, *, custom_mutator: Mutator
    ) -> Sequence[str]:
        """Take libFuzzer's arguments."""
        ...

    def Fuzz(self) -> None:
        """Run until an input fails or the time is up; the process ends with it."""
        ...

    def Mutate(self, octets: bytes, limit: int) -> bytes:
        """Change octets as libFuzzer does by itself."""
        ...


def loaded() -> Engine:
    """Import atheris."""
    return cast("Engine", import_module("atheris"))
