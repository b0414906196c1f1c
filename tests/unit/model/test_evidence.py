"""Evidence names the very rules that ran."""

import pickle

import pytest
from attrs import evolve

from oidc_core.jose.jwk import KeySet, parse_jwk
from oidc_core.jose.jws import JoseHeader, VerifiedJws
from oidc_core.model.evidence import Check, Evidence, Rule, RuleTable, SkipReason, evidence_json
from oidc_core.model.policy import Terms
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, parse_object, render

RAN: list[str] = []


def holds(subject: int) -> SkipReason | None:
    RAN.append("holds")
    return None


def does_not_apply(subject: int) -> SkipReason | None:
    RAN.append("does_not_apply")
    return f"{subject} is none"


def positive(subject: int) -> SkipReason | None:
    RAN.append("positive")
    if subject < 0:
        raise ProtocolViolation("exp_malformed")
    return None


TABLE = RuleTable(
    "number",
    (
        Rule("positive", "§1", "it is positive", positive),
        Rule("other", "§2", "it is another", does_not_apply),
        Rule("last", "§3", "it is good", holds),
    ),
)
KEY = parse_jwk(
    JsonObject(
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }
    )
)
EVIDENCE = Evidence(
    table=TABLE,
    outcomes=(None, "5 is none", None),
    notes=("header: jku",),
    terms=Terms(policy="default", leeway=60, relaxations=("omit_pkce",)),
    checked_at=7,
    jws=VerifiedJws(JoseHeader("EdDSA", "1", None, ()), b"{}", KEY, 7, 5, KeySet()),
)


def test_rules_run_in_their_order_and_say_why_one_did_not_apply() -> None:
    RAN.clear()
    assert TABLE.outcomes(5) == (None, "5 is none", None)
    assert RAN == ["positive", "does_not_apply", "holds"]


def test_the_first_rule_that_does_not_hold_ends_it() -> None:
    RAN.clear()
    with pytest.raises(ProtocolViolation) as caught:
        TABLE.outcomes(-1)
    assert caught.value.code == "exp_malformed"
    assert RAN == ["positive"]


def test_a_rule_that_is_taken_out_is_gone_from_the_evidence() -> None:
    shorter = evolve(TABLE, rules=TABLE.rules[1:])
    evidence = evolve(EVIDENCE, table=shorter, outcomes=shorter.outcomes(-1))
    assert [check.name for check in evidence.checks] == ["other", "last"]


def test_each_rule_has_its_verdict() -> None:
    assert EVIDENCE.checks == (
        Check("positive", "§1", "it is positive", "passed", ""),
        Check("other", "§2", "it is another", "skipped", "5 is none"),
        Check("last", "§3", "it is good", "passed", ""),
    )
    assert EVIDENCE.skipped == (("other", "5 is none"),)
    assert EVIDENCE.of == "number"


def test_an_outcome_too_few_is_seen() -> None:
    with pytest.raises(ValueError, match="shorter"):
        len(evolve(EVIDENCE, outcomes=(None,)).checks)


def test_evidence_names_the_key_and_its_algorithm() -> None:
    assert (EVIDENCE.alg, EVIDENCE.kid) == ("EdDSA", "1")
    assert EVIDENCE.key_thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert EVIDENCE.relaxations == ("omit_pkce",)


def test_without_a_signature_there_is_no_key_to_name() -> None:
    evidence = evolve(EVIDENCE, jws=None)
    assert (evidence.alg, evidence.kid, evidence.key_thumbprint) == ("", None, "")


def test_evidence_can_be_written_down() -> None:
    written = evidence_json(EVIDENCE)
    assert parse_object(render(written).encode()) == written
    assert {name: written[name] for name in written if name != "checks"} == {
        "of": "number",
        "policy": "default",
        "checked_at": 7,
        "leeway": 60,
        "alg": "EdDSA",
        "kid": "1",
        "key_thumbprint": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "keys_fetched_at": 5,
        "relaxations": ("omit_pkce",),
        "notes": ("header: jku",),
        "skipped_keys": (),
    }
    assert written["checks"] == tuple([JsonObject(check._asdict()) for check in EVIDENCE.checks])


def test_evidence_can_be_kept() -> None:
    assert pickle.loads(pickle.dumps(EVIDENCE)) == EVIDENCE
