"""The web routes, put together from the settings of a framework."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

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
from oidc_adapters.web.sessions import Sessions
from oidc_adapters.web.web_setup import WebSetup
from oidc_core.wire.errors import UsageError
from oidc_core.wire.urls import parse_url

Around: TypeAlias = Callable[[RecordSessions], Sessions]
"""Returns a framework's own sessions, whose records are those given."""

_LOOPBACK: Final = CookieProfile(prefix="oidc-session", secure=False)
_LOGINS: Final = CookieProfile()
_LOOPBACK_LOGINS: Final = CookieProfile.insecure_for_loopback_development()
_SCOPE: Final = "openid profile email"
_CLIENT: Final = (
    "issuer", "client_id", "client_secret", "redirect_uri", "post_logout_redirect_uri", "scope",
)  # fmt: skip
_WEB: Final = (
    "login_path", "logout_path", "home", "goodbye", "login_by_get", "claims", "evidence", "request",
    "draw", "on_failure",
)  # fmt: skip
_AGES: Final = ("lifetime", "idle")


def web_login_of(
    config: Mapping[str, Any], *, folder: Path, around: Around | None = None
) -> WebLogin:
    """Return the routes of an application that waits.

    Tokens and sessions are in one store, which all workers share.  With a redirect URI of
    ``http://localhost`` cookies go over plain http, for development.

    Args:
        config: the settings: ``OIDC_ISSUER``, ``OIDC_CLIENT_ID``, ``OIDC_CLIENT_SECRET`` and
            ``OIDC_REDIRECT_URI``; where needed ``OIDC_SCOPE`` (by default ``openid profile
            email``), ``OIDC_POST_LOGOUT_REDIRECT_URI`` and the members of
            :class:`~oidc_adapters.web.web_setup.WebSetup`, as in ``OIDC_LOGIN_BY_GET``.
            ``OIDC_SECRET`` seals what is kept, by default ``SECRET_KEY``; a list has the newest
            first.  ``OIDC_RECORDS`` is a store of records, or the path of an SQLite file.
            ``OIDC_LIFETIME`` and ``OIDC_IDLE`` are seconds, see
            :class:`~oidc_adapters.web.record_sessions.RecordSessions`.  ``OIDC_TRANSPORT`` and
            ``OIDC_CLOCK`` are for tests.
        folder: where the SQLite file ``oidc.db`` is by default; it is made if it is missing.
        around: makes the sessions of a framework that has its own.

    Raises:
        UsageError: ``config_invalid`` or the like, naming the setting.
    """
    secrets = _secrets(config)
    named: dict[str, Any] = {"scope": _SCOPE, **_named(config, _CLIENT)}
    setup = ClientSetup(**named)
    url = parse_url(setup.redirect_uri, about="OIDC_REDIRECT_URI", http=True)
    develops = url.scheme == "http" and url.is_loopback
    records, profile = _records(config, folder), _LOOPBACK if develops else SESSION_COOKIE
    own = RecordSessions(records, *secrets, profile=profile, **_named(config, _AGES))
    sessions = own if around is None else around(own)
    kept: World = {
        "grants": Grants(records, *secrets),
        "sessions": SessionIndex(records, *secrets, end_session=sessions.end),
        **_for_tests(config),
    }
    logins = CookiePendingLogins(*secrets, profile=_LOOPBACK_LOGINS if develops else _LOGINS)
    client = OidcClient(setup.on_loopback() if develops else setup, logins, **kept)
    return WebLogin(client, sessions, WebSetup(**_named(config, _WEB)))


def _for_tests(config: Mapping[str, Any]) -> World:
    """Return the parts of the world that tests give."""
    return {"transport": config.get("OIDC_TRANSPORT"), "clock": config.get("OIDC_CLOCK")}


def _secrets(config: Mapping[str, Any]) -> tuple[str | bytes, ...]:
    """Return the sealing secrets, newest first."""
    found: object = config.get("OIDC_SECRET") or config.get("SECRET_KEY")
    held = tuple(cast("list[object]", found)) if isinstance(found, list | tuple) else (found,)
    if not held or not all(isinstance(each, str | bytes) for each in held):
        raise UsageError("config_invalid", about="OIDC_SECRET", expected="32 characters or more")
    return cast("tuple[str | bytes, ...]", held)


def _records(config: Mapping[str, Any], folder: Path) -> Records:
    """Return the store that the settings name."""
    found = config.get("OIDC_RECORDS")
    if found is None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder / "oidc.db"
    return SqliteRecords(found) if isinstance(found, str | Path) else cast("Records", found)


def _named(config: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the settings of these names that the application has."""
    held = {name: config.get(f"OIDC_{name.upper()}") for name in names}
    return {name: value for name, value in held.items() if value is not None}
