"""Executed bytecodes and Python calls of one call: exact, so that a gate can stand on them.

Every frame counts, those of the standard library included.  The count is taken on CPython and
belongs to one minor version; the gates are for 3.11.
"""

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple


class Count(NamedTuple):
    """What one call executed; ``places``: bytecodes by file and function."""

    bytecodes: int
    calls: int
    places: Counter[str]


def counted(call: Callable[[], object]) -> Count:
    """Count what one call executes, after a first one that warms what is remembered."""
    call()
    places: Counter[str] = Counter()
    calls = 0

    def local(frame: FrameType, event: str, _argument: object) -> object:
        if event == "opcode":
            places[_place(frame)] += 1
        return local

    def entered(frame: FrameType, _event: str, _argument: object) -> object:
        nonlocal calls
        calls += 1
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return local

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        call()
    finally:
        sys.settrace(before)
    return Count(places.total(), calls, places)


def _place(frame: FrameType) -> str:
    code = frame.f_code
    return f"{code.co_filename.rpartition('/')[2]}:{code.co_qualname}"
