"""The common part of all moves: an impossible step becomes a step of a user."""

from oidc_adapters.testing.attackers.world import HONEST, HOSTILE
from tests.adapters.testing.attackers.scene import last, logged_in, machine


def test_a_user_goes_on_instead() -> None:
    made = machine()

    made.go_on_instead(1)
    assert (last(made.world).browser, last(made.world).given["issuer"]) == ("bob", HONEST)
    made.go_on_instead(4, 1)
    assert (last(made.world).browser, last(made.world).given["issuer"]) == ("bob", HOSTILE)
    made.go_on_instead(1)
    made.go_on_instead(1)

    assert last(made.world).kind == "finish"


def test_sessions_are_named_by_how_long_ago_they_began() -> None:
    made = machine()
    assert made.held(0) is None
    first, second = logged_in(made), logged_in(made, "bob")

    assert [made.held(back) for back in (0, 1, 7)] == [second, first, first]
    assert made.held(0, of="alice") is first
