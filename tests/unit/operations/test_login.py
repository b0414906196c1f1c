"""A login from the first redirect to the tokens: the answer of each pause, and how it may end."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Any

import pytest

from oidc_core.endpoints.authorization import LOOPBACK_LISTENER, AuthenticationRequest, Callback
from oidc_core.machine.steps import Exchange, NeedKeys, Step
from oidc_core.model.claims import Identity
from oidc_core.model.demands import Demands
from oidc_core.model.pending import PendingLogin, binding_digest_of
from oidc_core.model.policy import Policy
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.logged_in import Asked, LoggedIn
from oidc_core.operations.login import AwaitingTokens, LoginStarted, finish, start
from oidc_core.wire.errors import (
    CallbackError,
    ProtocolViolation,
    ProviderError,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.http import NoAnswer
from tests.parties import (
    ISSUER,
    NOW,
    OTHER_ISSUER,
    REDIRECT_URI,
    SUB,
    callback,
    claims_for,
    done,
    form_of,
    json_response,
    keys,
    query_of,
    refused,
    relying_party,
    resume,
    secrets,
    started,
    token_answer,
    with_keys,
)
from tests.signing import signed

PLAIN = relying_party(policy=Policy(userinfo="never"))
ASKING = relying_party(policy=Policy(userinfo="required"))


def finished(
    rp: RelyingParty, login: LoginStarted, arrival: Callback | None = None, **how: Any
) -> AwaitingTokens:
    proof: dict[str, Any] = {"binding": login.binding, "now": NOW + 5, **how}
    step = finish(rp, login.pending, arrival or callback(login), **proof)
    assert isinstance(step, AwaitingTokens)
    return step


def id_token_of(login: LoginStarted, **claims: Any) -> str:
    """A good ID token of a login."""
    nonce = login.pending.demands.nonce
    assert isinstance(nonce, str)
    return signed(claims_for(nonce, **claims))


def after_tokens(rp: RelyingParty, login: LoginStarted, **how: Any) -> Step[LoggedIn]:
    """The step after the tokens of a login and their keys."""
    step = resume(rp, finished(rp, login, **how), token_answer(id_token_of(login)))
    return with_keys(rp, step)


def notes_of(step: AwaitingTokens) -> tuple[str, ...]:
    assert step.asked.response is not None
    return step.asked.response.evidence.notes


# --- start ---------------------------------------------------------------------------------------


@pytest.mark.req("OIDCC-3.1.2.1-01")
def test_a_login_starts_with_a_url_for_the_browser_and_what_to_keep_until_it_is_back() -> None:
    fresh = secrets()
    login = done(start(PLAIN, fresh, now=NOW))

    assert login.url.partition("?")[0] == f"{ISSUER}/authorize"
    asked = dict(query_of(login.url))
    assert (asked["state"], asked["nonce"]) == (fresh.state, fresh.nonce)
    assert (login.pending.state, login.pending.created_at) == (fresh.state, NOW)
    assert login.pending.demands == Demands(nonce=fresh.nonce, started_at=NOW, scope="openid")
    assert login.pending.connection == PLAIN.connection
    assert login.binding == fresh.binding
    assert login.pending.binding_digest == binding_digest_of(fresh.binding)
    assert fresh.binding not in login.url
    for secret in (fresh.binding, fresh.state, fresh.nonce, fresh.code_verifier):
        assert secret not in repr(login)


@pytest.mark.req("OIDCC-3.1.2.1-02")
@pytest.mark.parametrize(
    ("client", "request_", "found"),
    [
        ({"scope": ""}, {}, ""),
        ({"scope": "email"}, {}, "email"),
        ({}, {"scope": "email"}, "email"),
        ({}, {"scope": "OPENID"}, "OPENID"),
        ({}, {"scope": "openid,email"}, "openid,email"),
    ],
)
def test_a_login_asks_for_openid(
    client: dict[str, Any], request_: dict[str, Any], found: str
) -> None:
    rp = relying_party(client=client)
    error = refused(UsageError, "parameter_invalid", lambda: started(rp, **request_))
    assert (error.about, error.found, error.expected) == ("scope", found, "openid")


@pytest.mark.req("OIDCC-3.1.2.1-06")
def test_a_login_needs_a_registered_redirect_uri() -> None:
    nowhere = relying_party(client={"redirect_uris": ()})
    error = refused(UsageError, "parameter_invalid", lambda: started(nowhere))
    assert (error.about, error.found) == ("redirect_uri", "")
    other = f"{REDIRECT_URI}/"
    error = refused(UsageError, "parameter_invalid", lambda: started(PLAIN, redirect_uri=other))
    assert (error.about, error.found) == ("redirect_uri", other)


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("authorization_endpoint", Policy()),
        ("token_endpoint", Policy()),
        ("jwks_uri", Policy()),
        ("userinfo_endpoint", Policy(userinfo="required")),
    ],
)
def test_a_login_needs_the_endpoints_it_goes_to(name: str, policy: Policy) -> None:
    rp = relying_party(provider={name: None}, policy=policy)
    error = refused(UsageError, "unsupported_by_provider", lambda: started(rp))
    assert error.about == name
    optional = relying_party(provider={"userinfo_endpoint": None})
    assert started(optional).pending.redirect_uri == REDIRECT_URI


def test_a_login_needs_keys_where_only_its_userinfo_is_signed_with_one() -> None:
    client = {
        "id_token_signed_response_alg": "HS256",
        "userinfo_signed_response_alg": "ES256",
    }
    rp = relying_party(provider={"jwks_uri": None}, client=client)
    error = refused(UsageError, "unsupported_by_provider", lambda: started(rp))
    assert error.about == "jwks_uri"
    for changed in (
        relying_party(provider={"jwks_uri": None}, client=client, policy=Policy(userinfo="never")),
        relying_party(provider={"jwks_uri": None, "userinfo_endpoint": None}, client=client),
    ):
        assert started(changed).pending.redirect_uri == REDIRECT_URI


def test_what_a_login_was_asked_for_waits_with_it() -> None:
    request = AuthenticationRequest(
        scope="openid email",
        max_age=5,
        required_acr=("gold",),
        resource=("urn:x",),
        expected_sub="Bob",
        account="account-1",
        return_to="/next",
    )
    login = done(start(PLAIN, secrets(), request, now=NOW))
    assert (login.pending.account, login.pending.return_to) == ("account-1", "/next")
    assert login.pending.demands == Demands(
        nonce=secrets().nonce,
        started_at=NOW,
        max_age=5,
        required_acr=("gold",),
        sub="Bob",
        scope="openid email",
        resource=("urn:x",),
    )
    asked = finished(PLAIN, login, account="account-1").asked
    assert asked == Asked(
        demands=login.pending.demands,
        response=asked.response,
        account="account-1",
        return_to="/next",
    )


# --- finish --------------------------------------------------------------------------------------


@pytest.mark.req("OIDCC-3.1.2.7-01", "OIDCC-3.1.3.2-01", "RFC7636-4.5-01")
def test_a_callback_leads_to_one_token_request() -> None:
    """C01, C07."""
    login = started(PLAIN)
    step = finished(PLAIN, login)

    assert form_of(step) == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": login.pending.code_verifier,
    }
    assert notes_of(step) == ("single_use: provider_only",)
    assert notes_of(finished(PLAIN, login, single_use="shared")) == ("single_use: shared",)
    for secret in (login.pending.code_verifier, "code-1", secrets().nonce):
        assert secret not in repr(step)


@pytest.mark.req("OIDCC-3.1.2.7-01", "OIDCC-3.1.2.6-02")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": None}, "state_missing"),
        ({"state": "other"}, "state_mismatch"),
        ({"iss": OTHER_ISSUER}, "response_iss_mismatch"),
        ({"id_token": "x"}, "parameter_unexpected"),
        ({"code": None}, "code_missing"),
    ],
)
def test_a_callback_that_is_refused_sends_nothing(changes: dict[str, Any], code: str) -> None:
    """A01, A02, A25, B01: there is no step, so there is no request."""
    login = started(PLAIN)
    refused(CallbackError, code, lambda: finished(PLAIN, login, callback(login, **changes)))


def test_two_logins_of_one_browser_do_not_mix() -> None:
    """A08, A09."""
    other = relying_party(
        provider={"issuer": OTHER_ISSUER, "token_endpoint": f"{OTHER_ISSUER}/t"},
        policy=PLAIN.policy,
    )
    first, second = started(PLAIN, seed=1), started(other, seed=2)

    assert finished(PLAIN, first).request.url == f"{ISSUER}/token"
    assert finished(other, second).request.url == f"{OTHER_ISSUER}/t"
    error = refused(CallbackError, "connection_mismatch", lambda: finished(other, first))
    assert (error.about, error.found, error.expected) == ("issuer", OTHER_ISSUER, ISSUER)
    crossed = callback(second)
    refused(CallbackError, "state_mismatch", lambda: finished(PLAIN, first, crossed))


def test_a_login_ends_under_the_policy_it_began_with() -> None:
    login = started(PLAIN)
    stricter = relying_party(policy=Policy(userinfo="never", require_at_hash=True))
    error = refused(CallbackError, "policy_changed", lambda: finished(stricter, login))
    assert (error.found, error.expected) == (stricter.policy.digest, PLAIN.policy.digest)
    assert error.retryable == "restart"
    renamed = relying_party(policy=Policy(name="renamed", userinfo="never"))
    assert finished(renamed, login).request == finished(PLAIN, login).request


def test_a_login_ends_where_its_code_and_tokens_were_to_go() -> None:
    login = started(PLAIN)
    for name in ("token_endpoint", "userinfo_endpoint"):
        moved = relying_party(provider={name: f"{ISSUER}/moved"}, policy=PLAIN.policy)
        error = refused(ProtocolViolation, "metadata_changed", partial(finished, moved, login))
        assert error.retryable == "restart"
    keys_moved = relying_party(provider={"jwks_uri": f"{ISSUER}/moved"}, policy=PLAIN.policy)
    assert finished(keys_moved, login).request == finished(PLAIN, login).request


@pytest.mark.req("OIDCC-3.1.2.6-01")
def test_the_provider_s_refusal_ends_the_login() -> None:
    login = started(PLAIN)
    denied = callback(login, code=None, error="access_denied")
    error = refused(ProviderError, "provider_error", lambda: finished(PLAIN, login, denied))
    assert (error.retryable, error.found) == ("no", "access_denied")


def test_a_link_names_its_user_at_both_ends() -> None:
    """A12."""
    login = started(PLAIN, account="user-1")
    refused(
        CallbackError,
        "account_mismatch",
        lambda: finished(PLAIN, login, account="user-2"),
    )
    refused(CallbackError, "account_mismatch", lambda: finished(PLAIN, login))
    assert done(after_tokens(PLAIN, login, account="user-1")).account == "user-1"


def test_a_command_line_names_its_listener_in_place_of_a_browser() -> None:
    response = finished(PLAIN, started(PLAIN), binding=LOOPBACK_LISTENER).asked.response
    assert response is not None
    assert "binding" in dict(response.evidence.skipped)


# --- tokens --------------------------------------------------------------------------------------


@pytest.mark.req("OIDCC-3.1.3.5-01")
def test_the_tokens_of_the_code_log_its_user_in() -> None:
    login = started(PLAIN, return_to="/next")
    logged_in = done(after_tokens(PLAIN, login))

    assert logged_in.identity == Identity(ISSUER, SUB)
    assert logged_in.return_to == "/next"
    assert logged_in.tokens.nonce == login.pending.demands.nonce
    assert [evidence.of for evidence in logged_in.evidence.each] == [
        "authorization_response",
        "id_token",
    ]


@pytest.mark.req("OIDCC-3.1.3.3-02", "PROMPTCREATE-4.1-01")
@pytest.mark.parametrize("id_token", [None, ""])
def test_without_an_id_token_nobody_is_logged_in(id_token: str | None) -> None:
    """D35."""
    step = finished(PLAIN, started(PLAIN))
    answer = token_answer(id_token)
    error = refused(ProtocolViolation, "id_token_missing", lambda: resume(PLAIN, step, answer))
    assert error.about == "id_token"


@pytest.mark.req("RFC6749-4.1.2-01", "RFC7636-7.2-01")
def test_a_code_that_may_have_been_used_is_not_used_again() -> None:
    step = finished(PLAIN, started(PLAIN))
    lost = NoAnswer("maybe", "http_timeout", NOW)
    error = refused(TransportFailure, "code_in_doubt", lambda: resume(PLAIN, step, lost))
    assert (error.retryable, error.found) == ("later", "http_timeout")
    assert isinstance(error, TransportFailure)
    assert error.sent == "maybe"
    unsent = NoAnswer("no", "http_connect_failed", NOW)
    error = refused(TransportFailure, "http_connect_failed", lambda: resume(PLAIN, step, unsent))
    assert isinstance(error, TransportFailure)
    assert error.sent == "no"
    refused_code = json_response({"error": "invalid_request"}, status=400)
    refused(ProviderError, "provider_error", lambda: resume(PLAIN, step, refused_code))


# --- steps are values ----------------------------------------------------------------------------


def test_a_step_may_be_resumed_again_and_stays_as_it_was() -> None:
    login = started(PLAIN)
    step = finished(PLAIN, login)
    token = id_token_of(login)
    with pytest.raises(ProtocolViolation) as caught:
        resume(PLAIN, step, json_response(b"{"))
    assert caught.value.code == "json_malformed"

    first, second = (resume(PLAIN, step, token_answer(token)) for _ in range(2))
    assert first == second
    assert step == finished(PLAIN, login)
    assert pickle.loads(pickle.dumps(step)) == step
    assert with_keys(PLAIN, first) == with_keys(PLAIN, second)


def test_a_step_is_resumed_by_the_relying_party_that_made_it_and_with_what_it_asked_for() -> None:
    """B15, B25, J07."""
    step = finished(PLAIN, started(PLAIN))
    for other in (
        relying_party(policy=Policy(name="strict", userinfo="never")),
        relying_party(client={"client_id": "c2"}, policy=Policy(userinfo="never")),
        relying_party(provider={"token_endpoint": f"{OTHER_ISSUER}/t"}),
    ):
        with pytest.raises(UsageError) as caught:
            resume(other, step, token_answer("x"))
        assert caught.value.code == "foreign_step"
    wrong: Any = keys()
    refused(UsageError, "answer_unexpected", lambda: resume(PLAIN, step, wrong))


def test_every_step_says_what_it_waits_for() -> None:
    login = started(ASKING)
    step = finished(ASKING, login)
    assert (step.request.purpose, step.request.resend) == ("token", "if_unsent")
    awaiting_keys = resume(ASKING, step, token_answer(id_token_of(login)))
    assert isinstance(awaiting_keys, NeedKeys)
    assert awaiting_keys.wanted == ASKING.keys_wanted["solicited"]
    awaiting_userinfo = resume(ASKING, awaiting_keys, keys())
    assert isinstance(awaiting_userinfo, Exchange)
    assert awaiting_userinfo.request.purpose == "userinfo"


@pytest.mark.parametrize("odd", [None, "text", {}, RelyingParty, AuthenticationRequest])
@pytest.mark.parametrize("about", ["rp", "secrets", "request"])
def test_a_login_is_not_started_with_anything_else(about: str, odd: Any) -> None:
    given: dict[str, Any] = {"rp": PLAIN, "secrets": secrets(), "request": AuthenticationRequest()}
    call = partial(start, **{**given, about: odd}, now=NOW)
    assert refused(UsageError, "parameter_invalid", call).about == about


@pytest.mark.parametrize("odd", [None, 1.5, b"octets", {}, PendingLogin])
@pytest.mark.parametrize("about", ["rp", "pending", "callback", "binding", "account", "now"])
def test_a_login_is_not_finished_with_anything_else(about: str, odd: Any) -> None:
    login = started(PLAIN)
    given: dict[str, Any] = {
        "rp": PLAIN,
        "pending": login.pending,
        "callback": callback(login),
        "binding": login.binding,
        "account": "",
        "now": NOW,
    }
    call = partial(finish, **{**given, about: odd})
    assert refused(UsageError, "parameter_invalid", call).about == about


def test_a_class_of_the_application_that_extends_ours_logs_in() -> None:
    class Asking(AuthenticationRequest):
        """Extends a public class."""

    class Came(Callback):
        """Extends another."""

    login = done(start(PLAIN, secrets(), Asking(), now=NOW))
    arrival = Came(parameters=callback(login).parameters)
    assert finished(PLAIN, login, arrival).request.purpose == "token"
