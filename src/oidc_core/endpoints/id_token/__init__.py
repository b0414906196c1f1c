"""The ID token: what it is checked for at login (:mod:`.rules`) and on refresh."""

from oidc_core.endpoints.id_token.refreshed import REFRESH_RULES
from oidc_core.endpoints.id_token.rules import (
    ID_TOKEN_RULES,
    CheckedIdToken,
    ExaminedIdToken,
    Expected,
    check,
)

__all__ = [
    "ID_TOKEN_RULES",
    "REFRESH_RULES",
    "CheckedIdToken",
    "ExaminedIdToken",
    "Expected",
    "check",
]
