"""Logging out at the provider, begun by the relying party (RP-Initiated Logout 1.0).

End the application's own session first: perhaps the provider never sends the browser back.
"""

from typing import Final

from attrs import evolve, field, frozen

from oidc_core.endpoints.end_session import (
    LONGEST_LOGOUT_URL,
    LogoutRequest,
    check_return,
    end_session_form,
    end_session_url,
    is_of,
    local_url,
    pending_logout,
    returned_state,
)
from oidc_core.machine.steps import Done, Step
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.settings import check_text

_LOCAL: Final = "local: the provider names no end_session_endpoint"
_WITHOUT_HINT: Final = "id_token_hint left out: too long for a URL"


@frozen(kw_only=True)
class LogoutStarted:
    """A logout that may begin: where the browser goes, and what to keep until it comes back.

    Attributes:
        url: where the browser goes. Where the provider has no page for a logout that is at once the
            client's own ``post_logout_redirect_uri``, or an empty text if the client has no such
            URI.
        form: what a form in a page of the application posts to ``url``, by name; empty if the
            browser is redirected.
        pending: what :func:`finish` needs.
        notes: what was left out: that the logout is local, or goes without ``id_token_hint``.
    """

    url: str = field(repr=False)
    form: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    pending: PendingLogout
    notes: tuple[str, ...] = ()


@frozen
class LoggedOut:
    """The browser came back from the logout that was asked for."""

    post_logout_redirect_uri: str


def start(rp: RelyingParty, request: LogoutRequest, *, state: str, now: int) -> Step[LogoutStarted]:
    """Start a logout; ``state`` is a fresh secret.

    Without an ``end_session_endpoint`` it is a local one: the provider is not asked, its session
    goes on, and the result has a note.

    Raises:
        UsageError: ``parameter_invalid``, or ``entropy_failure`` for an empty state.
        ProtocolViolation: ``metadata_endpoint_invalid``.
    """
    check_text(state, "state")
    if not state:
        raise UsageError("entropy_failure", about="state")
    pending = pending_logout(rp, request, state=state, now=now)
    return Done(_started(rp, request, pending))


def _started(rp: RelyingParty, request: LogoutRequest, pending: PendingLogout) -> LogoutStarted:
    """Decide whether and how the browser goes to the provider."""
    at_provider = rp.provider.end_session_endpoint
    if at_provider is None:
        return LogoutStarted(url=local_url(pending), pending=pending, notes=(_LOCAL,))
    if request.method == "POST":
        form = end_session_form(rp, request, pending)
        return LogoutStarted(url=at_provider, form=form, pending=pending)
    url = end_session_url(rp, request, pending)
    if len(url) <= LONGEST_LOGOUT_URL or not request.id_token_hint:
        return LogoutStarted(url=url, pending=pending)
    if request.method == "either":
        return _started(rp, evolve(request, method="POST"), pending)
    url = end_session_url(rp, evolve(request, id_token_hint=""), pending)
    return LogoutStarted(url=url, pending=pending, notes=(_WITHOUT_HINT,))


def finish(
    rp: RelyingParty, pending: PendingLogout, incoming: Incoming, *, now: int
) -> Step[LoggedOut]:
    """Check the return from a logout.

    Args:
        rp: the relying party the logout was started with.
        pending: the logout in flight.
        incoming: the request at the ``post_logout_redirect_uri``.
        now: the current time, in seconds since the epoch.

    Raises:
        CallbackError: ``logout_state_mismatch``, ``logout_expired`` or ``connection_mismatch``.
    """
    if not is_of(pending, rp):
        raise CallbackError("connection_mismatch", about="client")
    check_return(pending, returned_state(incoming), now)
    return Done(LoggedOut(pending.post_logout_redirect_uri))
