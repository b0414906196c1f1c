"""The provider's keys change during a login: one more fetch, exactly, and the login goes on."""

import time

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.transport import Transport
from tests.interop.application import Application, Kind, setup_at
from tests.interop.oidc_provider import Provider
from tests.interop.table import RecordRow
from tests.refreshing import refreshed as refresh_now

KINDS = [
    Kind(auth_method="none", id_token_alg="ES256"),
    Kind(auth_method="client_secret_basic", id_token_alg="RS256"),
    Kind(auth_method="client_secret_basic", id_token_alg="EdDSA"),
    Kind(auth_method="private_key_jwt", assertion_alg="ES256", id_token_alg="PS256"),
]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=str)


def key_fetches(op: Provider) -> int:
    """How often the key set was asked for."""
    return sum((each.method, each.path) == ("GET", "/jwks") for each in op.requests())


@EVERY_KIND
@pytest.mark.parametrize("keep_old", [False, True], ids=["withdrawn", "kept"])
def test_keys_rotate_between_start_and_finish(
    own_op: Provider, transport: Transport, interop_row: RecordRow, kind: Kind, *, keep_old: bool
) -> None:
    interop_row(*kind.row, f"rotation in mid-login, old keys {'kept' if keep_old else 'withdrawn'}")
    app = Application(setup_at(own_op, kind), transport)
    old = app.log_in().evidence.id_token
    assert key_fetches(own_op) == 1

    arrival = app.browser.authorize(app.start())
    new_kids = own_op.rotate_keys(keep_old=keep_old)
    new = app.finish(arrival).evidence.id_token

    assert key_fetches(own_op) == 2
    assert new.kid in new_kids
    assert new.key_thumbprint != old.key_thumbprint
    app.log_in()
    assert key_fetches(own_op) == 2


def test_keys_rotate_between_one_login_and_the_next(
    own_op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "rotation between logins")
    app = Application(setup_at(own_op, kind), transport)
    app.log_in()
    new_kids = own_op.rotate_keys()
    assert app.log_in(login="bob").evidence.id_token.kid in new_kids
    assert key_fetches(own_op) == 2


def test_keys_rotate_before_the_very_first_keys_are_needed(
    own_op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "rotation before the first fetch")
    app = Application(setup_at(own_op, kind), transport)
    arrival = app.browser.authorize(app.start())
    new_kids = own_op.rotate_keys()
    assert app.finish(arrival).evidence.id_token.kid in new_kids
    assert key_fetches(own_op) == 1


@EVERY_KIND
def test_keys_rotate_between_login_and_refresh(
    own_op: Provider, transport: Transport, interop_row: RecordRow, kind: Kind
) -> None:
    interop_row(*kind.row, "rotation between login and refresh")
    app = Application(setup_at(own_op, kind), transport)
    tokens = app.log_in().tokens
    new_kids = own_op.rotate_keys()
    evidence = refresh_now(app.client, tokens, lambda _: None).evidence
    assert evidence is not None
    assert evidence.kid in new_kids
    assert key_fetches(own_op) == 2


def test_keys_rotate_between_id_token_and_userinfo(
    own_op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(kind.authentication, "RS256", "rotation seen by signed UserInfo")
    app = Application(setup_at(own_op, kind, userinfo_signed_response_alg="RS256"), transport)
    app.log_in()
    new_kids = own_op.rotate_keys()
    logged_in = app.log_in()
    _, *signed = logged_in.evidence.each
    assert [each.of for each in signed] == ["id_token", "userinfo"]
    assert {each.kid for each in signed} <= set(new_kids)
    assert key_fetches(own_op) == 2


def test_a_provider_may_rotate_every_minute(
    own_op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "four rotations, a minute apart")
    app = Application(setup_at(own_op, kind), transport)
    app.client.shell.clock = clock = FrozenClock(int(time.time()))
    app.log_in()
    for _ in range(4):
        clock.advance(60)
        new_kids = own_op.rotate_keys()
        assert app.log_in().evidence.id_token.kid in new_kids
    assert key_fetches(own_op) == 5
