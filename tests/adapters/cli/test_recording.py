"""Watching exchanges."""

from io import StringIO

from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.recording import RecordingTransport, WatchedShell
from oidc_adapters.cli.step_list import StepList
from oidc_adapters.cli.story import Story
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import FakeProvider, InMemoryTransport
from oidc_core.wire.http import HttpRequest, WireRequest
from oidc_core.wire.way import Way

from .worlds import NOW

URL = "https://op.example/.well-known/openid-configuration"


def test_a_recording_transport_sends_once_and_remembers() -> None:
    inner = InMemoryTransport(FakeProvider())
    recording = RecordingTransport(inner)
    request = WireRequest(
        method="GET", url=URL, headers=(), body=None, resend="never", max_body=9_999, deadline=10
    )

    answer = recording.send(request, FrozenClock(NOW))

    assert inner.exchanges == ((request, answer),)
    (recorded,) = recording.exchanges
    assert (recorded.request, recorded.answer) == (request, answer)
    assert recorded.milliseconds >= 0


def test_a_watched_shell_tells_what_each_exchange_was_for() -> None:
    steps = StepList()
    shell = WatchedShell(
        InMemoryTransport(FakeProvider()),
        steps,
        clock=FrozenClock(NOW),
        entropy=FixedEntropy(1),
    )
    request = HttpRequest(
        purpose="discovery",
        method="GET",
        url=URL,
        way=Way(),
        headers=(),
        issuer="https://op.example",
        client_id="client",
        resend="safe",
        max_body=9_999,
    )

    shell.send(request)

    assert [step["step"] for step in steps.steps] == ["discovery"]


def test_stories_and_step_lists_are_witnesses() -> None:
    for witness in (StepList(), Story(Page(StringIO(), {}))):
        shell = WatchedShell(
            InMemoryTransport(FakeProvider()),
            witness,
            clock=FrozenClock(NOW),
            entropy=FixedEntropy(1),
        )
        assert shell.witness is witness
