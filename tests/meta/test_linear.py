"""Code that reads text of the network takes a time that grows as the text does."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.linear import (
    PATTERNS,
    READERS,
    Row,
    compiled_patterns,
    hardest_for,
    measured,
    of,
)
from tests.meta.trees import ROOT

SRC = ROOT / "src"


def judged(row: Row) -> None:
    """Measure again before it is called slow: the machine may be busy with something else."""
    times = [measured(row)]
    while not times[-1].linear and len(times) < 3:
        times.append(measured(row))
    assert times[-1].linear, times


def test_every_pattern_of_the_source_is_in_the_table() -> None:
    assert sorted(compiled_patterns(SRC)) == sorted(PATTERNS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('import re\nA = re.compile("a")\n', ["planted:A"]),
        ('import re\nfind: object = re.compile("a").search\n', ["planted:find"]),
        ('import re\ndef f(a): return re.sub("a", "", a)\n', ["planted:line 2"]),
        ('import re\ndef f(a): return re.compile("a").match(a)\n', ["planted:line 2"]),
        ('import re\nclass C:\n    a = re.compile("a")\n', ["planted:line 3"]),
        ('from re import compile\nA = compile("a")\n', ["planted:line 1"]),
        ("A = 1\n", []),
    ],
)
def test_a_pattern_is_found_wherever_it_is_made(
    tmp_path: Path, text: str, found: list[str]
) -> None:
    (tmp_path / "planted.py").write_text(text)
    assert list(compiled_patterns(tmp_path)) == found


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_a_pattern_takes_linear_time(name: str) -> None:
    judged(hardest_for(name))


@pytest.mark.parametrize("row", READERS, ids=[row.id for row in READERS])
def test_a_reader_takes_linear_time(row: Row) -> None:
    judged(row)


def counted_in_a_loop(_: str, text: str) -> object:
    return [text.count(each) for each in text]


def copied_again_and_again(_: str, text: str) -> object:
    return [text[at:] for at in range(len(text))]


QUADRATIC = [
    pytest.param(re.compile(r"[ \t]*\r?\n[ \t]*").sub, 1_500, id="spaces-before-a-line-feed"),
    pytest.param(counted_in_a_loop, 2_500, id="count-in-a-loop"),
    pytest.param(copied_again_and_again, 20_000, id="copies-of-the-rest"),
]


@pytest.mark.parametrize(("slow", "size"), QUADRATIC)
def test_what_is_quadratic_is_noticed(slow: Callable[[str, str], object], size: int) -> None:
    planted = Row("planted", "spaces", lambda text: slow(" ", text), of(" ", last="a"), size)
    assert not measured(planted).linear
