"""The web routes, put together from the settings of a framework."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias, cast

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import CookiePendingLogins, CookieProfile
from oidc_adapters.stores.records import AsyncRecords, Records
from oidc_adapters.stores.records.sqlite import SqliteRecords
from oidc_adapters.stores.sessions import EndSession, SessionIndex
from oidc_adapters.web.logins import AsyncWebLogin, WebLogin
from oidc_adapters.web.record_sessions import SESSION_COOKIE, AsyncRecordSessions, RecordSessions
from oidc_adapters.web.sessions import AsyncSessions, Sessions
from oidc_adapters.web.web_setup import WebSetup
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import as_setting
from oidc_core.wire.urls import parse_url

Around: TypeAlias = Callable[[RecordSessions], Sessions]
"""Returns a framework's own sessions, whose records are those given."""

AsyncAround: TypeAlias = Callable[[AsyncRecordSessions], AsyncSessions]
"""Returns a framework's own sessions, for code that awaits."""

_LOOPBACK: Final = CookieProfile(prefix="oidc-session", secure=False)
_LOGINS: Final = CookieProfile()
_LOOPBACK_LOGINS: Final = CookieProfile.insecure_for_loopback_development()
_SCOPE: Final = "openid profile email"
_CLIENT: Final = (
    "issuer", "client_id", "client_secret", "redirect_uri", "post_logout_redirect_uri", "scope",
)  # fmt: skip
_PATHS: Final = {"login_path": "/login", "logout_path": "/logout", "home": "/", "goodbye": "/"}
_WEB: Final = (*_PATHS, "login_by_get", "claims", "evidence", "request", "draw", "on_failure")
_AGES: Final = ("lifetime", "idle")


def web_login_of(
    config: Mapping[str, Any], *, folder: Path, root_path: str = "", around: Around | None = None
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
        root_path: what the application is mounted under; paths are below it by default.
        around: makes the sessions of a framework that has its own.

    Raises:
        UsageError: ``config_invalid`` or the like, naming the setting.
    """
    parts = _Parts.of(config, folder, root_path)
    records = cast("Records", parts.records)
    own = RecordSessions(records, *parts.secrets, profile=parts.profile, **parts.ages)
    sessions = own if around is None else around(own)
    kept = parts.kept(config, sessions.end)
    return WebLogin(OidcClient(parts.setup, parts.logins, **kept), sessions, parts.web)


def async_web_login_of(
    config: Mapping[str, Any],
    *,
    folder: Path,
    root_path: str = "",
    around: AsyncAround | None = None,
) -> AsyncWebLogin:
    """Return the routes of an application that awaits, like :func:`web_login_of`.

    A store that waits is taken too; its calls run in threads.
    """
    parts = _Parts.of(config, folder, root_path)
    own = AsyncRecordSessions(parts.records, *parts.secrets, profile=parts.profile, **parts.ages)
    sessions = own if around is None else around(own)
    kept = parts.kept(config, sessions.end)
    return AsyncWebLogin(AsyncOidcClient(parts.setup, parts.logins, **kept), sessions, parts.web)


class _Parts(NamedTuple):
    """The parts that both kinds of applications have."""

    setup: ClientSetup
    web: WebSetup
    logins: CookiePendingLogins
    records: Records | AsyncRecords
    secrets: tuple[str | bytes, ...]
    profile: CookieProfile
    ages: dict[str, Any]

    @classmethod
    def of(cls, config: Mapping[str, Any], folder: Path, root_path: str) -> "_Parts":
        """Judge the settings."""
        secrets = _secrets(config)
        named: dict[str, Any] = {"scope": _SCOPE, **_named(config, _CLIENT)}
        setup = ClientSetup(**named)
        url = parse_url(setup.redirect_uri, about="OIDC_REDIRECT_URI", http=True)
        develops = url.scheme == "http" and url.is_loopback
        root = as_setting(root_path, str, "root_path").rstrip("/")
        paths: dict[str, Any] = {name: root + path for name, path in _PATHS.items()}
        return cls(
            setup=setup.on_loopback() if develops else setup,
            web=WebSetup(**{**paths, **_named(config, _WEB)}),
            logins=CookiePendingLogins(*secrets, profile=_LOOPBACK_LOGINS if develops else _LOGINS),
            records=records_of(config, folder),
            secrets=secrets,
            profile=_LOOPBACK if develops else SESSION_COOKIE,
            ages=_named(config, _AGES),
        )

    def kept(self, config: Mapping[str, Any], end_session: EndSession) -> dict[str, Any]:
        """Return the stores of a client, and the parts of the world that tests give."""
        return {
            "grants": Grants(self.records, *self.secrets),
            "sessions": SessionIndex(self.records, *self.secrets, end_session=end_session),
            "transport": config.get("OIDC_TRANSPORT"),
            "clock": config.get("OIDC_CLOCK"),
        }


def _secrets(config: Mapping[str, Any]) -> tuple[str | bytes, ...]:
    """Return the sealing secrets, newest first."""
    found: object = config.get("OIDC_SECRET") or config.get("SECRET_KEY")
    held = tuple(cast("list[object]", found)) if isinstance(found, list | tuple) else (found,)
    if not held or not all(isinstance(each, str | bytes) for each in held):
        raise UsageError("config_invalid", about="OIDC_SECRET", expected="32 characters or more")
    return cast("tuple[str | bytes, ...]", held)


def records_of(config: Mapping[str, Any], folder: Path) -> Records | AsyncRecords:
    """Return the store that the settings name, by default an SQLite file in a folder."""
    found = config.get("OIDC_RECORDS")
    if found is None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder / "oidc.db"
    return SqliteRecords(found) if isinstance(found, str | Path) else cast("Records", found)


def _named(config: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the settings of these names that the application has."""
    held = {name: config.get(f"OIDC_{name.upper()}") for name in names}
    return {name: value for name, value in held.items() if value is not None}
