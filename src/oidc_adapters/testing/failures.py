"""Failures of the fake provider on demand: an endpoint that is down for its next requests."""

from typing import Final, Literal, TypeAlias

from attrs import frozen

from oidc_adapters.testing.oauth_messages import JSON_HEADERS
from oidc_adapters.testing.signing import rendered
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer

BackChannel: TypeAlias = Literal["discovery", "keys", "token", "userinfo", "revocation"]
"""An endpoint that clients speak to without a browser."""

BACK_CHANNEL: Final = frozenset({"discovery", "keys", "token", "userinfo", "revocation"})


@frozen(kw_only=True)
class Failure:
    """How one request fails.

    Attributes:
        status: the status of the answer, or ``None`` for no answer at all.
        error: the OAuth error in its body; empty for an empty body.
        acts: whether the provider does first what it was asked.
    """

    status: int | None
    error: str
    acts: bool

    def answer(self, now: int) -> Answer:
        """Return what the client gets."""
        if self.status is None:
            return NoAnswer("maybe", "http_malformed", now)
        body = rendered({"error": self.error}) if self.error else b""
        return HttpResponse(self.status, JSON_HEADERS if body else (), body, now)
