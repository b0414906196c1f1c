"""Logins sealed in cookies: opened for their browser, and for the client they began with."""

import pickle
from functools import partial
from itertools import permutations
from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import CookiePendingLogins, CookieProfile
from oidc_adapters.stores.sealed_box import KEY_ID
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.pending import pending_id_of
from oidc_core.model.policy import Policy
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import (
    CallbackError,
    OidcError,
    ProtocolViolation,
    UsageError,
)
from tests.adapters.stores.pending.started import (
    ISSUER,
    NOW,
    OTHER_CLIENT,
    RP,
    SECRET,
    Jar,
    code,
    finished,
    jar,
    logout_started,
    put,
    received,
    refusal,
    refused,
    sent,
    started,
)

NEW: Final = b"n" * 32
FORM_POST: Final = AuthenticationRequest(response_mode="form_post")


@pytest.fixture
def store() -> CookiePendingLogins:
    return CookiePendingLogins(SECRET)


# --- the browser that began it -------------------------------------------------------------------


def test_a_browser_without_the_cookie_is_refused(store: CookiePendingLogins) -> None:
    begun, another = started(1, store=store), started(2, store=store)
    name = store.profile.login_name(begun.pending.id)

    for cookies in ({}, put(store, another), {name: ""}):
        error = refusal(store, begun.pending.id, cookies)
        assert (error.code, error.about) == ("binding_missing", "cookie")


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_three_logins_in_a_browser_finish_in_any_order(
    store: CookiePendingLogins, order: tuple[int, ...]
) -> None:
    logins = [started(seed, now=NOW + seed, store=store) for seed in range(3)]
    cookies: Jar = {}
    for begun in logins:
        cookies = put(store, begun, cookies)

    for number in order:
        begun = logins[number]
        taken = store.take(RP, begun.pending.id, sent(cookies), NOW)
        assert (taken.pending, taken.binding) == (begun.pending, begun.binding)
        cookies = received(cookies, taken.cookies)

    assert cookies == {}


def test_a_doubled_cookie_disturbs_its_own_login_only(store: CookiePendingLogins) -> None:
    begun, another = started(1, store=store), started(2, store=store)
    cookies, other = put(store, begun), put(store, another)
    foreign = (("__Host-oidc-x", "1"), ("__Host-oidc-x", "2"), ("__Host-oidc-", ""))
    doubled = (*sent(cookies), *sent(other), *sent(other), *foreign, *foreign)

    error = refused(
        CallbackError,
        "binding_duplicated",
        lambda: store.take(RP, another.pending.id, doubled, NOW),
    )
    assert error.about == "cookie"
    assert not store.belongs(RP, another.pending.id, doubled)
    assert store.belongs(RP, begun.pending.id, doubled)
    assert store.take(RP, begun.pending.id, doubled, NOW).pending == begun.pending
    assert store.take(RP, another.pending.id, sent(other), NOW).pending == another.pending


def test_every_changed_octet_is_refused_and_consumes_nothing(store: CookiePendingLogins) -> None:
    begun = started(store=store)
    ((name, value),) = put(store, begun).items()
    octets = b64url_decode(value.encode())
    for at in range(len(octets)):
        changed = bytearray(octets)
        changed[at] ^= 0x55
        expected = "cookie_key_unknown" if 1 <= at <= KEY_ID else "cookie_invalid"
        cookies = {name: b64url_encode(bytes(changed))}
        assert code(store, begun.pending.id, cookies) == expected, at
        assert not store.belongs(RP, begun.pending.id, sent(cookies))

    assert store.take(RP, begun.pending.id, ((name, value),), NOW).pending == begun.pending


def test_every_cut_and_every_addition_is_refused(store: CookiePendingLogins) -> None:
    begun = started(store=store)
    ((name, value),) = put(store, begun).items()
    changes = [value[:length] for length in range(1, len(value))]
    for changed in (*changes, value + "A", value + "=", f'"{value}"', "x", "é", "\ud800"):
        assert code(store, begun.pending.id, {name: changed}) == "cookie_invalid"


def test_a_cookie_does_not_stand_in_for_another(store: CookiePendingLogins) -> None:
    """Neither another login's, nor a logout's, nor under another name."""
    begun, another = started(1, store=store), started(2, store=store)
    name = store.profile.login_name(begun.pending.id)
    (foreign,) = put(store, another).values()
    pending, secrets = logout_started(store, 3)
    (logout,) = jar(*store.put_logout(RP, pending, secrets, (), NOW)).values()

    for value in (foreign, logout):
        assert code(store, begun.pending.id, {name: value}) == "cookie_invalid"
    of_logout = store.profile.logout_name(begun.pending.id)
    (own,) = put(store, begun).values()
    assert code(store, begun.pending.id, {of_logout: own}) == "binding_missing"
    twin = name[-8:] + "another login's id"
    assert code(store, twin, {name: own}) == "cookie_invalid"


# --- keys ----------------------------------------------------------------------------------------


def test_a_secret_can_be_rotated_while_logins_are_in_flight() -> None:
    old, rotating = CookiePendingLogins(SECRET), CookiePendingLogins(NEW, SECRET)
    begun = started(store=old, request=AuthenticationRequest(max_age=5, return_to="/a"))
    cookies = put(old, begun)

    assert rotating.belongs(RP, begun.pending.id, sent(cookies))
    taken = rotating.take(RP, begun.pending.id, sent(cookies), NOW)
    assert (taken.pending, taken.binding) == (begun.pending, begun.binding)
    newest = started(store=rotating)
    later = CookiePendingLogins(NEW).take(RP, newest.pending.id, sent(put(rotating, newest)), NOW)
    assert later.pending == newest.pending


def test_a_worker_with_another_secret_says_which_key_it_lacks() -> None:
    begun = started(store=CookiePendingLogins(SECRET))
    cookies = put(CookiePendingLogins(SECRET), begun)
    (value,) = cookies.values()
    worker = CookiePendingLogins(NEW)

    error = refusal(worker, begun.pending.id, cookies)

    assert error.code == "cookie_key_unknown"
    assert error.found == b64url_decode(value.encode())[1 : 1 + KEY_ID].hex()
    assert not worker.belongs(RP, begun.pending.id, sent(cookies))


def test_sealing_secrets_are_required() -> None:
    assert refused(UsageError, "config_invalid", CookiePendingLogins).about == "sealing secret"


def test_a_login_with_the_secrets_of_another_store_is_refused(store: CookiePendingLogins) -> None:
    """Its demands could not be derived again: the user would log in for nothing."""
    other = started(store=CookiePendingLogins(NEW, SECRET))
    begun = started(1, store=store)
    mixed = evolve(begun, binding=started(2, store=store).binding)
    for foreign in (started(), other, mixed, *[evolve(begun, binding=b) for b in ("", "x", "é")]):
        refused(UsageError, "entropy_failure", partial(store.put, RP, foreign, (), NOW))


class Tokens(FixedEntropy):
    """Gives one and the same token."""

    def __init__(self, token: str) -> None:
        super().__init__(0)
        self._token = token

    def token(self) -> str:
        return self._token


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "é" * 44,
        "A" * 20,
        "A" * 43 + "=",
        "A" * 43 + "\n",
        "A" * 43,
        b64url_encode(b"\xa5" * 32),
    ],
)
def test_entropy_that_is_none_is_refused(store: CookiePendingLogins, token: str) -> None:
    for draw in (store.secrets, store.logout_secrets):
        error = refused(UsageError, "entropy_failure", partial(draw, Tokens(token)))
        assert error.about == "token"


# --- the client it began with --------------------------------------------------------------------


def test_a_login_of_another_client_is_refused_and_can_still_be_taken(
    store: CookiePendingLogins,
) -> None:
    begun = started(store=store)
    cookies = put(store, begun)
    for _ in range(2):
        assert not store.belongs(OTHER_CLIENT, begun.pending.id, sent(cookies))
        error = refusal(store, begun.pending.id, cookies, rp=OTHER_CLIENT)
        assert (error.code, error.about) == ("connection_mismatch", "client")
        assert store.belongs(RP, begun.pending.id, sent(cookies))

    assert store.take(RP, begun.pending.id, sent(cookies), NOW).pending == begun.pending


def test_what_changed_meanwhile_is_told_by_the_core(store: CookiePendingLogins) -> None:
    moved = evolve(RP, provider=evolve(RP.provider, token_endpoint=f"{ISSUER}/moved"))
    stricter = evolve(RP, policy=Policy(leeway=5))
    cases: tuple[tuple[Any, type[OidcError], str], ...] = (
        (moved, ProtocolViolation, "metadata_changed"),
        (stricter, CallbackError, "policy_changed"),
    )
    for seed, (rp, kind, expected) in enumerate(cases):
        begun = started(seed, store=store)
        cookies = put(store, begun)
        assert store.belongs(rp, begun.pending.id, sent(cookies))
        taken = store.take(rp, begun.pending.id, sent(cookies), NOW)
        refused(kind, expected, partial(finished, begun, taken, rp=rp))


def test_a_promised_iss_is_expected_though_the_promise_is_gone(store: CookiePendingLogins) -> None:
    provider = evolve(RP.provider, authorization_response_iss_parameter_supported=True)
    promised = evolve(RP, provider=provider)
    begun = started(store=store, rp=promised)
    cookies = jar(*store.put(promised, begun, (), NOW))

    taken = store.take(RP, begun.pending.id, sent(cookies), NOW)

    assert taken.pending == begun.pending
    assert taken.pending.expects_iss
    refused(CallbackError, "response_iss_missing", lambda: finished(begun, taken))


# --- cookies -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "same_site"), [(AuthenticationRequest(), "Lax"), (FORM_POST, "None")]
)
def test_a_cookie_crosses_sites_only_for_a_form_post(
    store: CookiePendingLogins, request_: AuthenticationRequest, same_site: str
) -> None:
    begun = started(store=store, request=request_)

    (cookie,) = store.put(RP, begun, (), NOW)

    name = f"__Host-oidc-{begun.pending.id[:8]}"
    assert cookie == (name, cookie.value, 600, same_site, True)
    assert store.take(RP, begun.pending.id, sent(jar(cookie)), NOW).pending == begun.pending


def test_the_profile_is_the_cookies() -> None:
    profile = CookieProfile.insecure_for_loopback_development()
    store = CookiePendingLogins(SECRET, profile=profile)
    begun = started(store=store)

    (cookie,) = store.put(RP, begun, (), NOW)

    assert store.profile is profile
    assert cookie.header.startswith(f"oidc-{begun.pending.id[:8]}=")
    assert not cookie.header.endswith("Secure")
    assert store.take(RP, begun.pending.id, sent(jar(cookie)), NOW).pending == begun.pending


def test_nothing_secret_shows_nor_is_pickled() -> None:
    store = CookiePendingLogins(b"canary" * 6)
    begun = started(store=store)
    cookies = store.put(RP, begun, (), NOW)
    taken = store.take(RP, begun.pending.id, sent(jar(*cookies)), NOW)
    pending, secrets = logout_started(store, 2)
    logout = store.put_logout(RP, pending, secrets, (), NOW)

    shown = f"{store!r} {cookies!r} {taken!r} {taken} {evolve(taken)!r} {secrets!r} {logout!r}"
    hidden = (begun.pending.state, str(begun.pending.demands.nonce), begun.pending.code_verifier)
    for secret in ("canary", begun.binding, *hidden, *secrets):
        assert secret not in shown
    assert all(secret not in cookies[0].value for secret in hidden)
    assert pending_id_of(pending.state)[:8] in logout[0].name
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(store)
