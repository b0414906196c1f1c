"""The promise of every store of logins and logouts, and that it shows no secret."""

from collections.abc import Callable
from typing import Final

import pytest

from oidc_adapters.runtime.entropy import FixedEntropy, SystemEntropy
from oidc_adapters.stores.pending import (
    CookiePendingLogins,
    CookieProfile,
    LogoutSecrets,
    MemoryPendingLogins,
    MemorySpent,
    PendingLogins,
    Spent,
    Taken,
    TakenLogout,
)
from oidc_core.model.pending import LoginSecrets, pending_id_of
from oidc_core.wire.errors import CallbackError
from tests.adapters.stores.pending.started import (
    NOW,
    OTHER_CLIENT,
    RP,
    SECRET,
    jar,
    logout_started,
    refused,
    sent,
    started,
)

SPENT: Final[Spent] = MemorySpent()
NEW: Final[dict[str, Callable[[], PendingLogins]]] = {
    "cookie": lambda: CookiePendingLogins(SECRET),
    "memory": MemoryPendingLogins,
}


@pytest.fixture(params=NEW)
def store(request: pytest.FixtureRequest) -> PendingLogins:
    return NEW[request.param]()


def test_a_login_comes_back_once_and_its_cookie_goes(store: PendingLogins) -> None:
    begun = started(7, store=store)
    cookies = store.put(RP, begun, (), NOW)

    taken = store.take(RP, begun.pending.id, sent(jar(*cookies)), NOW)

    assert isinstance(store.profile, CookieProfile)
    assert isinstance(taken, Taken)
    assert (taken.pending, taken.binding) == (begun.pending, begun.binding)
    assert [cookie.name for cookie in taken.cookies] == [cookies[0].name]
    assert taken.single_use == SPENT.single_use == "process"
    with pytest.raises(CallbackError):
        store.take(RP, begun.pending.id, sent(jar(*cookies)), NOW)


def test_whose_a_login_is_can_be_asked_as_often_as_one_likes(store: PendingLogins) -> None:
    begun = started(7, store=store)
    cookies = sent(jar(*store.put(RP, begun, (), NOW)))
    unknown = pending_id_of("unknown")

    for _ in range(3):
        assert store.belongs(RP, begun.pending.id, cookies) is True
        assert store.belongs(OTHER_CLIENT, begun.pending.id, cookies) is False
        assert store.belongs(RP, unknown, cookies) is False
        refused(
            CallbackError,
            "connection_mismatch",
            lambda: store.take(OTHER_CLIENT, begun.pending.id, cookies, NOW),
        )

    assert store.take(RP, begun.pending.id, cookies, NOW).pending == begun.pending


def test_a_logout_comes_back_and_its_cookie_goes(store: PendingLogins) -> None:
    pending, secrets = logout_started(store)
    cookies = store.put_logout(RP, pending, secrets, (), NOW)
    pending_id = pending_id_of(pending.state)

    taken = store.take_logout(RP, pending_id, sent(jar(*cookies)), NOW)

    assert isinstance(taken, TakenLogout)
    assert taken.pending == pending
    assert [cookie.name for cookie in taken.cookies] == [cookies[0].name]
    refused(
        CallbackError,
        "logout_state_mismatch",
        lambda: store.take_logout(RP, pending_id, (), NOW),
    )


def test_secrets_are_fresh_each_time(store: PendingLogins) -> None:
    entropy = FixedEntropy(1)
    drawn = [store.secrets(entropy) for _ in range(3)]
    ended = [store.logout_secrets(entropy) for _ in range(3)]
    system = [store.secrets(SystemEntropy()) for _ in range(3)]

    each = [
        secret
        for one in (*drawn, *system)
        for secret in (one.state, one.nonce, one.code_verifier, one.binding)
    ]
    each += [secret for one in ended for secret in one]
    assert len(set(each)) == len(each) == 30
    assert all(isinstance(one, LoginSecrets) for one in drawn)
    # The entropy decides, and nothing else: the same is the same again.
    assert store.secrets(FixedEntropy(5)) == store.secrets(FixedEntropy(5))


def test_no_secret_shows(store: PendingLogins) -> None:
    begun = started(store=store)
    pending, secrets = logout_started(store)
    cookies = store.put(RP, begun, (), NOW)
    ended = store.put_logout(RP, pending, secrets, (), NOW)
    taken = store.take(RP, begun.pending.id, sent(jar(*cookies)), NOW)
    gone = store.take_logout(RP, pending_id_of(pending.state), sent(jar(*ended)), NOW)

    shown = f"{store!r} {secrets!r} {secrets} {taken!r} {taken} {gone!r} {cookies!r} {ended!r}"
    nonce = str(begun.pending.demands.nonce)
    for secret in (
        begun.binding,
        begun.pending.state,
        nonce,
        begun.pending.code_verifier,
        *secrets,
    ):
        assert secret not in shown


def test_what_was_taken_shows_no_binding() -> None:
    begun = started()
    taken = Taken(pending=begun.pending, binding="canary", cookies=(), single_use="provider_only")

    assert "canary" not in f"{taken!r} {taken} {LogoutSecrets('canary', 'canary')}"
