"""The ear hears the log lines of an application."""

from __future__ import annotations

import logging

from oidc_adapters.testing.applications.logs import LogEar
from tests.adapters.testing.applications.site import House

LOG = logging.getLogger("tests.applications")


def test_a_log_line_is_heard_with_its_traceback() -> None:
    book = House({}).book
    ear = LogEar(book)
    ear.attach()
    LOG.error("a line of %s", "mine", exc_info=LookupError("odd"))
    ear.detach()
    LOG.warning("after the end")

    assert len(book.logged) == 1
    assert book.logged[0].startswith("a line of mine")
    assert "LookupError: odd" in book.logged[0]
