"""The web routes of logins and logouts, for any framework: requests in, answers out.

:class:`WebLogin` and :class:`AsyncWebLogin` have the routes, :class:`RecordSessions` and
:class:`AsyncRecordSessions` keep the sessions of browsers.
"""

from oidc_adapters.web.logins import AsyncWebLogin, WebLogin
from oidc_adapters.web.pages import Failure, Page, WayOn, page_html
from oidc_adapters.web.record_sessions import SESSION_COOKIE, AsyncRecordSessions, RecordSessions
from oidc_adapters.web.requests import WebRequest
from oidc_adapters.web.sessions import AsyncSessions, Sessions, WebSession
from oidc_adapters.web.web_setup import WebSetup

__all__ = [
    "SESSION_COOKIE",
    "AsyncRecordSessions",
    "AsyncSessions",
    "AsyncWebLogin",
    "Failure",
    "Page",
    "RecordSessions",
    "Sessions",
    "WayOn",
    "WebLogin",
    "WebRequest",
    "WebSession",
    "WebSetup",
    "page_html",
]
