"""A test that hangs shows where: the tracebacks of all threads, after two to three minutes.

Pytest's own ``faulthandler_timeout`` starts and joins a thread for each test, which costs more than
many a test here.  One thread a minute is enough.
"""

from __future__ import annotations

import faulthandler
import os
from time import monotonic
from typing import Final

LONGEST: Final = 120
"""Seconds that any test may take."""
PERIOD: Final = 60
"""Seconds for which one thread serves the tests that begin."""


class Hanging:
    """Write the tracebacks to the terminal, also while a test's output is captured."""

    def __init__(self) -> None:
        self._terminal = os.dup(2)  # before a test's output is captured
        self._since = -float("inf")

    def pytest_runtest_logstart(self) -> None:
        """Watch the test that begins."""
        now = monotonic()
        if now - self._since >= PERIOD:
            self._since = now
            faulthandler.dump_traceback_later(LONGEST + PERIOD, file=self._terminal)

    def pytest_unconfigure(self) -> None:
        """Stop with the run."""
        faulthandler.cancel_dump_traceback_later()
        os.close(self._terminal)
