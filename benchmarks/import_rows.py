"""The cost of importing, each time in a separate process."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from tempfile import TemporaryDirectory
from types import MappingProxyType
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
    costs = in_turns({"": "", **statements}, effort)
    bare = costs.pop("")
    return {
        name: spread(tuple([one - least for one, least in zip(found, bare, strict=True)]))
        for name, found in costs.items()
    }


def in_turns(statements: Mapping[str, str], effort: Effort) -> dict[str, list[float]]:
    """Return milliseconds of CPU of processes that run a statement, their own start included.

    All modules are compiled before, as installed packages are, into a folder of their own.
    """
    costs: dict[str, list[float]] = {name: [] for name in statements}
    with TemporaryDirectory() as folder:
        compiled = {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        for statement in statements.values():
            _run(statement, compiled)
        for _ in range(effort.processes):
            for name, statement in statements.items():
                told = _run(f"{statement}\n{_CPU_TIME}", compiled)
                costs[name].append(int(told) / 1_000_000)
    return costs


def _run(code: str, world: Mapping[str, str] = MappingProxyType({})) -> str:
    command = [sys.executable, "-c", code]
    seeded = {**os.environ, "PYTHONHASHSEED": "0", **world}  # the order of sets decides on branches
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, env=seeded
    )
    return done.stdout
