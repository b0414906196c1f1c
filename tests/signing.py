"""Signed tokens for unit tests, by keys that are made once in a process.

The signing itself is the fake provider's, which shares no algorithm table with the core.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import evolve

from oidc_adapters.testing.signing import SigningKey, b64url, compact, rendered
from oidc_adapters.testing.signing_keys import private_key
from oidc_core.jose.key_set import KeySet
from oidc_core.wire.jsontypes import frozen_json

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET: Final = "a client secret of more than sixty-four octets, with a s€cret character"


def signing_key(
    alg: str = "ES256", *, slot: str = "provider", kid: str | None = "k1"
) -> SigningKey:
    """Return the private key of that slot: the same octets for any ``kid``."""
    return SigningKey(alg=alg, kid=kid, private=private_key(alg, slot))


def mac_key(alg: str = "HS256", secret: str = SECRET) -> SigningKey:
    """Return the key of MACs that a client secret is."""
    return SigningKey(alg=alg, kid=None, private=secret.encode())


def signed(claims: Mapping[str, object], key: SigningKey | None = None, **header: object) -> str:
    """Sign claims; header members given replace those that the key brings, ``None`` drops one."""
    key = signing_key() if key is None else key
    members = {"alg": key.alg, "kid": key.kid, **header}
    kept = {name: value for name, value in members.items() if value is not None}
    return compact(rendered(kept), rendered({**claims}), key)


def signed_octets(payload: bytes, key: SigningKey | None = None) -> str:
    """Sign a payload that is possibly not JSON."""
    key = signing_key() if key is None else key
    return compact(rendered({"alg": key.alg, "kid": key.kid}), payload, key)


def unsigned(claims: Mapping[str, object], **header: object) -> str:
    """Return a token with a header of the caller and an invalid signature."""
    return ".".join([b64url(rendered(header)), b64url(rendered({**claims})), b64url(b"none")])


def published(*keys: SigningKey, **members: object) -> KeySet:
    """Return the key set that publishes these keys; members given replace those of each."""
    return KeySet(tuple([frozen_json({**key.public_jwk(), **members}) for key in keys]))


def renamed(key: SigningKey, kid: str | None) -> SigningKey:
    """Return the same key by another name."""
    return evolve(key, kid=kid)
