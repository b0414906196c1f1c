"""Every code of the table is raised somewhere, and no other."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest

from oidc_core.jose.profiles import PROFILES
from oidc_core.wire.codes import CODES
from tests.meta.trees import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.meta.trees import Tree

CLASSES: Final = {
    "ProtocolViolation": "protocol",
    "CallbackError": "callback",
    "TransportFailure": "transport",
    "StoreFailure": "store",
    "UsageError": "usage",
}
MAKERS: Final = {"refused": ("ProtocolViolation", 1)}
"""Functions that return an error: of which class, and which argument is its code."""

ADAPTERS_OF_TESTS: Final = "testing"

# Codes that are promised and raised by nothing yet, each with its reason. Only ever shorter.
UNUSED: Final[dict[str, str]] = {}


@cache
def parsed(text: str) -> ast.Module:
    """Parse a source, which each test here reads again, once."""
    return ast.parse(text)


def sources(tree: Tree) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((tree.root / "src").rglob("*.py")):
        if path.name != "codes.py" and ADAPTERS_OF_TESTS not in path.parts:
            yield path, parsed(path.read_text("utf-8"))


def raised(tree: Tree) -> dict[str, set[str]]:
    """Return the codes of each class of error; `{}` replaces a part that is filled in."""
    found: dict[str, set[str]] = {}
    for _, module in sources(tree):
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                kind, at = MAKERS.get(node.func.id, (node.func.id, 0))
                if kind in CLASSES and len(node.args) > at:
                    found.setdefault(kind, set()).update(_texts(node.args[at]))
    return found


def _texts(node: ast.expr) -> set[str]:
    """Return the strings an argument can be, as far as it says so itself."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return _texts(node.body) | _texts(node.orelse)
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
        return {"".join(map(str, parts))}
    return set()


def named(tree: Tree) -> set[str]:
    """Return every string of the source: a code may be chosen before it is raised."""
    found: set[str] = set()
    for _, module in sources(tree):
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def matching(pattern: str) -> set[str]:
    """Return the codes that a text with `{}` in it can become."""
    text = "[a-z_]+".join(map(re.escape, pattern.split("{}")))
    return {code for code in CODES if re.fullmatch(text, code)}


def unknown(tree: Tree) -> list[str]:
    """Name each raised code that does not exist, or belongs to another class.

    A code that begins with a claim's name can become the code of another class. The claims with
    names of this kind are looked at one by one below.
    """
    found: list[str] = []
    for kind, codes in raised(tree).items():
        for code in codes:
            faults = {CODES[name].fault for name in matching(code)}
            if CLASSES[kind] not in faults or (len(faults) > 1 and not code.startswith("{}")):
                found.append(f"{kind}({code!r})")
    return sorted(found)


def unused(tree: Tree) -> set[str]:
    """Return the codes that nothing raises or names."""
    used = named(tree)
    for codes in raised(tree).values():
        for code in codes:
            used |= matching(code)
    return {*CODES} - used


def test_every_code_that_is_raised_is_in_the_table() -> None:
    assert unknown(HERE) == []


def test_every_code_of_the_table_is_raised() -> None:
    assert unused(HERE) == {*UNUSED}


def test_enough_is_seen() -> None:
    seen = raised(HERE)
    assert {*seen} == {*CLASSES}
    assert {"exp_expired", "nonce_mismatch", "aud_untrusted"} <= seen["ProtocolViolation"]
    assert sum(map(len, seen.values())) > len(CODES) // 2


@pytest.mark.parametrize(
    ("call", "offence"),
    [
        ('raise ProtocolViolation("no_such_code")', "ProtocolViolation('no_such_code')"),
        ('raise ProtocolViolation("config_invalid")', "ProtocolViolation('config_invalid')"),
        (
            'fault = UsageError("exp_expired" if x else "config_invalid")',
            "UsageError('exp_expired')",
        ),
        ('raise ProtocolViolation(f"no_such_{x}")', "ProtocolViolation('no_such_{}')"),
        ('raise refused(token, "no_such_code", "exp")', "ProtocolViolation('no_such_code')"),
        ('raise refused(token, "state_mismatch", "exp")', "ProtocolViolation('state_mismatch')"),
    ],
)
def test_an_unknown_code_is_seen(planted: Tree, call: str, offence: str) -> None:
    planted.plant("src/oidc_core/planted.py", f"{call}\n")

    assert offence in unknown(planted)


@pytest.mark.parametrize(
    "call",
    [
        'UsageError("config_invalid")',
        'StoreFailure(f"record_{x}")',
        'refused(token, "exp_expired", "exp")',
    ],
)
def test_a_known_code_is_not_seen(planted: Tree, call: str) -> None:
    planted.plant("src/oidc_core/planted.py", f"raise {call}\n")

    assert unknown(planted) == []


def test_an_unused_code_is_seen(planted: Tree) -> None:
    for path, _ in sources(planted):
        path.write_text(
            path.read_text("utf-8").replace('"exp_expired"', '"other"'), encoding="utf-8"
        )

    assert unused(planted) == {*UNUSED, "exp_expired"}


def claims_unread(tree: Tree) -> set[str]:
    """Return the claims that are refused by their own name where they cannot be read."""
    calls = [
        node
        for _, module in sources(tree)
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("unread")
    ]
    names = [arg.value for call in calls for arg in call.args if isinstance(arg, ast.Constant)]
    return {name for name in names if isinstance(name, str)}


def test_every_claim_that_is_refused_by_its_name_has_its_codes() -> None:
    """`unread` makes a code of a claim's name; one that is not in the table would be no error."""
    unread = claims_unread(HERE)
    assert unread >= {"iss", "aud", "exp", "iat"}
    required = frozenset[str]().union(*[profile.required for profile in PROFILES.values()])
    wanted = {f"{name}_malformed" for name in unread}
    wanted |= {f"{name}_missing" for name in unread & required}
    faults = {code: CODES[code].fault for code in wanted}
    assert faults == dict.fromkeys(wanted, "protocol")
