"""What a client's calls return: how to answer the browser."""

from attrs import field, frozen

from oidc_core.model.connection import Connection
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.operations.logout import LoggedOut
from oidc_core.wire.cookies import SetCookie


@frozen(kw_only=True)
class Redirect:
    """Answer the browser with a redirect (303) to ``url`` that sets ``cookies``."""

    url: str = field(repr=False)
    cookies: tuple[SetCookie, ...]


@frozen(kw_only=True)
class LoginResult:
    """A user who is logged in; answer the browser with a page that sets ``cookies``.

    Give the session a new identifier first, and go on to
    ``path_only(logged_in.return_to)``, which is empty where it was too long to be kept.
    ``connection`` names the client, where an application has several.
    """

    logged_in: LoggedIn
    cookies: tuple[SetCookie, ...]
    connection: Connection


@frozen(kw_only=True)
class LogoutResult:
    """The browser is back from a logout; answer it with a page that sets ``cookies``."""

    logged_out: LoggedOut
    cookies: tuple[SetCookie, ...]
