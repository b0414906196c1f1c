"""The witness behind ``--json``: what happened, as data."""

from oidc_adapters.cli.recording import Recorded
from oidc_adapters.native.listener import ReceivedRequest
from oidc_core.model.evidence import Evidence, evidence_json
from oidc_core.model.provider import ProviderMetadata
from oidc_core.wire.http import HttpResponse
from oidc_core.wire.jsontypes import JsonObject


class StepList:
    """Collects the steps of a login and what was checked.

    Attributes:
        steps: one object for each exchange: ``step``, ``method``, ``url`` without its query, and
            ``answer``, which is an HTTP status, or the code of a failure.
        checks: the evidence of each acceptance, serialised.
    """

    def __init__(self) -> None:
        self.steps: list[JsonObject] = []
        self.checks: list[JsonObject] = []

    def exchange(self, name: str, recorded: Recorded) -> None:
        """Add an exchange."""
        request, answer = recorded.request, recorded.answer
        outcome = answer.status if isinstance(answer, HttpResponse) else answer.code
        self._add(name, request.method, request.url, outcome)

    def discovered(self, _metadata: ProviderMetadata, /) -> None:
        """Leave it at the exchange: metadata has no evidence."""

    def arrived(self, arrival: ReceivedRequest) -> None:
        """Add the callback, which the listener has answered with a page."""
        self._add("callback", arrival.method, arrival.url, 200)

    def accepted(self, evidence: Evidence) -> None:
        """Add evidence."""
        self.checks.append(evidence_json(evidence))

    def _add(self, name: str, method: str, url: str, outcome: int | str) -> None:
        bare = url.partition("?")[0]
        members = {"step": name, "method": method, "url": bare, "answer": outcome}
        self.steps.append(JsonObject(members))
