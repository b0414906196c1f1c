"""Where logins wait for their browser to come back: put, and taken once.

Each login has a cookie of its own, so that logins in several tabs do not disturb each other.  The
cookie holds the browser's binding secret, and in :class:`CookiePendingLogins` the sealed login too.
"""

from oidc_adapters.stores.pending.cookies import CookieProfile, SetCookie
from oidc_adapters.stores.pending.in_cookie import CookiePendingLogins
from oidc_adapters.stores.pending.in_memory import MemoryPendingLogins
from oidc_adapters.stores.pending.ports import PendingLogins, Spent, Taken
from oidc_adapters.stores.pending.spent import MemorySpent

__all__ = [
    "CookiePendingLogins",
    "CookieProfile",
    "MemoryPendingLogins",
    "MemorySpent",
    "PendingLogins",
    "SetCookie",
    "Spent",
    "Taken",
]
