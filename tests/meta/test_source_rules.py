"""The source keeps the house's rules, and each rule is red on a planted offence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.meta import source_rules as rules
from tests.meta.trees import ROOT, SRC

if TYPE_CHECKING:
    from pathlib import Path

    from tests.meta.source_rules import Rule

# Modules that are tested through another module's tests, each with its reason. Only ever shorter.
UNMIRRORED: Final[dict[str, str]] = {}

PLANTS: Final = [
    (rules.long_modules, "x = 1\n" * 401, "401 lines"),
    (rules.long_functions, "def f():\n" + "    x = 1\n" * 40, "f has 41 lines"),
    (rules.long_functions, "async def f():\n" + "    x = 1\n" * 40, "f has 41 lines"),
    (rules.bare_excepts, "try:\n    x = 1\nexcept:\n    pass\n", "line 3: a bare except"),
    (rules.asserts, "assert x\n", "line 1: an assert is no check"),
    (rules.dollar_patterns, "re.match(r'a$', x)\n", "line 1: a pattern with $"),
    (rules.dollar_patterns, "P = re.compile('^a' + '$')\n", "line 1: a pattern with $"),
    (rules.rebound_globals, "def f():\n    global x\n    x = 1\n", "line 2: global x"),
    (rules.silenced_checks, "x = 1  # no" + "qa\n", "line 1: # no" + "qa"),
    (rules.silenced_checks, "x = 1  # type: " + "ignore[x]\n", "line 1: # type: " + "ignore"),
    (rules.undocumented, "x = 1\n", "the module has no docstring"),
    (rules.undocumented, '"""M."""\ndef f(): ...\n', "f has no docstring"),
    (
        rules.undocumented,
        '"""M."""\nclass A:\n    """A."""\n    def f(self): ...\n',
        "A.f has no docstring",
    ),
    (rules.wrong_all, "__all__ = ['a']\na = b = 1\n", "__all__ lacks b"),
    (rules.wrong_all, "__all__ = ['a', 'b']\na = 1\n", "__all__ names b, not defined"),
    (rules.wrong_all, "__all__ = ['b', 'a']\na = 1\nb = 1\n", "__all__ is not sorted"),
    (
        rules.wrong_all,
        "__all__ = [*names]\n",
        "__all__ is not a plain list, which type checkers could read",
    ),
    (rules.wrong_all, "__all__ = ('a', 'a')\na = 1\n", "__all__ names something twice"),
]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_source_keeps_the_rule(rule: Rule) -> None:
    assert rules.offences(rule, SRC) == []


@pytest.mark.parametrize(
    ("rule", "text", "offence"), PLANTS, ids=[f"{p[0].__name__}-{p[2]}" for p in PLANTS]
)
def test_a_planted_offence_is_seen(tmp_path: Path, rule: Rule, text: str, offence: str) -> None:
    (tmp_path / "planted.py").write_text(text, encoding="utf-8")

    assert f"planted.py: {offence}" in rules.offences(rule, tmp_path)


def test_every_rule_has_a_planted_offence() -> None:
    assert {rule for rule, _, _ in PLANTS} == {*rules.RULES}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (rules.long_modules, "x = 1\n" * 400),
        (rules.long_functions, "def f():\n" + "    x = 1\n" * 39),
        (rules.dollar_patterns, "P = re.compile(r'a\\$[^]$\\]]\\Z')\n"),
        (rules.undocumented, '"""M."""\ndef _f(): ...\n'),
        (rules.wrong_all, "__all__ = ['LIMIT', 'Limit', 'a']\na = LIMIT = 1\nclass Limit: ...\n"),
    ],
)
def test_what_keeps_the_rule_is_not_seen(tmp_path: Path, rule: Rule, text: str) -> None:
    (tmp_path / "fine.py").write_text(text, encoding="utf-8")

    assert rules.offences(rule, tmp_path) == []


def test_every_module_has_its_test_module() -> None:
    missing = {path.replace("\\", "/") for path in rules.without_mirror(SRC, ROOT / "tests")}

    assert missing == {*UNMIRRORED}


def test_a_module_without_tests_is_seen(tmp_path: Path) -> None:
    for path in ("src/oidc_core/a.py", "src/oidc_core/p/b.py", "src/oidc_adapters/c.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    (tmp_path / "tests" / "unit" / "test_p_b.py").touch()

    missing = rules.without_mirror(tmp_path / "src", tmp_path / "tests")

    assert missing == ["oidc_core/a.py", "oidc_adapters/c.py"]
