"""A browser whose user agrees to everything: it goes where it is sent."""

from html.parser import HTMLParser
from typing import Final

from oidc_adapters.cli.recording import RecordingTransport, Witness
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.transport import Transport
from oidc_core.wire.http import DEADLINE, Answer, HttpResponse, WireRequest
from oidc_core.wire.urls import encode_form

_MAX_PAGE: Final = 65_536


class ScriptedBrowser:
    """Visits the provider, and brings its answer to the client over HTTP.

    Args:
        transport: sends its requests.
        witness: is told what the provider answered; of the callback the client tells itself.
        clock: tells the time.
    """

    def __init__(self, transport: Transport, witness: Witness, clock: Clock) -> None:
        self._transport = transport
        self._witness = witness
        self._clock = clock

    def visit(self, url: str) -> None:
        """Visit the provider's page, and go on to wherever it leads."""
        recording = RecordingTransport(self._transport)
        answer = recording.send(_page_request(url), self._clock)
        self._witness.exchange("authorization", recording.exchanges[-1])
        onward = _onward(answer)
        if onward is not None:
            self._transport.send(onward, self._clock)


def _page_request(url: str, form: bytes | None = None) -> WireRequest:
    headers: tuple[tuple[str, str], ...] = (("accept", "text/html"),)
    if form is not None:
        headers = (*headers, ("content-type", "application/x-www-form-urlencoded"))
    return WireRequest(
        reach="any",
        method="GET" if form is None else "POST",
        url=url,
        headers=headers,
        body=form,
        resend="never",
        max_body=_MAX_PAGE,
        deadline=DEADLINE,
    )


def _onward(answer: Answer) -> WireRequest | None:
    """Return where a page leads by itself: a redirect, or a form that submits itself."""
    if not isinstance(answer, HttpResponse):
        return None
    location = answer.header("location")
    if location is not None:
        return _page_request(location)
    form = _Form()
    form.feed(answer.body.decode("utf-8", "replace"))
    if not form.action:
        return None
    return _page_request(form.action, encode_form(tuple(form.fields)).encode("ascii"))


class _Form(HTMLParser):
    """The form of a page, with its hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of the form's address and its fields."""
        attribute = dict(attrs)
        if tag == "form":
            self.action = attribute.get("action") or ""
        elif tag == "input":
            self.fields.append((attribute.get("name") or "", attribute.get("value") or ""))
