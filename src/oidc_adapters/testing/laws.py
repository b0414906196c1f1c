"""The law of misbehaviours, for a policy of one's own.

An honest provider is accepted.  A misbehaviour that applies is refused with its code; where it does
not apply, the outcome is in the report.  Independent misbehaviours together are refused with the
code of one of them.  What is odd but legal is accepted.

.. code-block:: python

    report = check_law(policy, registration, request)
    assert not report.broken, report
"""

from collections.abc import Iterable, Iterator
from itertools import combinations, islice
from math import comb

from attrs import frozen

from oidc_adapters.testing.law_places import HonestMessages, independent
from oidc_adapters.testing.law_trials import Trial
from oidc_adapters.testing.misbehaviours import (
    MISBEHAVIOURS,
    ODD_BUT_LEGAL,
    Deviation,
    Misbehaviour,
)
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import UsageError


@frozen(kw_only=True)
class Outcome:
    """What a client did about a provider.

    Attributes:
        names: the deviations of the provider; none for an honest one.
        applies: whether each of them applies to this client.
        expected: the codes of which one must end it; none if nothing may.
        code: the code that ended the login, the refresh or the logout; ``None`` if all was
            accepted.
    """

    names: tuple[str, ...]
    applies: bool
    expected: tuple[str, ...]
    code: str | None

    @property
    def holds(self) -> bool:
        """Whether it is as the law says; where a deviation does not apply, the law says nothing."""
        if not self.applies:
            return True
        return self.code in self.expected if self.expected else self.code is None

    def __str__(self) -> str:
        said = "accepted" if self.code is None else f"refused with {self.code}"
        named = " and ".join(self.names) or "an honest provider"
        expected = f"; expected: {' or '.join(self.expected) or 'accepted'}"
        return f"{named}: {said}{'' if self.holds else expected}"


@frozen(kw_only=True)
class LawReport:
    """All outcomes of a check.

    Attributes:
        outcomes: the one of an honest provider first.
    """

    outcomes: tuple[Outcome, ...]

    @property
    def broken(self) -> tuple[Outcome, ...]:
        """The outcomes that are not as the law says."""
        return tuple(each for each in self.outcomes if not each.holds)

    @property
    def spared(self) -> tuple[Outcome, ...]:
        """The outcomes of what does not apply: accepted, or refused for another reason."""
        return tuple(each for each in self.outcomes if not each.applies)

    def of(self, *names: str) -> Outcome:
        """Return the outcome of deviations by their names.

        Raises:
            LookupError: they were not tried.
        """
        for each in self.outcomes:
            if each.names == names:
                return each
        raise LookupError(names)

    def __str__(self) -> str:
        told = self.broken or self.outcomes
        return "\n".join([f"{len(self.broken)} of {len(self.outcomes)} broken", *map(str, told)])


def check_law(
    policy: Policy,
    registration: ClientRegistration,
    request: AuthenticationRequest = DEFAULT_REQUEST,
    *,
    rows: Iterable[Deviation] = (*MISBEHAVIOURS.values(), *ODD_BUT_LEGAL.values()),
    together: int = 1,
    at_most: int | None = None,
) -> LawReport:
    """Let a client meet an honest provider, and one for each deviation.

    The provider, the client's secret and keys, the clock and all randomness are made for this. A
    registration with an ``issuer`` meets that issuer.

    Args:
        policy: the client's rules.
        registration: its registration.
        request: its demands on each login, which the fake provider must be able to meet.
        rows: the deviations: all misbehaviours and all that is odd but legal, unless some are
            given.
        together: how many independent misbehaviours that apply are also tried at a time: 1 to 3.
        at_most: how many combinations of them are tried, drawn evenly; all by default.

    Raises:
        UsageError: ``parameter_invalid`` for another number; a setting is wrong.
    """
    if together not in {1, 2, 3}:
        raise UsageError("parameter_invalid", about="together", found=together, expected="1 to 3")
    law = _Law(Trial(policy=policy, registration=registration, request=request), tuple(rows))
    outcomes = [law.outcome(()), *(law.outcome((row,)) for row in law.rows)]
    for size in range(2, together + 1):
        outcomes.extend(law.outcome(each) for each in law.combinations(size, at_most))
    return LawReport(outcomes=tuple(outcomes))


class _Law:
    def __init__(self, trial: Trial, rows: tuple[Deviation, ...]) -> None:
        self._trial = trial
        self.rows = rows

    def _applies(self, row: Deviation) -> bool:
        return row.applies(self._trial.policy, self._trial.registration, self._trial.request)

    def outcome(self, rows: tuple[Deviation, ...]) -> Outcome:
        codes = [row.code for row in rows if isinstance(row, Misbehaviour)]
        return Outcome(
            names=tuple([row.name for row in rows]),
            applies=all(map(self._applies, rows)),
            expected=tuple(dict.fromkeys(codes)),
            code=self._trial.code(rows),
        )

    def combinations(self, size: int, at_most: int | None) -> Iterator[tuple[Deviation, ...]]:
        """Yield groups of independent misbehaviours that apply."""
        honest = HonestMessages()
        self._trial.code(honest.listening())
        applying = [
            (row, honest.changed_by(row))
            for row in self.rows
            if isinstance(row, Misbehaviour) and self._applies(row)
        ]
        apart = {
            frozenset((one.name, other.name))
            for (one, here), (other, there) in combinations(applying, 2)
            if independent(here, there)
        }
        rows = [row for row, _ in applying]
        groups = (
            group
            for group in _spread(rows, size, at_most)
            if all(frozenset((a.name, b.name)) in apart for a, b in combinations(group, 2))
        )
        yield from groups if at_most is None else islice(groups, at_most)


def _spread(
    rows: list[Misbehaviour], size: int, at_most: int | None
) -> Iterator[tuple[Misbehaviour, ...]]:
    """Yield all groups of a size, or, where there are many more than wanted, some from all over."""
    total = comb(len(rows), size)
    step = 1 if at_most is None else max(1, total // (2 * at_most + 1))
    yield from islice(combinations(rows, size), 0, None, step)
