"""What importing costs, each time in a process of its own."""

import subprocess
import sys
from typing import Final

from benchmarks.rounds import Effort, Spread, spread
from benchmarks.rows import Row, exact_row, value_row

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
_CPU_TIME: Final = "import time; print(time.process_time_ns())"


def import_rows(effort: Effort) -> tuple[Row, ...]:
    """The classes that the core builds, and the time of the whole client over bare Python."""
    classes = exact_row("import_core_classes", int(_run(_COUNT_CLASSES)), "classes")
    cost = imports({"import_client_ms": CLIENT}, effort)
    return (classes, *[value_row(name, ms, "ms") for name, ms in cost.items()])


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
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout
