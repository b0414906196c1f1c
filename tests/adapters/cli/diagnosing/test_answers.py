"""The server of an answer."""

import pytest
from attrs import evolve

from oidc_adapters.cli.diagnosing.answers import clock_verdict, tls_verdict
from oidc_core.wire.way import Channel, ChannelState

from .shells import ISSUER, METADATA, NOW, json_answer

ANSWER = json_answer(METADATA)


@pytest.mark.parametrize(
    ("url", "server", "outcome"),
    [
        (ISSUER, "verified", "passed"),
        (ISSUER, "not_told", "unjudged"),
        ("http://127.0.0.1", "not_told", "warned"),
    ],
)
def test_tls_is_what_the_transport_says(url: str, server: ChannelState, outcome: str) -> None:
    answer = evolve(ANSWER, channel=Channel(server))

    assert tls_verdict(url, answer).outcome == outcome


@pytest.mark.parametrize(
    ("headers", "outcome", "told"),
    [
        ([("date", "Fri, 15 Jan 2027 08:00:00 GMT")], "passed", "the same time"),
        ([("date", "Fri, 15 Jan 2027 08:01:00 GMT")], "passed", "the server is 1 minute ahead"),
        ([("date", "Fri, 15 Jan 2027 08:01:01 GMT")], "failed", "the server is 1 minute ahead"),
        ([("date", "Fri, 15 Jan 2027 07:58:59 -0000")], "warned", "the server is 1 minute behind"),
        (
            [("date", "Fri, 15 Jan 2027 07:00:00 GMT"), ("age", "3600")],
            "skipped",
            "a cache answered: its Date is of another moment",
        ),
        ([("date", "Fri, 15 Jan 2027 08:00:00 GMT"), ("age", "0")], "passed", "the same time"),
        ([("date", "yesterday")], "skipped", "the answer has no Date"),
        ([("date", f"Fri, 15 Jan 2027 {9**30}:00:00 GMT")], "skipped", "the answer has no Date"),
        ([], "skipped", "the answer has no Date"),
    ],
)
def test_the_clock_is_that_of_the_date(
    headers: list[tuple[str, str]], outcome: str, told: str
) -> None:
    verdict = clock_verdict(json_answer(METADATA, *headers))

    assert verdict.outcome == outcome
    assert told in {verdict.found, verdict.reason}
    assert ANSWER.received_at == NOW
