"""The network between application and providers: what is noted, lost, or happens meanwhile."""

import pytest

from oidc_adapters.testing.attackers.network import Loss
from oidc_adapters.testing.attackers.world import HONEST
from tests.adapters.testing.attackers.scene import broken, last, logged_in, machine


def test_what_went_where_is_written_down() -> None:
    made = machine()
    logged_in(made)

    sent = last(made.world).sent
    assert [(each.issuer, each.purpose, each.status) for each in sent] == [
        (HONEST, "token", 200),
        (HONEST, "keys", 200),
        (HONEST, "userinfo", 200),
    ]
    assert {"code", "code_verifier"} <= sent[0].form.keys()


@pytest.mark.parametrize(("loss", "sends"), [("no", 1), ("maybe", 0)])
def test_a_lost_refresh(loss: Loss, sends: int) -> None:
    """One that never arrived is sent again; one whose answer was lost is not, at once."""
    made = machine()
    held = logged_in(made)
    made.world.clock.advance(6)
    made.world.network.cut["refresh"] = loss

    made.world.fresh(held, 0, refused=held.handed)
    assert (last(made.world).token, last(made.world).sent[0].lost) == ("", loss)
    made.world.clock.advance(60)
    made.world.fresh(held, 1, refused=held.handed)

    assert broken(made) == ""
    assert len([each for each in last(made.world).sent if each.purpose == "refresh"]) == sends


def test_something_happens_during_a_refresh() -> None:
    made = machine()
    held = logged_in(made)
    made.world.clock.advance(6)
    made.world.meanwhile(lambda: made.world.fresh(held, 1, refused=held.handed))

    made.world.fresh(held, 0, refused=held.handed)

    inner, outer = made.world.history.calls[-2:]
    assert (inner.code, outer.code) == ("refresh_busy", "")
    assert broken(made) == ""


def test_a_lax_provider_redeems_a_code_of_another_client() -> None:
    made = machine(codes_of_any_client=True, pkce="ignored")
    world = made.world
    mallory, alice = world.browsers["mallory"], world.browsers["alice"]
    world.start(mallory, mallory.tabs[0], HONEST, 0)
    made.ask_for_own_application(base=0, verifiable=False, name="alice", number=0)
    world.open(alice, alice.tabs[0], alice.tabs[0].following)
    world.open(mallory, mallory.tabs[0], mallory.tabs[0].following)
    code = world.knowledge.codes[-1]
    url = mallory.tabs[0].following
    own = world.knowledge.responses[-1]
    assert own == url

    made.splice_response(base=0, other=1, which=0)
    injected = world.knowledge.responses[-1]
    world.open(mallory, mallory.tabs[0], injected)

    assert f"code={code}" in injected
    assert last(world).code == "aud_mismatch"
