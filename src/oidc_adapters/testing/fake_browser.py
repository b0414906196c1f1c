"""A browser that logs in at an application by the test client of its framework, without sockets.

.. code-block:: python

    browser = FakeBrowser(provider=provider, clock=clock)
    client = browser.logged_in(app.test_client(), sub="alice", page="/orders")

It takes the test clients of Flask, Django, Starlette, FastAPI and Litestar; it imports none of
them.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from attrs import field, frozen

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.testing.authorization_request import arrival
from oidc_adapters.testing.claims import SCOPE_CLAIMS
from oidc_adapters.testing.parties import AuthorizationResponse, FakeUser, Session
from oidc_adapters.testing.provider import FakeProvider
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_fields, fields_of

C = TypeVar("C")

Ask: TypeAlias = Callable[[str, str, Mapping[str, str], bytes], Any]
"""Make one request (method, path with query, headers, body); return the framework's answer."""

_NAVIGATION: Final = {
    "Accept": "text/html,application/xhtml+xml",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Site": "same-origin",
}
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_ELSEWHERE: Final = {"Sec-Fetch-Site": "cross-site"}
_STANDARD: Final = frozenset([name for names in SCOPE_CLAIMS.values() for name in names])


@frozen(kw_only=True)
class FakeBrowser:
    """A browser and the person in front of it.

    The provider remembers each client that it was given: like the cookies of the application, the
    session at the provider belongs to the client.

    Attributes:
        provider: where users log in.
        clock: tells the time.
    """

    provider: FakeProvider
    clock: Clock
    _sessions: WeakKeyDictionary[Any, Session] = field(
        init=False, factory=WeakKeyDictionary[Any, Session], repr=False, eq=False
    )

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)

    def logged_in(
        self,
        client: C,
        *,
        sub: str | None = None,
        claims: Mapping[str, object] | None = None,
        page: str | None = None,
        login_path: str = "/login",
    ) -> C:
        """Log a user in, and return the client, whose cookies have the session from now on.

        Args:
            client: the test client of the framework.
            sub: who logs in.  If left out, it is who is signed in at the provider, whom the
                application names by a hint, or else the first user of the provider.
            claims: what the provider knows about the user from now on.  A scope has to ask for the
                standard claims; all others the provider states unasked.
            page: a page for users who are logged in: the browser asks for it first, and the
                application has to send it to its login and back.
            login_path: where a login starts, if no page is named.

        Raises:
            AssertionError: the login did not succeed; the message has the answer.
            UsageError: ``parameter_invalid`` for a client of another kind.
        """
        answer = self.log_in(client, sub=sub, claims=claims, page=page, login_path=login_path)
        place = urlsplit(_location(answer))
        went = place.path if not place.query else f"{place.path}?{place.query}"
        if not 300 <= answer.status_code < 400 or _location(answer).startswith(self._base):
            message = f"the login failed: {_told(answer)}"
            raise AssertionError(message)
        if page is not None and went != page:
            message = f"the login led to {went}, not back to {page}"
            raise AssertionError(message)
        return client

    def log_in(
        self,
        client: object,
        *,
        sub: str | None = None,
        claims: Mapping[str, object] | None = None,
        page: str | None = None,
        login_path: str = "/login",
        approve: bool = True,
    ) -> Any:
        """Go through a login as :meth:`logged_in` does, and return the answer to the callback.

        If the application sends nobody to the provider, it is the answer to the start of a login.

        Args:
            client: the test client of the framework.
            sub: who logs in.
            claims: what the provider knows about the user from now on.
            page: a page for users who are logged in.
            login_path: where a login starts, if no page is named.
            approve: whether the user agrees.

        Raises:
            AssertionError: the application shows the page without a login.
            UsageError: ``parameter_invalid`` for a client of another kind.
            RequestRefused: the provider cannot answer the request of the application.
        """
        ask, user = _asking(client, secure=self._secure), self._user(client, sub, claims)
        start = login_path if page is None else _led(ask("GET", page, _NAVIGATION, b""), page)
        started = ask("POST", start, {**_NAVIGATION, **_FORM}, b"")
        url = _location(started)
        if not url.startswith(self._base):
            return started
        response = self._answered(client, url, user, approve=approve)
        back = _path(response.url)
        headers = {**_NAVIGATION, **_ELSEWHERE}
        if response.form is None:
            return ask("GET", back, headers, b"")
        return ask("POST", back, {**headers, **_FORM}, response.form)

    def _answered(
        self, client: object, url: str, user: str | None, *, approve: bool
    ) -> AuthorizationResponse:
        """Arrive at the provider, and remember who is signed in there."""
        session, now = self._session(client, url, user), self.clock.now()
        response = self.provider.authorize(url, now, user=user, approve=approve, session=session)
        if response.session is not None:
            self._sessions[client] = response.session
        return response

    def session(self, client: object) -> Session | None:
        """Return the session at the provider of the browser that a client is, if there is one."""
        return self._sessions.get(client)

    def forget(self, client: object) -> None:
        """Have the provider forget the browser that a client is: nobody is signed in there."""
        self._sessions.pop(client, None)

    def _session(self, client: object, url: str, user: str | None) -> Session | None:
        """Return the session to answer from: another user leaves it, unless no page may show."""
        session = self._sessions.get(client)
        silent = "none" in arrival(self.provider, url).prompts
        if session is None or silent or user in {None, session.sub}:
            return session
        return None

    @property
    def _secure(self) -> bool:
        """Whether the cookies of the application go over https only."""
        uris = [uri for client in self.provider.clients for uri in client.redirect_uris]
        return all(uri.startswith("https:") for uri in uris)

    @property
    def _base(self) -> str:
        return self.provider.base.rstrip("/") + "/"

    def _user(
        self, client: object, sub: str | None, claims: Mapping[str, object] | None
    ) -> str | None:
        """Have the provider know a user; ``None`` leaves it to session and hints who that is."""
        provider = self.provider
        if claims is None and (sub is None or provider.knows(sub)):
            return sub
        session = self._sessions.get(client)
        name = sub or (provider.users[0].sub if session is None else session.sub)
        others = [user for user in provider.users if user.sub != name]
        provider.users = (FakeUser(sub=name, claims=claims or {}), *others)
        unasked = [each for each in claims or {} if each not in _STANDARD]
        provider.unasked = tuple(dict.fromkeys((*provider.unasked, *unasked)))
        return name


_FIELDS: Final = fields_of(FakeBrowser)


def _asking(client: Any, *, secure: bool) -> Ask:
    """Return how to ask an application by a test client, known by its methods."""
    if hasattr(client, "open") and hasattr(client, "application"):
        return lambda method, path, headers, body: client.open(
            path, method=method, headers=headers, data=body, follow_redirects=False
        )
    if hasattr(client, "generic") and hasattr(client, "handler"):
        return lambda method, path, headers, body: client.generic(
            method, path, body, headers.get("Content-Type", ""), headers=headers
        )
    if not hasattr(client, "base_url") or hasattr(client, "aclose"):
        expected = "a test client of Flask, Django, Starlette or FastAPI, one that waits"
        found = type(client).__name__
        raise UsageError("parameter_invalid", about="client", found=found, expected=expected)
    if secure and str(client.base_url).startswith("http:"):
        # httpx keeps Secure cookies for https, as a browser does.
        expected, found = 'TestClient(app, base_url="https://testserver")', str(client.base_url)
        raise UsageError("parameter_invalid", about="client", found=found, expected=expected)
    return lambda method, path, headers, body: client.request(
        method, path, headers=headers, content=body, follow_redirects=False
    )


def _led(answer: Any, page: str) -> str:
    """Return where an application sends a browser that is not logged in."""
    url = _location(answer)
    if not url:
        message = f"{page} does not lead to a login: {_told(answer)}"
        raise AssertionError(message)
    return _path(url)


def _location(answer: Any) -> str:
    return str(answer.headers.get("Location", ""))


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _told(answer: Any) -> str:
    """Return the status of an answer and the start of what it says."""
    text = answer.text if hasattr(answer, "text") else answer.content.decode("utf-8", "replace")
    body = " ".join(text.partition("<main>")[2].split()) or text
    return f"{answer.status_code} {_location(answer)} {body[:300]}".replace("  ", " ")
