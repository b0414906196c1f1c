"""Wrong encryption: each row changes only the named part on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_adapters.crypto import ClientDecrypter
from oidc_adapters.testing import FakeClient, FakeProvider, Misbehaviour
from oidc_adapters.testing.misbehaviours import encryption
from oidc_core.jose.jwe import decrypt
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import ProtocolViolation
from tests.adapters.testing.raw_client import (
    arrive,
    claims_of,
    header_of,
    parsed,
    redeem,
    responded,
    userinfo,
)
from tests.encryption import ECDH, P256

if TYPE_CHECKING:
    from collections.abc import Callable


def sent(row: Misbehaviour | None, needs: str) -> str:
    """Return the token in question, as a provider sends it."""
    which = needs.partition("encrypted_")[2]
    encrypted: dict[str, Any] = {
        f"{which}_encrypted_response_alg": ECDH.alg,
        f"{which}_encrypted_response_enc": ECDH.enc,
    }
    client = FakeClient(
        jwks=(P256.public_jwk(),), userinfo_signed_response_alg="EdDSA", **encrypted
    )
    provider = FakeProvider(
        clients=(client,), id_token_alg="EdDSA", misbehave=None if row is None else row.name
    )
    tokens = parsed(redeem(provider, arrive(provider, scope="openid email")))
    if which == "id_token":
        return str(tokens["id_token"])
    return responded(userinfo(provider, tokens["access_token"])).body.decode()


def inside(token: str) -> bytes:
    """Decrypt every answer that allows it; an empty answer replaces the others."""
    types = frozenset({"", "jwt"})
    owner = ("https://op.example", "client")
    try:
        return decrypt(token, ClientDecrypter(P256), owner, encryption=ECDH, types=types).plaintext
    except ProtocolViolation:
        return b""


def header(name: str, expected: object) -> Callable[[str], bool]:
    return lambda token: header_of(token).get(name) == expected


def in_clear(token: str) -> bool:
    return token.count(".") == 2 and claims_of(token)["sub"] == "alice"


def claims_inside(token: str) -> bool:
    return inside(token).startswith(b"{")


def unreadable(token: str) -> bool:
    return token.count(".") == 4 and inside(token) == b""


def other_parts(*changed: int) -> Callable[[str], bool]:
    """Whether just these parts differ from the honest token's, and nothing can be read."""

    def check(token: str) -> bool:
        pairs = zip(token.split("."), HONEST["encrypted_id_token"].split("."), strict=True)
        return {at for at, (one, other) in enumerate(pairs) if one != other} == {*changed}

    return check


CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "cleartext_where_encrypted": in_clear,
    "jwe_unsigned_inner": claims_inside,
    "jwe_inner_alg_none": lambda token: header_of(inside(token).decode())["alg"] == "none",
    "jwe_inner_jwe": lambda token: inside(token).count(b".") == 4,
    "jwe_wrong_alg": header("alg", "ECDH-ES+A256KW"),
    "jwe_wrong_enc": header("enc", "A256GCM"),
    "jwe_rsa1_5": header("alg", "RSA1_5"),
    "jwe_pbes2": header("p2c", 2**31),
    "jwe_zip": header("zip", "DEF"),
    "jwe_crit": header("crit", ["exp"]),
    "jwe_of_another_kind": header("typ", "logout+jwt"),
    "jwe_other_content_kind": header("cty", 7),
    "jwe_other_iss_in_header": header("iss", "https://other.example"),
    "jwe_other_aud_in_header": header("aud", "another-client"),
    "jwe_damaged_tag": other_parts(4),
    "jwe_damaged_key": other_parts(1),
    "jwe_for_somebody_else": lambda token: unreadable(token) and header("alg", ECDH.alg)(token),
    "jwe_point_off_the_curve": lambda token: (
        header_of(token)["epk"]["x"] == header_of(token)["epk"]["y"]
    ),
    "userinfo_cleartext_where_encrypted": in_clear,
    "userinfo_jwe_unsigned_inner": claims_inside,
    "userinfo_jwe_damaged": unreadable,
}
HONEST: Final = {needs: sent(None, needs) for needs in ("encrypted_id_token", "encrypted_userinfo")}


def test_every_row_is_checked() -> None:
    assert [row.name for row in encryption.ROWS] == list(CHECKS)


@pytest.mark.parametrize("row", encryption.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says(row: Misbehaviour) -> None:
    assert CHECKS[row.name](sent(row, row.needs))
    assert not CHECKS[row.name](HONEST[row.needs])


@pytest.mark.parametrize("needs", HONEST)
def test_an_honest_provider_encrypts_what_it_signed(needs: str) -> None:
    token = HONEST[needs]
    assert inside(token).count(b".") == 2
    assert header_of(token)["cty"] == "JWT"
    assert b64url_decode(token.split(".")[0].encode())
    assert sent(None, needs) == token
