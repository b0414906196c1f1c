"""Where logins wait for their browser to come back: put, and taken once.

Each login and each logout has its own cookie, so that several tabs do not disturb each other. The
cookie holds the browser's binding secret; in :class:`CookiePendingLogins` it holds everything.
"""

from oidc_adapters.stores.pending.cookies import CookieProfile
from oidc_adapters.stores.pending.in_cookie import CookiePendingLogins
from oidc_adapters.stores.pending.in_memory import MemoryPendingLogins
from oidc_adapters.stores.pending.in_records import RecordPendingLogins
from oidc_adapters.stores.pending.ports import (
    LogoutSecrets,
    PendingLogins,
    Spent,
    Taken,
    TakenLogout,
)
from oidc_adapters.stores.pending.spent import MemorySpent

__all__ = [
    "CookiePendingLogins",
    "CookieProfile",
    "LogoutSecrets",
    "MemoryPendingLogins",
    "MemorySpent",
    "PendingLogins",
    "RecordPendingLogins",
    "Spent",
    "Taken",
    "TakenLogout",
]
