"""Demands on the user: silence, a fresh login, a certain person; and a refusal."""

import time
from typing import Literal

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.transport import Transport
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.wire.errors import ProtocolViolation, ProviderError
from tests.interop.application import Application, Kind, setup_at
from tests.interop.oidc_provider import Provider
from tests.interop.table import RecordRow

KIND = Kind(id_token_alg="ES256")
SILENT = AuthenticationRequest(prompt="none")


@pytest.mark.parametrize(
    "kind",
    [
        Kind(auth_method="none", id_token_alg="ES256"),
        Kind(auth_method="client_secret_basic", id_token_alg="RS256"),
        Kind(auth_method="client_secret_jwt", assertion_alg="HS256", id_token_alg="PS256"),
        Kind(auth_method="private_key_jwt", assertion_alg="ES256", id_token_alg="EdDSA"),
    ],
    ids=str,
)
def test_a_silent_login_needs_a_session(
    op: Provider, transport: Transport, interop_row: RecordRow, kind: Kind
) -> None:
    interop_row(*kind.row, "prompt=none: login_required, then success")
    app = Application(setup_at(op, kind), transport)
    with pytest.raises(ProviderError) as refusal:
        app.log_in_silently(SILENT)
    assert (refusal.value.code, refusal.value.error) == ("provider_error", "login_required")
    assert refusal.value.status is None
    assert refusal.value.issuer_verified

    logged_in = app.log_in()
    assert app.log_in_silently(SILENT).identity == logged_in.identity
    assert app.browser.pages == ["login", "consent"]


def test_a_silent_login_names_the_user_by_a_hint(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    interop_row(*KIND.row, "prompt=none with id_token_hint")
    app = Application(setup_at(op, KIND), transport)
    id_token = app.log_in().id_token
    request = AuthenticationRequest(prompt="none", id_token_hint=id_token)
    assert app.log_in_silently(request).identity.subject == "alice"
    as_text = AuthenticationRequest(prompt="none", id_token_hint=id_token.raw)
    assert app.log_in_silently(as_text).identity.subject == "alice"


def test_a_hint_at_somebody_else_is_no_silent_login(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    interop_row(*KIND.row, "prompt=none, id_token_hint of another user")
    setup = setup_at(op, KIND)
    of_bob = Application(setup, transport).log_in(login="bob").id_token
    app = Application(setup, transport)
    app.log_in()
    with pytest.raises(ProviderError) as refusal:
        app.log_in_silently(AuthenticationRequest(prompt="none", id_token_hint=of_bob))
    assert refusal.value.error == "login_required"


def test_nobody_but_the_expected_user_comes_back(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    interop_row(*KIND.row, "another user than expected: sub_mismatch")
    app = Application(setup_at(op, KIND), transport)
    with pytest.raises(ProtocolViolation) as refusal:
        app.log_in(AuthenticationRequest(expected_sub="bob"), login="alice")
    assert refusal.value.code == "sub_mismatch"


@pytest.mark.parametrize("page", ["login", "consent"])
@pytest.mark.parametrize("response_mode", ["query", "form_post"])
def test_cancel_is_access_denied(
    op: Provider,
    transport: Transport,
    interop_row: RecordRow,
    page: Literal["login", "consent"],
    response_mode: Literal["query", "form_post"],
) -> None:
    interop_row(*KIND.row, f"access denied at {page}, {response_mode}")
    app = Application(setup_at(op, KIND), transport)
    with pytest.raises(ProviderError) as refusal:
        app.log_in(AuthenticationRequest(response_mode=response_mode), cancel_at=page)
    assert (refusal.value.code, refusal.value.error) == ("provider_error", "access_denied")
    assert refusal.value.issuer_verified
    assert app.log_in().identity.subject == "alice"


def test_prompt_login_asks_again_and_proves_it(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    interop_row(*KIND.row, "prompt=login, auth_time checked")
    app = Application(setup_at(op, KIND), transport)
    app.log_in()
    before = int(time.time())
    logged_in = app.log_in(AuthenticationRequest(prompt="login"))
    assert app.browser.pages == ["login", "consent", "login"]
    assert logged_in.id_token.auth_time is not None
    assert logged_in.id_token.auth_time >= before
    assert logged_in.tokens.auth_time == logged_in.id_token.auth_time


def test_max_age_is_met_by_a_young_session(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    interop_row(*KIND.row, "max_age=3600, auth_time checked")
    app = Application(setup_at(op, KIND), transport)
    first = app.log_in(AuthenticationRequest(max_age=3600))
    again = app.log_in(AuthenticationRequest(max_age=3600))
    assert app.browser.pages == ["login", "consent"]
    assert first.id_token.auth_time is not None
    assert again.id_token.auth_time == first.id_token.auth_time
    named = {check.name: check.verdict for check in again.evidence.id_token.checks}
    assert named["auth_time"] == "passed"


def test_max_age_zero_asks_again(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    interop_row(*KIND.row, "max_age=0, auth_time checked")
    app = Application(setup_at(op, KIND), transport)
    app.log_in()
    before = int(time.time())
    logged_in = app.log_in(AuthenticationRequest(max_age=0))
    assert app.browser.pages == ["login", "consent", "login"]
    assert logged_in.id_token.auth_time is not None
    assert logged_in.id_token.auth_time >= before


def test_a_login_that_was_too_long_ago_is_refused_here_too(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    """The browser drops ``prompt`` out of the request; the ID token tells."""
    interop_row(*KIND.row, "prompt=login dropped on the way: auth_time_too_old")
    app = Application(setup_at(op, KIND), transport)
    app.log_in(AuthenticationRequest(max_age=3600))
    app.client.shell.clock = FrozenClock(int(time.time()) + 300)
    url = app.start(AuthenticationRequest(prompt="login"))
    dropped = url.replace("&prompt=login&max_age=0", "&max_age=9999")
    assert dropped != url
    arrival = app.browser.authorize_silently(dropped)
    with pytest.raises(ProtocolViolation) as refusal:
        app.finish(arrival)
    assert refusal.value.code == "auth_time_too_old"


def test_prompt_consent_asks_for_consent_again(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    interop_row(*KIND.row, "prompt=consent, offline_access")
    app = Application(setup_at(op, KIND), transport)
    app.log_in()
    request = AuthenticationRequest(scope="openid offline_access", prompt="consent")
    logged_in = app.log_in(request)
    assert app.browser.pages == ["login", "consent", "consent"]
    assert logged_in.tokens.scope == "openid offline_access"
    assert logged_in.missing_scope == ()
