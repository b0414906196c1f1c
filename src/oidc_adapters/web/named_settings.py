"""The settings of an application by their names, as ``app.config`` or ``os.environ`` has them."""

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, cast

from attrs import AttrsInstance, fields

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.web.web_setup import WebSetup
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import UsageError

PREFIX: Final = "OIDC_"
OF_CLIENT: Final = tuple([field.name for field in fields(ClientSetup)])
OF_PAGES: Final = tuple([field.name for field in fields(WebSetup)])
OF_SESSIONS: Final = ("lifetime", "idle")
OF_WORLD: Final = ("transport", "clock", "entropy", "on_event")
_OTHERS: Final = ("secret", "records")
_JSON: Final = frozenset(
    {
        "claims", "evidence", "idle", "lifetime", "login_by_get", "metadata_max_age",
        "metadata_overrides",
    }
)  # fmt: skip
"""Settings that are no text: an environment variable has them as JSON."""

_OBJECTS: Final[MappingProxyType[str, type[AttrsInstance]]] = MappingProxyType(
    {"policy": Policy, "registration": ClientRegistration, "request": AuthenticationRequest}
)
"""Settings with members: an environment variable has them as a JSON object."""

KNOWN: Final = frozenset(
    [PREFIX + name.upper() for name in (*OF_CLIENT, *OF_PAGES, *OF_SESSIONS, *OF_WORLD, *_OTHERS)]
)
"""The names of all settings but ``SECRET_KEY``."""

_ALIKE: Final = 0.85
"""How alike two names are of which one is a slip of the other, from 0 to 1."""


def named(config: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the settings of these names that an application has.

    Raises:
        UsageError: ``config_invalid`` for text that is no JSON where the setting is no text, and
            for a member that there is not; what the setting itself raises.
    """
    held = {name: _value(config, name) for name in names}
    return {name: value for name, value in held.items() if value is not None}


def check_names(config: Mapping[str, Any]) -> None:
    """Refuse a name that nearly is the name of a setting: nothing would say that it has no effect.

    Other names are left alone; they may be of another package.

    Raises:
        UsageError: ``config_invalid``, naming both.
    """
    for name in config:
        if name.startswith(PREFIX) and name not in KNOWN:
            meant = get_close_matches(name, KNOWN, n=1, cutoff=_ALIKE)
            if meant:
                raise UsageError("config_invalid", about=name, found=name, expected=meant[0])


def _value(config: Mapping[str, Any], name: str) -> object:
    value: object = config.get(PREFIX + name.upper())
    if (name not in _JSON and name not in _OBJECTS) or not isinstance(value, str):
        return value
    about = PREFIX + name.upper()
    try:
        read: object = json.loads(value)
    except ValueError:
        expected = "a JSON object" if name in _OBJECTS else "JSON, as true or 600"
        raise UsageError("config_invalid", about=about, found=value, expected=expected) from None
    return _made(_OBJECTS[name], read, about) if name in _OBJECTS else read


def _made(kind: type[AttrsInstance], members: object, about: str) -> object:
    """Make a setting of its members, as JSON has them."""
    if not isinstance(members, dict):
        raise UsageError("config_invalid", about=about, expected="a JSON object")
    given = cast("dict[str, Any]", members)
    known = [each.name for each in fields(kind) if each.init]
    odd = next((name for name in given if name not in known), None)
    if odd is not None:
        near = get_close_matches(odd, known, n=1, cutoff=_ALIKE)
        raise UsageError("config_invalid", about=about, found=odd, expected=tuple(near or known))
    return kind(**given)
