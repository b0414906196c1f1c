"""The values of options: each is checked, and a wrong one is refused with a message."""

import argparse
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from oidc_adapters.testing import MISBEHAVIOURS

_MAX_PORT: Final = 65_535
_LATEST: Final = 999_999_999_999
_MAX_SECONDS: Final = 999_999_999  # no clock waits for much longer
_LONGEST_NAME: Final = 64


def known_in(name: str, table: Mapping[str, object], kind: str) -> str:
    """Return a name that a table has; a misspelt one is told with those near it.

    Raises:
        ArgumentTypeError: it is something else.
    """
    if name in table:
        return name
    near = get_close_matches(name, table, n=3)
    hint = f"; near: {', '.join(near)}" if near else ""
    message = f"no {kind} {name!r}{hint}"
    raise argparse.ArgumentTypeError(message)


def as_misbehaviour(name: str) -> str:
    """Return the name of a misbehaviour of the fake provider.

    Raises:
        ArgumentTypeError: it is something else.
    """
    return known_in(name, MISBEHAVIOURS, "misbehaviour")


def as_port(text: str) -> int:
    """Return a port; 0 stands for any.

    Raises:
        ArgumentTypeError: it is something else.
    """
    return _number(text, 0, _MAX_PORT, "port")


def as_seconds(text: str) -> int:
    """Return a number of seconds, at least one.

    Raises:
        ArgumentTypeError: it is something else.
    """
    return _number(text, 1, _MAX_SECONDS, "number of seconds")


def as_time(text: str) -> int:
    """Return a time in seconds since the epoch.

    Raises:
        ArgumentTypeError: it is something else.
    """
    return _number(text, 0, _LATEST, "time in seconds since the epoch")


def _number(text: str, least: int, most: int, kind: str) -> int:
    digits = text.isascii() and text.isdecimal() and len(text) <= len(str(_LATEST))
    if digits and least <= int(text) <= most:
        return int(text)
    message = f"no {kind}: {text!r}"
    raise argparse.ArgumentTypeError(message)


def as_given(text: str) -> str:
    """Return a text that is not empty, as of a variable that is not set.

    Raises:
        ArgumentTypeError: it is empty.
    """
    if text:
        return text
    message = "there is nothing"
    raise argparse.ArgumentTypeError(message)


def as_name(text: str) -> str:
    """Return the name of a profile.

    Raises:
        ArgumentTypeError: it is something else.
    """
    if text.isascii() and text.isidentifier() and len(text) <= _LONGEST_NAME:
        return text
    message = "the name of a profile has letters, digits and underscores"
    raise argparse.ArgumentTypeError(message)


def as_path(text: str) -> str:
    """Return the path of a URL.

    Raises:
        ArgumentTypeError: it is something else.
    """
    if (
        text.startswith("/")
        and text.isascii()
        and text.isprintable()
        and not set(text) & set(" ?#")
    ):
        return text
    message = f"no path: {text!r}"
    raise argparse.ArgumentTypeError(message)
