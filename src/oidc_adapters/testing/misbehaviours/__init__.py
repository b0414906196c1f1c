"""Misbehaviours by name, each with the code that a correct client refuses it with."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from oidc_adapters.testing.misbehaviours import (
    authorization,
    discovery,
    encryption,
    id_token,
    keys,
    logout,
    refresh,
    token,
    userinfo,
)
from oidc_adapters.testing.misbehaviours.changes import (
    HONEST,
    Changes,
    During,
    Endpoint,
    Misbehaviour,
    Needs,
)

__all__ = ["HONEST", "MISBEHAVIOURS", "Changes", "During", "Endpoint", "Misbehaviour", "Needs"]

_ROWS: Final = (
    *discovery.ROWS,
    *authorization.ROWS,
    *token.ROWS,
    *id_token.ROWS,
    *encryption.ROWS,
    *keys.ROWS,
    *userinfo.ROWS,
    *refresh.ROWS,
    *logout.ROWS,
)

MISBEHAVIOURS: Final[Mapping[str, Misbehaviour]] = MappingProxyType(
    {row.name: row for row in _ROWS}
)
"""All misbehaviours by name, in the order in which a login meets them."""
