"""Rows of Wycheproof's JWE files, and our verdict on each.

A row goes through the same code as an encrypted token, under the policy of a relying party: one
``alg``, the one of the key, and one ``enc``, here the one of the row since the files register none
of them. Private keys are loaded as a client's are. Symmetric ones are octets there and a client's
secret here, so they enter one step later, where the secret has become octets.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from oidc_adapters.credentials.client_keys import DecryptionKey
from oidc_adapters.crypto import ClientDecrypter
from oidc_adapters.crypto.decryption import opener_for
from oidc_core.jose.encryption import CONTENT_ENCRYPTION, DEFAULT_ENC, KEY_MANAGEMENT
from oidc_core.jose.jwe import Jwe, decrypt
from oidc_core.jose.jws import Encryption
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.jsontypes import JsonObject, frozen_json, parse_object

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JWE_FILES: Final = ("json_web_encryption", "json_web_crypto")
TYPES: Final = frozenset({"", "jwt"})
OWNER: Final = ("https://op.example", "client-1")


class JweRow(NamedTuple):
    """One test of a file: its key, its token, the plaintext, and the verdict of the file."""

    file: str
    number: int
    key: dict[str, Any]
    token: str
    plaintext: bytes | None
    valid: bool


def jwe_rows(folder: Path) -> Iterator[JweRow]:
    """Read the rows about encryption, in the order of the files."""
    for file in JWE_FILES:
        document = json.loads((folder / f"wycheproof_{file}_test.json").read_bytes())
        for group in document["testGroups"]:
            for test in group["tests"]:
                if "jwe" in test:
                    jwe = test["jwe"]
                    token = jwe if isinstance(jwe, str) else json.dumps(jwe)
                    plaintext = bytes.fromhex(test["pt"]) if _is_hex(test.get("pt")) else None
                    valid = test["result"] == "valid"
                    key = group["private"]
                    yield JweRow(file, test["tcId"], key, token, plaintext, valid)


def _is_hex(value: object) -> bool:
    return isinstance(value, str) and all(c in "0123456789abcdef" for c in value)


class Octets:
    """A decrypter with one symmetric key that is not the secret of a client."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def check(self, issuer: str, client_id: str, encryption: Encryption) -> None:
        """Be configured for anything."""

    def decrypt(self, issuer: str, client_id: str, jwe: Jwe) -> bytes | None:
        """Decrypt with the same code that decrypts with a secret."""
        return opener_for(jwe.header.encryption, self.key)(jwe)


def opened(row: JweRow) -> bytes:
    """Decrypt a row's token with the row's key."""
    decrypter = _decrypter(row.key)
    expected = Encryption(str(row.key["alg"]), _enc(row.token))
    if expected.alg not in KEY_MANAGEMENT:  # no client can register it
        expected = expected._replace(alg="RSA-OAEP")
    return decrypt(
        row.token, decrypter, OWNER, encryption=expected, types=TYPES, nested=False
    ).plaintext


def _decrypter(key: dict[str, Any]) -> Octets | ClientDecrypter:
    return _loaded(json.dumps(key))


@cache
def _loaded(jwk: str) -> Octets | ClientDecrypter:
    key = json.loads(jwk)
    if key["kty"] == "oct":
        return Octets(b64url_decode(key["k"].encode()))
    alg = key["alg"] if key["alg"] in KEY_MANAGEMENT else "RSA-OAEP"
    members = frozen_json({**key, "alg": alg})
    assert isinstance(members, JsonObject)
    return ClientDecrypter(DecryptionKey.from_jwk(members))


def _enc(token: str) -> str:
    try:
        enc = parse_object(b64url_decode(token.partition(".")[0].encode())).members.get("enc")
    except ProtocolViolation:
        return DEFAULT_ENC
    return enc if isinstance(enc, str) and enc in CONTENT_ENCRYPTION else DEFAULT_ENC


def jwe_verdict(row: JweRow) -> str:
    """``valid``, or the code of the refusal."""
    try:
        plaintext = opened(row)
    except (ProtocolViolation, UsageError) as refusal:
        return refusal.code
    assert row.plaintext in {None, plaintext}, row
    return "valid"
