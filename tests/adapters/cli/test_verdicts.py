"""Verdicts."""

from io import StringIO

import pytest

from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.verdicts import Verdict, any_failed, failure, judged, tell
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.messages import Fact

REFUSAL = ProtocolViolation("exp_expired", found=1, expected="after 2", about="exp")


def refuse() -> None:
    raise REFUSAL


def test_a_check_passes_is_skipped_or_fails() -> None:
    passed = judged("a", "it holds", "RFC 1", lambda: None)
    skipped = judged("a", "it holds", "RFC 1", lambda: "absent")
    failed = judged("a", "it holds", "RFC 1", refuse)

    assert (passed.outcome, skipped.outcome, failed.outcome) == ("passed", "skipped", "failed")
    assert skipped.reason == "absent"
    assert (failed.code, failed.found, failed.spec) == ("exp_expired (exp)", 1, "RFC 1")
    assert failure("exp", "it holds", REFUSAL).code == "exp_expired"
    assert failure("exp", "it holds", REFUSAL).spec == REFUSAL.spec
    assert any_failed([passed, skipped]) is False
    assert any_failed([passed, failed]) is True


def test_a_difference_in_words_is_the_hint() -> None:
    error = ProtocolViolation("metadata_issuer_mismatch", about="they differ in the host")

    verdict = failure("issuer", "it holds", error)

    assert (verdict.code, verdict.hint) == ("metadata_issuer_mismatch", "they differ in the host")


def test_a_verdict_is_told_with_its_facts() -> None:
    out = StringIO()

    tell(Page(out, {}), [judged("exp", "it holds", "RFC 1", refuse)])

    assert out.getvalue().splitlines()[:4] == [
        "   ✗ it holds" + " " * 62 + "RFC 1",
        "       found     1",
        "       expected  after 2",
        "       code      exp_expired",
    ]


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        ("plain text", "plain text"),
        ("a ", "'a '"),
        ("", "''"),
        ("p\u0430ypal", "'p\\u0430ypal'"),
        (("a", "b\n"), "a, 'b\\n'"),
        (7, "7"),
        (True, "True"),
    ],
)
def test_odd_characters_of_a_fact_are_seen(fact: Fact, expected: str) -> None:
    verdict = Verdict(name="a", says="b", outcome="passed", found=fact)

    assert verdict.facts == (("found", expected),)


def test_a_verdict_is_data() -> None:
    verdict = Verdict(name="a", says="b", outcome="warned", found=("x",), cause="dns")

    told = verdict.as_json()
    assert (told["outcome"], told["found"], told["cause"]) == ("warned", ("x",), "dns")
