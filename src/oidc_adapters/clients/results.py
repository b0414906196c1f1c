"""The results of a client's calls: how to answer the browser."""

from typing import NamedTuple

from attrs import field, frozen

from oidc_core.model.connection import Connection
from oidc_core.model.records import Tokens
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.operations.logout import LoggedOut
from oidc_core.wire.cookies import SetCookie


@frozen(kw_only=True)
class Redirect:
    """Answer the browser with a redirect (303) to ``url`` that sets ``cookies``.

    Attributes:
        url: where the browser goes; empty for a logout that does not send it anywhere, so that a
            page of the application is the answer.
        form: for a logout that was asked for with ``POST``: what a form in the answer, a page,
            posts to ``url``, by name.
        cookies: to be set.
        notes: what a logout goes without, as the provider's part in it.
    """

    url: str = field(repr=False)
    form: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    cookies: tuple[SetCookie, ...]
    notes: tuple[str, ...] = ()


@frozen(kw_only=True)
class LoginResult:
    """A user who is logged in; answer the browser with a page that sets ``cookies``.

    Give the session a new identifier first, and go on to
    ``path_only(logged_in.return_to)``, which is empty where it was too long to be kept.

    Attributes:
        logged_in: the user, and what was checked.
        cookies: to be set.
        connection: names the client, where an application has several.
        grant_id: the name of this session's grant, if the client keeps grants; empty if it does
            not. Put it into the session on the server, and ask ``client.tokens(grant_id)`` for
            tokens.
    """

    logged_in: LoggedIn
    cookies: tuple[SetCookie, ...]
    connection: Connection
    grant_id: str = field(default="", repr=False)


class EndedSession(NamedTuple):
    """The last tokens of a session that ended: to revoke them, and as the hint for a logout.

    Attributes:
        tokens: the facts of the login, and the refresh token.
        access_tokens: the access tokens that were not yet replaced, also one that was never handed
            out.
        id_token_hint: the newest verified ID token.
    """

    tokens: Tokens
    access_tokens: tuple[str, ...]
    id_token_hint: str

    def __repr__(self) -> str:
        return f"EndedSession({self.tokens!r})"


@frozen(kw_only=True)
class LogoutResult:
    """The browser is back from a logout; answer it with a page that sets ``cookies``."""

    logged_out: LoggedOut
    cookies: tuple[SetCookie, ...]
