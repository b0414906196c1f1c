"""Encrypted ID tokens and UserInfo of a provider that has its own code for encryption.

It encrypts no UserInfo that it did not sign; that is tested with the fake provider alone.
"""

from typing import Final

import pytest

from oidc_adapters.credentials.client_keys import DecryptionKey
from oidc_adapters.transport import Transport
from oidc_core.model.records import Tokens
from oidc_core.wire.errors import ProtocolViolation
from tests.encryption import P256, P384, RSA, X25519
from tests.interop.application import Application, Kind, setup_at
from tests.interop.oidc_provider import Provider
from tests.interop.table import RecordRow
from tests.refreshing import refreshed as refresh_now

ENCS: Final = ("A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512")
ALGS: Final = (
    ("RSA-OAEP-256", RSA),
    ("RSA-OAEP", RSA),
    ("ECDH-ES", P256),
    ("ECDH-ES+A256KW", P384),
    ("ECDH-ES+A128KW", X25519),
    ("A128KW", None),
    ("A256GCMKW", None),
    ("dir", None),
)
KIND: Final = Kind(id_token_alg="ES256")


def application(
    op: Provider, transport: Transport, key: DecryptionKey | None, **members: str
) -> Application:
    keys = () if key is None else (key,)
    return Application(setup_at(op, KIND, decryption_keys=keys, **members), transport)


@pytest.mark.parametrize("enc", ENCS)
@pytest.mark.parametrize(("alg", "key"), ALGS)
def test_an_encrypted_id_token_and_userinfo_in_login_and_refresh(
    op: Provider,
    transport: Transport,
    interop_row: RecordRow,
    *,
    alg: str,
    key: DecryptionKey | None,
    enc: str,
) -> None:
    interop_row(KIND.authentication, "ES256", f"encrypted: {alg} {enc}")
    app = application(
        op,
        transport,
        key,
        id_token_encrypted_response_alg=alg,
        id_token_encrypted_response_enc=enc,
        userinfo_encrypted_response_alg=alg,
        userinfo_encrypted_response_enc=enc,
        userinfo_signed_response_alg="ES256",
    )
    stored: list[Tokens] = []

    logged_in = app.log_in()
    refreshed = refresh_now(app.client, logged_in.tokens, stored.append)

    assert logged_in.userinfo is not None
    assert logged_in.userinfo.sub == logged_in.identity.subject == "alice"
    assert refreshed.evidence is not None
    _, *encrypted = logged_in.evidence.each
    assert len(encrypted) == 2
    for evidence in (*encrypted, refreshed.evidence):
        assert evidence.alg == "ES256"
        assert f"decrypted: {alg} {enc}" in evidence.notes
    assert refreshed.claims_refreshed


@pytest.mark.parametrize(
    ("expects", "code"), [(True, "encryption_missing"), (False, "encryption_unexpected")]
)
def test_an_id_token_in_another_form_than_registered_is_refused(
    op: Provider, transport: Transport, interop_row: RecordRow, code: str, *, expects: bool
) -> None:
    interop_row(*KIND.row, f"encryption at one side only: {code}")
    encryption = {"id_token_encrypted_response_alg": "ECDH-ES"}
    client_id = f"rp-encryption-{code}"
    wanted, given = (encryption, {}) if expects else ({}, encryption)
    app = application(op, transport, P256, client_id=client_id, **wanted)
    setup_at(op, KIND, decryption_keys=(P256,), client_id=client_id, **given)

    with pytest.raises(ProtocolViolation) as refusal:
        app.log_in()

    assert refusal.value.code == code
