"""The outcome of an exchange."""

from oidc_core.machine.grant_outcomes import NewAccess, Pair
from tests.unit.machine.grants_records import DOWN

ACCESS = NewAccess("access-2", "openid", 60, 7)
PAIR = Pair("refresh-2", True, ACCESS, None, "a.b.c")


def test_no_token_is_shown() -> None:
    assert repr(PAIR) == "Pair(rotated=True, failure=None)"
    assert repr(PAIR._replace(failure=DOWN)) == f"Pair(rotated=True, failure={DOWN!r})"
    assert repr(ACCESS) == "NewAccess(scope='openid', lifetime=60)"


def test_an_access_token_grows_older_while_nobody_can_store_it() -> None:
    assert PAIR.aged(0) == PAIR
    aged = PAIR.aged(20)
    assert aged == PAIR._replace(access=ACCESS._replace(lifetime=40))
    assert PAIR.aged(61) == PAIR._replace(access=ACCESS._replace(lifetime=0))


def test_what_has_no_lifetime_does_not_grow_older() -> None:
    for pair in (PAIR._replace(access=None), PAIR._replace(access=ACCESS._replace(lifetime=None))):
        assert pair.aged(20) == pair
