"""The moves of users."""

from oidc_adapters.testing.attackers.world import HONEST
from tests.adapters.testing.attackers.scene import broken, last, machine


def test_a_login_is_three_steps_of_one_tab() -> None:
    made = machine()
    for _ in range(3):
        made.go_on(name="alice", number=1, issuer=HONEST, process=1)

    assert (last(made.world).kind, last(made.world).code) == ("finish", "")


def test_a_callback_that_is_opened_again_is_refused() -> None:
    made = machine()
    for _ in range(3):
        made.finish_tab(name="bob", number=0, process=0)

    made.reload(name="bob", number=0, process=1)

    assert last(made.world).code in {"state_used", "state_unknown", "binding_missing"}
    assert broken(made) == ""


def test_a_user_cancels() -> None:
    made = machine()
    made.cancel(name="bob", number=0)
    made.cancel(name="bob", number=0)
    made.go_on(name="bob", number=0, issuer=HONEST, process=0)

    assert last(made.world).code == "provider_error"
    assert "a login cancelled" in made.world.reached
