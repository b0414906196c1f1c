"""Warnings that point to the line of the application, through however many layers of this."""

import warnings
from inspect import currentframe
from typing import Final

_OURS: Final = frozenset({"oidc_core", "oidc_adapters"})


def warn_caller(message: str) -> None:
    """Warn at the line of the application that called into this library.

    So each of its lines is warned about by itself, as often as Python's own filters say.
    """
    level, frame = 1, currentframe()
    while frame is not None and _package(frame.f_globals) in _OURS:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)


def _package(names: dict[str, object]) -> str:
    return str(names.get("__name__", "")).partition(".")[0]
