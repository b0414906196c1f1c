"""The browser that goes where it is sent."""

from collections.abc import Sequence

import pytest

from oidc_adapters.cli.scripted_browser import ScriptedBrowser
from oidc_adapters.cli.step_list import StepList
from oidc_adapters.runtime.clock import Clock, FrozenClock
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer, WireRequest

from .worlds import NOW

PROVIDER = "https://op.example/authorize"
CLIENT = "http://127.0.0.1:1/callback"


class Scripted:
    """A transport with its answers ready."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[WireRequest] = []

    def send(self, request: WireRequest, clock: Clock) -> Answer:
        self.requests.append(request)
        return self._answers.pop(0)


def page(body: str = "", headers: Sequence[tuple[str, str]] = (), status: int = 200) -> Answer:
    return HttpResponse(status, tuple(headers), body.encode(), NOW)


def visited(*answers: Answer) -> tuple[Scripted, StepList]:
    transport, steps = Scripted(*answers), StepList()
    ScriptedBrowser(transport, steps, FrozenClock(NOW)).visit(PROVIDER)
    return transport, steps


def test_it_follows_a_redirect_once() -> None:
    location = [("location", CLIENT + "?code=a")]

    transport, steps = visited(page(headers=location, status=303), page(headers=location))

    assert [(one.method, one.url) for one in transport.requests] == [
        ("GET", PROVIDER),
        ("GET", CLIENT + "?code=a"),
    ]
    assert [step["step"] for step in steps.steps] == ["authorization"]


def test_it_submits_a_form() -> None:
    form = (
        f'<form method="post" action="{CLIENT}"><input name="code" value="a &amp; b">'
        '<input name="state" value="s"><input><button></form>'
    )

    transport, _ = visited(page(form), page())

    submitted = transport.requests[1]
    assert (submitted.method, submitted.url) == ("POST", CLIENT)
    assert submitted.body == b"code=a%20%26%20b&state=s&="
    assert ("content-type", "application/x-www-form-urlencoded") in submitted.headers


@pytest.mark.parametrize(
    "answer", [page("<p>no form"), page("<form>"), NoAnswer("no", "http_connect_failed", NOW)]
)
def test_it_stays_where_nothing_leads_on(answer: Answer) -> None:
    transport, _ = visited(answer)

    assert len(transport.requests) == 1
