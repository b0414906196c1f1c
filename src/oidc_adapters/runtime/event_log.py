"""Events of clients as records of the standard library's ``logging``."""

import json
import logging
from typing import Final

from attrs import asdict

from oidc_adapters.runtime.events import (
    Event,
    KeysRefused,
    MetadataReplaced,
    OnEvent,
    Refusal,
    RequestSent,
)
from oidc_core.wire.codes import Kind
from oidc_core.wire.errors import OidcError
from oidc_core.wire.settings import check_kind

LOGGER: Final = "oidc_adapters"
"""The name of the logger that is used unless another is given."""

_USUAL: Final = frozenset[Kind]({"user", "stale", "interaction"})
"""Kinds of refusals that every site sees each day."""


def log_events(logger: logging.Logger | None = None) -> OnEvent:
    """Return a callable that logs each event in one line, for ``on_event``.

    The line is the event's name, then its members as ``name=value`` with the value in JSON.  The
    event itself is the record's attribute ``oidc_event``.  Requests are logged as ``DEBUG``, what
    goes well and what users bring about as ``INFO``, what an operator may have to look at as
    ``WARNING``, and a mistake in the configuration as ``ERROR``.

    Args:
        logger: where to; the logger ``oidc_adapters`` by default.

    Raises:
        UsageError: ``config_invalid`` for a value that is not a logger.
    """
    check_kind(logger, logging.Logger | None, about="logger", code="config_invalid")
    target = logging.getLogger(LOGGER) if logger is None else logger

    def log(event: Event) -> None:
        level = _level(event)
        if target.isEnabledFor(level):
            target.log(level, "%s", _line(event), extra={"oidc_event": event})

    return log


def log_failure(error: OidcError) -> None:
    """Log an error that an application answers with a page, in one line without secrets.

    The logger is ``oidc_adapters``.  What users bring about is ``INFO``, a mistake in the
    configuration ``ERROR``, everything else ``WARNING``.
    """
    logging.getLogger(LOGGER).log(_level_of(error.kind), "%s", error)


def _level(event: Event) -> int:
    match event:
        case RequestSent(failure=""):
            return logging.DEBUG
        case Refusal(kind=kind):
            return _level_of(kind)
        case RequestSent() | KeysRefused() | MetadataReplaced(endpoints_moved=True):
            return logging.WARNING
        case _:
            return logging.INFO


def _level_of(kind: Kind) -> int:
    if kind in _USUAL:
        return logging.INFO
    return logging.ERROR if kind == "configuration" else logging.WARNING


def _line(event: Event) -> str:
    members = [
        f"{name}={json.dumps(value)}"
        for name, value in asdict(event, recurse=False).items()
        if value not in {"", None}
    ]
    return " ".join([type(event).__name__, *members])
