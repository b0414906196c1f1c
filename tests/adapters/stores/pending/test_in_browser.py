"""Stores that keep a binding in the browser: in memory, in records, and awaited."""

import pickle
from collections.abc import Callable
from functools import partial
from itertools import permutations
from typing import Final

import pytest
from attrs import evolve

from oidc_adapters.stores.pending import (
    CookieProfile,
    LogoutSecrets,
    MemoryPendingLogins,
    PendingLogins,
    RecordPendingLogins,
    TakenLogout,
)
from oidc_adapters.stores.pending.cookies import BUDGET
from oidc_adapters.stores.pending.in_browser import PROFILE, RETURN_TO
from oidc_adapters.stores.records import MemoryRecords
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.machine.steps import Done
from oidc_core.model.pending import pending_id_of
from oidc_core.model.policy import Policy
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import logout
from oidc_core.wire.errors import CallbackError, ProtocolViolation
from tests.adapters.stores.pending.started import (
    ISSUER,
    NOW,
    OTHER_CLIENT,
    RP,
    SECRET,
    Awaited,
    Jar,
    came_back,
    finished,
    jar,
    logout_started,
    put,
    received,
    refused,
    sent,
    size,
    started,
)

SHORT: Final = evolve(RP, policy=Policy(login_lifetime=60))


def in_memory(profile: CookieProfile = PROFILE) -> PendingLogins:
    return MemoryPendingLogins(profile=profile)


def in_records(profile: CookieProfile = PROFILE) -> PendingLogins:
    return RecordPendingLogins(MemoryRecords(), SECRET, profile=profile)


def awaited(profile: CookieProfile = PROFILE) -> PendingLogins:
    return Awaited(in_records(profile))


KINDS: Final = (in_memory, in_records, awaited)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest) -> PendingLogins:
    made: PendingLogins = request.param()
    return made


def code(
    store: PendingLogins,
    pending_id: str,
    cookies: Jar,
    *,
    now: int = NOW,
    rp: RelyingParty = RP,
) -> str:
    with pytest.raises(CallbackError) as caught:
        store.take(rp, pending_id, sent(cookies), now)
    return caught.value.code


def ended(
    store: PendingLogins, seed: int = 1, *, now: int = NOW, uri: str = ""
) -> tuple[PendingLogout, Jar]:
    request = LogoutRequest(post_logout_redirect_uri=uri)
    pending, secrets = logout_started(store, seed, request, now=now)
    return pending, jar(*store.put_logout(RP, pending, secrets, (), now))


def taking(
    store: PendingLogins,
    state: str,
    cookies: Jar,
    *,
    now: int = NOW,
    rp: RelyingParty = RP,
) -> Callable[[], TakenLogout]:
    return partial(store.take_logout, rp, pending_id_of(state), sent(cookies), now)


def test_a_cookie_holds_the_binding_and_nothing_else(store: PendingLogins) -> None:
    begun = started(store=store)

    (cookie,) = store.put(RP, begun, (), NOW)

    name = f"__Host-oidc-{begun.pending.id[:8]}"
    assert cookie == (name, f"{NOW}.{begun.binding}", 600, "Lax", True)


def test_a_form_post_needs_a_cookie_that_crosses_sites(store: PendingLogins) -> None:
    begun = started(store=store, request=AuthenticationRequest(response_mode="form_post"))

    assert store.put(RP, begun, (), NOW)[0].same_site == "None"


def test_another_browser_is_refused_and_ends_nobodys_login(store: PendingLogins) -> None:
    begun, another = started(1), started(2)
    own, others = put(store, begun), put(store, another)
    ((name, value),) = own.items()

    assert code(store, begun.pending.id, {}) == "binding_missing"
    assert code(store, begun.pending.id, others) == "binding_missing"
    for changed in ("", ".", f"{NOW}.", begun.binding):
        assert code(store, begun.pending.id, {name: changed}) == "binding_missing"
    for changed in (f"{NOW}.{another.binding}", value + "x", value[:-1], "..", f"{NOW}. ", ".é"):
        assert code(store, begun.pending.id, {name: changed}) == "binding_mismatch"
    refused(
        CallbackError,
        "binding_duplicated",
        partial(store.take, RP, begun.pending.id, (*sent(own), *sent(own)), NOW),
    )
    assert store.take(RP, begun.pending.id, sent(own), NOW).pending == begun.pending


def test_a_doubled_cookie_of_another_login_does_not_disturb(store: PendingLogins) -> None:
    begun, another = started(1), started(2)
    own, others = sent(put(store, begun)), sent(put(store, another))
    foreign = (("__Host-oidc-x", "1"), ("__Host-oidc-x", "2"))

    taken = store.take(RP, begun.pending.id, (*others, *own, *others, *foreign), NOW)

    assert taken.pending == begun.pending


def test_an_unknown_login_is_refused(store: PendingLogins) -> None:
    assert code(store, "unknown", {"__Host-oidc-unknown": "x"}) == "state_unknown"
    assert not store.belongs(RP, "unknown", ())


def test_a_login_of_another_client_is_refused_and_can_still_be_taken(
    store: PendingLogins,
) -> None:
    begun = started()
    cookies = put(store, begun)
    for _ in range(2):
        assert not store.belongs(OTHER_CLIENT, begun.pending.id, sent(cookies))
        assert code(store, begun.pending.id, cookies, rp=OTHER_CLIENT) == "connection_mismatch"
        assert store.belongs(RP, begun.pending.id, sent(cookies))

    assert store.take(RP, begun.pending.id, sent(cookies), NOW).pending == begun.pending


def test_what_changed_meanwhile_is_told_by_the_core(store: PendingLogins) -> None:
    moved = evolve(RP, provider=evolve(RP.provider, token_endpoint=f"{ISSUER}/moved"))
    begun, another = started(1), started(2)
    cookies = put(store, another, put(store, begun))
    taken = store.take(moved, begun.pending.id, sent(cookies), NOW)
    refused(ProtocolViolation, "metadata_changed", partial(finished, begun, taken, rp=moved))
    taken = store.take(SHORT, another.pending.id, sent(cookies), NOW)
    refused(CallbackError, "policy_changed", partial(finished, another, taken, rp=SHORT))


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_three_logins_in_a_browser_finish_in_any_order(
    store: PendingLogins, order: tuple[int, ...]
) -> None:
    logins = [started(seed) for seed in range(3)]
    cookies: Jar = {}
    for begun in logins:
        cookies = put(store, begun, cookies)

    for number in order:
        begun = logins[number]
        assert store.take(RP, begun.pending.id, sent(cookies), NOW).pending == begun.pending


@pytest.mark.parametrize("character", ["a", "é", "🛒"])
def test_a_return_to_of_1024_characters_is_kept_and_no_longer_one(
    store: PendingLogins, character: str
) -> None:
    for length, kept in ((RETURN_TO, True), (RETURN_TO + 1, False), (100_000, False)):
        return_to = "/".ljust(length, character)
        begun = started(request=AuthenticationRequest(return_to=return_to))
        taken = store.take(RP, begun.pending.id, sent(put(store, begun)), NOW)
        assert taken.pending == evolve(begun.pending, return_to=return_to if kept else "")


def test_the_cookies_of_a_browser_stay_within_its_budget(store: PendingLogins) -> None:
    cookies: Jar = {"session": "the application's own", "__Host-oidc-x": 500 * "x"}
    foreign = dict(cookies)
    begun = started(90)
    for seed in range(90):
        begun = started(seed, now=NOW + seed)
        cookies = put(store, begun, cookies)
        mine = {name: value for name, value in cookies.items() if store.profile.owns(name)}
        assert size(mine) <= BUDGET

    assert {name: cookies[name] for name in foreign} == foreign
    each = len(f"__Host-oidc-12345678={NOW}.{begun.binding}; ")
    assert len(cookies) - len(foreign) == BUDGET // each < 90
    assert store.take(RP, begun.pending.id, sent(cookies), NOW + 90).pending == begun.pending
    assert code(store, started(0).pending.id, cookies, now=NOW + 90) == "binding_missing"


@pytest.mark.parametrize(
    "odd", ["", "x", "-1", "+5", " 7", "1e9", "\u0663", "²", "1" * 11, "1" * 2_990]
)
def test_whatever_has_no_date_goes_first(store: PendingLogins, odd: str) -> None:
    cookies: Jar = {"__Host-oidc-undated0": f"{odd}.".ljust(3_000, "x")}
    for seed in range(13):
        cookies = put(store, started(seed, now=NOW + seed), cookies)
    assert "__Host-oidc-undated0" not in cookies
    assert len(cookies) == 13


def test_the_profile_is_the_cookies() -> None:
    profile = CookieProfile.insecure_for_loopback_development()
    store = MemoryPendingLogins(profile=profile)
    begun = started()

    (cookie,) = store.put(RP, begun, (), NOW)

    assert store.profile is profile
    assert cookie.name == f"oidc-{begun.pending.id[:8]}"
    assert store.take(RP, begun.pending.id, sent(jar(cookie)), NOW).binding == begun.binding


def test_nothing_secret_shows_nor_is_pickled(store: PendingLogins) -> None:
    begun = started()
    secrets = LogoutSecrets("canary-state", "canary-binding")
    cookies = put(store, begun)

    assert "canary" not in f"{secrets!r} {secrets}"
    assert begun.binding not in f"{store!r} {store.put(RP, started(2), sent(cookies), NOW)!r}"
    with pytest.raises(TypeError):
        pickle.dumps(store)


@pytest.mark.parametrize("uri", RP.client.post_logout_redirect_uris)
def test_a_logout_is_put_and_taken_once(store: PendingLogins, uri: str) -> None:
    pending, cookies = ended(store, uri=uri)
    ((name, value),) = cookies.items()
    assert name == "__Host-oidc-out-" + pending_id_of(pending.state)[:8]
    assert pending.state not in value

    taken = taking(store, pending.state, cookies)()

    assert taken.pending == pending
    assert received(cookies, taken.cookies) == {}
    step = logout.finish(RP, taken.pending, came_back(pending.state), now=NOW)
    assert isinstance(step, Done)
    assert step.result.post_logout_redirect_uri == uri
    refused(CallbackError, "logout_state_mismatch", taking(store, pending.state, cookies))


def test_a_logout_is_its_browsers_and_its_clients(store: PendingLogins) -> None:
    pending, cookies = ended(store, 1)
    other, others = ended(store, 2)
    (name,), (foreign,) = cookies, others.values()
    wrong: tuple[Jar, ...] = ({}, others, {name: ""}, {name: foreign}, {name: "x"}, {name: "."})
    for brought in wrong:
        refused(CallbackError, "logout_state_mismatch", taking(store, pending.state, brought))
    for state in ("", "x", other.state):
        refused(CallbackError, "logout_state_mismatch", taking(store, state, cookies))
    twice = (*sent(cookies), *sent(cookies), *sent(others))
    take = partial(store.take_logout, RP, pending_id_of(pending.state), twice, NOW)
    refused(CallbackError, "binding_duplicated", take)
    mismatch = taking(store, pending.state, cookies, rp=OTHER_CLIENT)
    assert refused(CallbackError, "connection_mismatch", mismatch).about == "client"

    assert store.take_logout(RP, pending_id_of(other.state), twice, NOW).pending == other
    assert taking(store, pending.state, cookies)().pending == pending


def test_logouts_stay_within_the_browsers_budget(store: PendingLogins) -> None:
    cookies: Jar = {}
    for seed in range(90):
        pending, secrets = logout_started(store, seed, now=NOW + seed)
        cookies = received(
            cookies, store.put_logout(RP, pending, secrets, sent(cookies), NOW + seed)
        )
        assert size(cookies) <= BUDGET
    assert len(cookies) < 90
