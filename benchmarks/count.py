"""Executed bytecodes and Python calls: exact, so that a gate can rely on them.

Every frame counts, those of the standard library included, except the frame of the call that is
given: it stands for the application. The count is taken on CPython and belongs to one minor
version; the gates are for 3.11. From 3.13 on, the tracer reports too few instructions.
"""

import gc
import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from _typeshed import TraceFunction

WARMING: Final = 2
"""How often the call runs before it is counted, so that what can be remembered is."""


class Count(NamedTuple):
    """The counts of one call.

    Attributes:
        bytecodes: the instructions of all frames below it.
        calls: how many frames were entered; a comprehension is one, as is a resumed generator.
        places: the bytecodes by file and function.
    """

    bytecodes: int
    calls: int
    places: Counter[str]


def counted(call: Callable[[], object]) -> Count:
    """Count what a function without arguments executes below its own frame."""
    for _ in range(WARMING):
        call()
    places: Counter[str] = Counter()
    calls = -1  # the frame of the call itself

    def executed(frame: FrameType, event: str, _argument: Any) -> "TraceFunction":
        if event == "opcode":
            places[_place(frame)] += 1
        return executed

    def entered(frame: FrameType, _event: str, _argument: Any) -> "TraceFunction | None":
        nonlocal calls
        calls += 1
        if not calls:
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return executed

    before, collecting = sys.gettrace(), gc.isenabled()
    gc.disable()  # the calls of this line, and their time, are not in the count
    sys._getframe().f_trace_opcodes = True  # CPython 3.12 else misses the first frame's
    sys.settrace(entered)
    try:
        call()
    finally:
        sys.settrace(before)
        if collecting:
            gc.enable()
    return Count(places.total(), calls, places)


def _place(frame: FrameType) -> str:
    code = frame.f_code
    return f"{code.co_filename.rpartition('/')[2]}:{code.co_qualname}"
