"""The settings of an application's pages about logins."""

from collections.abc import Awaitable, Callable, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from attrs import field, frozen

from oidc_adapters.runtime.event_log import log_failure
from oidc_adapters.web.pages import Page, page_html
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import CallbackError, OidcError, UsageError
from oidc_core.wire.settings import check_fields, check_kind, fields_of, texts
from oidc_core.wire.urls import parse_url, path_only

Draw: TypeAlias = Callable[[Page], str]
"""Draws a page as HTML, and escapes everything in it."""

FormFields: TypeAlias = Callable[[], tuple[tuple[str, str], ...]]
"""Returns further names and values of a form, such as a framework's token against CSRF."""

OnFailure: TypeAlias = Callable[[OidcError], None]
"""Is told each error that is answered with a page or a status; it must not raise."""

Admit: TypeAlias = Callable[[LoggedIn], bool | Awaitable[bool]]
"""Says whether a user may come in; ``AsyncWebLogin`` awaits what it returns."""

_CLAIMS: Final = ("name", "preferred_username", "email", "email_verified")


def anybody(logged_in: LoggedIn) -> bool:
    """Let each user come in who has logged in at the provider."""
    del logged_in
    return True


@frozen(kw_only=True)
class WebSetup:
    """The settings of an application's pages about logins.

    All paths are as a browser sees them, with what the application is mounted under.

    Attributes:
        login_path: where a login starts.
        logout_path: where a logout starts.
        home: where a user goes on after a login that says nothing else.
        goodbye: where a user goes on after a logout; not the path that the provider sends them
            back to.
        login_by_get: whether a link starts a login.  Without, it starts with a form of this
            application, and a link shows a page with that form.
        claims: which claims of a login a session keeps.
        evidence: whether a session keeps what was checked at its login, some 10,000 characters.
        request: what each login asks of the provider.
        draw: draws pages; all parts of a page are text, to be escaped.
        form_fields: returns what a form to this application posts in addition.
        on_failure: is told each error that a person or a script gets as an answer; by default a
            line of the logger ``oidc_adapters`` tells it.
        admit: says whether a user who has logged in at the provider may come in: ``True``, or
            ``False``, which is answered with a page (``account_refused``).  It is called once for
            each login, before the session begins: here an application keeps its account of the
            user.  What it raises goes to the framework, and no session begins.

    Raises:
        UsageError: ``config_invalid``, naming the setting.
    """

    login_path: str = "/login"
    logout_path: str = "/logout"
    home: str = "/"
    goodbye: str = "/"
    login_by_get: bool = False
    claims: tuple[str, ...] = field(default=_CLAIMS, converter=texts)
    evidence: bool = False
    request: AuthenticationRequest = DEFAULT_REQUEST
    draw: Draw = page_html
    form_fields: FormFields = tuple
    on_failure: OnFailure = log_failure
    admit: Admit = anybody

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        for name in ("draw", "form_fields", "on_failure", "admit"):
            if not callable(getattr(self, name)):
                raise UsageError("config_invalid", about=name, expected="a function")
        for name in ("login_path", "logout_path", "home", "goodbye"):
            path: str = getattr(self, name)
            if not path_only(path, "") or "?" in path or "#" in path:
                expected = "a path of this application"
                raise UsageError("config_invalid", about=name, found=path, expected=expected)
        if self.home == self.login_path:  # which leads users who are logged in to the home
            expected = "another path than login_path"
            raise UsageError("config_invalid", about="home", found=self.home, expected=expected)


def check_step_up(setup: WebSetup, asked: AuthenticationRequest) -> None:
    """Refuse a step-up that no view can see afterwards: it would go round in circles.

    Raises:
        UsageError: ``config_invalid``.
    """
    wants = asked.acr_values or asked.required_acr
    if wants and "acr" not in setup.claims and not setup.evidence:
        raise UsageError("config_invalid", about="claims", found=setup.claims, expected="acr")


def check_admission(admitted: object) -> None:
    """Refuse a user whom the application does not take, and an application that does not say.

    Raises:
        CallbackError: ``account_refused``.
        UsageError: ``config_invalid``: neither yes nor no.
    """
    check_kind(admitted, bool, about="admit", code="config_invalid")
    if not admitted:
        raise CallbackError("account_refused")


_FIELDS: Final = fields_of(
    WebSetup, draw=object, form_fields=object, on_failure=object, admit=object
)


class Site(NamedTuple):
    """The place of the application in the web, by configuration alone.

    Attributes:
        origin: its origin, with its port.
        base: its scheme and host as configured.
        urls: its redirect URIs without their queries, by their paths.
    """

    origin: str
    base: str
    urls: MappingProxyType[str, str]

    @classmethod
    def of(cls, rps: Sequence[RelyingParty]) -> "Site":
        """Return the place that the redirect URIs of all clients name.

        Raises:
            UsageError: ``config_invalid`` for redirect URIs on several hosts.
        """
        uris = [uri.partition("?")[0] for rp in rps for uri in rp.client.redirect_uris]
        parsed = {uri: parse_url(uri, about="redirect_uri", http=True) for uri in uris}
        origins = {url.origin for url in parsed.values()}
        if len(origins) != 1:
            expected, found = "redirect URIs of one scheme, host and port", tuple(sorted(origins))
            raise UsageError("config_invalid", about="redirect_uri", found=found, expected=expected)
        paths = {url.path or "/": uri for uri, url in parsed.items()}
        first = uris[0]
        base = first.removesuffix(parsed[first].path)
        return cls(origins.pop(), base, MappingProxyType(paths))

    def paths_of_returns(self, rps: Sequence[RelyingParty]) -> tuple[str, ...]:
        """Return the paths that browsers come back to from a logout."""
        uris = [uri for rp in rps for uri in rp.client.post_logout_redirect_uris]
        parsed = [parse_url(uri, about="post_logout_redirect_uri", http=True) for uri in uris]
        return tuple(dict.fromkeys([u.path or "/" for u in parsed if u.origin == self.origin]))

    def url_of(self, path: str) -> str:
        """Return the configured URL of a route, by the path that was called."""
        return self.urls.get(path) or self.base + path
