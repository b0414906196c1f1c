"""Misbehaviours by name, each with the code that a correct client refuses it with."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from oidc_adapters.testing.misbehaviours import (
    authorization,
    discovery,
    encryption,
    id_token,
    jwt_claims,
    jwt_forms,
    key_confusion,
    key_set_members,
    keys,
    logout,
    metadata_members,
    odd_messages,
    odd_tokens,
    refresh,
    token,
    token_members,
    userinfo,
    userinfo_members,
)
from oidc_adapters.testing.misbehaviours.changes import (
    HONEST,
    Changes,
    Deviation,
    Endpoint,
    Misbehaviour,
    together,
)
from oidc_adapters.testing.misbehaviours.conditions import Condition, During, Needs

__all__ = [
    "HONEST",
    "MISBEHAVIOURS",
    "ODD_BUT_LEGAL",
    "Changes",
    "Condition",
    "Deviation",
    "During",
    "Endpoint",
    "Misbehaviour",
    "Needs",
    "together",
]

_ROWS: Final = (
    *discovery.ROWS,
    *metadata_members.ROWS,
    *authorization.ROWS,
    *token.ROWS,
    *token_members.ROWS,
    *id_token.ROWS,
    *jwt_forms.ROWS,
    *jwt_claims.ROWS,
    *key_confusion.ROWS,
    *encryption.ROWS,
    *keys.ROWS,
    *key_set_members.ROWS,
    *userinfo.ROWS,
    *userinfo_members.ROWS,
    *refresh.ROWS,
    *logout.ROWS,
)

MISBEHAVIOURS: Final[Mapping[str, Misbehaviour]] = MappingProxyType(
    {row.name: row for row in _ROWS}
)
"""All misbehaviours by name, in the order in which a login meets them."""

ODD_BUT_LEGAL: Final[Mapping[str, Deviation]] = MappingProxyType(
    {row.name: row for row in (*odd_messages.ROWS, *odd_tokens.ROWS)}
)
"""What is unusual and legal, by name: a correct client accepts it."""
