"""Independent misbehaviours together are refused with the code of one of them."""

import pytest

from tests.flows.test_law import checked


@pytest.mark.slow
def test_every_independent_pair_is_refused_with_the_code_of_one() -> None:
    report = checked("that demands all", together=2)

    print(f"{len(report.outcomes)} providers")
    assert report.broken == (), report
    assert len(report.outcomes) > 50_000


@pytest.mark.slow
def test_independent_triples_are_refused_with_the_code_of_one() -> None:
    triples = checked("that demands all", together=3, at_most=5_000)

    assert triples.broken == (), triples
    assert sum(len(each.names) == 3 for each in triples.outcomes) == 5_000
