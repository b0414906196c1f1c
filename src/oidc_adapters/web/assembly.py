"""The web routes, put together from the settings of a framework."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias, cast

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import CookiePendingLogins, CookieProfile, RecordSpent
from oidc_adapters.stores.records import AsyncRecords, Records
from oidc_adapters.stores.records.sqlite import SqliteRecords
from oidc_adapters.stores.sessions import EndSession, SessionIndex
from oidc_adapters.web.logins import AsyncWebLogin, WebLogin
from oidc_adapters.web.named_settings import (
    OF_CLIENT,
    OF_PAGES,
    OF_SESSIONS,
    OF_WORLD,
    check_names,
    named,
)
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
_PATHS: Final = {"login_path": "/login", "logout_path": "/logout", "home": "/", "goodbye": "/"}


def web_login_of(
    config: Mapping[str, Any], *, folder: Path, root_path: str = "", around: Around | None = None
) -> WebLogin:
    """Return the routes of an application that waits.

    Tokens and sessions are in one store, which all workers share.  With a redirect URI of
    ``http://localhost`` cookies go over plain http, for development.

    Args:
        config: the settings: ``OIDC_ISSUER``, ``OIDC_CLIENT_ID``, ``OIDC_CLIENT_SECRET`` and
            ``OIDC_REDIRECT_URI``; where needed the other members of
            :class:`~oidc_adapters.clients.client_setup.ClientSetup` (``OIDC_SCOPE`` is ``openid
            profile email`` by default) and of :class:`~oidc_adapters.web.web_setup.WebSetup`, as in
            ``OIDC_LOGIN_BY_GET``.  ``OIDC_SECRET`` seals what is kept, by default ``SECRET_KEY``; a
            list has the newest first.  ``OIDC_RECORDS`` is a store of records, or the path of an
            SQLite file.  ``OIDC_LIFETIME`` and ``OIDC_IDLE`` are seconds, see
            :class:`~oidc_adapters.web.record_sessions.RecordSessions`.  ``OIDC_ON_EVENT``,
            ``OIDC_TRANSPORT``, ``OIDC_CLOCK`` and ``OIDC_ENTROPY`` are those of a client.  Text for
            a setting that is no text is read as JSON, as environment variables have it: ``true``,
            ``600``; ``OIDC_POLICY``, ``OIDC_REQUEST`` and ``OIDC_REGISTRATION`` are objects of
            their members, as in ``{"quirks": ["verified_as_text"]}``.
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
        check_names(config)
        setup = _setup(config)
        develops = _is_on_loopback(setup)
        records = records_of(config, folder)
        root = as_setting(root_path, str, "root_path").rstrip("/")
        paths: dict[str, Any] = {name: root + path for name, path in _PATHS.items()}
        return cls(
            setup=setup.on_loopback() if develops else setup,
            web=WebSetup(**{**paths, **named(config, OF_PAGES)}),
            logins=CookiePendingLogins(
                *secrets,
                spent=RecordSpent(records),
                profile=_LOOPBACK_LOGINS if develops else _LOGINS,
            ),
            records=records,
            secrets=secrets,
            profile=_LOOPBACK if develops else SESSION_COOKIE,
            ages=named(config, OF_SESSIONS),
        )

    def kept(self, config: Mapping[str, Any], end_session: EndSession) -> dict[str, Any]:
        """Return the stores of a client, and the parts of the world that tests give."""
        return {
            "grants": Grants(self.records, *self.secrets),
            "sessions": SessionIndex(self.records, *self.secrets, end_session=end_session),
            **named(config, OF_WORLD),
        }


def _setup(config: Mapping[str, Any]) -> ClientSetup:
    held = named(config, OF_CLIENT)
    if "registration" not in held:
        held.setdefault("scope", _SCOPE)
    return ClientSetup(**held)


def _is_on_loopback(setup: ClientSetup) -> bool:
    """Whether browsers come back to this machine over plain http."""
    held = () if setup.registration is None else setup.registration.redirect_uris
    uris = (setup.redirect_uri, *held)
    url = parse_url(next(filter(None, uris), ""), about="OIDC_REDIRECT_URI", http=True)
    return url.scheme == "http" and url.is_loopback


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
