"""UserInfo: plain, signed, and what its absence does to a login."""

from typing import Any

import pytest

from oidc_adapters.transport import Transport
from oidc_core.wire.errors import ProtocolViolation
from tests.interop.application import Application, Kind, setup_at, with_policy
from tests.interop.oidc_provider import Provider
from tests.interop.table import RecordRow

SIGNED_ALGS = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519", "HS256")


@pytest.mark.parametrize("alg", SIGNED_ALGS)
def test_signed_userinfo_is_verified(
    op: Provider, transport: Transport, interop_row: RecordRow, alg: str
) -> None:
    kind = Kind(id_token_alg="RS256")
    interop_row(kind.authentication, alg, "signed UserInfo")
    app = Application(setup_at(op, kind, userinfo_signed_response_alg=alg), transport)
    logged_in = app.log_in()
    assert logged_in.userinfo is not None
    assert logged_in.userinfo.sub == logged_in.identity.subject == "alice"
    assert logged_in.userinfo.claims.members["email"] == "alice@example.com"
    assert logged_in.userinfo.claims.members["aud"] == app.client.rp.client.client_id
    evidence = logged_in.evidence.userinfo
    assert evidence is not None
    assert (evidence.of, evidence.alg) == ("userinfo", alg)
    assert logged_in.notes == ()


@pytest.mark.parametrize(
    "kind",
    [
        Kind(auth_method="none", id_token_alg="ES256"),
        Kind(auth_method="private_key_jwt", assertion_alg="ES256", id_token_alg="ES256"),
    ],
    ids=str,
)
def test_signed_userinfo_needs_no_secret(
    op: Provider, transport: Transport, interop_row: RecordRow, kind: Kind
) -> None:
    interop_row(kind.authentication, "ES256", "signed UserInfo")
    app = Application(setup_at(op, kind, userinfo_signed_response_alg="ES256"), transport)
    evidence = app.log_in().evidence.userinfo
    assert evidence is not None
    assert evidence.alg == "ES256"


@pytest.mark.parametrize(
    ("algs", "code"),
    [
        ((None, "ES256"), "content_type_unexpected"),
        (("ES256", None), "content_type_unexpected"),
        (("RS256", "ES256"), "alg_not_allowed"),
    ],
)
def test_userinfo_in_another_form_than_registered_is_refused(
    op: Provider,
    transport: Transport,
    interop_row: RecordRow,
    algs: tuple[str | None, str | None],
    code: str,
) -> None:
    registered, expected = algs
    kind = Kind(id_token_alg="ES256")
    interop_row(kind.authentication, expected or "json", f"UserInfo {registered or 'json'}: {code}")
    client_id = f"rp-userinfo-{expected}-{registered}"
    name = "userinfo_signed_response_alg"
    wanted: dict[str, Any] = {} if expected is None else {name: expected}
    given: dict[str, Any] = {} if registered is None else {name: registered}
    setup = setup_at(op, kind, client_id=client_id, **wanted)
    setup_at(op, kind, client_id=client_id, **given)
    with pytest.raises(ProtocolViolation) as refusal:
        Application(with_policy(setup, userinfo="required"), transport).log_in()
    assert refusal.value.code == code
    (note,) = Application(setup, transport).log_in().notes
    assert note.startswith(f"userinfo: {code}")


def test_a_login_goes_without_userinfo_that_is_not_wanted(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "login without UserInfo")
    setup = with_policy(setup_at(op, kind), userinfo="never")
    logged_in = Application(setup, transport).log_in()
    assert logged_in.userinfo is None
    assert [each.of for each in logged_in.evidence.each] == ["authorization_response", "id_token"]
