"""The values that one part hands to the next: each test fails where a value is dropped or swapped.

The rules themselves have separate tests; these are about the wires between them.
"""

from __future__ import annotations

from threading import Semaphore, Thread
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import evolve

from oidc_adapters.crypto import ClientDecrypter
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.single_flight import SingleFlight
from oidc_adapters.stores.provider_keys import MemoryProviderKeys
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.endpoints.tokens import parse_token_response
from oidc_core.machine.steps import Exchange, KeysFound, KeysWithheld, NeedKeys, Step
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.operations.logged_in import AwaitingUserInfo, AwaitingUserInfoKeys, LoggedIn
from oidc_core.operations.login import LoginStarted, finish
from oidc_core.wire.errors import CallbackError, ProtocolViolation, TransportFailure
from oidc_core.wire.http import AnswerTo, HttpRequest, NoAnswer
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.limits import LIMITS
from tests.flows.rig import DECRYPTION_KEY, new_rig
from tests.parties import (
    CLIENT_ID,
    ISSUER,
    NOW,
    REDIRECT_URI,
    RP,
    SUB,
    callback,
    came,
    claims_for,
    done,
    form_of,
    json_response,
    keys,
    keys_wanted,
    refused,
    relying_party,
    resume,
    started,
    token_answer,
    with_keys,
)
from tests.signing import signed, signing_key

if TYPE_CHECKING:
    from collections.abc import Hashable

    from oidc_core.model.relying_party import RelyingParty

TENANTS: Final = frozenset({"a", "b"})
TEMPLATE: Final = IssuerRule.template("https://op.example/{tenantid}", claim="tid", tenants=TENANTS)
OF_TENANT: Final = {
    name: {"iss": f"https://op.example/{name}", "tid": name} for name in sorted(TENANTS)
}


def of_tenants(**changed: Any) -> RelyingParty:
    return relying_party(
        provider={"issuer": "https://op.example/{tenantid}"}, rule=TEMPLATE, **changed
    )


def with_tokens(
    rp: RelyingParty, login: LoginStarted, id_token: str, **named: Any
) -> Step[LoggedIn]:
    """Go on to the point where the ID token is checked."""
    step = finish(rp, login.pending, callback(login, **named), binding=login.binding, now=NOW)
    assert isinstance(step, Exchange)
    step = resume(rp, step, token_answer(id_token))
    assert isinstance(step, NeedKeys)
    return step


def claims_of(login: LoginStarted, **changes: object) -> dict[str, object]:
    nonce = login.pending.demands.nonce
    assert isinstance(nonce, str)
    return claims_for(nonce, **changes)


# --- what login hands to the rules of the ID token ----------------------------------------------


def test_the_issuer_that_the_response_named_has_to_be_the_id_tokens() -> None:
    rp = of_tenants()
    login = started(rp)
    fits = signed(claims_of(login, **OF_TENANT["a"]))

    step = with_tokens(rp, login, fits, iss="https://op.example/b")
    error = refused(ProtocolViolation, "iss_mismatch", lambda: with_own_keys(rp, step))

    assert (error.found, error.expected, error.of) == (
        "https://op.example/a",
        "https://op.example/b",
        "id_token",
    )
    same = with_own_keys(rp, with_tokens(rp, login, fits, iss="https://op.example/a"))
    assert isinstance(same, AwaitingUserInfo)


def test_the_issuer_of_a_hinted_user_has_to_be_the_id_tokens() -> None:
    rp = of_tenants()
    hint = signed(claims_for("n", **OF_TENANT["a"]))
    login = started(rp, id_token_hint=hint)

    other = signed(claims_of(login, **OF_TENANT["b"]))
    error = refused(
        ProtocolViolation,
        "sub_mismatch",
        lambda: with_own_keys(rp, with_tokens(rp, login, other)),
    )

    assert (error.about, error.expected) == ("iss", "https://op.example/a")
    own = signed(claims_of(login, **OF_TENANT["a"]))
    assert isinstance(with_own_keys(rp, with_tokens(rp, login, own)), AwaitingUserInfo)


def with_own_keys(rp: RelyingParty, step: Step[LoggedIn]) -> Step[LoggedIn]:
    """Answer with keys under the issuer of this relying party."""
    assert isinstance(step, NeedKeys)
    found = evolve(keys(), issuer=step.wanted.issuer, jwks_uri=step.wanted.jwks_uri)
    return resume(rp, step, found)


def test_essential_claims_reach_the_rules() -> None:
    rp = relying_party(policy=Policy(require_essential_claims=True))
    claims = JsonObject(
        {"id_token": JsonObject({"email": JsonObject({"essential": True}), "name": None})}
    )
    login = started(rp, claims=claims)

    step = with_tokens(rp, login, signed(claims_of(login)))
    error = refused(ProtocolViolation, "claim_missing", lambda: with_keys(rp, step))

    assert error.about == "email"
    there = with_tokens(rp, login, signed(claims_of(login, email="a@op.example")))
    assert isinstance(with_keys(rp, there), AwaitingUserInfo)


@pytest.mark.parametrize("essential", [True, False])
def test_an_acr_is_required_only_where_it_is_essential(essential: bool) -> None:
    how = JsonObject({"essential": essential, "value": "gold"})
    login = started(claims=JsonObject({"id_token": JsonObject({"acr": how})}))

    assert login.pending.demands.required_acr == (("gold",) if essential else ())
    step = with_tokens(RP, login, signed(claims_of(login, acr="silver")))
    if essential:
        refused(ProtocolViolation, "acr_mismatch", lambda: with_keys(RP, step))
    else:
        assert isinstance(with_keys(RP, step), AwaitingUserInfo)


def test_userinfo_never_overrides_the_id_token() -> None:
    login = started()
    token = signed(claims_of(login, name="of the ID token", email="id@op.example"))
    step = with_keys(RP, with_tokens(RP, login, token))
    members = {
        "sub": SUB,
        "name": "of UserInfo",
        "email": "userinfo@op.example",
        "email_verified": True,
        "acr": "of UserInfo",
        "locale": "de",
    }

    logged_in = done(resume(RP, step, json_response(members)))

    claims = logged_in.claims
    assert (claims["name"], claims["email"]) == ("of the ID token", "id@op.example")
    assert (claims["locale"], claims["iss"], claims["aud"]) == ("de", ISSUER, CLIENT_ID)
    assert "acr" not in claims
    assert "email_verified" not in claims
    assert logged_in.userinfo is not None
    assert logged_in.userinfo.claims["name"] == "of UserInfo"


def signed_userinfo_step(rp: RelyingParty, token: str) -> Step[LoggedIn]:
    login = started(rp)
    step = with_keys(rp, with_tokens(rp, login, signed(claims_of(login))))
    assert isinstance(step, AwaitingUserInfo)
    return resume(rp, step, json_response(token.encode(), content_type="application/jwt"))


SIGNED: Final = relying_party(client={"userinfo_signed_response_alg": "ES256"})
REQUIRED: Final = Policy(userinfo="required")
USERINFO: Final = {"iss": ISSUER, "aud": CLIENT_ID, "sub": SUB}


def test_signed_userinfo_asks_for_keys_as_what_was_asked_for() -> None:
    step = signed_userinfo_step(SIGNED, signed(USERINFO))

    assert isinstance(step, AwaitingUserInfoKeys)
    assert step.wanted == keys_wanted(SIGNED, "solicited")
    assert done(with_keys(SIGNED, step)).evidence.userinfo is not None


def test_signed_userinfo_may_be_larger_than_an_id_token() -> None:
    picture = "x" * 30_000
    many = {**USERINFO, **{f"picture_{number}": picture for number in range(4)}}
    large = signed(many)
    assert len(large) > LIMITS.id_token

    assert done(with_keys(SIGNED, signed_userinfo_step(SIGNED, large))).userinfo is not None

    required = evolve(SIGNED, policy=REQUIRED)
    beyond = "x" * (LIMITS.userinfo + 1)
    error = refused(
        TransportFailure, "http_too_large", lambda: signed_userinfo_step(required, beyond)
    )
    assert error.expected == f"up to {LIMITS.userinfo}"


def test_each_kind_of_token_is_protected_as_it_was_registered_itself() -> None:
    client = evolve(
        RP.client, userinfo_encrypted_response_alg="ECDH-ES", userinfo_signed_response_alg="ES256"
    )
    rp = evolve(RP, client=client, decrypter=ClientDecrypter(DECRYPTION_KEY, client_secrets={}))

    assert rp.protection["userinfo"] == (frozenset({"ES256"}), ("ECDH-ES", "A128CBC-HS256"))
    assert rp.protection["id_token"].encryption is None
    assert "RS256" in rp.protection["id_token"].algorithms
    # The ID token may come in the clear; UserInfo must not.
    assert done(signed_userinfo_step(rp, signed(USERINFO))).userinfo is None
    required = evolve(rp, policy=REQUIRED)
    refused(
        ProtocolViolation,
        "encryption_missing",
        lambda: signed_userinfo_step(required, signed(USERINFO)),
    )


# --- linking, redirect URI, parameters ----------------------------------------------------------


def test_a_link_through_the_client_is_finished_by_its_own_account_only() -> None:
    rig = new_rig()
    request = AuthenticationRequest(account="account-7")
    arrived = rig.visit(rig.start(request))

    refused(
        CallbackError,
        "account_mismatch",
        lambda: rig.finish(arrived, account="account-8"),
    )
    arrived = rig.visit(rig.start(request))
    result = rig.finish(arrived, account="account-7")
    assert result.logged_in.account == "account-7"


@pytest.mark.parametrize(
    "url",
    [
        f"{REDIRECT_URI}/",
        REDIRECT_URI[:-1],
        REDIRECT_URI.upper(),
        REDIRECT_URI.replace("https:", "http:"),
        REDIRECT_URI.replace("rp.example", "rp.example:443"),
        REDIRECT_URI.replace("rp.", "RP."),
        f"{REDIRECT_URI}%20",
    ],
)
def test_the_redirect_uri_is_compared_exactly(url: str) -> None:
    login = started()
    elsewhere = evolve(callback(login), url=url)

    error = refused(
        CallbackError,
        "redirect_uri_mismatch",
        lambda: finish(RP, login.pending, elsewhere, binding=login.binding, now=NOW),
    )

    assert (error.found, error.expected) == (url, REDIRECT_URI)
    there = evolve(callback(login), url=REDIRECT_URI)
    step = finish(RP, login.pending, there, binding=login.binding, now=NOW)
    assert isinstance(step, Exchange)
    assert form_of(step)["redirect_uri"] == REDIRECT_URI


@pytest.mark.parametrize("query", ["code=%FF&state=s", "code=c&state=%C3", "iss=%FE&state=s"])
def test_a_parameter_that_cannot_be_decoded_is_refused(query: str) -> None:
    error = refused(CallbackError, "parameter_malformed", lambda: came(query).named)

    assert error.about in {"code", "state", "iss"}


@pytest.mark.parametrize("digits", [3, 10, 19, 4_300, 5_000])
def test_an_expires_in_of_many_digits_is_bounded(digits: int) -> None:
    response = parse_token_response(token_answer(None, expires_in="9" * digits))

    assert response.expires_in == (999 if digits == 3 else 2**31)


# --- keys ---------------------------------------------------------------------------------------


class Attended(SingleFlight[Any]):
    """Tells when somebody has been told to fetch or to wait."""

    __slots__ = ("attended",)

    def __init__(self) -> None:
        super().__init__()
        self.attended = Semaphore(0)

    def _board(self, key: Hashable) -> Any:
        told = super()._board(key)
        self.attended.release()
        return told


@pytest.mark.parametrize("kept", [False, True], ids=["nothing is kept", "an older set is kept"])
def test_those_who_wait_for_a_fetch_that_fails_are_told_so_too(kept: bool) -> None:
    """An older set does not answer them: it lacks the key that they ask for."""
    store, clock, all_of_them = MemoryProviderKeys(), FrozenClock(NOW), 5
    flights = store._flights = Attended()
    answers, asked = list[object](), list[HttpRequest]()
    wish = keys_wanted(RP)
    if kept:
        filled = json_response({"keys": [signing_key().public_jwk()]})
        assert isinstance(store.find(wish, lambda r: AnswerTo(r, filled), clock), KeysFound)
        assert flights.attended.acquire(timeout=10)
        wish = evolve(wish, newer_than=NOW, missing_kid="k2")

    def send(request: HttpRequest) -> AnswerTo:
        asked.append(request)
        for _ in range(all_of_them):  # the others come while this fetch runs
            assert flights.attended.acquire(timeout=10)
        return AnswerTo(request, NoAnswer("no", "http_connect_failed", NOW))

    def find() -> None:
        answers.append(store.find(wish, send, clock))

    threads = [Thread(target=find) for _ in range(all_of_them)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    told = [(a.reason, a.fault and a.fault.code) for a in answers if isinstance(a, KeysWithheld)]
    assert told == [("unreachable", "http_connect_failed")] * all_of_them
    assert len(asked) == 1
