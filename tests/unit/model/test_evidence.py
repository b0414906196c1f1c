"""Evidence names exactly the rules that ran."""

import pickle

import pytest
from attrs import evolve

from oidc_core.jose.jwk import parse_jwk
from oidc_core.jose.jws import Encryption, JoseHeader, VerifiedJws
from oidc_core.jose.key_set import KeySet
from oidc_core.model.evidence import (
    Check,
    Evidence,
    Rule,
    RuleTable,
    SkipReason,
    decryption_notes,
    evidence_json,
)
from oidc_core.model.policy import Terms
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, parse_object, render
from oidc_core.wire.way import Channel

RAN: list[str] = []


def holds(examined: int) -> SkipReason | None:
    RAN.append("holds")
    return None


def does_not_apply(examined: int) -> SkipReason | None:
    RAN.append("does_not_apply")
    return f"{examined} is none"


def positive(examined: int) -> SkipReason | None:
    RAN.append("positive")
    if examined < 0:
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
    remarks=("single_use: shared",),
    terms=Terms(
        policy="default",
        policy_digest="0123456789abcdef",
        leeway=60,
        relaxations=("omit_pkce",),
        metadata_notes=("malformed: scopes_supported",),
    ),
    checked_at=7,
    jws=VerifiedJws(JoseHeader("EdDSA", "1", "", ("jku",)), b"{}", KEY, 7, 5, KeySet()),
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
    assert EVIDENCE.metadata_notes == ("malformed: scopes_supported",)
    jws = EVIDENCE.jws
    assert jws is not None
    assert (EVIDENCE.header, EVIDENCE.key) == (jws.header, KEY)
    assert (EVIDENCE.keys, EVIDENCE.keys_fetched_at) == (KeySet(), 5)


def test_a_key_that_is_not_used_is_named_with_its_fault() -> None:
    jws = EVIDENCE.jws
    assert jws is not None
    keys = KeySet((5, JsonObject({"kty": "EC", "kid": "odd"})))
    evidence = evolve(EVIDENCE, jws=jws._replace(keys=keys))
    assert evidence.skipped_keys == keys.skipped
    assert len(evidence.skipped_keys) == 2
    written = evidence_json(evidence)["skipped_keys"]
    assert written == tuple([JsonObject(key._asdict()) for key in keys.skipped])


def test_without_a_signature_there_is_no_key_to_name() -> None:
    evidence = evolve(EVIDENCE, jws=None)
    assert (evidence.alg, evidence.kid, evidence.key_thumbprint) == ("", None, "")
    assert (evidence.header, evidence.key, evidence.keys) == (None, None, None)
    assert (evidence.keys_fetched_at, evidence.skipped_keys) == (None, ())
    assert evidence.notes == ("single_use: shared",)


def test_with_a_mac_there_is_a_header_and_no_key() -> None:
    mac = VerifiedJws(JoseHeader("HS256", None, "", ()), b"{}", None, 7, None)
    evidence = evolve(EVIDENCE, jws=mac)
    assert (evidence.alg, evidence.kid, evidence.key_thumbprint) == ("HS256", None, "")
    assert (evidence.key, evidence.keys, evidence.skipped_keys) == (None, None, ())


# --- notes ---------------------------------------------------------------------------------------


def with_payload(payload: bytes, encryption: Encryption | None = None) -> Evidence:
    jws = EVIDENCE.jws
    assert jws is not None
    return evolve(
        EVIDENCE,
        table=evolve(TABLE, optional=("acr", "amr", "auth_time", "sid")),
        jws=jws._replace(payload=payload, encryption=encryption),
    )


def test_notes_name_what_was_met_and_ignored() -> None:
    assert EVIDENCE.notes == ("single_use: shared", "jku")
    encrypted = with_payload(b"{}", Encryption("dir", "A128GCM"))
    assert encrypted.notes == ("single_use: shared", "jku", "decrypted: dir A128GCM")
    assert decryption_notes(None) == ()
    assert decryption_notes(Encryption("dir", "A128GCM")) == ("decrypted: dir A128GCM",)


@pytest.mark.parametrize(
    ("payload", "names"),
    [
        (b'{"acr":"1","amr":["pwd"],"auth_time":5,"sid":"s"}', ""),
        (b'{"acr":null,"amr":null,"auth_time":null,"sid":null}', ""),
        (b'{"acr":1}', "acr"),
        (b'{"sid":1,"auth_time":"5","amr":"pwd","acr":[]}', "acr amr auth_time sid"),
        (b'{"azp":1}', ""),
    ],
)
def test_an_optional_claim_of_a_wrong_type_counts_as_absent_and_is_told(
    payload: bytes, names: str
) -> None:
    told = (f"malformed, taken as absent: {names}",) if names else ()
    assert with_payload(payload).notes == ("single_use: shared", "jku", *told)
    assert evolve(with_payload(payload), table=TABLE).notes == ("single_use: shared", "jku")


def test_evidence_can_be_written_down() -> None:
    written = evidence_json(EVIDENCE)
    assert parse_object(render(written).encode()) == written
    assert {name: written[name] for name in written if name != "checks"} == {
        "of": "number",
        "policy": "default",
        "policy_digest": "0123456789abcdef",
        "checked_at": 7,
        "leeway": 60,
        "alg": "EdDSA",
        "kid": "1",
        "key_thumbprint": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "keys_fetched_at": 5,
        "channels": JsonObject({}),
        "relaxations": ("omit_pkce",),
        "notes": ("single_use: shared", "jku"),
        "metadata_notes": ("malformed: scopes_supported",),
        "skipped_keys": (),
    }
    assert written["checks"] == tuple([JsonObject(check._asdict()) for check in EVIDENCE.checks])


def test_evidence_tells_how_each_answer_came_that_it_rests_on() -> None:
    over_tls, unknown = Channel("verified", addresses_judged=True), Channel("not_told")
    assert EVIDENCE.channels == ()
    terms = EVIDENCE.terms._replace(discovery=over_tls, channel=unknown)
    jws = EVIDENCE.jws
    assert jws is not None
    told = evolve(EVIDENCE, terms=terms, jws=jws._replace(keys=KeySet(channel=over_tls)))
    assert told.channels == (("metadata", over_tls), ("number", unknown), ("key_set", over_tls))
    verified = JsonObject({"server": "verified", "addresses_judged": True})
    assert evidence_json(told)["channels"] == JsonObject(
        {
            "metadata": verified,
            "number": JsonObject({"server": "not_told", "addresses_judged": False}),
            "key_set": verified,
        }
    )
    assert evolve(told, jws=None).channels == told.channels[:2]


def test_evidence_can_be_kept() -> None:
    assert pickle.loads(pickle.dumps(EVIDENCE)) == EVIDENCE
