"""Logouts sealed in cookies: one each, by its browser and client, and over after its time."""

from collections.abc import Callable
from functools import partial
from itertools import permutations
from typing import Final

import pytest
from attrs import evolve

from oidc_adapters.stores.pending import CookiePendingLogins, LogoutSecrets, TakenLogout
from oidc_adapters.stores.sealed_box import KEY_ID
from oidc_core.endpoints.end_session import LogoutRequest, returned_state
from oidc_core.machine.steps import Done
from oidc_core.model.client import ClientRegistration
from oidc_core.model.pending import pending_id_of
from oidc_core.model.records import PendingLogout
from oidc_core.operations import logout
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.incoming import Incoming
from tests.adapters.stores.pending.started import (
    NOW,
    OTHER_CLIENT,
    RP,
    SECRET,
    Jar,
    came_back,
    jar,
    logout_started,
    put,
    received,
    refused,
    sent,
    size,
    started,
)

NEW: Final = b"n" * 32
BYE: Final = RP.client.post_logout_redirect_uris[0]


@pytest.fixture
def store() -> CookiePendingLogins:
    return CookiePendingLogins(SECRET)


def begun(
    store: CookiePendingLogins, seed: int = 1, *, now: int = NOW
) -> tuple[PendingLogout, Jar]:
    pending, secrets = logout_started(store, seed, now=now)
    return pending, jar(*store.put_logout(RP, pending, secrets, (), now))


def taking(store: CookiePendingLogins, state: str, cookies: Jar) -> Callable[[], TakenLogout]:
    """The application's handling of the state that a browser brings back."""
    return partial(store.take_logout, RP, pending_id_of(state), sent(cookies), NOW)


# --- one each ------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", ["", *RP.client.post_logout_redirect_uris])
def test_a_logout_comes_back_as_it_began(store: CookiePendingLogins, uri: str) -> None:
    request = LogoutRequest(post_logout_redirect_uri=uri)
    pending, secrets = logout_started(store, request=request)
    cookies = jar(*store.put_logout(RP, pending, secrets, (), NOW))

    taken = taking(store, secrets.state, cookies)()

    assert taken.pending == pending
    assert taken.pending.post_logout_redirect_uri == (uri or BYE)
    assert received(cookies, taken.cookies) == {}
    step = logout.finish(RP, taken.pending, came_back(secrets.state), now=NOW + 600)
    assert isinstance(step, Done)
    assert step.result.post_logout_redirect_uri == (uri or BYE)


def test_a_client_without_a_place_to_return_to_gets_none_from_a_cookie() -> None:
    store = CookiePendingLogins(SECRET)
    client = ClientRegistration(client_id="client", redirect_uris=("https://rp.example/callback",))
    rp = evolve(RP, client=client)
    pending, secrets = logout_started(store, rp=rp)
    (cookie,) = store.put_logout(rp, pending, secrets, (), NOW)

    taken = store.take_logout(rp, pending_id_of(secrets.state), sent(jar(cookie)), NOW)

    assert taken.pending == pending
    assert taken.pending.post_logout_redirect_uri == ""


def test_the_cookie_of_a_logout_has_its_name_its_lifetime_and_its_size(
    store: CookiePendingLogins,
) -> None:
    pending, secrets = logout_started(store)

    (cookie,) = store.put_logout(RP, pending, secrets, (), NOW)

    name = "__Host-oidc-out-" + pending_id_of(pending.state)[:8]
    assert cookie == (name, cookie.value, 600, "Lax", True)
    assert size(jar(cookie)) == 98
    assert pending.state not in f"{cookie.name} {cookie.value}"


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_three_logouts_and_a_login_in_a_browser_do_not_disturb_each_other(
    store: CookiePendingLogins, order: tuple[int, ...]
) -> None:
    login = started(9, store=store)
    logouts = [begun(store, seed) for seed in range(3)]
    cookies = put(store, login)
    for _, own in logouts:
        cookies |= own
    assert len(cookies) == 4

    for number in order:
        pending, _ = logouts[number]
        taken = taking(store, pending.state, cookies)()
        assert taken.pending == pending
        cookies = received(cookies, taken.cookies)

    assert store.take(RP, login.pending.id, sent(cookies), NOW).pending == login.pending


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("age", [601, 86_400, -61, -86_400])
def test_a_logout_out_of_its_time_is_refused_by_the_core(
    store: CookiePendingLogins, age: int
) -> None:
    pending, cookies = begun(store)
    taken = taking(store, pending.state, cookies)()

    error = refused(
        CallbackError,
        "logout_expired",
        partial(logout.finish, RP, taken.pending, came_back(pending.state), now=NOW + age),
    )

    assert (error.found, error.expected) == (age, 600)


@pytest.mark.parametrize("state", ["", "x", "A" * 43])
def test_another_browser_and_a_state_that_nobody_gave_out_are_refused(
    store: CookiePendingLogins, state: str
) -> None:
    pending, cookies = begun(store)
    for returned, brought in ((pending.state, {}), (state, cookies), (state, {})):
        error = refused(CallbackError, "logout_state_mismatch", taking(store, returned, brought))
        assert error.about == "cookie"


@pytest.mark.parametrize("query", ["", "state=", "state", "other=x"])
def test_an_empty_state_does_not_even_name_a_logout(query: str) -> None:
    incoming = Incoming(method="GET", url=BYE, query=query)

    refused(CallbackError, "logout_state_mismatch", partial(returned_state, incoming))


@pytest.mark.parametrize("value", ["x", ".", "A" * 66, "A" * 67, '{"state":""}'])
def test_a_forged_cookie_is_refused_even_of_an_empty_state(
    store: CookiePendingLogins, value: str
) -> None:
    forged = {store.profile.logout_name(pending_id_of("")): value}

    refused(CallbackError, "cookie_invalid", taking(store, "", forged))


def test_the_cookie_of_an_empty_state_cannot_be_made_here(store: CookiePendingLogins) -> None:
    pending, secrets = logout_started(store)
    empty = evolve(pending, state="")

    refused(UsageError, "entropy_failure", partial(store.put_logout, RP, empty, secrets, (), NOW))


def test_an_empty_cookie_is_none(store: CookiePendingLogins) -> None:
    pending, cookies = begun(store)

    refused(
        CallbackError,
        "logout_state_mismatch",
        taking(store, pending.state, dict.fromkeys(cookies, "")),
    )


def test_every_changed_octet_is_refused(store: CookiePendingLogins) -> None:
    pending, cookies = begun(store)
    ((name, value),) = cookies.items()
    octets = b64url_decode(value.encode())
    for at in range(len(octets)):
        changed = bytearray(octets)
        changed[at] ^= 0x55
        expected = "cookie_key_unknown" if 1 <= at <= KEY_ID else "cookie_invalid"
        brought = {name: b64url_encode(bytes(changed))}
        refused(CallbackError, expected, taking(store, pending.state, brought))


def test_a_cookie_does_not_stand_in_for_another(store: CookiePendingLogins) -> None:
    pending, cookies = begun(store, 1)
    ((name, _),) = cookies.items()
    (another,) = begun(store, 2)[1].values()
    (login,) = put(store, started(3, store=store)).values()

    for value in (another, login):
        refused(CallbackError, "cookie_invalid", taking(store, pending.state, {name: value}))


def test_a_doubled_cookie_disturbs_its_own_logout_only(store: CookiePendingLogins) -> None:
    pending, cookies = begun(store, 1)
    other, others = begun(store, 2)
    brought = (*sent(cookies), *sent(others), *sent(others))

    refused(
        CallbackError,
        "binding_duplicated",
        partial(store.take_logout, RP, pending_id_of(other.state), brought, NOW),
    )
    taken = store.take_logout(RP, pending_id_of(pending.state), brought, NOW)
    assert taken.pending == pending


def test_another_client_is_refused_and_the_right_one_is_not(store: CookiePendingLogins) -> None:
    pending, cookies = begun(store)
    take = partial(
        store.take_logout, OTHER_CLIENT, pending_id_of(pending.state), sent(cookies), NOW
    )

    assert refused(CallbackError, "connection_mismatch", take).about == "client"
    assert taking(store, pending.state, cookies)().pending == pending


def test_a_secret_can_be_rotated_while_logouts_are_in_flight(store: CookiePendingLogins) -> None:
    pending, cookies = begun(store)

    assert taking(CookiePendingLogins(NEW, SECRET), pending.state, cookies)().pending == pending
    error = refused(
        CallbackError,
        "cookie_key_unknown",
        taking(CookiePendingLogins(NEW), pending.state, cookies),
    )
    (value,) = cookies.values()
    assert error.found == b64url_decode(value.encode())[1 : 1 + KEY_ID].hex()


# --- what the application does wrong -------------------------------------------------------------


@pytest.mark.parametrize("binding", ["", "x", "é", "A" * 21, "A" * 24, "A" * 44])
def test_a_logout_with_the_secrets_of_another_store_is_refused(
    store: CookiePendingLogins, binding: str
) -> None:
    pending, secrets = logout_started(store)
    foreign = (
        LogoutSecrets(secrets.state, binding),
        LogoutSecrets(secrets.state, logout_started(store, 2)[1].binding),
    )
    for each in foreign:
        refused(
            UsageError, "entropy_failure", partial(store.put_logout, RP, pending, each, (), NOW)
        )
    other = logout_started(CookiePendingLogins(NEW, SECRET))
    refused(UsageError, "entropy_failure", partial(store.put_logout, RP, *other, (), NOW))


@pytest.mark.parametrize("octets", [1, 400, 2_000])
def test_a_cookie_is_as_small_however_long_the_redirect_uri(octets: int) -> None:
    """A browser drops a cookie that is too large in silence, and no logout would come back."""
    store, uri = CookiePendingLogins(SECRET), BYE + "x" * octets
    rp = evolve(RP, client=evolve(RP.client, post_logout_redirect_uris=(uri,)))
    pending, secrets = logout_started(store, rp=rp)
    cookies = jar(*store.put_logout(rp, pending, secrets, (), NOW))

    assert size(cookies) == 98
    taken = store.take_logout(rp, pending_id_of(secrets.state), sent(cookies), NOW)
    assert taken.pending.post_logout_redirect_uri == uri


@pytest.mark.parametrize("now", [-1, 2**32])
def test_a_clock_beyond_its_edges_is_refused_at_the_start(
    store: CookiePendingLogins, now: int
) -> None:
    pending, secrets = logout_started(store, now=now)

    refused(UsageError, "config_invalid", partial(store.put_logout, RP, pending, secrets, (), now))


@pytest.mark.parametrize("now", [0, 2**32 - 1])
def test_the_edges_of_the_clock_are_as_any_other_time(store: CookiePendingLogins, now: int) -> None:
    pending, cookies = begun(store, now=now)

    assert taking(store, pending.state, cookies)().pending == pending
