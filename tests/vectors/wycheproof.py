"""Rows of Wycheproof's JOSE files, and our verdict on each.

A row goes the way that a token goes: the form, the header, the key out of a parsed JWK Set, the
signature by the shipped verifier. Only sets of symmetric keys alone need an adapter, as the library
has no symmetric JWKs: each is a client whose secret it is, registered for its ``alg``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from attrs import evolve

from oidc_adapters.crypto import CryptographyVerifier
from oidc_adapters.crypto.primitives import mac_verifier
from oidc_core.jose.algorithms import ASYMMETRIC, row_for
from oidc_core.jose.jws import check_header, first_seen, parse_header, split, verify, verify_mac
from oidc_core.jose.key_set import KeySet, parse_key_set
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError
from oidc_core.wire.jsontypes import JsonObject, frozen_json
from tests.unit.parties import CLIENT, ISSUER, NOW, relying_party

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from oidc_core.jose.jws import VerifiedJws

JWS_FILES: Final = ("json_web_signature", "json_web_key", "json_web_crypto")
TYPES: Final = frozenset({"", "jwt"})


class Row(NamedTuple):
    """One test of a file: its keys, its token, and the verdict of the file."""

    file: str
    number: int
    keys: tuple[dict[str, Any], ...]
    token: str
    valid: bool


def jws_rows(folder: Path) -> Iterator[Row]:
    """Read the rows about signatures, in the order of the files."""
    for file in JWS_FILES:
        document = json.loads((folder / f"wycheproof_{file}_test.json").read_bytes())
        for group in document["testGroups"]:
            keys = group.get("public", group["private"])
            for test in group["tests"]:
                if "jws" in test:
                    jws = test["jws"]
                    token = jws if isinstance(jws, str) else json.dumps(jws)
                    listed = tuple(keys.get("keys", [keys]))
                    valid = test["result"] == "valid"
                    yield Row(file, test["tcId"], listed, token, valid)


def verdict(row: Row) -> str:
    """Return ``valid``, or the code of the refusal; anything but an error of ours is a failure."""
    symmetric = all(key["kty"] == "oct" for key in row.keys)
    try:
        if symmetric:
            verified_with_a_secret(row)
        else:
            verified_with_a_set(row)
    except OidcError as refusal:
        return refusal.code
    return "valid"


def verified_with_a_set(row: Row) -> VerifiedJws:
    """Verify a token with the provider's key set, for every public-key algorithm."""
    jws = split(row.token, empty_payload=True)
    return verify(
        jws,
        key_set(*row.keys),
        CryptographyVerifier(),
        algorithms=ASYMMETRIC,
        types=TYPES,
        now=NOW,
        keys_fetched_at=NOW,
        known=first_seen(jws.protected),
    )


def key_set(*keys: dict[str, Any]) -> KeySet:
    """Parse a set as a provider publishes it."""
    published = frozen_json({"keys": list(keys)})
    assert isinstance(published, JsonObject)
    return parse_key_set(published)


class Secrets(CryptographyVerifier):
    """Verifies MACs with the octets of symmetric JWKs, one for each client."""

    def __init__(self, keys: tuple[dict[str, Any], ...]) -> None:
        super().__init__()
        self.octets: dict[str, bytes] = {}
        for key in keys:
            if key["kid"] in self.octets:  # a client has one secret
                raise UsageError("config_invalid", about="client_secret")
            self.octets[key["kid"]] = b64url_decode(key["k"].encode())

    def verifies_mac(
        self, issuer: str, client_id: str, alg: str, signing_input: bytes, signature: bytes
    ) -> bool:
        row, secret = row_for(alg, "oct", ""), self.octets[client_id]
        assert row is not None
        if 8 * len(secret) < row.min_bits:
            raise ProtocolViolation("key_too_small", found=8 * len(secret), expected=row.min_bits)
        return mac_verifier(row, secret)(signing_input, signature)


def verified_with_a_secret(row: Row) -> VerifiedJws:
    """Verify a token with the secret of the client that its ``kid`` stands for."""
    verifier = Secrets(row.keys)
    jws = split(row.token, empty_payload=True)
    header = parse_header(jws.protected)
    key = next((key for key in row.keys if key["kid"] == header.kid), row.keys[0])
    client = evolve(CLIENT, id_token_signed_response_alg=key["alg"])
    algorithms = relying_party(client=client).protection["id_token"].algorithms
    check_header(header, algorithms, TYPES)
    return verify_mac(jws, header, (ISSUER, key["kid"]), verifier, NOW)
