"""The fake provider's memory."""

from oidc_adapters.testing.ledger import Ledger

from .raw_client import NOW


def test_fresh_values_follow_from_the_seed() -> None:
    one, again, other = Ledger(seed=1), Ledger(seed=1), Ledger(seed=2)

    drawn = [one.fresh("code"), one.fresh("code"), one.fresh("sid")]

    assert drawn == [again.fresh("code"), again.fresh("code"), again.fresh("sid")]
    assert len({*drawn, other.fresh("code")}) == 4
    assert {len(value) for value in drawn} == {43}


def test_an_assertion_is_remembered_until_it_is_over() -> None:
    ledger = Ledger(seed=1)

    assert ledger.seen_once("a", "jti", NOW + 60, NOW)
    assert not ledger.seen_once("a", "jti", NOW + 60, NOW + 59)
    assert ledger.seen_once("b", "jti", NOW + 60, NOW)
    assert ledger.seen_once("a", "jti", NOW + 120, NOW + 60)
