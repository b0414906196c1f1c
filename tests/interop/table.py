"""The table of the runs against the provider: printed after the tests, by one plugin.

It is registered for the whole suite: with several processes the one that prints never sees the
fixtures of this folder, only the reports.
"""

from collections.abc import Callable
from typing import Final

import pytest

ROW: Final = "interop"
TITLE: Final = ("client authentication", "algorithm", "feature", "result")
RecordRow = Callable[[str, str, str], None]


def recorder(node: pytest.Item) -> RecordRow:
    """Return a function that adds rows to the table; their result is the result of this test."""

    def record(auth_method: str, algorithm: str, feature: str) -> None:
        node.user_properties.append((ROW, _line(auth_method, algorithm, feature)))

    return record


class InteropTable:
    """The pytest plugin that prints the table."""

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the rows sorted, each with its result."""
        rows = sorted(
            f"{row} {outcome}"
            for outcome in ("passed", "failed")
            for report in terminalreporter.getreports(outcome)
            if isinstance(report, pytest.TestReport) and report.when == "call"
            for name, row in report.user_properties
            if name == ROW
        )
        if not rows:
            return
        terminalreporter.section("interop")
        terminalreporter.write_line(f"{_line(*TITLE[:3])} {TITLE[3]}")
        for row in rows:
            terminalreporter.write_line(row)
        terminalreporter.write_line(f"{len(rows)} runs")


def _line(auth_method: str, algorithm: str, feature: str) -> str:
    return f"{auth_method:24} {algorithm:9} {feature:50}"
