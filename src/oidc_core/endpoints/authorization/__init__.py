"""The authorization endpoint: the request (:mod:`.request`) and the callback (:mod:`.response`)."""

from oidc_core.endpoints.authorization.request import (
    DEFAULT_REQUEST,
    AuthenticationRequest,
    authorization_url,
    pending_login,
)
from oidc_core.endpoints.authorization.response import (
    CALLBACK_RULES,
    COOKIE_PREFIX,
    LOOPBACK_LISTENER,
    Binding,
    Callback,
    CodeResponse,
    Unbound,
    check_authorization_response,
    cookies_of,
    pending_id,
)

__all__ = [
    "CALLBACK_RULES",
    "COOKIE_PREFIX",
    "DEFAULT_REQUEST",
    "LOOPBACK_LISTENER",
    "AuthenticationRequest",
    "Binding",
    "Callback",
    "CodeResponse",
    "Unbound",
    "authorization_url",
    "check_authorization_response",
    "cookies_of",
    "pending_id",
    "pending_login",
]
