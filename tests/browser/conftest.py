"""One browser for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import chromium

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="session")
def browser() -> Generator[chromium.Chromium]:
    """A browser; a test without one is skipped."""
    reason = chromium.lacking()
    if reason is not None:
        pytest.skip(reason)
    opened = chromium.Chromium()
    try:
        opened.open()
        yield opened
    finally:
        opened.close()
