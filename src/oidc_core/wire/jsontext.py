"""The text of JSON that is not parsed yet: its start, its numbers, its depth.

Too deep nesting is found here, as the parser would climb it first.
"""

import re
from collections import Counter
from collections.abc import Iterable
from math import isfinite
from typing import Final, NoReturn

from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.messages import cut

MAX_DIGITS: Final = 19
_NAME: Final = 128
MORE_MEMBERS: Final = "raise Policy.limits.members, up to 16384, or have less sent"
"""The advice about too many members, or too many arrays and objects."""

WHITESPACE: Final = " \t\n\r"

# A string may lack its end: it is taken whole even so, or each quote in it would be tried again.
_token: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL).finditer


def start_of(text: str) -> int:
    """Find where the value starts, in a text that does not start with ``{``.

    Raises:
        ProtocolViolation: ``json_not_utf8`` for a byte order mark.
    """
    if text[:1] == "\ufeff":
        raise ProtocolViolation("json_not_utf8")
    return len(text) - len(text.lstrip(WHITESPACE))


def malformed(text: str) -> ProtocolViolation:
    """Return the refusal of broken syntax: UTF-16 and UTF-32 are good UTF-8, full of NUL."""
    return ProtocolViolation("json_not_utf8" if "\0" in text else "json_malformed")


def finite_number(text: str) -> float:
    """Return a number with a fraction or an exponent.

    Raises:
        ProtocolViolation: ``json_number_invalid`` for one that is too large.
    """
    number = float(text)
    if not isfinite(number):
        raise ProtocolViolation("json_number_invalid")
    return number


def short_number(text: str) -> int:
    """Return a whole number.

    Raises:
        ProtocolViolation: ``json_number_invalid`` for one of more than 19 digits.
    """
    digits = len(text.removeprefix("-"))
    if digits > MAX_DIGITS:
        raise ProtocolViolation(
            "json_number_invalid", found=digits, expected=f"up to {MAX_DIGITS} digits"
        )
    return int(text)


def no_number(text: str) -> NoReturn:
    """Refuse NaN and the infinities: they are not numbers of JSON.

    Raises:
        ProtocolViolation: ``json_number_invalid``.
    """
    raise ProtocolViolation("json_number_invalid", found=text)


def refuse_nesting(text: str, limit: int, most: int) -> None:
    """Refuse what is nested too deeply, or too often: an empty object costs more than its size.

    Args:
        text: the document.
        limit: how deep arrays and objects may be nested.
        most: how many of them there may be.

    Raises:
        ProtocolViolation: ``json_too_deep``, ``json_too_large``.
    """
    depth = opened = 0
    for match in _token(text):
        token = match.group()
        if token in "[{":
            depth += 1
            opened += 1
            if opened > most:
                raise ProtocolViolation(
                    "json_too_large", expected=f"up to {most}", hint=MORE_MEMBERS
                )
            if depth > limit:
                raise ProtocolViolation("json_too_deep", expected=f"up to {limit}")
        elif token in "]}":
            depth -= 1
            if depth <= 0:  # the value ends here, or is malformed: the parser stops here too
                return


def twice(pairs: Iterable[tuple[str, object]]) -> str:
    """Return the name that is given most often, bounded."""
    times = Counter([name for name, _ in pairs])
    return cut(max(times, key=times.__getitem__), _NAME)
