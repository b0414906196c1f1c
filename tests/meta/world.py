"""A world that must not be touched: run the core inside and see that it does not.

    with no_world():
        step = login.start(rp, …)

Inside, each function of `time`, `random` and `secrets`, and `os.urandom`, raises. Any audited event
of the interpreter (opening a file, a socket, a process, …) on this thread raises too.

On a first run modules may still be loaded: `no_world(loading=True)` lets the import system
read its files, and code be compiled and executed. A second run repeats no part of that.
"""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import sys
import threading
import time
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType, ModuleType

INTROSPECTION: Final = frozenset(
    {
        "builtins.id",
        "code.__new__",
        "function.__new__",
        "object.__getattr__",
        "object.__setattr__",
        "object.__delattr__",
        "sys._getframe",
        "sys._getframemodulename",
    },
)
"""Events of looking at one's own objects: attrs, enum and typing do it, and it touches nothing."""

CODE: Final = frozenset({"compile", "exec", "import"})
READING: Final = frozenset({"open", "marshal.loads", "os.listdir", "os.scandir", "os.stat"})
IMPORT_SYSTEM: Final = "<frozen importlib"


class WorldTouchedError(BaseException):
    """The code under test reached for the world. No `except Exception` can hide it."""


_watched: dict[int, tuple[bool, list[str]]] = {}
"""For each watched thread: whether it may load modules, and what it touched."""

_hook: list[bool] = []
"""Whether the audit hook is installed; it can never be removed again."""


@contextlib.contextmanager
def no_world(*, loading: bool = False) -> Generator[None]:
    """Let nothing inside reach the world.

    Raises:
        WorldTouchedError: at the place that did, and again at the end if that was swallowed.
    """
    if not _hook:
        sys.addaudithook(_audit)
        _hook.append(True)
    thread = threading.get_ident()
    touched: list[str] = []
    undo = _replace(touched)
    caches, sys.dont_write_bytecode = (
        sys.dont_write_bytecode,
        True,
    )  # a cache is not an output
    _watched[thread] = (loading, touched)
    try:
        yield
    finally:
        del _watched[thread]
        sys.dont_write_bytecode = caches
        for module, name, original in undo:
            setattr(module, name, original)
    if touched:
        raise WorldTouchedError(", ".join(touched))


def _replace(touched: list[str]) -> list[tuple[ModuleType, str, object]]:
    """Put a raising function in place of each that tells the time or draws random values."""
    undo: list[tuple[ModuleType, str, object]] = []
    for module, names in _functions():
        for name in names:
            undo.append((module, name, getattr(module, name)))
            setattr(module, name, _refusal(f"{module.__name__}.{name}", touched))
    return undo


def _functions() -> list[tuple[ModuleType, list[str]]]:
    chance = [name for name in random.__all__ if not isinstance(getattr(random, name), type)]
    drawn = [name for name in secrets.__all__ if not isinstance(getattr(secrets, name), type)]
    clocks = [
        name
        for name, value in vars(time).items()
        if callable(value) and not isinstance(value, type) and not name.startswith("_")
    ]
    return [
        (time, clocks),
        (random, chance),
        (secrets, [name for name in drawn if name != "compare_digest"]),
        (os, ["urandom", "getrandom"] if hasattr(os, "getrandom") else ["urandom"]),
    ]


def _refusal(name: str, touched: list[str]) -> object:
    thread = threading.get_ident()

    def refuse(*_arguments: object, **_named: object) -> NoReturn:
        if threading.get_ident() == thread:
            touched.append(name)
        raise WorldTouchedError(name)

    return refuse


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    watch = _watched.get(threading.get_ident())
    if watch is None or event in INTROSPECTION:
        return
    loading, touched = watch
    if loading and (event in CODE or (event in READING and _is_import(sys._getframe(1)))):
        return
    shown = ascii(arguments[0])[:80] if arguments else ""
    touched.append(f"{event} {shown}".strip())
    raise WorldTouchedError(touched[-1])


def _is_import(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(IMPORT_SYSTEM)
