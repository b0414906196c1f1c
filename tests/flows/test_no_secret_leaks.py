"""No secret shows in any output, log or error, at any end of a flow."""

import logging
import pickle
import traceback
from typing import Any, Final, get_args

import attrs
import pytest
from attrs import evolve, field, frozen
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.session_tokens import SessionTokens
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.credentials.client_keys import ClientKey, ClientKeys, Signer
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.runtime.event_log import log_events
from oidc_adapters.runtime.events import Event
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import CookiePendingLogins, MemoryPendingLogins, PendingLogins
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.testing import (
    MISBEHAVIOURS,
    FakeProvider,
    InMemoryTransport,
    serve,
)
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest
from oidc_core.machine.grants import YOUNG
from oidc_core.model.client import AuthMethod
from oidc_core.model.policy import Policy
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import backchannel_logout, discovery
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import WireRequest
from tests.flows.rig import (
    FAKE_CLIENT,
    NOW,
    SEALING_SECRET,
    Browser,
    Misbehaving,
    arrived,
    honest_provider,
    returning,
    setup_for,
)
from tests.flows.tracing import TracedShell
from tests.rows import parameters

SEED: Final = bytes(range(32))
KEY: Final = ClientKey(Ed25519PrivateKey.from_private_bytes(SEED), alg="EdDSA", kid="ours")


class Log(logging.Handler):
    """Keeps every record of every logger."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{self.format(record)} {vars(record)}")


@frozen(kw_only=True)
class Flow:
    """A flow that leaves all its values behind, whether or not it came to its end."""

    provider: FakeProvider
    setup: ClientSetup
    request: AuthenticationRequest = DEFAULT_REQUEST
    misbehaves_later: str | None = None
    pending: PendingLogins = field(factory=MemoryPendingLogins)
    approve: bool = True
    shown: list[str] = field(factory=list[str], init=False)
    errors: list[str] = field(factory=list[str], init=False)
    heard: list[Event] = field(factory=list[Event], init=False)
    logout_tokens: list[str] = field(factory=list[str])

    def show(self, *values: object) -> None:
        for value in values:
            self.shown.extend([repr(value), str(value), f"{value!r:>5}", ascii(value)])

    def run(self, transport: Any) -> None:
        shell = TracedShell(
            transport, Credentials(), clock=FrozenClock(NOW), entropy=FixedEntropy(1)
        )
        log, root = Log(), logging.getLogger()
        level = root.level
        root.addHandler(log)
        root.setLevel(logging.NOTSET)
        try:
            self._run(shell, Browser())
        except OidcError as error:
            self.errors.append(error.code)
            self.show(error, vars(error), error.args, backchannel_logout.reply(error))
            self.shown.extend(traceback.format_exception(error))
            self.shown.append(pickle.dumps(error).decode("latin-1"))
        finally:
            root.removeHandler(log)
            root.setLevel(level)
        self.show(self.setup, self.provider, self.pending, shell, shell.credentials, transport)
        self.show(*[value for _, value in shell.trace])
        self.shown.extend(log.lines)

    def _run(self, shell: TracedShell, browser: Browser) -> None:
        policy = evolve(self.setup.policy, resend_in_doubt="never")  # and so it waits for nothing
        bare = evolve(self.setup, policy=policy).relying_party()
        rp = shell.run(bare, discovery.discover(bare))
        shell.credentials = self.setup.credentials(rp)
        records = MemoryRecords(clock=shell.clock, elapsed=lambda: float(shell.clock.now()))
        grants = Grants(records, SEALING_SECRET, trusted=0)
        client = OidcClient.of(rp, shell, self.pending, grants=grants, on_event=self.hear)
        redirect = client.start_login(self.request, return_to="/orders")
        browser.receive(redirect.cookies)
        self.show(bare, rp, client, redirect, *redirect.cookies)
        callback = self.provider.authorize(redirect.url, NOW, approve=self.approve)
        incoming = callback.incoming(browser.header)
        self.show(callback, incoming, arrived(callback))
        result = client.finish_login(incoming)
        self.show(
            result, *[check for one in result.logged_in.evidence.each for check in one.checks]
        )
        self.provider.misbehave = self.misbehaves_later
        tokens = client.tokens(result.grant_id)
        self.show(grants, tokens, records.read(f"grant:{result.grant_id}"))
        refreshed = tokens.fresh(refused=self.to_be_replaced(shell, tokens))
        self.receive_logouts(rp, shell, refreshed)
        goodbye = client.start_logout(refreshed)
        browser.receive(goodbye.cookies)
        self.show(goodbye, *goodbye.cookies)
        url = self.provider.end_session(goodbye.url, NOW)
        assert url is not None
        self.show(client.userinfo(refreshed), tokens.end())
        self.show(client.finish_logout(returning(url, browser.header)))

    def receive_logouts(self, rp: RelyingParty, shell: TracedShell, tokens: Tokens) -> None:
        """Let the provider end the session twice, by tokens of different names if it is honest."""
        used = set[str]()
        for _ in range(2):
            now = shell.clock.now()
            logout = self.provider.backchannel_logout(now, sub=tokens.subject, sid=tokens.sid)
            self.logout_tokens.append(logout.logout_token)
            self.show(logout)
            incoming = logout.incoming()
            self.show(incoming)
            notice = shell.run(rp, backchannel_logout.receive(rp, incoming, now=now))
            self.show(notice, *notice.evidence.checks, backchannel_logout.reply())
            backchannel_logout.refuse_repeat(notice, used=notice.once in used)
            used.add(notice.once)

    def hear(self, event: Event) -> None:
        self.heard.append(event)
        self.show(event, attrs.asdict(event))
        log_events()(event)

    def to_be_replaced(self, shell: TracedShell, tokens: SessionTokens) -> str:
        """Return the access token, once it is old enough to be replaced."""
        clock: Any = shell.clock
        token = tokens.fresh().access_token
        clock.advance(YOUNG)
        return token

    @property
    def secrets(self) -> dict[str, str]:
        """Everything that must not show, by name."""
        drawn, ledger = FixedEntropy(1), self.provider.ledger
        login = drawn.login_secrets()
        found = {
            "client secret": FAKE_CLIENT.client_secret,
            "sealing secret": SEALING_SECRET.decode(),
            "private key": b64url_encode(SEED),
            "state": login.state,
            "nonce": login.nonce,
            "code_verifier": login.code_verifier,
            "binding": login.binding,
            "jti or logout state": drawn.token(),
        }
        for kind, values in (
            ("code", ledger.codes),
            ("access token", ledger.access_tokens),
            ("refresh token", ledger.refresh_tokens),
            ("ID token", ledger.id_tokens),
            ("logout token", self.logout_tokens),
        ):
            found |= {f"{kind} {number}": value for number, value in enumerate(values)}
        signatures = [token.rpartition(".")[2] for token in ledger.id_tokens]
        found |= {f"signature {n}": value for n, value in enumerate(signatures) if len(value) > 20}
        sids = {issued.family.grant.sid for issued in ledger.codes.values()}
        return found | {f"sid {n}": value for n, value in enumerate(sids)}

    def leaks(self) -> list[str]:
        """Which secrets occur in anything that was shown, and where."""
        return [
            f"{name} in {text[:300]}"
            for name, secret in self.secrets.items()
            for text in self.shown
            if secret in text
        ]


def run_flow(flow: Flow) -> Flow:
    transport = InMemoryTransport(flow.provider)
    flow.run(transport)
    flow.show(*[part for exchange in transport.exchanges for part in exchange])
    return flow


def test_an_honest_flow_shows_no_secret() -> None:
    provider = honest_provider()

    flow = run_flow(Flow(provider=provider, setup=setup_for(provider)))

    assert flow.errors == []
    assert len(flow.shown) > 100
    assert {type(event).__name__ for event in flow.heard} == {
        "KeysFetched",
        "LoginBegan",
        "LoginFinished",
        "LogoutBegan",
        "LogoutFinished",
        "RequestSent",
        "TokensRefreshed",
        "UserInfoRead",
    }
    assert not any("alice" in repr(event) for event in flow.heard)
    assert {name.split(" ")[0] for name in flow.secrets} >= {"code", "access", "refresh", "sid"}
    assert flow.leaks() == []


def test_a_refused_user_shows_no_secret() -> None:
    provider = honest_provider()

    flow = run_flow(Flow(provider=provider, setup=setup_for(provider), approve=False))

    assert flow.errors == ["provider_error"]
    assert flow.leaks() == []


def test_logins_in_cookies_show_no_secret() -> None:
    provider, pending = honest_provider(), CookiePendingLogins(SEALING_SECRET)

    flow = run_flow(Flow(provider=provider, setup=setup_for(provider), pending=pending))

    assert flow.errors == []
    assert flow.leaks() == []


@pytest.mark.parametrize("method", get_args(AuthMethod))
def test_no_way_to_authenticate_shows_a_secret(method: AuthMethod) -> None:
    client = evolve(FAKE_CLIENT, token_endpoint_auth_method=method, jwks=(dict(KEY.public_jwk()),))
    provider = honest_provider(clients=(client,))
    held: dict[str, Any] = {"client_keys": ClientKeys[Signer](KEY)}
    if method == "none":
        held = {"client_secret": None}
    setup = setup_for(provider, token_endpoint_auth_method=method, **held)

    flow = run_flow(Flow(provider=provider, setup=setup))

    assert flow.errors == []
    assert flow.leaks() == []


def test_a_real_connection_logs_no_secret() -> None:
    with serve(honest_provider(), FrozenClock(NOW)) as server, Urllib3Transport() as transport:
        policy = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))
        setup = setup_for(server.provider, policy=policy)
        flow = Flow(provider=server.provider, setup=setup)
        flow.run(transport)
        flow.show(*[request for request, _ in server.exchanges])

    assert flow.errors == []
    assert any("urllib3" in text for text in flow.shown)
    assert flow.leaks() == []


@pytest.mark.parametrize("row", parameters(MISBEHAVIOURS.values()))
def test_no_misbehaviour_has_a_secret_shown(row: Any) -> None:
    case = Misbehaving(row=row)

    flow = run_flow(
        Flow(
            provider=case.provider,
            setup=case.setup,
            request=case.request,
            misbehaves_later=row.name,
        )
    )

    assert flow.errors == [row.code]
    assert flow.leaks() == []


def test_a_leak_would_be_seen() -> None:
    """Red on planted offences: a secret in a value, in an error, in a log record."""
    provider = honest_provider()
    flow = run_flow(Flow(provider=provider, setup=setup_for(provider)))
    for name, secret in flow.secrets.items():
        planted = evolve(flow)
        planted.show(("a value with", secret))

        assert any(leak.startswith(name) for leak in planted.leaks()), name
    log = Log()
    log.handle(logging.LogRecord("x", logging.DEBUG, "x", 1, "%s", (flow.secrets["nonce"],), None))
    assert flow.secrets["nonce"] in log.lines[0]
    headers = (("authorization", f"Basic {FAKE_CLIENT.client_secret}"),)
    wire = WireRequest(
        method="GET", url="https://op.example/", headers=headers, body=None,
        resend="safe", max_body=1, deadline=1,
    )  # fmt: skip
    assert FAKE_CLIENT.client_secret not in repr(wire)
