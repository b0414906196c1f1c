"""The names of an application's routes, and its site."""

from typing import Final

from attrs import field, frozen

from oidc_adapters.testing.applications.links import origin_of
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_fields, fields_of, texts


@frozen(kw_only=True)
class Routes:
    """The paths that browsers and providers ask for; the defaults are the paths of the doors.

    Each is a path on the site, as a browser sees it; an empty one is not there.

    Attributes:
        origin: the origin of the site, in https.
        login: where a login starts: by a link, or by the form of the page that it shows.
        logout: where a logout starts, in the same way.
        callback: the path of the redirect URI.
        after_logout: where the provider sends browsers after a logout.
        backchannel_logout: where the provider posts logout tokens.
        who: says as JSON who is signed in: ``[issuer, subject]``, an object with ``iss`` and
            ``sub``, or ``null``.
        pages: pages of the application, for users who are logged in or for everybody.
        uses_tokens: a page that asks for fresh tokens.
        ways_back: names of query parameters that may say where a user goes on.
    """

    origin: str = "https://app.example"
    login: str = "/login"
    logout: str = "/logout"
    callback: str = "/callback"
    after_logout: str = "/logged-out"
    backchannel_logout: str = "/backchannel-logout"
    who: str = "/who"
    pages: tuple[str, ...] = field(default=("/",), converter=texts)
    uses_tokens: str = ""
    ways_back: tuple[str, ...] = field(default=("return_to", "next"), converter=texts)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        if origin_of(self.origin) != self.origin or not self.origin.startswith("https:"):
            expected = "an origin, as in https://app.example"
            raise UsageError("config_invalid", about="origin", found=self.origin, expected=expected)
        for name in ("login", "callback", "pages"):
            held = getattr(self, name)
            paths: tuple[str, ...] = (held,) if isinstance(held, str) else held
            if not paths or not all(path.startswith("/") for path in paths):
                raise UsageError("config_invalid", about=name, expected="a path")

    def url(self, path: str) -> str:
        """Return the URL of a path."""
        return self.origin + path


_FIELDS: Final = fields_of(Routes)
