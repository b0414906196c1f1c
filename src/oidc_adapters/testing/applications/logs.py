"""The log lines of an application, which a law judges."""

import logging
from traceback import format_exception

from oidc_adapters.testing.applications.book import Book


class LogEar(logging.Handler):
    """Hears each record that reaches the root logger.

    Args:
        book: where it is written down.
    """

    def __init__(self, book: Book) -> None:
        super().__init__()
        self._book = book

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record down."""
        error = record.exc_info[1] if record.exc_info else None
        trace = "" if error is None else "".join(format_exception(error))
        self._book.logged.append(record.getMessage() + trace)

    def attach(self) -> None:
        """Begin to hear."""
        logging.getLogger().addHandler(self)

    def detach(self) -> None:
        """Hear no more."""
        logging.getLogger().removeHandler(self)
