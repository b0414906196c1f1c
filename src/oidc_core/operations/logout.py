"""Logging out at the provider, begun by the relying party (RP-Initiated Logout 1.0).

End the application's own session first: the provider may never send the browser back.
"""

from attrs import field, frozen

from oidc_core.endpoints.end_session import (
    LogoutRequest,
    check_return,
    end_session_url,
    is_of,
    pending_logout,
    returned_state,
)
from oidc_core.machine.steps import Done, Step
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.settings import check_text


@frozen(kw_only=True)
class LogoutStarted:
    """A logout that may begin: where the browser goes, and what to keep until it comes back."""

    url: str = field(repr=False)
    pending: PendingLogout


@frozen
class LoggedOut:
    """The browser came back from the logout that was asked for."""

    post_logout_redirect_uri: str


def start(rp: RelyingParty, request: LogoutRequest, *, state: str, now: int) -> Step[LogoutStarted]:
    """Start a logout; ``state`` is a fresh secret.

    Raises:
        UsageError: ``unsupported_by_provider``, ``parameter_invalid``, or ``entropy_failure`` for
            an empty state.
    """
    check_text(state, "state")
    if not state:
        raise UsageError("entropy_failure", about="state")
    pending = pending_logout(rp, request, state=state, now=now)
    return Done(LogoutStarted(url=end_session_url(rp, request, pending), pending=pending))


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
