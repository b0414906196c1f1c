"""Fixtures: a running provider; and the table of what was run against it."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

import pytest

from tests.interop.browser import Browser
from tests.interop.node import Unavailable
from tests.interop.oidc_provider import Provider, running_provider

TABLE_ROW: Final = "interop"
HERE: Final = Path(__file__).parent

RecordRow = Callable[[str, str, str], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this directory, so that `-m "not interop"` leaves them all out."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("interop")


@pytest.fixture(scope="session")
def op() -> Generator[Provider]:
    """The provider that tests share. They register their own clients and rotate no keys."""
    yield from _provider_or_skip()


@pytest.fixture
def own_op() -> Generator[Provider]:
    """A provider for one test alone: keys may be rotated, requests counted."""
    yield from _provider_or_skip()


@pytest.fixture
def browser(op: Provider) -> Browser:
    """A fresh browser at the shared provider: nobody is logged in."""
    return Browser(op.issuer)


@pytest.fixture
def interop_row(request: pytest.FixtureRequest) -> RecordRow:
    """Call it with (client authentication, algorithm, feature): a row of the table at the end.

    The row's result is the test's. A test may record several rows.
    """

    def record(auth_method: str, algorithm: str, feature: str) -> None:
        row = f"{auth_method:20} {algorithm:8} {feature}"
        request.node.user_properties.append((TABLE_ROW, row))

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table: client authentication, algorithm, feature, result."""
    rows = sorted(
        (str(row), outcome)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, row in report.user_properties
        if name == TABLE_ROW
    )
    if rows:
        terminalreporter.section("interop with oidc-provider")
    for row, outcome in rows:
        terminalreporter.write_line(f"{row:60} {outcome}")


def _provider_or_skip() -> Generator[Provider]:
    try:
        with running_provider() as provider:
            yield provider
    except Unavailable as why:
        pytest.skip(f"no OpenID Provider: {why}")
