"""Every order of events in which several callers share one refresh token, over the shipped code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

import pytest

from oidc_core.model.resends import Grace
from tests.docs.pages import ROOT
from tests.explore import mutants
from tests.explore.designs import DESIGNS, LIMITS, NEVER, ONCE, Design
from tests.explore.invariants import INVARIANTS, BrokenError
from tests.explore.records import AT_WILL, BRIEF, FINE, TIMELY, Decisions
from tests.explore.search import explore
from tests.explore.world import Provider, Setting, Spent

ID_TOKENS: Final = ("", "good", "unusable", "other")
GRACE: Final = Setting(Grace(45), "grace", FINE)
PROVIDERS: Final[tuple[Provider, ...]] = ("revokes", "refuses", "grace", "steady", "sometimes")
REUSABLE: Final = Setting("reusable", "steady", AT_WILL)
NOT_TAKEN: Final = frozenset({"not_taken"})
ANSWERS: Final = frozenset({"not_taken", "bare_400", "no_access"})
ALL: Final = Spent(crashes=1, losses=1, faults=1, logouts=1)
TWO: Final = Spent(crashes=1, losses=1)
"""Mishaps that a run may see, in any order."""

SHORT: Final = [
    NEVER._replace(most=ALL),
    NEVER._replace(most=ALL, provider="refuses"),
    NEVER._replace(most=ALL, provider="grace"),
    NEVER._replace(most=ALL, provider="steady"),
    NEVER._replace(most=ALL, provider="sometimes"),
    NEVER._replace(most=TWO._replace(logouts=1, strange=2), answers=ANSWERS),
    NEVER._replace(most=TWO, id_tokens=ID_TOKENS),
    NEVER._replace(most=TWO, refusing=True),
    NEVER._replace(most=TWO, targets=2),
    ONCE._replace(most=TWO._replace(logouts=1, stops=1)),
    ONCE._replace(most=TWO._replace(faults=1), provider="refuses"),
    ONCE._replace(most=TWO, provider="grace"),
    ONCE._replace(most=TWO, provider="sometimes"),
    ONCE._replace(most=TWO, answers=NOT_TAKEN),
    ONCE._replace(most=TWO, clock=BRIEF),
    ONCE._replace(provider="refuses", clock=AT_WILL),
    GRACE._replace(most=TWO),
    REUSABLE,
    REUSABLE._replace(most=ALL, clock=TIMELY),
]

MANY: Final = Spent(crashes=2, losses=2, faults=1, logouts=1)
LATE: Final = Spent(crashes=1, losses=1, faults=1, logouts=1, stops=1)

FULL: Final = [
    *[NEVER._replace(most=MANY, provider=each, callers=3, answers=NOT_TAKEN) for each in PROVIDERS],
    NEVER._replace(most=Spent(1, 1, 1, 1, 2), callers=3, answers=ANSWERS),
    NEVER._replace(most=Spent(1, 1, 1, 1, 2), answers=ANSWERS, id_tokens=ID_TOKENS),
    NEVER._replace(most=MANY, callers=3, id_tokens=ID_TOKENS),
    NEVER._replace(most=Spent(1, 1, 0, 1, 2), answers=ANSWERS, refusing=True),
    NEVER._replace(most=TWO, callers=3, answers=ANSWERS, refusing=True),
    NEVER._replace(most=MANY, targets=2, answers=NOT_TAKEN),
    *[ONCE._replace(most=LATE, provider=each, answers=NOT_TAKEN) for each in PROVIDERS],
    *[ONCE._replace(most=MANY, provider=each, callers=3) for each in PROVIDERS],
    ONCE._replace(most=Spent(2, 1, 1, 1, 0, 2), callers=3),
    ONCE._replace(most=Spent(1, 1, 1, 0, 2), answers=ANSWERS),
    ONCE._replace(most=ALL, answers=NOT_TAKEN, id_tokens=ID_TOKENS),
    ONCE._replace(most=TWO, answers=NOT_TAKEN, refusing=True),
    ONCE._replace(most=ALL, targets=2),
    ONCE._replace(most=LATE, clock=FINE),
    ONCE._replace(most=LATE, clock=BRIEF),
    GRACE._replace(most=LATE),
    GRACE._replace(most=ALL, answers=NOT_TAKEN),
    GRACE._replace(most=Spent(1, 3), callers=3),
    GRACE._replace(most=TWO, id_tokens=ID_TOKENS),
    *[GRACE._replace(rule=Grace(each), most=Spent(1, 2)) for each in (20, 30, 60)],
    REUSABLE._replace(most=Spent(1, 1)),
    REUSABLE._replace(most=Spent(0, 0, 1, 1)),
    REUSABLE._replace(id_tokens=("", "good", "unusable")),
    REUSABLE._replace(most=LATE, clock=TIMELY, callers=3, answers=NOT_TAKEN),
]


WORDS: Final = {
    "claims": "claim",
    "marks": "mark",
    "doubts": "guard passed",
    "writes pair": "pair",
    "writes not_taken": "not taken",
    "writes bare_400": "400 without an OAuth error",
    "writes refused": "invalid_grant",
    "writes no_outcome": "no answer",
    "writes unsent": "never sent",
    "finds it good": "ID token accepted",
    "finds it unusable": "ID token unusable",
    "finds it other": "ID token of another session",
}
"""The words of the page for each write."""


def named(setting: Setting) -> str:
    """Return a short name of a setting."""
    most = setting.most
    parts = [
        setting.rule if isinstance(setting.rule, str) else "grace rule",
        setting.provider,
        f"{setting.callers} callers",
        *[f"{getattr(most, each)} {each}" for each in most._fields if getattr(most, each)],
        *sorted(setting.answers),
        "id tokens" if len(setting.id_tokens) > 1 else "",
        "refusing" if setting.refusing else "",
        "two targets" if setting.targets > 1 else "",
        {TIMELY: "", FINE: "fine clock", BRIEF: "brief callers", AT_WILL: "any time"}[
            setting.clock
        ],
    ]
    return ", ".join(filter(None, parts))


def counted(setting: Setting) -> int:
    """Explore a setting, and print how many worlds there are; pytest -s shows it."""
    worlds = explore(setting).worlds
    print(f"{worlds:>9,} worlds: {named(setting)}")
    return worlds


@pytest.mark.parametrize("setting", SHORT, ids=named)
def test_every_invariant_holds(setting: Setting) -> None:
    assert counted(setting) > 500


@pytest.mark.slow
@pytest.mark.parametrize("setting", FULL, ids=named)
def test_every_invariant_holds_with_more_mishaps(setting: Setting) -> None:
    assert counted(setting) > 1_000


# --- mutants: each is a design that fails --------------------------------------------------------

MUTANTS: Final[list[tuple[str, Callable[..., Any], Setting, str]]] = [
    ("call", mutants.taking_over_resends, NEVER, "I1"),
    ("call", mutants.doubt_before_its_guard, ONCE._replace(most=Spent(losses=1)), "I2"),
    ("call", mutants.exchange_before_its_guard, ONCE, "I2"),
    ("call", mutants.resent_without_end, NEVER, "I1"),
    ("call", mutants.never_abandoned, ONCE._replace(most=Spent(crashes=1)), "I7"),
    ("call", mutants.claims_never_abandoned, NEVER._replace(most=Spent(crashes=1)), "I7"),
    ("call", mutants.refused_token_again, NEVER._replace(refusing=True), "I8"),
    ("call", mutants.any_refusal_exchanges, NEVER._replace(refusing=True), "I9"),
    ("call", mutants.no_back_off, NEVER._replace(answers=NOT_TAKEN), "I9"),
    ("call", mutants.unverified_handed_out, NEVER._replace(id_tokens=ID_TOKENS), "I12"),
    ("call", mutants.pair_not_held, GRACE._replace(most=Spent(crashes=1, losses=1)), "I2"),
    ("call", mutants.grace_to_its_end, GRACE._replace(most=Spent(crashes=1, losses=1)), "I2"),
    ("send", mutants.no_last_look, NEVER, "I1"),
    ("send", mutants.marked_at_the_time_of_the_claim, ONCE._replace(clock=BRIEF), "I2"),
    ("answer", mutants.late_pair_fenced, NEVER, "I3"),
    ("answer", mutants.stored_after_logout, NEVER._replace(most=Spent(logouts=1)), "I4"),
    (
        "answer",
        mutants.any_refused_caller_ends,
        ONCE._replace(provider="refuses", clock=AT_WILL),
        "I6",
    ),
    ("answer", mutants.not_taken_as_refused, NEVER._replace(answers=NOT_TAKEN), "I6"),
    ("answer", mutants.not_taken_keeps_its_mark, NEVER._replace(answers=NOT_TAKEN), "I5"),
    (
        "answer",
        mutants.not_taken_clears_doubt,
        ONCE._replace(answers=NOT_TAKEN, most=Spent(losses=2)),
        "I1",
    ),
    (
        "answer",
        mutants.not_taken_of_another,
        ONCE._replace(provider="refuses", clock=AT_WILL, answers=NOT_TAKEN),
        "I1",
    ),
    ("answer", mutants.unsent_of_another, ONCE._replace(most=Spent(stops=1)), "I2"),
    ("answer", mutants.no_outcome_as_not_taken, NEVER._replace(most=Spent(losses=1)), "I1"),
    ("answer", mutants.dropped_without_access, NEVER._replace(answers=ANSWERS), "I3"),
    ("answer", mutants.told_by_refresh_token, NEVER._replace(provider="steady"), "I5"),
    (
        "answer",
        mutants.sends_per_token,
        NEVER._replace(provider="steady", answers=NOT_TAKEN),
        "I5",
    ),
    ("answer", mutants.discarded_pair_revoked, REUSABLE, "I2"),
    ("answer", mutants.every_miss_forgotten, NEVER._replace(answers=NOT_TAKEN), "I9"),
    ("verified", mutants.unusable_as_mismatch, NEVER._replace(id_tokens=ID_TOKENS), "I6"),
    ("verified", mutants.mismatch_as_unusable, NEVER._replace(id_tokens=ID_TOKENS), "I12"),
    ("verified", mutants.unusable_keeps_access, NEVER._replace(id_tokens=ID_TOKENS), "I12"),
    ("verified", mutants.unusable_stays, NEVER._replace(id_tokens=ID_TOKENS), "I11"),
    ("verified", mutants.unusable_drops_refresh, NEVER._replace(id_tokens=ID_TOKENS), "I3"),
    ("verified", mutants.verdict_for_any_send, REUSABLE._replace(id_tokens=ID_TOKENS), "I12"),
    ("verified", mutants.verdict_for_any_generation, NEVER._replace(id_tokens=ID_TOKENS), "I12"),
    (
        "verified",
        mutants.revived_by_verdict,
        NEVER._replace(id_tokens=ID_TOKENS, most=Spent(logouts=1)),
        "I4",
    ),
]


@pytest.mark.parametrize(
    ("place", "mutant", "setting", "broken"), MUTANTS, ids=[row[1].__name__ for row in MUTANTS]
)
def test_a_mutant_is_caught(
    place: str, mutant: Callable[..., Any], setting: Setting, broken: str
) -> None:
    with pytest.raises(BrokenError) as caught:
        explore(setting, Decisions(**{place: mutant}))

    assert caught.value.name == broken


# --- the page about it ---------------------------------------------------------------------------

PAGE: Final = (ROOT / "docs" / "explanation" / "refresh.md").read_text("utf-8")


@pytest.mark.parametrize("design", [*DESIGNS, *LIMITS], ids=lambda design: design.name)
def test_the_page_says_how_a_design_fails(design: Design) -> None:
    with pytest.raises(BrokenError) as caught:
        explore(design.setting, design.decisions)

    steps = len(caught.value.way) + 1
    assert caught.value.name == design.broken
    row = re.search(rf"^\| {re.escape(design.name)} \|.*$", PAGE, re.MULTILINE)
    assert row is not None
    assert row[0].endswith(f"| {steps} |")


def test_the_page_has_every_invariant() -> None:
    assert [name for name in INVARIANTS if f"| {name} |" not in PAGE] == []


def test_the_page_draws_every_write_of_a_record() -> None:
    """An arrow is a write that an exploration has seen."""
    explored = [explore(setting) for setting in SHORT]
    seen = set[tuple[str, str, str]]().union(*[each.moves for each in explored])
    arrows = defaultdict[tuple[str, str], set[str]](set)
    for old, what, new in seen:
        arrows[old, new].add(WORDS.get(what, what))
    lines = [f"    {a} --> {b}: {'<br>'.join(sorted(says))}" for (a, b), says in arrows.items()]
    block = re.search(r"^```mermaid\nstateDiagram-v2\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert block is not None
    drawn = [line for line in block[1].splitlines() if not line.startswith("    acc")]
    assert drawn == sorted(lines)


def test_the_page_says_how_much_is_explored() -> None:
    said = re.search(r"visits about ([\d,]+) situations", PAGE)
    assert said is not None
    worlds = sum([explore(setting).worlds for setting in SHORT])
    assert worlds == pytest.approx(int(said[1].replace(",", "")), rel=0.2)
    assert f"{len(MUTANTS)} mutants" in PAGE
