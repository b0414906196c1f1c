"""Near matches for a misspelt command or option, found before argparse sees the command line.

Argparse repeats what it does not understand.  That may be a secret, as the word after
``--client-secret``: here only names are repeated, and of names only what can be one.
"""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz-")
_LONGEST: Final = 40


def misspelt(
    argv: Sequence[str], options: Collection[str], commands: Mapping[str, Collection[str]]
) -> str:
    """Return what is wrong with the names of a command line, or an empty string.

    Args:
        argv: its words.
        options: those that come before a command, as in ``--version``.
        commands: the options of each command, by its name.
    """
    command = next((word for word in argv if not word.startswith("-")), "")
    if command and command not in commands:
        return _unknown("command", command, commands)
    known = {*options, *commands.get(command, ())}
    for word in argv:
        if word == "--":
            break
        name = word.partition("=")[0]
        if word.startswith("--") and name not in known:
            return _unknown("option", name, known)
    return ""


def _unknown(kind: str, name: str, known: Collection[str]) -> str:
    near = ", ".join(get_close_matches(name.lower(), known, n=3))
    plain = len(name) <= _LONGEST and _LETTERS.issuperset(name)
    named = name if plain else "of that name"
    return f"no {kind} {named}; near: {near}" if near else f"no {kind} {named}"
