"""The web routes, put together from the settings of a framework."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.life import World
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import CookiePendingLogins, CookieProfile
from oidc_adapters.stores.records import Records
from oidc_adapters.stores.records.sqlite import SqliteRecords
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.web.logins import WebLogin
from oidc_adapters.web.record_sessions import SESSION_COOKIE, RecordSessions
from oidc_adapters.web.web_setup import WebSetup
from oidc_core.wire.errors import UsageError
from oidc_core.wire.urls import parse_url

_LOOPBACK: Final = CookieProfile(prefix="oidc-session", secure=False)
_SCOPE: Final = "openid profile email"
_CLIENT: Final = (
    "issuer", "client_id", "client_secret", "redirect_uri", "post_logout_redirect_uri", "scope",
)  # fmt: skip
_WEB: Final = (
    "login_path", "logout_path", "home", "goodbye", "login_by_get", "claims", "evidence", "request",
    "draw",
)  # fmt: skip


def web_login_of(config: Mapping[str, Any], *, folder: Path) -> WebLogin:
    """Return the routes of an application that waits.

    Tokens and sessions are in one store, which all workers share.  With a redirect URI of
    ``http://localhost`` cookies go over plain http, for development.

    Args:
        config: the settings: ``OIDC_ISSUER``, ``OIDC_CLIENT_ID``, ``OIDC_CLIENT_SECRET`` and
            ``OIDC_REDIRECT_URI``; where needed ``OIDC_SCOPE`` (by default ``openid profile
            email``), ``OIDC_POST_LOGOUT_REDIRECT_URI`` and the members of
            :class:`~oidc_adapters.web.web_setup.WebSetup`, as in ``OIDC_LOGIN_BY_GET``.
            ``OIDC_SECRET`` seals what is kept, by default ``SECRET_KEY``.  ``OIDC_RECORDS`` is a
            store of records, or the path of an SQLite file.  ``OIDC_TRANSPORT`` is for tests.
        folder: where the SQLite file ``oidc.db`` is by default; it is made if it is missing.

    Raises:
        UsageError: ``config_invalid`` or the like, naming the setting.
    """
    secret = config.get("OIDC_SECRET") or config.get("SECRET_KEY")
    if not isinstance(secret, str | bytes):
        raise UsageError("config_invalid", about="OIDC_SECRET", expected="32 characters or more")
    named: dict[str, Any] = {"scope": _SCOPE, **_named(config, _CLIENT)}
    setup = ClientSetup(**named)
    url = parse_url(setup.redirect_uri, about="OIDC_REDIRECT_URI", http=True)
    develops = url.scheme == "http" and url.is_loopback
    records = _records(config.get("OIDC_RECORDS"), folder)
    profile = _LOOPBACK if develops else SESSION_COOKIE
    sessions = RecordSessions(records, secret, profile=profile)
    kept: World = {
        "grants": Grants(records, secret),
        "sessions": SessionIndex(records, secret, end_session=sessions.end),
        "transport": config.get("OIDC_TRANSPORT"),
    }
    if develops:
        client = OidcClient.for_development(setup, **kept)
    else:
        client = OidcClient(setup, CookiePendingLogins(secret), **kept)
    return WebLogin(client, sessions, WebSetup(**_named(config, _WEB)))


def _records(found: object, folder: Path) -> Records:
    """Return the store that a setting names."""
    if found is None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder / "oidc.db"
    return SqliteRecords(found) if isinstance(found, str | Path) else cast("Records", found)


def _named(config: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the settings of these names that the application has."""
    held = {name: config.get(f"OIDC_{name.upper()}") for name in names}
    return {name: value for name, value in held.items() if value is not None}
