"""A user has more groups than a token holds: the token only says where they are."""

from __future__ import annotations

from oidc_adapters.testing import FakeUser
from tests.flows.rig import honest_provider, new_rig


def test_groups_that_the_token_does_not_hold_are_not_no_groups() -> None:
    links = {
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://graph.example/alice/memberOf"}},
    }
    users = (FakeUser(sub="alice", claims=links), FakeUser(sub="bob", claims={"groups": ["staff"]}))
    rig = new_rig(honest_provider(users=users, unasked=("groups", *links)))

    alice, bob = [rig.log_in(user=sub).logged_in for sub in ("alice", "bob")]

    assert ("groups" in alice.claims, alice.claims_elsewhere) == (False, ("groups",))
    assert (bob.claims["groups"], bob.claims_elsewhere) == (("staff",), ())
