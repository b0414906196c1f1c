"""The moves that end sessions."""

import pytest

from oidc_adapters.testing.attackers.forging import KEYS
from oidc_adapters.testing.attackers.moves.base import FLAWS, Bent
from oidc_adapters.testing.attackers.world import HONEST
from tests.adapters.testing.attackers.scene import broken, last, logged_in, machine


def test_a_user_leaves() -> None:
    made = machine()
    held = logged_in(made)

    made.leave(name="alice", back=0, number=1, process=0)

    assert held.ended == "its user left"
    assert made.browser("alice").tabs[1].following.startswith(f"{HONEST}/end-session?")


@pytest.mark.parametrize("naming", ["sub", "sid", "both"])
def test_a_provider_ends_a_session_and_its_token_is_replayed(naming: str) -> None:
    made = machine()
    held = logged_in(made)

    made.end_at_provider(back=0, naming=naming)
    made.deliver(back=0, process=1)
    assert (last(made.world).status, held.ended) == (200, "its provider ended it")
    made.post(back=0, process=0)

    assert last(made.world).status == 400
    assert broken(made) == ""


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_forged_logout_token_ends_nothing(flaw: str) -> None:
    made = machine()
    held = logged_in(made)

    made.bent = Bent(flaws=(flaw,))
    for key in range(len(KEYS)):
        made.forge(sub="alice", key=key, which=0, own=False)
        made.post(back=0, process=0)
        assert last(made.world).status != 200

    assert (held.ended, broken(made)) == ("", "")


def test_a_logout_token_for_the_attackers_application_ends_nothing() -> None:
    made = machine()
    held = logged_in(made)
    made.end_at_own_application(sub="alice")

    made.post(back=0, process=0)

    assert (last(made.world).status, held.ended) == (400, "")


def test_a_frame_needs_the_name_of_the_session() -> None:
    made = machine()
    victim, own = logged_in(made, "alice"), logged_in(made, "mallory")
    made.frame(name="alice", back=0, issuer=HONEST, process=0)
    assert victim.ended == ""

    made.look_up_own_sid(back=0)
    made.frame(name="alice", back=0, issuer=HONEST, process=0)

    assert (victim.ended, own.ended) == ("", "its provider ended it")
    assert broken(made) == ""
