"""The cost of importing, each time in a separate process."""

import os
import subprocess
import sys
from collections import Counter
from typing import Final

from benchmarks.count import Count
from benchmarks.rounds import Effort, Spread, spread
from benchmarks.rows import Row, count_rows, exact_row, value_row

CLIENT: Final = (
    "import oidc_adapters.clients.oidc_client, oidc_adapters.crypto.primitives,"
    " oidc_adapters.transport.over_urllib3"
)
"""Everything a login over HTTP loads sooner or later."""

_COUNT_CLASSES: Final = """
import json, sys
before = {*sys.modules}
import oidc_core.operations.login
print(json.dumps(len({
    value for name in {*sys.modules} - before for value in vars(sys.modules[name]).values()
    if isinstance(value, type) and "__attrs_attrs__" in vars(value)
})))
"""
_COUNT_BYTECODES: Final = """
import gc, sys
count = 0
def each(frame, event, _):
    global count
    count += event == "opcode"
    return each
def entered(frame, _event, _):
    frame.f_trace_opcodes, frame.f_trace_lines = True, False
    return each
gc.disable()
sys.settrace(entered)
import oidc_adapters.clients.oidc_client
sys.settrace(None)
print(count)
"""
_CPU_TIME: Final = "import time; print(time.process_time_ns())"


def import_rows(effort: Effort) -> tuple[Row, ...]:
    """The classes that the core builds, and the cost of the whole client over bare Python."""
    classes = exact_row("import_core_classes", int(_run(_COUNT_CLASSES)), "classes")
    _run(CLIENT)  # compiles what was not compiled yet
    told = Count(int(_run(_COUNT_BYTECODES)), 0, Counter())
    bytecodes = count_rows(told, bytecodes="import_client_bytecodes")
    cost = imports({"import_client_ms": CLIENT}, effort)
    return (classes, *bytecodes, *[value_row(name, ms, "ms") for name, ms in cost.items()])


def imports(statements: dict[str, str], effort: Effort) -> dict[str, Spread]:
    """Return milliseconds of CPU over bare Python, by name, measured in turns."""
    for statement in statements.values():
        _run(statement)  # compiles what was not compiled yet
    costs: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(effort.processes):
        bare = _cpu_time("")
        for name, statement in statements.items():
            costs[name].append((_cpu_time(statement) - bare) / 1_000_000)
    return {name: spread(tuple(found)) for name, found in costs.items()}


def _cpu_time(statement: str) -> int:
    """Return nanoseconds of a process that runs a statement, its own start included."""
    return int(_run(f"{statement}\n{_CPU_TIME}"))


def _run(code: str) -> str:
    command = [sys.executable, "-c", code]
    seeded = {**os.environ, "PYTHONHASHSEED": "0"}  # the order of sets decides on branches
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, env=seeded
    )
    return done.stdout
