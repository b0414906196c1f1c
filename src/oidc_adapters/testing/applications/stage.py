"""The common part of all moves of a machine: the application, its world, its browsers."""

import json
from typing import Any, ClassVar, Final, cast

from hypothesis.stateful import RuleBasedStateMachine

from oidc_adapters.testing.applications.book import Book
from oidc_adapters.testing.applications.browsers import Browser, Tab
from oidc_adapters.testing.applications.callers import AsgiCaller, Caller, WsgiCaller, caller_of
from oidc_adapters.testing.applications.links import PageContent, PageForm
from oidc_adapters.testing.applications.logs import LogEar
from oidc_adapters.testing.applications.routes import Routes
from oidc_adapters.testing.applications.visits import PageAnswer
from oidc_adapters.testing.applications.world import World
from oidc_core.wire.errors import UsageError

BROWSERS: Final = 2
USERS: Final = ("alice", "bob")
_CALLERS: Final[dict[str, Any]] = {"wsgi": WsgiCaller, "asgi": AsgiCaller}

Who = tuple[str, str]


class Stage(RuleBasedStateMachine):
    """An application in its world.

    A subclass says how to make the application; everything else has a default.

    Attributes:
        routes: the routes of the application.
        connections: how many providers it is configured for.
        interface: ``wsgi`` or ``asgi``; by default found out.
        world: the world of this example.
        book: its record.
        browsers: its browsers.
    """

    routes: ClassVar[Routes] = Routes()
    connections: ClassVar[int] = 1
    interface: ClassVar[str] = ""
    _only: ClassVar[dict[type, Caller]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.routes, self.connections)
        self.book = Book(self.world)
        self._ear = LogEar(self.book)
        self._ear.attach()
        try:
            self._caller = self._called()
        except BaseException:
            self._ear.detach()
            raise
        made = [Browser(each, self.world, self.book, self._caller) for each in range(BROWSERS)]
        self.browsers = tuple(made)

    # --- what a subclass says --------------------------------------------------------------------

    def application(self, world: World) -> Any:
        """Return the application, a WSGI or ASGI callable, in this world.

        It is called for each example; with :meth:`reset` it is called once in a process.

        Raises:
            UsageError: ``config_invalid``: the subclass does not say how.
        """
        del world
        expected = "a method that returns a WSGI or ASGI application"
        raise UsageError("config_invalid", about="application", expected=expected)

    def reset(self, world: World) -> None:
        """Put the only application of a process into another world; a subclass may define it."""

    def who(self, browser: Browser) -> Who | None:
        """Return issuer and subject of the user who is signed in with a browser, or ``None``.

        By default the application says so as JSON at ``routes.who``.
        """
        return who_in(browser.fetch(self.routes.who))

    def admits(self, who: Who) -> bool:
        """Return whether the application lets a user in who has logged in; by default everybody."""
        del who
        return True

    def login_form(self, content: PageContent) -> PageForm | None:
        """Return the form of a page that starts a login, filled in, ``None`` without one.

        By default it is the first form that goes to ``routes.login``.
        """
        return form_to(content, self.routes.url(self.routes.login))

    def logout_form(self, content: PageContent) -> PageForm | None:
        """Return the form of a page that ends a session, filled in, ``None`` without one.

        By default it is the first form that goes to ``routes.logout``.
        """
        return form_to(content, self.routes.url(self.routes.logout))

    # --- for moves -------------------------------------------------------------------------------

    def move(self, text: str) -> None:
        """Begin a move: write it down; a trouble that has lasted long enough is over."""
        self.world.pass_move()
        self.book.move(text)

    def begin_login(self, browser: Browser, tab: Tab, target: str) -> None:
        """Go to a page, and on through the form of the login, if that is what it shows."""
        browser.open(tab, target)
        form = None if tab.content is None else self.login_form(tab.content)
        if form is not None:
            browser.press(tab, form)

    def teardown(self) -> None:
        """End the example."""
        self._ear.detach()
        if self._caller is not self._only.get(type(self)):
            self._caller.close()

    def _called(self) -> Caller:
        """Return how to ask the application, the only one of the process if there is one."""
        kind = type(self)
        if kind.reset is Stage.reset:
            return self._made()
        if kind not in self._only:
            self._only[kind] = self._made()
        self.reset(self.world)
        return self._only[kind]

    def _made(self) -> Caller:
        made = self.application(self.world)
        if self.interface in _CALLERS:
            return cast("Caller", _CALLERS[self.interface](made))
        return caller_of(made)


def form_to(content: PageContent, url: str) -> PageForm | None:
    """Return the first form of a page that goes to a URL, with or without a query."""
    return next((form for form in content.forms if form.action.partition("?")[0] == url), None)


def who_in(answer: PageAnswer) -> Who | None:
    """Return the identity that an answer says as JSON, ``None`` for any other answer."""
    if answer.status != 200:
        return None
    try:
        told: object = json.loads(answer.text)
    except ValueError:
        return None
    if isinstance(told, dict):
        members = cast("dict[str, object]", told)
        iss, sub = members.get("iss", members.get("issuer")), members.get("sub")
        told = [iss, sub if sub is not None else members.get("subject")]
    if not isinstance(told, list):
        return None
    parts = cast("list[object]", told)
    if len(parts) != 2 or not all(isinstance(each, str) for each in parts):
        return None
    return cast("str", parts[0]), cast("str", parts[1])
