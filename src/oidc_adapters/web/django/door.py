"""The routes of a project, by its settings."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from django.conf import settings
from django.middleware.csrf import get_token
from django.shortcuts import resolve_url
from django.utils.module_loading import import_string

from oidc_adapters.web.assembly import web_login_of
from oidc_adapters.web.django.sessions import DjangoSessions, current
from oidc_adapters.web.logins import WebLogin
from oidc_adapters.web.named_settings import KNOWN, PREFIX
from oidc_adapters.web.record_sessions import RecordSessions
from oidc_core.model.claims import Identity
from oidc_core.wire.errors import UsageError

UserOf = Callable[[Identity, Mapping[str, object]], Any]

_USER_OF: Final = "oidc_adapters.web.django.accounts.user_of"
_OWN: Final = frozenset({"USER_OF"})
_KNOWN: Final = frozenset([name.removeprefix(PREFIX) for name in KNOWN]) | _OWN
_CLAIMS: Final = (
    "name", "preferred_username", "email", "email_verified", "given_name", "family_name",
)  # fmt: skip


class Door(NamedTuple):
    """The routes of a project, and what they keep.

    Attributes:
        web: the routes.
        sessions: the sessions of browsers.
        user_of: maps an identity and claims to a user.
    """

    web: WebLogin
    sessions: DjangoSessions
    user_of: UserOf

    @staticmethod
    def of_settings() -> "Door":
        """Return the door that ``settings.OIDC`` describes, made at its first use.

        Raises:
            UsageError: ``config_invalid`` or the like, naming the setting.
        """
        return _made()

    @staticmethod
    def forget() -> None:
        """Make another one at the next use."""
        _made.cache_clear()


def given() -> dict[str, Any]:
    """Return ``settings.OIDC``.

    Raises:
        UsageError: ``config_invalid`` for a setting that is unknown, or no dict.
    """
    held: object = getattr(settings, "OIDC", None)
    if not isinstance(held, dict):
        raise UsageError("config_invalid", about="OIDC", expected="a dict of settings")
    found = cast("dict[str, Any]", held)
    for name in found:
        if name not in _KNOWN:
            close = get_close_matches(str(name).upper(), _KNOWN, 1)
            expected = close[0] if close else tuple(sorted(_KNOWN))
            raise UsageError("config_invalid", about="OIDC", found=name, expected=expected)
    return found


@cache
def _made() -> Door:
    held = given()
    kept: list[DjangoSessions] = []

    def around(records: RecordSessions) -> DjangoSessions:
        kept.append(DjangoSessions(records))
        return kept[0]

    config = {PREFIX + name: value for name, value in {**_defaults(held), **held}.items()}
    config |= {f"{PREFIX}FORM_FIELDS": _form_fields}
    config |= {f"{PREFIX}DRAW": _called(held, "DRAW", "")} if "DRAW" in held else {}
    base: object = getattr(settings, "BASE_DIR", None)
    if base is None and held.get("RECORDS") is None:
        expected = "a store of records, or the path of a file: there is no BASE_DIR"
        raise UsageError("config_invalid", about="RECORDS", expected=expected)
    folder, root = Path(str(base)), settings.FORCE_SCRIPT_NAME or ""
    web = web_login_of(config, folder=folder, root_path=root, around=around)
    return Door(web, kept[0], _called(held, "USER_OF", _USER_OF))


def _defaults(held: dict[str, Any]) -> dict[str, Any]:
    """Return what Django's own settings say."""
    age = settings.SESSION_COOKIE_AGE
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    found: dict[str, Any] = {"LIFETIME": age, "IDLE": age, "SECRET": secrets, "CLAIMS": _CLAIMS}
    if "HOME" not in held and settings.is_overridden("LOGIN_REDIRECT_URL"):
        found["HOME"] = resolve_url(settings.LOGIN_REDIRECT_URL)
    if "GOODBYE" not in held and settings.LOGOUT_REDIRECT_URL:
        found["GOODBYE"] = resolve_url(settings.LOGOUT_REDIRECT_URL)
    return found


def _called(held: dict[str, Any], name: str, default: str) -> Any:
    """Return the function that a setting is or names.

    Raises:
        UsageError: ``config_invalid``.
    """
    found = held.get(name, default)
    try:
        made = import_string(found) if isinstance(found, str) else found
    except ImportError:
        made = None
    if not callable(made):
        expected = "a function, or its dotted path"
        raise UsageError("config_invalid", about=name, found=found, expected=expected)
    return made


def _form_fields() -> tuple[tuple[str, str], ...]:
    """Return Django's token against CSRF, for the forms of the routes."""
    return (("csrfmiddlewaretoken", get_token(current())),)
