"""Fixtures: a running provider, and what a test needs to talk to it."""

from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from tests.interop.browser import Browser
from tests.interop.install import Unavailable
from tests.interop.oidc_provider import Provider, running_provider
from tests.interop.table import RecordRow, recorder

HERE: Final = Path(__file__).parent


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
    """A fresh browser at the shared provider, without a login."""
    return Browser(op.issuer)


@pytest.fixture(scope="session")
def transport() -> Generator[Urllib3Transport]:
    """The transport that every application sends with."""
    with Urllib3Transport() as sender:
        yield sender


@pytest.fixture
def interop_row(request: pytest.FixtureRequest) -> RecordRow:
    """Call it with (client authentication, algorithm, feature): a row of the table at the end.

    The row's result is the test's. A test may record several rows.
    """

    return recorder(request.node)


def _provider_or_skip() -> Generator[Provider]:
    try:
        with running_provider() as provider:
            yield provider
    except Unavailable as why:
        pytest.skip(f"no OpenID Provider: {why}")
