"""A person at a browser, as far as a login needs one: cookies, redirects, forms and a Cancel link.

It talks plain HTTP to one provider on loopback. A request that leads to another origin is the end
of the walk: it is handed back, never sent.
"""

import http.client
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Final, Literal
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from urllib.request import Request

Fields = tuple[tuple[str, str], ...]
PageName = Literal["login", "password", "consent", "logout", "relay", "other"]

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})
MAX_HOPS: Final = 20
TIMEOUT: Final = 10.0
REDIRECTS: Final = frozenset({301, 302, 303})


class Stranded(AssertionError):
    """The walk ended on a page of the provider: an error, or a question that nobody expected."""

    def __init__(self, url: str, status: int, text: str) -> None:
        super().__init__(f"stranded at {url} with status {status}:\n{text[:2000]}")
        self.url = url
        self.status = status
        self.text = text


class Endless(Stranded):
    """The provider sends the browser around without end."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The request that a real browser would now make of the client.

    `form` is None for a redirect; for `response_mode=form_post` it holds the fields in order.
    """

    url: str
    form: Fields | None = None

    @property
    def fields(self) -> Fields:
        """The answer's parameters in order, wherever they travel: form, query or fragment."""
        if self.form is not None:
            return self.form
        parts = urlsplit(self.url)
        return tuple(parse_qsl(parts.query or parts.fragment, keep_blank_values=True))

    @property
    def parameters(self) -> dict[str, str]:
        """The same by name. Fails if a name occurs twice."""
        parameters = dict(self.fields)
        assert len(parameters) == len(self.fields), f"repeated parameter in {self.fields}"
        return parameters


@dataclass(frozen=True, slots=True)
class Move:
    """The next action of the person: a GET without `form`, a POST with it."""

    url: str
    form: Fields | None = None


@dataclass(slots=True)
class Form:
    """An HTML form, as far as it is filled by the server."""

    action: str
    fields: dict[str, str] = field(default_factory=dict[str, str])
    buttons: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])


class _PageReader(HTMLParser):
    """Collects the forms of a page, and its links by their text."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self._href: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(attributes.get("action", "")))
        elif tag == "input" and self.forms and "name" in attributes:
            self.forms[-1].fields[attributes["name"]] = attributes.get("value", "")
        elif tag == "button" and self.forms and "name" in attributes:
            self.forms[-1].buttons.add((attributes["name"], attributes.get("value", "")))
        elif tag == "a":
            self._href = attributes.get("href")

    def handle_data(self, data: str) -> None:
        if self._href is not None:
            self.links[data.strip(" []\n")] = self._href
            self._href = None


@dataclass(frozen=True, slots=True)
class Screen:
    """A page of a provider: how to recognise it by its form, and what a person types there.

    The form has all `fields`, with the given values, and if `only`, it has no others. It also has
    the button that the person presses. In the typed texts, `{login}` becomes the person's name.
    A person who refuses sends `deny` as well, and leaves out its fields that are None; a page
    without it has a link *Cancel*, or no way to refuse.
    """

    name: PageName
    fields: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    typed: Mapping[str, str] = field(default_factory=dict[str, str])
    press: tuple[str, str] | None = None
    deny: Mapping[str, str | None] | None = None
    only: bool = False

    def shows(self, form: Form) -> bool:
        """Whether this page has the form."""
        if self.only and form.fields.keys() != self.fields.keys():
            return False
        if self.press is not None and self.press not in form.buttons:
            return False
        return all(
            name in form.fields and value in {None, form.fields[name]}
            for name, value in self.fields.items()
        )


RELAY: Final = Screen("relay")
"""A page that a script submits by itself: any form that no screen knows."""

OIDC_PROVIDER: Final = (
    Screen("login", {"login": None}, {"login": "{login}", "password": "any will do"}),
    Screen("consent", {"prompt": "consent"}),
    Screen("logout", {"xsrf": None}, {"logout": "yes"}, only=True),
)
"""The pages of oidc-provider."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the provider, with at most one form that matters: the first."""

    url: str
    status: int
    text: str
    form: Form | None
    links: dict[str, str]
    screen: Screen

    @classmethod
    def read(cls, url: str, status: int, text: str, screens: Iterable[Screen]) -> "Page":
        """Find the form and the links in HTML `text`."""
        reader = _PageReader()
        reader.feed(text)
        form = reader.forms[0] if reader.forms else None
        shown = RELAY if form is None else next((s for s in screens if s.shows(form)), RELAY)
        return cls(url, status, text, form, reader.links, shown)

    @property
    def name(self) -> PageName:
        """Which of the provider's pages it is."""
        return "other" if self.form is None else self.screen.name

    def fill(self, login: str) -> Move:
        """Type what a person types here, and send the form."""
        typed = {name: text.format(login=login) for name, text in self.screen.typed.items()}
        pressed = () if self.screen.press is None else (self.screen.press,)
        return self.submit(**typed, **dict(pressed))

    def refuse(self) -> Move:
        """Press the button, or follow the link, of a person who refuses."""
        deny = self.screen.deny
        return self.follow("Cancel") if deny is None else self.submit(**deny)

    def submit(self, **typed: str | None) -> Move:
        """Send the form with `typed` added to the fields that the server filled in.

        A field that is None in `typed` is left out.
        """
        if self.form is None:
            raise Stranded(self.url, self.status, self.text)
        fields = {**self.form.fields, **typed}
        sent = tuple((name, value) for name, value in fields.items() if value is not None)
        return Move(urljoin(self.url, self.form.action), sent)

    def follow(self, link: str) -> Move:
        """Click on the link with this text."""
        if link not in self.links:
            raise Stranded(self.url, self.status, self.text)
        return Move(urljoin(self.url, self.links[link]))


class Browser:
    """One person's browser at one provider. Its session there lasts as long as it does."""

    def __init__(self, origin: str, screens: Iterable[Screen] = OIDC_PROVIDER) -> None:
        assert urlsplit(origin).hostname in LOOPBACK, f"{origin} is not on loopback"
        self.pages: list[PageName] = []
        """The provider's pages that were shown so far, in order, over all walks."""
        self._origin = origin
        self._screens = tuple(screens)
        self._cookies = CookieJar()

    def authorize(
        self,
        url: str,
        *,
        login: str = "alice",
        cancel_at: Literal["login", "consent"] | None = None,
    ) -> Arrival:
        """Open an authorization URL, log in and consent where asked; or press Cancel on a page."""

        def choose(page: Page) -> Move:
            if cancel_at is not None and page.name == cancel_at:
                return page.refuse()
            if page.name in {"logout", "other"}:
                raise Stranded(page.url, page.status, page.text)
            return page.fill(login)

        return self._walk(url, choose)

    def authorize_silently(self, url: str) -> Arrival:
        """Open an authorization URL whose answer must come without any page to be seen."""

        def choose(page: Page) -> Move:
            if page.name != "relay":
                raise Stranded(page.url, page.status, page.text)
            return page.submit()

        return self._walk(url, choose)

    def end_session(self, url: str, *, confirm: bool = True) -> Arrival:
        """Open a logout URL, answer the question and end at `post_logout_redirect_uri`.

        Without `confirm` the person stays logged in, but is sent there all the same.
        """

        def choose(page: Page) -> Move:
            match page.name:
                case "logout" if confirm:
                    return page.fill(login="")
                case "logout" | "relay":
                    return page.submit()
                case _:
                    raise Stranded(page.url, page.status, page.text)

        return self._walk(url, choose)

    def _walk(self, url: str, choose: Callable[[Page], Move]) -> Arrival:
        assert url.startswith(f"{self._origin}/"), f"{url} is not at {self._origin}"
        move = Move(url)
        for _ in range(MAX_HOPS):
            if not move.url.startswith(f"{self._origin}/"):
                return Arrival(move.url, move.form)
            answer = self._send(move)
            if isinstance(answer, Move):
                move = answer
            else:
                if answer.name not in {"relay", "other"}:
                    self.pages.append(answer.name)
                move = choose(answer)
        raise Endless(move.url, 0, f"no end after {MAX_HOPS} hops")

    def _send(self, move: Move) -> Move | Page:
        body = None if move.form is None else urlencode(move.form).encode()
        request = Request(move.url, data=body)  # never opened: the cookie jar reads and fills it
        self._cookies.add_cookie_header(request)
        headers = dict(request.header_items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        parts = urlsplit(move.url)
        assert parts.hostname in LOOPBACK, f"{move.url} is not on loopback"
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)
        try:
            target = parts._replace(scheme="", netloc="", fragment="").geturl()
            connection.request(request.get_method(), target, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        self._cookies.extract_cookies(answer, request)
        location = answer.headers.get("Location")
        if answer.status in REDIRECTS and location is not None:
            return Move(urljoin(move.url, location))
        return Page.read(move.url, answer.status, text, self._screens)
