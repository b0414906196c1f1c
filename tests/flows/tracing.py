"""Shells that write down all that passes through them."""

from typing import Any, TypeAlias, TypeVar

from oidc_adapters.clients.shell import AsyncShell, Shell
from oidc_core.machine.steps import Done, Exchange, KeysAnswer, Step, resume
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.http import AnswerTo, HttpRequest, HttpResponse, KeysWanted

T = TypeVar("T")

Entry: TypeAlias = tuple[str, object]
"""Its kind (``step``, ``request``, ``answer``, ``wanted``, ``keys``, ``result``), and the value."""


class TracedShell(Shell):
    """A shell with a trace."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.trace: list[Entry] = []

    def send(self, request: HttpRequest) -> AnswerTo:
        self.trace.append(("request", request))
        answer = super().send(request)
        self.trace.append(("answer", answer))
        return answer

    def keys(self, wanted: KeysWanted) -> KeysAnswer:
        self.trace.append(("wanted", wanted))
        answer = super().keys(wanted)
        self.trace.append(("keys", answer))
        return answer

    def run(self, rp: RelyingParty, step: Step[T]) -> T:
        while not isinstance(step, Done):
            self.trace.append(("step", step))
            if isinstance(step, Exchange):
                step = resume(rp, step, self.send(step.request))
            else:
                step = resume(rp, step, self.keys(step.wanted))
        self.trace.append(("result", step.result))
        return step.result


class AsyncTracedShell(AsyncShell):
    """The same, awaited."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.trace: list[Entry] = []

    async def send(self, request: HttpRequest) -> AnswerTo:
        self.trace.append(("request", request))
        answer = await super().send(request)
        self.trace.append(("answer", answer))
        return answer

    async def keys(self, wanted: KeysWanted) -> KeysAnswer:
        self.trace.append(("wanted", wanted))
        answer = await super().keys(wanted)
        self.trace.append(("keys", answer))
        return answer

    async def run(self, rp: RelyingParty, step: Step[T]) -> T:
        while not isinstance(step, Done):
            self.trace.append(("step", step))
            if isinstance(step, Exchange):
                step = resume(rp, step, await self.send(step.request))
            else:
                step = resume(rp, step, await self.keys(step.wanted))
        self.trace.append(("result", step.result))
        return step.result


def told(trace: list[Entry]) -> list[str]:
    """A trace in words, one line an entry: for scripts to be read."""
    return [_line(kind, value) for kind, value in trace if kind != "step"]


def _line(kind: str, value: Any) -> str:
    if isinstance(value, HttpRequest):
        form = "" if value.form is None else " " + " ".join(name for name, _ in value.form)
        return f"{kind}: {value.method} {value.url}{form}"
    if isinstance(value, AnswerTo):
        return _line(kind, value.answer)
    if isinstance(value, HttpResponse):
        return f"{kind}: {value.status} {value.media_type}"
    if isinstance(value, KeysWanted):
        fresh = "" if value.newer_than is None else f", newer, with {value.missing_kid}"
        return f"{kind}: the keys of {value.issuer}{fresh}"
    return f"{kind}: {type(value).__name__}"
