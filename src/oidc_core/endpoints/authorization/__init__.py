"""The authorization endpoint: the request and the callback.

A request (:mod:`.request`), what waits for its answer (:mod:`.waiting`), the callback as it comes
in (:mod:`.callback`), and whether it answers that login (:mod:`.response`).
"""

from oidc_core.endpoints.authorization.callback import Callback, pending_id
from oidc_core.endpoints.authorization.request import (
    DEFAULT_REQUEST,
    AuthenticationRequest,
    authentication_parameters,
    authorization_url,
    optional_parameters,
)
from oidc_core.endpoints.authorization.response import (
    BELONGING_RULES,
    CALLBACK_RULES,
    LOOPBACK_LISTENER,
    Binding,
    CodeResponse,
    ExaminedCallback,
    Unbound,
    brings,
    check_authorization_response,
    is_session_state,
)
from oidc_core.endpoints.authorization.waiting import demands_of, pending_login, unasked_login

__all__ = [
    "BELONGING_RULES",
    "CALLBACK_RULES",
    "DEFAULT_REQUEST",
    "LOOPBACK_LISTENER",
    "AuthenticationRequest",
    "Binding",
    "Callback",
    "CodeResponse",
    "ExaminedCallback",
    "Unbound",
    "authentication_parameters",
    "authorization_url",
    "brings",
    "check_authorization_response",
    "demands_of",
    "is_session_state",
    "optional_parameters",
    "pending_id",
    "pending_login",
    "unasked_login",
]
