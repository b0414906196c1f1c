"""The ID token: what it is checked for at login (:mod:`.rules`) and on refresh."""

from oidc_core.endpoints.id_token.refreshed import REFRESH_RULES
from oidc_core.endpoints.id_token.rules import (
    EXPECT_NO_NONCE,
    ID_TOKEN_RULES,
    TYPES,
    IdTokenExpectations,
    NoNonce,
    check,
)

__all__ = [
    "EXPECT_NO_NONCE",
    "ID_TOKEN_RULES",
    "REFRESH_RULES",
    "TYPES",
    "IdTokenExpectations",
    "NoNonce",
    "check",
]
