"""Every order of events in which several callers share one refresh token, over the shipped code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from oidc_core.model.resends import Grace
from tests.explore import mutants
from tests.explore.invariants import BrokenError
from tests.explore.records import AT_WILL, BRIEF, FINE, TIMELY, Decisions
from tests.explore.search import explore
from tests.explore.world import Provider, Setting, Spent

ID_TOKENS: Final = ("", "good", "unusable", "other")
NEVER: Final = Setting("never", "revokes", AT_WILL)
ONCE: Final = Setting("once", "revokes", TIMELY)
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
    ONCE._replace(most=TWO, provider="refuses"),
    ONCE._replace(most=TWO, provider="grace"),
    ONCE._replace(most=TWO, provider="sometimes"),
    ONCE._replace(most=TWO, answers=NOT_TAKEN),
    ONCE._replace(most=TWO, clock=BRIEF),
    GRACE._replace(most=TWO),
    REUSABLE,
    REUSABLE._replace(most=ALL, clock=TIMELY),
]

FULL: Final = [
    *[NEVER._replace(most=ALL, provider=each, callers=3, answers=NOT_TAKEN) for each in PROVIDERS],
    NEVER._replace(most=Spent(2, 2, 1, 1), callers=3),
    NEVER._replace(most=Spent(1, 1, 0, 1, 2), answers=ANSWERS, id_tokens=ID_TOKENS),
    NEVER._replace(most=Spent(1, 1, 1, 0, 0), answers=NOT_TAKEN, id_tokens=ID_TOKENS),
    NEVER._replace(most=TWO, callers=3, id_tokens=ID_TOKENS),
    NEVER._replace(most=TWO, callers=3, answers=ANSWERS, refusing=True),
    NEVER._replace(most=ALL, answers=ANSWERS, refusing=True),
    NEVER._replace(most=ALL, targets=2),
    *[ONCE._replace(most=ALL._replace(stops=1), provider=each) for each in PROVIDERS],
    *[ONCE._replace(most=TWO, provider=each, callers=3, answers=NOT_TAKEN) for each in PROVIDERS],
    ONCE._replace(most=Spent(2, 2, 0, 1, 0, 1)),
    ONCE._replace(most=TWO._replace(strange=2), answers=ANSWERS),
    ONCE._replace(most=TWO, id_tokens=ID_TOKENS),
    ONCE._replace(most=TWO, refusing=True, answers=NOT_TAKEN),
    ONCE._replace(most=TWO, targets=2),
    ONCE._replace(most=ALL, clock=FINE),
    ONCE._replace(most=ALL, clock=BRIEF),
    GRACE._replace(most=ALL),
    GRACE._replace(most=TWO, answers=NOT_TAKEN),
    GRACE._replace(most=Spent(1, 2)),
    GRACE._replace(most=TWO, callers=3),
    REUSABLE._replace(most=Spent(1, 0, 0, 1)),
    REUSABLE._replace(most=Spent(0, 1, 0, 0)),
    REUSABLE._replace(most=ALL._replace(stops=1), clock=TIMELY, callers=3),
]


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
    ("answer", mutants.late_pair_fenced, NEVER, "I3"),
    ("answer", mutants.stored_after_logout, NEVER._replace(most=Spent(logouts=1)), "I4"),
    ("answer", mutants.any_refused_caller_ends, ONCE._replace(provider="refuses", clock=AT_WILL), "I6"),
    ("answer", mutants.not_taken_as_refused, NEVER._replace(answers=NOT_TAKEN), "I6"),
    ("answer", mutants.not_taken_keeps_its_mark, NEVER._replace(answers=NOT_TAKEN), "I5"),
    (
        "answer",
        mutants.not_taken_clears_doubt,
        ONCE._replace(answers=NOT_TAKEN, most=Spent(losses=2)),
        "I1",
    ),
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
