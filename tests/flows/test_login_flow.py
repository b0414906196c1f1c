"""Logins as scripts: the requests of the library, and the answers it is given."""

from typing import Any, Literal

import pytest
from attrs import evolve

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing import InMemoryTransport
from oidc_core.endpoints.authorization import LOOPBACK_LISTENER, AuthenticationRequest
from oidc_core.machine.steps import Done, KeysFound, KeysWithheld, resume
from oidc_core.machine.verification import AwaitingKeys
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import discovery, login, refresh
from oidc_core.operations.logged_in import AwaitingUserInfo, LoggedIn
from oidc_core.operations.login import AwaitingTokens, LoginStarted
from oidc_core.wire.errors import CallbackError, TransportFailure
from oidc_core.wire.http import AnswerTo, NoAnswer
from tests.flows.rig import (
    FAKE_CLIENT,
    NOW,
    Browser,
    arrived,
    honest_provider,
    new_rig,
    setup_for,
)
from tests.flows.tracing import TracedShell, told
from tests.refreshing import refreshed as refresh_now


class Script:
    """One client whose shell tells what it does."""

    def __init__(self, *, provider: dict[str, Any] | None = None, **settings: Any) -> None:
        self.provider = honest_provider(**(provider or {}))
        self.clock, self.browser = FrozenClock(NOW), Browser()
        setup = setup_for(self.provider, **settings)
        self.shell = TracedShell(
            InMemoryTransport(self.provider),
            Credentials(),
            clock=self.clock,
            entropy=FixedEntropy(1),
        )
        bare = setup.relying_party()
        self.rp: RelyingParty = self.shell.run(bare, discovery.discover(bare))
        self.shell.credentials = setup.credentials(self.rp)
        self.client = OidcClient.of(self.rp, self.shell, MemoryPendingLogins())

    def said(self) -> list[str]:
        """The statements since it was last asked."""
        lines = told(self.shell.trace)
        self.shell.trace.clear()
        return lines

    def log_in(self) -> LoggedIn:
        redirect = self.client.start_login(cookie=self.browser.header)
        self.browser.receive(redirect.cookies)
        response = self.provider.authorize(redirect.url, self.clock.now())
        result = self.client.finish_login(response.incoming(self.browser.header))
        self.browser.receive(result.cookies)
        return result.logged_in


DISCOVERY = [
    "request: GET https://op.example/.well-known/openid-configuration",
    "answer: 200 application/json",
    "result: RelyingParty",
]
CODE = [
    "request: POST https://op.example/token grant_type code redirect_uri code_verifier",
    "answer: 200 application/json",
]
KEYS = [
    "wanted: the keys of https://op.example",
    "request: GET https://op.example/jwks",
    "answer: 200 application/json",
    "keys: KeysFound",
]
KNOWN_KEYS = ["wanted: the keys of https://op.example", "keys: KeysFound"]
USERINFO = ["request: GET https://op.example/userinfo", "answer: 200 application/json"]


def test_a_first_login() -> None:
    script = Script()
    assert script.said() == DISCOVERY

    logged_in = script.log_in()

    assert script.said() == [
        "result: LoginStarted",
        *CODE,
        *KEYS,
        *USERINFO,
        "result: LoggedIn",
    ]
    assert logged_in.identity.subject == "alice"


def test_a_second_login_knows_the_keys() -> None:
    script = Script()
    script.log_in()
    script.said()

    script.log_in()

    assert script.said() == [
        "result: LoginStarted",
        *CODE,
        *KNOWN_KEYS,
        *USERINFO,
        "result: LoggedIn",
    ]


def test_a_login_after_a_rotation_fetches_the_keys_once_more() -> None:
    script = Script()
    script.log_in()
    script.provider.rotate_keys()
    script.clock.advance(120)
    script.said()

    script.log_in()

    assert script.said() == [
        "result: LoginStarted",
        *CODE,
        *KNOWN_KEYS,
        "wanted: the keys of https://op.example, newer, with eddsa-2",
        "request: GET https://op.example/jwks",
        "answer: 200 application/json",
        "keys: KeysFound",
        *USERINFO,
        "result: LoggedIn",
    ]


def test_a_login_without_userinfo() -> None:
    script = Script(policy=Policy(userinfo="never"))
    script.said()

    assert script.log_in().userinfo is None
    assert script.said() == ["result: LoginStarted", *CODE, *KEYS, "result: LoggedIn"]


def test_a_login_with_signed_userinfo_asks_for_the_keys_again() -> None:
    registration = ClientRegistration(
        client_id="client",
        redirect_uris=("https://rp.example/callback",),
        userinfo_signed_response_alg="EdDSA",
    )
    client = evolve(FAKE_CLIENT, userinfo_signed_response_alg="EdDSA")
    script = Script(provider={"clients": (client,)}, registration=registration)
    script.said()

    logged_in = script.log_in()

    userinfo = logged_in.evidence.userinfo
    assert userinfo is not None
    assert userinfo.alg == "EdDSA"
    assert script.said() == [
        "result: LoginStarted",
        *CODE,
        *KEYS,
        "request: GET https://op.example/userinfo",
        "answer: 200 application/jwt",
        *KNOWN_KEYS,
        "result: LoggedIn",
    ]


def test_a_login_whose_userinfo_cannot_be_had_stands() -> None:
    script = Script(provider={"misbehave": "userinfo_dropped"})
    script.said()

    logged_in = script.log_in()

    assert logged_in.userinfo is None
    assert logged_in.notes == ("userinfo: http_malformed",)
    assert script.said()[-3:] == [
        "request: GET https://op.example/userinfo",
        "answer: NoAnswer",
        "result: LoggedIn",
    ]


@pytest.mark.parametrize(("prompt", "comes"), [("", False), ("consent", True)])
def test_a_refresh_token_that_needs_consent_is_noted(prompt: str, comes: bool) -> None:
    rig = new_rig(honest_provider(offline_access="with_consent"))
    logged_in = rig.log_in(AuthenticationRequest(prompt=prompt)).logged_in
    assert (logged_in.tokens.refresh_token is not None) is comes
    assert any("prompt=consent" in note for note in logged_in.notes) is not comes


def test_a_refresh_is_two_operations_with_the_store_between() -> None:
    script = Script()
    tokens = script.log_in().tokens
    script.said()

    refresh_now(script.client, tokens, lambda _: script.shell.trace.append(("store", tokens)))

    assert script.said() == [
        "request: POST https://op.example/token grant_type refresh_token",
        "answer: 200 application/json",
        "result: TokensRenewed",
        "store: Tokens",
        *KNOWN_KEYS,
        "result: Refreshed",
    ]


def test_a_login_step_by_step_by_hand() -> None:
    """The work of an embedder's own driver, each answer given and each step looked at."""
    script = Script()
    rp, provider, secrets = script.rp, script.provider, FixedEntropy(2).login_secrets()

    begun = login.start(rp, secrets, now=NOW)
    assert isinstance(begun, Done)
    started: LoginStarted = begun.result
    callback = arrived(provider.authorize(started.url, NOW))

    tokens = login.finish(rp, started.pending, callback, binding=LOOPBACK_LISTENER, now=NOW)
    assert isinstance(tokens, AwaitingTokens)
    assert tokens.request.purpose == "token"
    assert tokens.request.resend == "if_unsent"

    keys = resume(rp, tokens, script.shell.send(tokens.request))
    assert isinstance(keys, AwaitingKeys)
    assert keys.wanted.source == "solicited"
    found = script.shell.keys(keys.wanted)
    assert isinstance(found, KeysFound)

    userinfo = resume(rp, keys, found)
    assert isinstance(userinfo, AwaitingUserInfo)
    assert userinfo.request.role == "resource"

    timeout = NoAnswer("maybe", "http_timeout", NOW)
    without = resume(rp, userinfo, AnswerTo(userinfo.request, timeout))
    assert isinstance(without, Done)
    assert without.result.notes == ("userinfo: http_timeout",)
    done = resume(rp, userinfo, script.shell.send(userinfo.request))
    assert isinstance(done, Done)
    assert done.result.claims["name"] == "Alice Adams"
    assert done.result.identity == without.result.identity


def test_a_refreshed_token_whose_keys_are_withheld_is_not_lost() -> None:
    script = Script()
    tokens = script.log_in().tokens
    renewed = script.shell.run(script.rp, refresh.renew(script.rp, tokens))
    step = refresh.verify(script.rp, renewed, now=NOW)
    assert isinstance(step, AwaitingKeys)

    reasons: tuple[Literal["throttled", "unreachable"], ...] = ("throttled", "unreachable")
    for reason in reasons:
        with pytest.raises(TransportFailure) as caught:
            resume(script.rp, step, KeysWithheld(reason))
        assert caught.value.code == "keys_unavailable"
    again = script.shell.run(script.rp, step)

    assert again.tokens == renewed.tokens
    assert again.claims_refreshed


def test_nothing_leaves_before_the_callback_is_accepted() -> None:
    script = Script(provider={"misbehave": "wrong_iss"})
    script.said()

    with pytest.raises(CallbackError) as caught:
        script.log_in()

    assert caught.value.code == "response_iss_mismatch"
    assert script.said() == ["result: LoginStarted"]
