"""The moves of time."""

from oidc_adapters.testing.attackers.world import HONEST, NOW
from tests.adapters.testing.attackers.scene import broken, last, logged_in, machine


def test_a_login_that_comes_late_is_refused() -> None:
    made = machine()
    for _ in range(2):
        made.go_on(name="alice", number=0, issuer=HONEST, process=0)

    made.wait(seconds=700)
    made.go_on(name="alice", number=0, issuer=HONEST, process=0)

    assert made.world.clock.now() == NOW + 700
    assert last(made.world).code != ""
    assert broken(made) == ""


def test_a_provider_that_rotates_its_keys_is_believed() -> None:
    made = machine()
    logged_in(made)
    made.rotate(hostile=False, keep_previous=False)
    made.world.clock.advance(61)

    logged_in(made, "bob")

    assert len(made.world.history.keys[HONEST]) == 2
