"""The web routes in an application's own framework, as a stranger would use them."""

from html import escape

from oidc_adapters import (
    AsyncOidcClient,
    ClientSetup,
    MemoryPendingLogins,
    MemoryRecords,
    OidcClient,
    Reply,
)
from oidc_adapters.testing import AsyncInMemoryTransport, FakeProvider, InMemoryTransport
from oidc_adapters.web import (
    SESSION_COOKIE,
    AsyncRecordSessions,
    AsyncSessions,
    AsyncWebLogin,
    Failure,
    Page,
    RecordSessions,
    Sessions,
    WayOn,
    WebLogin,
    WebRequest,
    WebSession,
    WebSetup,
    page_html,
)

SECRET = "a secret of this application, 32 octets or more"


def drawn(page: Page) -> str:
    """Draw failures in an own way, and leave the others as they are."""
    if isinstance(page, Failure):
        ways: tuple[WayOn, ...] = page.ways
        told: tuple[int, str, int | None] = (page.status, page.code, page.retry_after)
        return escape(f"{page.title}: {told}, {[way.label for way in ways]}")
    return page_html(page)


def waiting(provider: FakeProvider, setup: ClientSetup) -> WebLogin:
    """An application that waits."""
    sessions: Sessions = RecordSessions(MemoryRecords(), SECRET, profile=SESSION_COOKIE)
    client = OidcClient(setup, MemoryPendingLogins(), transport=InMemoryTransport(provider))
    return WebLogin(client, sessions, WebSetup(home="/start", draw=drawn))


def awaiting(provider: FakeProvider, setup: ClientSetup) -> AsyncWebLogin:
    """An application that awaits."""
    sessions: AsyncSessions = AsyncRecordSessions(MemoryRecords(), SECRET)
    transport = AsyncInMemoryTransport(provider)
    client = AsyncOidcClient(setup, MemoryPendingLogins(), transport=transport)
    return AsyncWebLogin(client, sessions)


def page_of(web: WebLogin, request: WebRequest) -> Reply:
    """A page for users who are logged in."""
    session = web.user(request)
    if session is None:
        return web.challenge(request)
    held: WebSession = session
    return Reply(status=200, body=held.identity.subject.encode())


async def async_page_of(web: AsyncWebLogin, request: WebRequest) -> str:
    """The same for an application that awaits."""
    session = await web.user(request)
    return str(web.challenge(request).status) if session is None else session.identity.subject
