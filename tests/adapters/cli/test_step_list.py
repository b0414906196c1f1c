"""The events, as data."""

from oidc_adapters.cli.fake_login import fake_login
from oidc_adapters.cli.recording import Recorded
from oidc_adapters.cli.step_list import StepList
from oidc_adapters.native.listener import ReceivedRequest
from oidc_core.model.evidence import evidence_json
from oidc_core.model.provider import ProviderMetadata
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.jsontypes import JsonObject

from .worlds import NOW, Stage


def recorded(answer: Answer) -> Recorded:
    request = WireRequest(
        method="GET",
        url="https://op.example/a?state=secret",
        headers=(),
        body=None,
        resend="never",
        max_body=1,
        deadline=1,
    )
    return Recorded(request=request, answer=answer, milliseconds=1)


def test_steps_are_told_without_their_queries() -> None:
    steps = StepList()

    steps.exchange("authorization", recorded(HttpResponse(303, (), b"", NOW)))
    steps.exchange("token", recorded(NoAnswer("maybe", "http_timeout", NOW)))
    steps.arrived(
        ReceivedRequest(method="GET", url="http://127.0.0.1:1/c", query="code=a", body=b"")
    )

    place = "https://op.example/a"
    assert steps.steps == [
        JsonObject({"step": "authorization", "method": "GET", "url": place, "answer": 303}),
        JsonObject({"step": "token", "method": "GET", "url": place, "answer": "http_timeout"}),
        JsonObject(
            {"step": "callback", "method": "GET", "url": "http://127.0.0.1:1/c", "answer": 200}
        ),
    ]


def test_evidence_is_serialised_and_metadata_has_none() -> None:
    steps = StepList()

    logged_in = fake_login(None, Stage().world, steps)
    told = len(steps.steps)
    steps.discovered(ProviderMetadata(issuer="https://op.example"))

    assert steps.checks == [evidence_json(one) for one in logged_in.evidence.each]
    assert len(steps.checks) == 3
    assert len(steps.steps) == told
