"""The content of messages: bounded, printable, and without a secret."""

import re
from hashlib import sha256
from typing import Final, TypeAlias

Fact: TypeAlias = str | int | float | bool | tuple[str, ...] | None

ERROR_CODE: Final = 256
"""How many characters are kept of the code of a provider's error."""

TEXT: Final = 1_024
"""How many characters are kept of a provider's text; a longer one is cut in the middle."""

SHOWN: Final = 200
"""How many characters of a fact a message shows."""

_NAME: Final = 64
_LONG: Final = 3 * SHOWN
"""How many bits a number has at most that is shown."""


def shown(fact: Fact) -> str:
    """Return a fact as one bounded, printable, quoted piece of text."""
    if isinstance(fact, int) and fact.bit_length() > _LONG:  # Python may refuse to write it out
        return f"a number of {fact.bit_length()} bits"
    return cut(ascii(fact), SHOWN)


def without_secrets(text: str) -> str:
    """Return a text with fingerprints in the place of words that may be tokens or codes.

    A provider that fails may repeat what the client sent.  Identifiers of a trace stay.
    """
    return _long_words(_fingerprint_of_secret, text)


def _fingerprint_of_secret(found: re.Match[str]) -> str:
    word = found.group()
    plain = _uuid.fullmatch(word) or not any(map(str.isdigit, word))
    return word if plain else print_of(word)


_long_words: Final = re.compile(r"([A-Za-z0-9_~+=-]{20,}+)").sub
_uuid: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def cut(text: str, size: int) -> str:
    """Return a text of at most ``size`` characters: both ends say more than the middle."""
    if len(text) <= size:
        return text
    head = (size - 3) // 2
    return f"{text[:head]}...{text[head + 3 - size :]}"


def print_of(secret: str) -> str:
    """Return 8 hexadecimal digits that tell secrets apart without showing them."""
    return "#" + sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def shown_name(name: str) -> str:
    """Return the name of a member, which a provider may have chosen, bounded and printable."""
    plain = len(name) <= _NAME and name.isascii() and name.isprintable()
    return name if plain else shown(name)
