"""The moves of the attacker as a provider, and as the owner of an application."""

import pytest

from oidc_adapters.testing.attackers.forging import KEYS, taken_apart
from oidc_adapters.testing.attackers.hostile import LIES, Lies
from oidc_adapters.testing.attackers.moves.base import Bent
from oidc_adapters.testing.attackers.world import EVIL_CLIENT, HONEST
from tests.adapters.testing.attackers.scene import machine


@pytest.mark.parametrize("what", LIES)
def test_each_lie_is_prepared(what: str) -> None:
    made = machine()
    made.world.knowledge.see_token("a.b.c")

    made.bent = Bent(lies=(what,))
    made.lie(which=0, back=0, sub="alice", also=False)

    assert made.world.hostile.lies != Lies()
    assert made.world.reached == {f"a lie: {what}"}
    made.behave()
    assert made.world.hostile.lies == Lies()


@pytest.mark.parametrize("how", KEYS)
def test_a_key_is_chosen(how: str) -> None:
    made = machine()
    made.bent = Bent(keys=(how,))
    made.sign(which=0, also=False)
    made.lie_in_userinfo(sub="bob", also=True)
    assert made.world.hostile.lies == Lies(key=how, userinfo_sub="bob")

    made.lie_in_userinfo(sub="alice", also=False)

    assert made.world.hostile.lies == Lies(userinfo_sub="alice")


def test_an_id_token_of_the_attackers_own_application() -> None:
    made = machine()
    made.go_on(name="mallory", number=0, issuer=HONEST, process=0)
    made.ask_for_own_application(base=0, verifiable=True, name="alice", number=0)
    made.go_on(name="alice", number=0, issuer=HONEST, process=0)

    made.redeem(back=0)

    claims = taken_apart(made.world.knowledge.tokens[-1]).claims
    assert (claims["aud"], claims["sub"]) == (EVIL_CLIENT, "alice")
    assert made.world.knowledge.sids == [claims["sid"]]
