"""What is odd but legal is accepted, and gives what an honest provider gives."""

from typing import Final

import pytest

from oidc_adapters.testing import MISBEHAVIOURS
from oidc_adapters.testing.misbehaviours import ODD_BUT_LEGAL, Deviation
from oidc_core.model.claims import Identity
from oidc_core.model.policy import Policy
from oidc_core.operations.logged_in import LoggedIn
from tests.flows.rig import honest_provider, new_rig
from tests.refreshing import refreshed

REQUIRED: Final = Policy(userinfo="required")
SAID_OTHERWISE: Final = {
    "claim_null": {"name"},
    "email_verified_text": {"email_verified"},
    "userinfo_only_sub": {"name", "email", "email_verified", "locale"},
    "userinfo_odd_email": {"email"},
    "userinfo_verified_text": {"email_verified"},
    "userinfo_names_of_another": {"name", "email", "email_verified"},
    "victim_of_another": {"email", "email_verified"},  # one address is not the other
}
"""The claims that a row itself changes, by the name of the row."""


def logged_in(misbehave: str | None) -> LoggedIn:
    rig = new_rig(honest_provider(misbehave=misbehave), policy=REQUIRED)
    login = rig.log_in().logged_in
    renewed = refreshed(rig.client, login.tokens)
    assert renewed.tokens.subject == "alice"
    return login


HONEST: Final = logged_in(None)
ROWS: Final = [row for row in ODD_BUT_LEGAL.values() if row.name != "sub_of_victim"]


def test_there_are_many_and_none_is_a_misbehaviour() -> None:
    assert len(ODD_BUT_LEGAL) >= 100
    assert not ODD_BUT_LEGAL.keys() & MISBEHAVIOURS.keys()


def test_the_same_sub_at_another_provider_is_another_user() -> None:
    provider = honest_provider(misbehave="sub_of_victim")
    rig = new_rig(provider, policy=Policy(userinfo="never"), scope="openid")

    identity = rig.log_in().logged_in.identity

    assert identity == Identity(issuer="https://op.example", subject="victim@honest-op.example")


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_it_is_accepted_with_an_honest_result(row: Deviation) -> None:
    login = logged_in(row.name)

    assert (login.identity.issuer, login.identity.subject) == ("https://op.example", "alice")
    assert login.identity == HONEST.identity
    changed = SAID_OTHERWISE.get(row.name, set())
    for name in {"name", "email", "email_verified", "locale"} - changed:
        assert login.claims[name] == HONEST.claims[name], name
    assert login.tokens.access_token
    assert login.tokens.refresh_token
