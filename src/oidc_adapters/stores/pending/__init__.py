"""Where logins wait for their browser to come back: put, and taken once.

Each login and each logout has its own cookie, so that several tabs do not disturb each other. The
cookie holds the browser's binding secret; in :class:`CookiePendingLogins` it holds everything.
"""

from oidc_adapters.stores.pending.cookies import CookieProfile
from oidc_adapters.stores.pending.in_cookie import CookiePendingLogins
from oidc_adapters.stores.pending.in_memory import MemoryPendingLogins
from oidc_adapters.stores.pending.in_records import RecordPendingLogins
from oidc_adapters.stores.pending.ports import (
    AsyncSpent,
    LogoutSecrets,
    PendingLogins,
    Spent,
    Taken,
    TakenLogout,
)
from oidc_adapters.stores.pending.spent import MemorySpent
from oidc_adapters.stores.pending.spent_in_records import RecordSpent

__all__ = [
    "AsyncSpent",
    "CookiePendingLogins",
    "CookieProfile",
    "LogoutSecrets",
    "MemoryPendingLogins",
    "MemorySpent",
    "PendingLogins",
    "RecordPendingLogins",
    "RecordSpent",
    "Spent",
    "Taken",
    "TakenLogout",
]
