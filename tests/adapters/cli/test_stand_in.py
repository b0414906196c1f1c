"""The relying party in the place of the one that is not here."""

import pytest

from oidc_adapters.cli.stand_in import stand_in, unjudged
from oidc_core.endpoints.id_token import ID_TOKEN_RULES
from oidc_core.model.policy import DEFAULT_POLICY
from oidc_core.wire.errors import UsageError


def test_it_accepts_what_the_default_policy_accepts() -> None:
    rp = stand_in(issuer="https://op.example", client_id="client")

    assert (rp.issuer, rp.client.client_id) == ("https://op.example", "client")
    assert rp.protection["id_token"].algorithms == DEFAULT_POLICY.algorithms
    assert stand_in().issuer.endswith(".invalid")
    assert stand_in(issuer="http://127.0.0.1:80").issuer == "http://127.0.0.1:80"


def test_an_issuer_without_tls_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        stand_in(issuer="http://op.example")

    assert refused.value.code == "url_scheme_not_allowed"


def test_a_rule_that_is_not_judged_says_why() -> None:
    verdict = unjudged(ID_TOKEN_RULES.rules[1], "nothing to compare with", "x")

    assert (verdict.name, verdict.outcome, verdict.found) == ("iss", "unjudged", "x")
    assert verdict.reason == "nothing to compare with"
