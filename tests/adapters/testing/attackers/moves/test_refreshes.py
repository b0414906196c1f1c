"""The moves about tokens of sessions."""

import pytest

from oidc_adapters.testing.attackers.moves.refreshes import MEANWHILE
from tests.adapters.testing.attackers.scene import broken, last, logged_in, machine


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        ("nothing", ""),
        ("another caller", ""),
        ("a logout", "grant_ended"),
        ("the provider's logout", "grant_ended"),
    ],
)
def test_what_happens_during_a_refresh(happens: str, code: str) -> None:
    made = machine()
    logged_in(made)

    made.use(back=0, process=0, refused=True, happens=happens, after=6)

    assert happens in MEANWHILE
    assert (last(made.world).kind, last(made.world).code) == ("fresh", code)
    assert "a refresh" in made.world.reached
    assert broken(made) == ""


def test_a_grant_that_was_taken_back_is_refused() -> None:
    made = machine()
    logged_in(made)
    made.take_back(back=0)

    made.use(back=0, process=0, refused=True, happens="nothing", after=301)

    assert last(made.world).code == "provider_error"
    assert broken(made) == ""


def test_a_message_is_cut_off() -> None:
    made = machine()
    made.cut(purpose="userinfo", arrives=True)
    logged_in(made)

    assert last(made.world).entry is not None
    assert [each.lost for each in last(made.world).sent] == ["", "", "maybe"]
