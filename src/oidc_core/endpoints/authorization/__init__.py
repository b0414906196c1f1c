"""The authorization endpoint: the request (:mod:`.request`) and the callback (:mod:`.response`)."""

from oidc_core.endpoints.authorization.request import (
    PLAIN,
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
    accept,
    cookies_of,
    pending_id,
)

__all__ = [
    "CALLBACK_RULES",
    "COOKIE_PREFIX",
    "LOOPBACK_LISTENER",
    "PLAIN",
    "AuthenticationRequest",
    "Binding",
    "Callback",
    "CodeResponse",
    "Unbound",
    "accept",
    "authorization_url",
    "cookies_of",
    "pending_id",
    "pending_login",
]
