"""The TOML file of ``oidc fake-provider``: clients, users, and how the provider is set."""

import json
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, cast

from attrs import fields, frozen

from oidc_adapters.testing import FakeClient, FakeProvider, FakeUser
from oidc_core.model.client import AUTH_METHODS
from oidc_core.wire.errors import UsageError

_TABLES: Final = frozenset({"clients", "users"})
_OF_THE_COMMAND: Final = frozenset({"issuer", "seed"})
_SETTINGS: Final = frozenset([each.name for each in fields(FakeProvider) if each.init]) - (
    _TABLES | _OF_THE_COMMAND
)
_OF_A_CLIENT: Final = frozenset([each.name for each in fields(FakeClient)])


@frozen(kw_only=True)
class ProviderFile:
    """The content of the file.

    Attributes:
        clients: each with a secret; one that the file does not name is made.
        users: who can sign in; empty for those of every fake provider.
        settings: further parameters of the provider, by name.
    """

    clients: tuple[FakeClient, ...]
    users: tuple[FakeUser, ...] = ()
    settings: Mapping[str, Any]


def read_provider_file(path: Path, secret: str) -> ProviderFile:
    """Read the file.

    Args:
        path: where it is.
        secret: for the clients that it names no secret of.

    Raises:
        UsageError: ``config_invalid``, naming what is wrong in it.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise UsageError("config_invalid", about="config", found=str(fault)) from None
    settings = {name: value for name, value in document.items() if name not in _TABLES}
    _check_names(settings, _SETTINGS, "config")
    users = [_user(table) for table in _tables(document, "users")]
    clients = [_client(table, secret) for table in _tables(document, "clients")]
    _check_once([client.client_id for client in clients], "client_id")
    _check_once([user.sub for user in users], "sub")
    if not clients:
        raise UsageError("config_invalid", about="config", expected="one [[clients]] or more")
    return ProviderFile(clients=tuple(clients), users=tuple(users), settings=settings)


def _tables(document: Mapping[str, object], name: str) -> list[dict[str, Any]]:
    """Return the tables of that name, each a dictionary."""
    found = document.get(name, [])
    tables = cast("list[object]", found) if isinstance(found, list) else [None]
    if not all(isinstance(table, dict) for table in tables):
        raise UsageError("config_invalid", about=name, expected=f"tables, as in [[{name}]]")
    return cast("list[dict[str, Any]]", tables)


def _client(table: dict[str, Any], secret: str) -> FakeClient:
    _check_names(table, _OF_A_CLIENT, "clients")
    members: dict[str, Any] = {"client_secret": secret, **table}
    client = FakeClient(**members)
    if client.token_endpoint_auth_method not in AUTH_METHODS:
        raise UsageError(
            "config_invalid",
            about="token_endpoint_auth_method",
            found=client.token_endpoint_auth_method,
            expected=tuple(sorted(AUTH_METHODS)),
        )
    return client


def _user(table: dict[str, Any]) -> FakeUser:
    claims = {name: value for name, value in table.items() if name != "sub"}
    try:
        json.dumps(claims, allow_nan=False)
    except (TypeError, ValueError):  # a date, or no number
        expected = "claims that JSON knows: no dates, nan or inf"
        raise UsageError("config_invalid", about="users", expected=expected) from None
    return FakeUser(sub=table.get("sub", ""), claims=claims)


def _check_once(names: list[str], about: str) -> None:
    """Refuse a name that is empty, and one that is there twice.

    Raises:
        UsageError: ``config_invalid``.
    """
    for name in names:
        if not name or names.count(name) > 1:
            expected = "a name, for one alone"
            raise UsageError("config_invalid", about=about, found=name, expected=expected)


def _check_names(found: Collection[str], known: Collection[str], about: str) -> None:
    odd = next((name for name in found if name not in known), None)
    if odd is not None:
        near = get_close_matches(odd, known, n=3)
        expected = tuple(near or sorted(known))
        raise UsageError("config_invalid", about=about, found=odd, expected=expected)
