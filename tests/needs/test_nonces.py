"""A provider that sends no nonce is refused, unless the policy of its client says otherwise."""

from __future__ import annotations

from typing import Final

import pytest

from oidc_core.model.policy import Policy
from oidc_core.wire.errors import OidcError
from tests.flows.rig import honest_provider, new_rig

QUIRK: Final = "nonce_not_echoed"
SILENT: Final = ("no_nonce", "nonce_not_supported")


@pytest.mark.parametrize("misbehave", SILENT)
def test_without_a_nonce_the_refusal_names_the_quirk(misbehave: str) -> None:
    rig = new_rig(honest_provider(misbehave=misbehave))

    with pytest.raises(OidcError) as refused:
        rig.log_in()

    assert refused.value.code == "nonce_missing"
    assert QUIRK in refused.value.hint


@pytest.mark.parametrize("misbehave", SILENT)
def test_with_the_quirk_the_same_token_logs_in_and_pkce_is_sent(misbehave: str) -> None:
    policy = Policy(quirks=frozenset({QUIRK}))
    rig = new_rig(honest_provider(misbehave=misbehave), policy=policy)
    page = rig.start()
    result = rig.finish(rig.visit(page))

    assert "&nonce=" in page.url
    assert "&code_challenge=" in page.url
    assert result.logged_in.identity.subject == "alice"
    assert result.logged_in.evidence.id_token.relaxations == (QUIRK,)


@pytest.mark.parametrize("policy", [Policy(), Policy(quirks=frozenset({QUIRK}))])
def test_a_wrong_nonce_is_refused_under_either_policy(policy: Policy) -> None:
    rig = new_rig(honest_provider(misbehave="wrong_nonce"), policy=policy)

    with pytest.raises(OidcError) as refused:
        rig.log_in()

    assert refused.value.code == "nonce_mismatch"
