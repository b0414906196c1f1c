"""The faults that a token can have: those rows of the misbehaviours that change nothing else."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from attrs import fields

from oidc_adapters.testing.misbehaviours import HONEST, MISBEHAVIOURS, Changes, Misbehaviour
from oidc_adapters.testing.samples.parties import ACR, TOKEN_KINDS, TokenKind, registered
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.policy import Policy

ENCRYPTION: Final = ("ECDH-ES+A128KW", "A128GCM")
"""The ``alg`` and ``enc`` of a token whose encryption has a fault."""

_PARTS: Final[Mapping[TokenKind, tuple[str, frozenset[str]]]] = MappingProxyType(
    {
        "id_token": ("login", frozenset({"id_token", "key_set", "encrypted"})),
        "logout_token": ("logout", frozenset({"logout_token", "encrypted"})),
        "userinfo": ("userinfo", frozenset({"userinfo_jwt", "encrypted"})),
    }
)
"""For each kind the operation that refuses it, and the parts of a misbehaviour that are its own."""

_ENCRYPTED: Final = frozenset({"encrypted_id_token", "encrypted_userinfo"})
_MET: Final = frozenset({"", "max_age", "acr", "EdDSA", "signed_userinfo"}) | _ENCRYPTED
"""The needs of misbehaviours that the client of a sample meets, where they are about a token."""

_OF_SEVERAL: Final = frozenset({"logout_replayed"})
"""Faults that no token has by itself."""

_POLICY: Final = Policy(userinfo="required")
_ASKED: Final = AuthenticationRequest(max_age=300, required_acr=(ACR,))
"""A client that hears of every fault of a token."""

_NOT_WITH: Final = frozenset(
    {("small_order_ed25519", "Ed25519"), ("userinfo_signed_hs256", "HS256")}
)
"""Faults that are none with an algorithm, although the client meets them."""


def parts_of(changes: Changes) -> frozenset[str]:
    """Return the names of the parts that are not as an honest provider's."""
    names = [attribute.name for attribute in fields(Changes)]
    return frozenset(n for n in names if getattr(changes, n) is not getattr(HONEST, n))


def _is_of(row: Misbehaviour, kind: TokenKind) -> bool:
    during, own = _PARTS[kind]
    parts = parts_of(row.changes)
    fits = bool(parts) and parts <= own and row.name not in _OF_SEVERAL
    return row.during == during and row.needs in _MET and fits


TOKEN_FAULTS: Final[Mapping[TokenKind, Mapping[str, Misbehaviour]]] = MappingProxyType(
    {
        kind: MappingProxyType({n: row for n, row in MISBEHAVIOURS.items() if _is_of(row, kind)})
        for kind in TOKEN_KINDS
    }
)
"""For each kind of token the misbehaviours that it can be an example of, by name."""


def needs_encryption(row: Misbehaviour) -> bool:
    """Return whether only an encrypted token can have the fault."""
    return row.needs in _ENCRYPTED


@cache
def token_faults(
    kind: TokenKind, alg: str, *, encrypted: bool = False, named: bool = True
) -> tuple[str, ...]:
    """Return the names of the faults that a token of this kind and algorithm can have.

    Args:
        kind: the kind.
        alg: the algorithm that its kind was registered with.
        encrypted: whether it is encrypted, as :data:`ENCRYPTION` says; only then can the encryption
            be at fault, and nothing else is.
        named: whether the key that signs it has a ``kid``.
    """
    client = registered(kind, alg, ENCRYPTION if encrypted else None)
    return tuple(
        name
        for name, row in TOKEN_FAULTS[kind].items()
        if needs_encryption(row) == encrypted
        and row.applies(_POLICY, client, _ASKED)
        and (name, alg) not in _NOT_WITH
        and (named or "key_set" not in parts_of(row.changes))
    )
