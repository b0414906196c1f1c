"""The setup of every test: Hypothesis profiles, vectors, no silent skips, the register of MUSTs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.hanging import Hanging
from tests.interop.table import InteropTable
from tests.requirement_marks import RequirementMarks
from tests.servers import postgresql, redis

if TYPE_CHECKING:
    from collections.abc import Generator

settings.register_profile("fast", max_examples=20, deadline=None)
settings.register_profile("ci", max_examples=200, derandomize=True, print_blob=True, deadline=None)
settings.register_profile("deep", max_examples=20_000, print_blob=True, deadline=None)
settings.load_profile("fast")  # --hypothesis-profile chooses another


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("oidc_core")
    group.addoption("--no-skip", action="store_true", help="count a skipped test as a failure")
    group.addoption(
        "--vectors",
        default=os.environ.get("OIDC_CORE_VECTORS"),
        help="a folder with test vectors (or OIDC_CORE_VECTORS)",
    )
    group.addoption("--req-report", help="write which tests prove which requirement, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Hanging(), "hanging")
    config.pluginmanager.register(RequirementMarks(), "requirement-marks")
    config.pluginmanager.register(InteropTable(), "interop-table")
    config.pluginmanager.register(postgresql, "postgresql")
    config.pluginmanager.register(redis, "redis")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--no-skip"):
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and collector.config.getoption("--no-skip"):
        _fail(report)
    return report


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    report.outcome = "failed"
    report.longrepr = f"skipped, which --no-skip forbids: {report.longrepr}"


@pytest.fixture(scope="session")
def vectors(pytestconfig: pytest.Config) -> Path:
    """The folder of known test vectors, which the repository does not contain."""
    named: str | None = pytestconfig.getoption("--vectors")
    if not named:
        pytest.skip("test vectors are needed: --vectors DIR or OIDC_CORE_VECTORS")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"--vectors names no folder: {folder}")
    return folder
