"""Whole logins: each way of client authentication with each algorithm of ID tokens."""

import time
from typing import Final

import pytest
from attrs import evolve

from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.runtime.entropy import SystemEntropy
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.transport import Transport
from oidc_core.endpoints.authorization import LOOPBACK_LISTENER, AuthenticationRequest, Callback
from oidc_core.operations import discovery, login
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import CallbackError, ProviderError
from tests.interop.application import (
    COOKIES,
    SCOPE,
    Application,
    Kind,
    incoming_of,
    setup_at,
    with_policy,
)
from tests.interop.browser import Browser
from tests.interop.clients import ID_TOKEN_ALGS, REDIRECT_URI, AuthMethod
from tests.interop.oidc_provider import Answered, Provider
from tests.interop.table import RecordRow

SECRET_METHODS: Final[tuple[AuthMethod, ...]] = ("client_secret_basic", "client_secret_post")
ASSERTION_ALGS: Final = ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")
SIGNED: Final = tuple(
    evolve(kind, id_token_alg=alg)
    for alg in ID_TOKEN_ALGS
    for kind in (
        Kind(auth_method="none"),
        Kind(auth_method="client_secret_basic"),
        Kind(auth_method="client_secret_post"),
        Kind(auth_method="client_secret_jwt", assertion_alg="HS256"),
        *[Kind(auth_method="private_key_jwt", assertion_alg=each) for each in ASSERTION_ALGS],
    )
)
MACS: Final = (
    Kind(auth_method="client_secret_basic", id_token_alg="HS256"),
    Kind(auth_method="client_secret_post", id_token_alg="HS256"),
    Kind(auth_method="client_secret_jwt", assertion_alg="HS256", id_token_alg="HS256"),
)
WIDER: Final = (
    Kind(id_token_alg="RS512"),
    Kind(id_token_alg="PS512"),
    Kind(id_token_alg="ES384"),
    Kind(id_token_alg="ES512"),
    Kind(id_token_alg="HS512"),
    Kind(auth_method="client_secret_jwt", assertion_alg="HS512"),
    Kind(auth_method="private_key_jwt", assertion_alg="ES512"),
)


@pytest.mark.parametrize("kind", [*SIGNED, *MACS, *WIDER], ids=str)
def test_a_login_by_every_authentication_with_every_algorithm(
    op: Provider, transport: Transport, interop_row: RecordRow, kind: Kind
) -> None:
    interop_row(*kind.row, "login with UserInfo")
    app = Application(setup_at(op, kind), transport)
    before = int(time.time())

    logged_in = app.log_in(login="bob")

    assert app.browser.pages == ["login", "consent"]
    assert logged_in.identity.issuer == op.issuer
    assert logged_in.identity.subject == logged_in.id_token.sub == "bob"
    assert logged_in.id_token.aud == (app.client.rp.client.client_id,)
    assert before - 1 <= logged_in.id_token.iat <= int(time.time()) + 1
    assert logged_in.userinfo is not None
    assert logged_in.userinfo.claims.members["email"] == "bob@example.com"
    assert logged_in.claims.members["name"] == "Test bob"
    assert logged_in.tokens.refresh_token is not None
    assert logged_in.missing_scope == ()
    assert logged_in.return_to == "/inbox"
    assert logged_in.notes == ()
    assert app.jar.cookies == {}
    assert_proved(logged_in, kind)


def assert_proved(logged_in: LoggedIn, kind: Kind) -> None:
    """The evidence names callback, ID token and UserInfo, and the algorithm that was asked for."""
    evidence = logged_in.evidence
    callback, id_token, userinfo = (
        evidence.authorization_response,
        evidence.id_token,
        evidence.userinfo,
    )
    assert [each.of for each in evidence.each] == [
        "authorization_response",
        "id_token",
        "userinfo",
    ]
    assert callback is not None
    assert userinfo is not None
    assert evidence.channel == "unverified"  # there is no TLS on this machine
    assert id_token.alg == kind.id_token_alg
    assert (id_token.key is None) is kind.id_token_alg.startswith("HS")
    assert callback.relaxations == ("insecure_allow_http_loopback",)
    verdicts = {check.name: check.verdict for check in callback.checks}
    assert (verdicts["binding"], verdicts["iss"]) == ("passed", "passed")
    assert userinfo.alg == ""


@pytest.mark.parametrize(
    "secret",
    [
        "plain-secret",
        "percent%41and+plus",
        "co:lon:s",
        "=&=?#/",
        "in the middle",
        "'\"\\~!*()|^`{}<>",
    ],
)
@pytest.mark.parametrize("method", SECRET_METHODS)
def test_a_secret_arrives_as_it_is(
    op: Provider, transport: Transport, interop_row: RecordRow, method: AuthMethod, secret: str
) -> None:
    kind = Kind(auth_method=method, id_token_alg="ES256", secret=secret)
    interop_row(*kind.row, f"the secret {secret!r}")
    client_id = f"rp {method} + %41 {len(secret)}"
    app = Application(setup_at(op, kind, client_id=client_id), transport)
    assert app.log_in().identity.subject == "alice"
    assert app.client.rp.client.client_id == client_id


def test_a_client_with_a_wrong_secret_is_refused(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "wrong secret: invalid_client")
    app = Application(setup_at(op, kind, client_id="rp-wrong-secret"), transport)
    setup_at(op, Kind(id_token_alg="ES256", secret="another secret"), client_id="rp-wrong-secret")
    with pytest.raises(ProviderError) as refusal:
        app.log_in()
    assert refusal.value.code == "provider_error"
    assert (refusal.value.error, refusal.value.status) == ("invalid_client", 401)


def test_raw_basic_credentials_do_for_plain_secrets_only(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256", secret="plain-secret")
    interop_row(*kind.row, "basic_raw_credentials: plain secret")
    interop_row(*kind.row, "basic_raw_credentials, awkward: invalid_request")
    quirks = frozenset({"insecure_allow_http_loopback", "basic_raw_credentials"})
    plain = setup_at(op, kind, client_id="rp-raw-plain")
    logged_in = Application(with_policy(plain, quirks=quirks), transport).log_in()
    assert logged_in.evidence.id_token.relaxations == tuple(sorted(quirks))

    awkward = setup_at(op, Kind(id_token_alg="ES256"), client_id="rp-raw-awkward")
    app = Application(with_policy(awkward, quirks=quirks), transport)
    with pytest.raises(ProviderError) as refusal:
        app.log_in()
    assert (refusal.value.error, refusal.value.status) == ("invalid_request", 400)


def test_logins_in_flight_can_wait_in_memory(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "login kept in memory")
    pending = MemoryPendingLogins(profile=COOKIES)
    app = Application(setup_at(op, kind), transport, pending=pending)
    response = app.log_in().evidence.authorization_response
    assert response is not None
    assert response.of == "authorization_response"
    assert "single_use: process" in response.notes
    assert len(pending) == 0


def test_two_logins_in_one_browser_finish_in_any_order(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "two logins at once")
    app = Application(setup_at(op, kind), transport)
    first, second = app.start(), app.start()
    came_first = app.browser.authorize(first)
    came_second = app.browser.authorize(second)
    assert app.finish(came_second).identity == app.finish(came_first).identity


def test_another_browser_cannot_finish_a_login(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "another browser: binding_missing")
    app = Application(setup_at(op, kind), transport)
    arrival = app.browser.authorize(app.start())
    app.jar.cookies.clear()
    with pytest.raises(CallbackError) as refusal:
        app.finish(arrival)
    assert refusal.value.code == "binding_missing"


def test_the_pure_operations_log_in_through_a_loopback_listener(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(auth_method="none", id_token_alg="EdDSA")
    interop_row(*kind.row, "pure operations, loopback binding")
    interop_row(*kind.row, "code used twice: invalid_grant")
    setup = setup_at(op, kind)
    entropy, clock = SystemEntropy(), SystemClock()
    shell = Shell(transport, Credentials(), clock=clock, entropy=entropy)
    rp = setup.relying_party()
    rp = shell.run(rp, discovery.discover(rp))
    shell.credentials = setup.credentials(rp)
    started = shell.run(rp, login.start(rp, entropy.login_secrets(), now=clock.now()))
    callback = Callback.of(incoming_of(Browser(op.issuer).authorize(started.url), ""))

    first, again = (
        login.finish(rp, started.pending, callback, binding=LOOPBACK_LISTENER, now=clock.now())
        for _ in range(2)
    )
    assert shell.run(rp, first).identity.subject == "alice"
    with pytest.raises(ProviderError) as refusal:
        shell.run(rp, again)
    assert (refusal.value.error, refusal.value.status) == ("invalid_grant", 400)


def test_a_login_makes_four_requests_and_the_next_one_two(
    own_op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "requests of a first and a second login")
    app = Application(setup_at(own_op, kind), transport)
    app.log_in()
    app.log_in()
    machine_requests = [each for each in own_op.requests() if is_for_machines(each)]
    assert [(each.method, each.path) for each in machine_requests] == [
        ("GET", "/.well-known/openid-configuration"),
        ("POST", "/token"),
        ("GET", "/jwks"),
        ("GET", "/me"),
        ("POST", "/token"),
        ("GET", "/me"),
    ]
    assert {each.status for each in machine_requests} == {200}


def is_for_machines(request: Answered) -> bool:
    """Whether the application made it and not the browser."""
    return request.path.startswith(("/.well-known", "/token", "/jwks", "/me"))


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_form_post_brings_the_code_in_a_form(
    op: Provider, transport: Transport, interop_row: RecordRow, alg: str
) -> None:
    kind = Kind(id_token_alg=alg)
    interop_row(*kind.row, "response_mode=form_post")
    app = Application(setup_at(op, kind), transport)
    arrival = app.browser.authorize(app.start(AuthenticationRequest(response_mode="form_post")))
    assert (arrival.url, arrival.form is None) == (REDIRECT_URI, False)
    assert app.finish(arrival).identity.subject == "alice"


def test_a_strict_policy_passes_too(
    op: Provider, transport: Transport, interop_row: RecordRow
) -> None:
    kind = Kind(id_token_alg="ES256")
    interop_row(*kind.row, "strict: leeway 2 s, no extra scope, UserInfo")
    setup = with_policy(setup_at(op, kind), leeway=2, forbid_extra_scope=True, userinfo="required")
    logged_in = Application(setup, transport).log_in()
    assert logged_in.tokens.scope == SCOPE
    assert logged_in.evidence.id_token.terms.leeway == 2
