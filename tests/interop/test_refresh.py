"""Refreshing tokens: with and without rotation, and the use of an old refresh token."""

from typing import Final

import pytest

from oidc_adapters.transport import Transport
from oidc_core.model.records import Tokens
from oidc_core.wire.errors import ProviderError
from tests.interop.application import Application, Kind, setup_at
from tests.interop.oidc_provider import Provider
from tests.interop.table import RecordRow
from tests.refreshing import refreshed as refresh_now

KINDS: Final = (
    Kind(auth_method="none", id_token_alg="ES256"),
    Kind(auth_method="client_secret_basic", id_token_alg="RS256"),
    Kind(auth_method="client_secret_basic", id_token_alg="HS256"),
    Kind(auth_method="client_secret_post", id_token_alg="PS256"),
    Kind(auth_method="client_secret_jwt", assertion_alg="HS256", id_token_alg="EdDSA"),
    Kind(auth_method="private_key_jwt", assertion_alg="ES256", id_token_alg="Ed25519"),
    Kind(auth_method="private_key_jwt", assertion_alg="EdDSA", id_token_alg="ES256"),
)


@pytest.mark.parametrize("rotates", [True, False], ids=["rotating", "staying"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_refresh_brings_a_new_id_token_of_the_same_session(
    op: Provider, transport: Transport, interop_row: RecordRow, kind: Kind, *, rotates: bool
) -> None:
    interop_row(*kind.row, f"refresh, {'rotating' if rotates else 'the same refresh token'}")
    app = Application(setup_at(op, kind, rotates_refresh_tokens=rotates), transport)
    logged_in = app.log_in()
    stored: list[Tokens] = []

    first = refresh_now(app.client, logged_in.tokens, stored.append)
    second = refresh_now(app.client, first.tokens, stored.append)

    assert stored == [first.tokens, second.tokens]
    refresh_tokens = {logged_in.tokens.refresh_token, *[each.refresh_token for each in stored]}
    assert len(refresh_tokens) == (3 if rotates else 1)
    assert len({logged_in.tokens.access_token, *[each.access_token for each in stored]}) == 3
    for refreshed in (first, second):
        assert refreshed.claims_refreshed
        assert refreshed.id_token is not None
        assert refreshed.id_token.sub == logged_in.identity.subject
        assert refreshed.id_token.iat >= logged_in.id_token.iat
        evidence = refreshed.evidence
        assert evidence is not None
        assert (evidence.of, evidence.alg) == ("refreshed_id_token", kind.id_token_alg)


def test_a_rotated_refresh_token_is_spent(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "rotated refresh token again: invalid_grant")
    app = Application(setup_at(op, kind), transport)
    tokens = app.log_in().tokens
    stored: list[Tokens] = []
    refresh_now(app.client, tokens, stored.append)
    with pytest.raises(ProviderError) as refusal:
        refresh_now(app.client, tokens, stored.append)
    assert (refusal.value.error, refusal.value.status) == ("invalid_grant", 400)
    assert len(stored) == 1


def test_a_refresh_with_a_secret_of_old_is_refused(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "refresh with an old secret: invalid_client")
    app = Application(setup_at(op, kind, client_id="rp-changing"), transport)
    tokens = app.log_in().tokens
    setup_at(op, Kind(id_token_alg="ES256", secret="the next secret"), client_id="rp-changing")
    stored: list[Tokens] = []
    with pytest.raises(ProviderError) as refusal:
        refresh_now(app.client, tokens, stored.append)
    assert refusal.value.error == "invalid_client"
    assert stored == []
