"""How a page of text looks: in a terminal as wide as that is, otherwise in 80 columns."""

import os
from collections.abc import Iterable, Mapping
from textwrap import wrap
from types import MappingProxyType
from typing import Final, TextIO

from oidc_adapters.cli.redaction import printable

WIDTH: Final = 80
"""How many columns a page has where nobody says otherwise."""

_NARROWEST: Final = 40
_WIDEST: Final = 120
_LONGEST_NAME: Final = 26
_MOST_LINES: Final = 4
_TIGHT: Final = 20
_CODES: Final = MappingProxyType(
    {"bold": "1", "dim": "2", "good": "32", "bad": "1;31", "warn": "33", "name": "36"}
)
_PLAIN: Final = str.maketrans(
    {"✓": "+", "✗": "x", "–": "-", "→": ">", "←": "<", "…": ".", "§": "#"}
)


def wants_colour(out: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether to use colours: only on a terminal, and not where they were declined."""
    declined = environ.get("NO_COLOR") or environ.get("TERM") == "dumb"
    return out.isatty() and not declined


def columns(out: TextIO, environ: Mapping[str, str]) -> int:
    """Return how wide a page is: as its terminal, or as ``COLUMNS`` says, within reason."""
    told = environ.get("COLUMNS", "")
    if told.isascii() and told.isdigit() and len(told) < 5:
        return min(max(int(told), _NARROWEST), _WIDEST)
    try:
        found = os.get_terminal_size(out.fileno()).columns if out.isatty() else 0
    except OSError:  # a terminal without a size
        found = 0
    return min(max(found, _NARROWEST), _WIDEST) if found else WIDTH


class Page:
    """Lines of text on their way out.

    Args:
        out: where they go.
        environ: may decline colours (``NO_COLOR``), and say how wide the page is (``COLUMNS``).
    """

    def __init__(self, out: TextIO, environ: Mapping[str, str]) -> None:
        self._out = out
        self._width = columns(out, environ)
        self._colour = wants_colour(out, environ)
        self._encoding = getattr(out, "encoding", None) or "utf-8"
        self._unicode = _has_signs(self._encoding)

    def line(self, text: str = "", *, indent: int = 0, style: str = "") -> None:
        """Write one paragraph, wrapped."""
        for part in wrap(printable(text), self._width - indent) or [""]:
            self._write(" " * indent + self._painted(part, style) if part else "")

    def raw(self, text: str) -> None:
        """Write one line as it is, however long: something to be copied."""
        self._write(text)

    def spread(self, left: str, right: str, *, style: str = "bold") -> None:
        """Write two texts at both edges of the page."""
        first, second = printable(left), printable(right)
        room = self._width - len(first) - len(second)
        if room < 2 and len(second) <= self._width:  # one below the other
            self._write(self._painted(first, style))
            first, room = "", self._width - len(second)
        gap = " " * max(room, 2)
        self._write(self._painted(first, style) + gap + self._painted(second, "dim"))

    def facts(self, pairs: Iterable[tuple[str, str]], *, indent: int) -> None:
        """Write names and values in two columns; what is very long is cut off."""
        rows = [(printable(name), printable(value)) for name, value in pairs]
        column = min(max([len(name) for name, _ in rows], default=0), _LONGEST_NAME) + 2
        for name, value in rows:
            start = max(column, len(name) + 2)
            width = self._width - indent - start
            if width < _TIGHT:
                self._below(name, value, indent)
                continue
            first, *more = _cut(wrap(value, width)) or [""]
            self._write(
                " " * indent + self._painted(name, "name") + " " * (start - len(name)) + first
            )
            for part in more:
                self._write(" " * (indent + start) + part)

    def _below(self, name: str, value: str, indent: int) -> None:
        """Write a value below its name, where the page has no room next to it."""
        self._write(" " * indent + self._painted(name, "name"))
        for part in _cut(wrap(value, max(self._width - indent - 2, _TIGHT))):
            self._write(" " * (indent + 2) + part)

    def verdict(self, sign: str, says: str, spec: str, *, style: str) -> None:
        """Write one check: its sign, what it says, and the rule at the right edge."""
        room = self._width - 5 - len(spec) - 2
        *before, last = wrap(printable(says), room if len(says) <= room else self._width - 5)
        mark = f"   {self._painted(sign, style)} "
        for part in before:
            self._write(mark + part)
            mark = " " * 5
        if len(last) > room:
            self._write(mark + last)
            mark, last = " " * 5, ""
        gap = " " * (self._width - 5 - len(last) - len(spec))
        self._write(f"{mark}{last}{gap}{self._painted(spec, 'dim')}" if spec else mark + last)

    def flush(self) -> None:
        """Let everything out before somebody else writes."""
        self._out.flush()

    def _painted(self, text: str, style: str) -> str:
        if not self._colour or not text or not style:
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"

    def _write(self, text: str) -> None:
        known = text if self._unicode else text.translate(_PLAIN)
        sure = known.encode(self._encoding, "backslashreplace").decode(self._encoding)
        self._out.write(sure.rstrip() + "\n")


def _cut(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], "…"]


def _has_signs(encoding: str) -> bool:
    """Return whether an output can show the signs; what it cannot is spelt in ASCII."""
    try:
        "✓✗–→←…§".encode(encoding)
    except UnicodeError:
        return False
    return True
