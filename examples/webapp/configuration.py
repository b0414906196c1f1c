"""The settings of the example, from a TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from oidc_adapters import UsageError

if TYPE_CHECKING:
    from pathlib import Path

SCOPES: Final = ("openid", "profile", "email")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The settings of the example; each is explained in `config.toml.example`.

    `fake` says that the provider is the fake one, which this program serves itself.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = SCOPES
    do_refresh: bool = True
    redirect_uri: str = "http://localhost:8000/callback"
    post_logout_redirect_uri: str = "http://localhost:8000/after-logout"
    claims: tuple[str, ...] = ()
    fake: bool = False


_KINDS: Final[dict[str, type]] = {
    "issuer": str,
    "client_id": str,
    "client_secret": str,
    "scopes": list,
    "do_refresh": bool,
    "redirect_uri": str,
    "post_logout_redirect_uri": str,
    "claims": list,
}
_NEEDED: Final = ("issuer", "client_id", "client_secret")


def read(path: Path) -> Configuration:
    """Read the settings of a file.

    Raises:
        UsageError: ``config_invalid``, naming the setting.
        OSError: the file cannot be read.
    """
    try:
        settings = tomllib.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise _wrong(path.name, str(error), "a TOML file") from None
    named: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in _KINDS:
            raise _wrong(name, name, ", ".join(_KINDS))
        if type(value) is not _KINDS[name]:
            raise _wrong(name, type(value).__name__, _KINDS[name].__name__)
        named[name] = _texts(name, cast("list[object]", value)) if type(value) is list else value
    for name in _NEEDED:
        if not named.get(name):
            raise _wrong(name, "", f"the {name} of your provider")
    return Configuration(**named)


def _texts(name: str, values: list[object]) -> tuple[str, ...]:
    texts = tuple([value for value in values if isinstance(value, str)])
    if len(texts) != len(values):
        raise _wrong(name, "another value", "a list of texts")
    return texts


def _wrong(name: str, found: str, expected: str) -> UsageError:
    return UsageError("config_invalid", about=name, found=found, expected=expected)
