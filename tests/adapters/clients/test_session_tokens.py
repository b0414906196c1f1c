"""The tokens of a session: one call before each use."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from functools import partial
from threading import Barrier, Thread
from typing import Any, Final

import pytest
from attrs import evolve, field, frozen

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.exchanges import Copy, Exchanges
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.session_tokens import Copies
from oidc_adapters.runtime.boot_clock import uptime
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.events import Event, RefreshRefused, TokensRefreshed
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing import AsyncInMemoryTransport, FakeProvider, InMemoryTransport
from oidc_core.machine.grants import YOUNG
from oidc_core.model.policy import Policy
from oidc_core.model.records import Tokens
from oidc_core.wire.errors import OidcError, UsageError
from tests.flows.mixing import settled
from tests.flows.rig import NOW, honest_provider, setup_for
from tests.refreshing import grants_by

KINDS: Final = pytest.mark.parametrize("awaits", [False, True], ids=["sync", "async"])
LIFETIME: Final = 300


@frozen(kw_only=True)
class Site:
    """An application with one session, and the clock that everybody goes by."""

    provider: FakeProvider
    transport: Any
    clock: FrozenClock
    client: Any
    grant_id: str
    heard: list[Event] = field(factory=list[Event])

    @property
    def tokens(self) -> Any:
        return self.client.tokens(self.grant_id)

    def fresh(self, **asked: Any) -> Tokens:
        tokens: Tokens = settled(self.tokens.fresh(**asked))
        return tokens

    @property
    def exchanges(self) -> int:
        """How often a refresh token was sent."""
        requests = [request for request, _ in self.transport.exchanges]
        return sum(b"grant_type=refresh_token" in (each.body or b"") for each in requests)


def site(*, awaits: bool = False, trusted: float = 0, **changed: Any) -> Site:
    policy = changed.pop("policy", Policy(userinfo="never"))
    provider = honest_provider(**changed)
    clock, heard = FrozenClock(NOW), list[Event]()
    transport: Any = (AsyncInMemoryTransport if awaits else InMemoryTransport)(provider)
    kind: Any = AsyncOidcClient if awaits else OidcClient
    client = kind(
        setup_for(provider, policy=policy),
        MemoryPendingLogins(),
        transport=transport,
        clock=clock,
        grants=grants_by(clock, trusted=trusted),
        on_event=heard.append,
    )
    page = settled(client.start_login())
    header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)
    result = settled(client.finish_login(provider.authorize(page.url, NOW).incoming(header)))
    return Site(
        provider=provider,
        transport=transport,
        clock=clock,
        client=client,
        grant_id=result.grant_id,
        heard=heard,
    )


def refused(call: Callable[[], object]) -> OidcError:
    with pytest.raises(OidcError) as caught:
        call()
    return caught.value


def settled_fresh(tokens: Any) -> Tokens:
    fresh: Tokens = settled(tokens.fresh())
    return fresh


@KINDS
def test_tokens_of_a_login_are_kept_and_handed_out(awaits: bool) -> None:
    here = site(awaits=awaits)

    tokens = here.fresh()

    assert len(here.grant_id) == 22
    assert (tokens.subject, tokens.scope) == ("alice", "openid profile email offline_access")
    assert tokens.expires_at == NOW + LIFETIME
    assert here.exchanges == 0


@KINDS
def test_what_is_due_is_renewed_once(awaits: bool) -> None:
    here = site(awaits=awaits)
    first = here.fresh()
    here.clock.advance(LIFETIME - 31)
    assert here.fresh() == first
    here.clock.advance(1)

    second = here.fresh()

    assert second.access_token != first.access_token
    assert second.refresh_token != first.refresh_token
    assert here.fresh() == second
    assert here.exchanges == 1
    assert [type(event) for event in here.heard].count(TokensRefreshed) == 1


@KINDS
def test_a_longer_leeway_renews_earlier(awaits: bool) -> None:
    here = site(awaits=awaits)
    first = here.fresh()
    here.clock.advance(100)

    assert here.fresh(leeway=199) == first
    assert here.fresh(leeway=200) != first


@KINDS
def test_a_refused_token_is_replaced_once_for_all_who_hold_it(awaits: bool) -> None:
    here = site(awaits=awaits)
    first = here.fresh().access_token
    here.clock.advance(YOUNG)

    second = here.fresh(refused=first).access_token

    assert second != first
    assert here.fresh(refused=first).access_token == second
    assert here.exchanges == 1


@KINDS
def test_a_server_that_refuses_everything_causes_no_storm(awaits: bool) -> None:
    here = site(awaits=awaits)
    first = here.fresh().access_token

    error = refused(lambda: here.fresh(refused=first))

    assert (error.code, error.retryable, error.retry_after) == ("token_refused", "later", YOUNG)
    assert here.exchanges == 0


@KINDS
def test_an_access_token_for_less_does_not_narrow_the_session(awaits: bool) -> None:
    here = site(awaits=awaits)

    narrow = here.fresh(scope="openid")

    assert narrow.scope == "openid"
    assert here.fresh(scope=" openid ").access_token == narrow.access_token
    assert here.exchanges == 1
    assert here.fresh().scope == "openid profile email offline_access"


@KINDS
def test_a_scope_that_was_not_granted_is_refused_and_nothing_is_sent(awaits: bool) -> None:
    here = site(awaits=awaits)

    error = refused(lambda: here.fresh(scope="openid admin"))

    assert isinstance(error, UsageError)
    assert error.code == "parameter_invalid"
    assert here.exchanges == 0
    here.fresh()


@KINDS
def test_a_session_that_ended_stays_so(awaits: bool) -> None:
    here = site(awaits=awaits)
    here.clock.advance(LIFETIME)
    newest = here.fresh()

    ended = settled(here.tokens.end())

    assert ended.access_tokens == (newest.access_token,)
    assert ended.tokens.refresh_token == newest.refresh_token
    assert ended.id_token_hint != newest.id_token
    assert newest.access_token not in repr(ended)
    error = refused(here.fresh)
    assert (error.code, error.retryable, error.kind) == ("grant_ended", "restart", "stale")
    assert settled(here.tokens.end()) is None


@KINDS
def test_the_login_s_id_token_is_the_hint_until_there_is_a_newer_one(awaits: bool) -> None:
    here = site(awaits=awaits)
    tokens = here.fresh()

    assert settled(here.tokens.end()).id_token_hint == tokens.id_token


@KINDS
def test_a_call_that_read_a_session_before_its_end_leaves_no_copy_of_it(
    monkeypatch: pytest.MonkeyPatch, awaits: bool
) -> None:
    here = site(awaits=awaits, trusted=60)
    made: Any = Exchanges.fresh

    async def fresh(*asked: Any) -> Copy:
        copy: Copy = await made(*asked)
        ended = here.tokens.end()
        if awaits:
            await ended
        return copy

    with monkeypatch.context() as late:
        late.setattr(Exchanges, "fresh", fresh)
        here.fresh()

    assert refused(here.fresh).code == "grant_ended"


@KINDS
def test_a_grant_that_nobody_knows_needs_a_login(awaits: bool) -> None:
    here = site(awaits=awaits)
    for name in ("unknown", "é", "x" * 4_000, ""):
        error = refused(partial(settled_fresh, here.client.tokens(name)))
        assert (error.code, error.retryable) == ("grant_unknown", "restart")
    assert settled(here.client.tokens("unknown").end()) is None


@KINDS
def test_a_refresh_token_that_the_provider_refuses_needs_a_login(awaits: bool) -> None:
    here = site(awaits=awaits)
    here.clock.advance(LIFETIME)
    here.provider.misbehave = "refresh_invalid_grant"

    for _ in range(2):
        error: Any = refused(here.fresh)
        assert (error.code, error.error) == ("provider_error", "invalid_grant")
        assert (error.retryable, error.kind) == ("restart", "stale")
    assert here.exchanges == 1
    assert [type(event) for event in here.heard].count(RefreshRefused) == 1


@KINDS
def test_an_id_token_of_another_user_ends_the_session(awaits: bool) -> None:
    here = site(awaits=awaits)
    here.clock.advance(LIFETIME)
    here.provider.misbehave = "refresh_other_sub"

    error = refused(here.fresh)
    assert (error.code, error.found is not None) == ("sub_mismatch", True)
    here.provider.misbehave = None
    here.clock.advance(3_600)
    assert refused(here.fresh).code == "sub_mismatch"
    assert here.exchanges == 1


@KINDS
def test_an_id_token_that_is_refused_costs_the_access_token_only(awaits: bool) -> None:
    here = site(awaits=awaits)
    here.clock.advance(LIFETIME)
    here.provider.misbehave = "refresh_bad_signature"

    error = refused(here.fresh)
    assert (error.code, error.retry_after) == ("signature_invalid", 10)
    here.provider.misbehave = None
    assert refused(here.fresh).retry_after == 10
    here.clock.advance(10)

    assert here.fresh().expires_at == NOW + LIFETIME + 10 + LIFETIME
    assert here.exchanges == 2


@KINDS
def test_an_exchange_without_an_answer_is_in_doubt_where_nothing_is_sent_again(
    awaits: bool,
) -> None:
    here = site(awaits=awaits, policy=Policy(userinfo="never", resend_in_doubt="never"))
    here.clock.advance(LIFETIME)
    here.provider.misbehave = "refresh_dropped"

    for _ in range(2):
        error = refused(here.fresh)
        assert (error.code, error.retryable) == ("refresh_in_doubt", "restart")
    assert here.exchanges == 1


@KINDS
def test_a_token_that_is_still_good_is_handed_out_if_the_provider_is_down(awaits: bool) -> None:
    here = site(awaits=awaits)
    first = here.fresh()
    here.clock.advance(LIFETIME - 10)
    here.provider.misbehave = "refresh_invalid_grant"
    here.provider.misbehave = "refresh_dropped"

    assert here.fresh() == first
    assert here.fresh() == first
    assert here.exchanges == 1


@KINDS
def test_a_login_without_a_refresh_token_lasts_as_long_as_its_access_token(awaits: bool) -> None:
    here = site(awaits=awaits, offline_access="with_consent")
    first = here.fresh()
    assert first.refresh_token is None
    here.clock.advance(LIFETIME - 1)
    assert here.fresh() == first
    here.clock.advance(1)

    error = refused(here.fresh)

    assert (error.code, error.retryable) == ("grant_expired", "restart")


@KINDS
def test_tokens_that_came_another_way_are_kept_too(awaits: bool) -> None:
    here = site(awaits=awaits)
    tokens = here.fresh()

    grant_id = settled(here.client.keep(tokens))

    assert grant_id != here.grant_id
    assert settled(here.client.tokens(grant_id).fresh()) == tokens
    foreign = evolve(tokens, issuer="https://other.example")
    error = refused(lambda: settled(here.client.keep(foreign)))
    assert error.code == "client_issuer_mismatch"
    wrong = refused(lambda: settled(here.client.keep(grant_id)))
    assert (wrong.code, wrong.about) == ("parameter_invalid", "tokens")


@KINDS
@pytest.mark.parametrize("ahead", [-3_600, 3_600])
def test_a_store_s_wall_clock_changes_no_lifetime(
    monkeypatch: pytest.MonkeyPatch, awaits: bool, ahead: int
) -> None:
    here = site(awaits=awaits)
    tokens, records = here.fresh(), here.client._doors.grants.records
    records._clock = FrozenClock(NOW + ahead)

    session = here.client.tokens(settled(here.client.keep(tokens)))

    assert settled_fresh(session) == tokens
    assert here.exchanges == 0
    here.clock.advance(LIFETIME)
    assert settled_fresh(session) != tokens


@KINDS
def test_a_copy_is_handed_out_without_a_look_at_the_store(awaits: bool) -> None:
    here = site(awaits=awaits, trusted=60)
    tokens = here.fresh()
    other = site(awaits=awaits).client.tokens(here.grant_id)  # another store, so another world
    assert refused(lambda: settled(other.fresh())).code == "grant_unknown"
    here.clock.advance(LIFETIME * 2)  # the store's clock; the copy goes by the process's own

    assert here.fresh() is tokens
    assert here.fresh(scope="openid").scope == "openid"
    assert here.fresh(scope="openid").scope == "openid"
    assert here.exchanges == 1


@KINDS
def test_whoever_names_a_refused_token_gets_a_newer_copy(awaits: bool) -> None:
    here = site(awaits=awaits, trusted=60)
    tokens = here.fresh()

    assert here.fresh(refused="an older one") is tokens
    assert refused(lambda: here.fresh(refused=tokens.access_token)).code == "token_refused"


@KINDS
@pytest.mark.parametrize(
    ("asked", "about"),
    [
        ({"leeway": "30"}, "leeway"),
        ({"leeway": None}, "leeway"),
        ({"leeway": -1}, "leeway"),
        ({"refused": 5}, "refused"),
        ({"scope": ["openid"]}, "scope"),
        ({"resource": "https://api.example"}, "resource"),
        ({"resource": [["https://api.example"]]}, "resource"),
        ({"resource": ["https://api.example/#fragment"]}, "resource"),
        ({"resource": ["https://api.example/\udc80"]}, "resource"),
    ],
)
def test_what_nobody_can_ask_for_is_named(awaits: bool, asked: Any, about: str) -> None:
    here = site(awaits=awaits, trusted=60)
    here.fresh()

    error = refused(lambda: here.fresh(**asked))

    assert isinstance(error, UsageError)
    assert (error.code, error.about) == ("parameter_invalid", about)


@KINDS
def test_no_copy_is_good_for_ever_or_past_its_end(
    monkeypatch: pytest.MonkeyPatch, awaits: bool
) -> None:
    here = site(awaits=awaits, trusted=10_000)
    here.fresh()

    assert here.fresh(leeway=10**400).expires_at == NOW + LIFETIME  # too young to be replaced
    now = uptime() + LIFETIME
    monkeypatch.setattr("oidc_adapters.clients.exchanges.uptime", lambda: now)
    here.clock.advance(LIFETIME)
    assert here.fresh(leeway=0).expires_at == NOW + 2 * LIFETIME


@KINDS
def test_a_copy_ages_while_the_machine_sleeps(
    monkeypatch: pytest.MonkeyPatch, awaits: bool
) -> None:
    """``time.monotonic`` of Linux stands still meanwhile."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        pytest.skip("the system has no clock that counts its sleep")
    here = site(awaits=awaits, trusted=10_000)
    first, told = here.fresh(), time.clock_gettime

    def later(clock: int) -> float:
        return told(clock) + LIFETIME

    monkeypatch.setattr("time.clock_gettime", later)
    here.clock.advance(LIFETIME)

    assert here.fresh() != first


@KINDS
def test_a_client_without_grants_says_what_it_lacks(awaits: bool) -> None:
    provider = honest_provider()
    kind: Any = AsyncOidcClient if awaits else OidcClient
    client = kind(setup_for(provider), MemoryPendingLogins())

    error = refused(lambda: client.tokens("x"))

    assert (error.code, error.about) == ("config_invalid", "grants")
    with pytest.raises(UsageError) as caught:
        kind(setup_for(provider), MemoryPendingLogins(), grants="sqlite")
    assert (caught.value.code, caught.value.about) == ("config_invalid", "grants")


@KINDS
def test_a_closed_client_makes_no_exchange(awaits: bool) -> None:
    here = site(awaits=awaits)
    tokens = here.tokens
    settled(here.client.close())
    here.clock.advance(LIFETIME)

    error = refused(lambda: settled(tokens.fresh()))

    assert (error.code, error.about) == ("config_invalid", "client")
    assert refused(lambda: here.client.tokens("x")).found == "closed"
    assert here.exchanges == 0


@KINDS
def test_a_session_s_tokens_are_neither_shown_nor_pickled(awaits: bool) -> None:
    tokens = site(awaits=awaits).tokens
    assert repr(tokens) in {"SessionTokens()", "AsyncSessionTokens()"}
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(tokens)


@pytest.mark.req("RFC9700-4.14.2-01")
def test_fifty_threads_make_one_exchange() -> None:
    here = site()
    here.clock.advance(LIFETIME)
    begin, got = Barrier(50), list[Tokens]()

    def ask(number: int) -> None:
        begin.wait(10)
        got.append(here.fresh(leeway=number % 5))  # callers who ask for different things

    threads = [Thread(target=ask, args=(number,)) for number in range(50)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)

    assert here.exchanges == 1
    assert len({tokens.access_token for tokens in got}) == 1
    assert len(got) == 50


def test_a_waiting_client_refuses_a_store_that_is_awaited() -> None:
    here = site(awaits=True)
    records = Grants(here.client._doors.records, "a sealing secret of 32 octets or so")
    with pytest.raises(UsageError) as caught:
        OidcClient(setup_for(here.provider), MemoryPendingLogins(), grants=records)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "records")


def test_copies_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oidc_adapters.clients.session_tokens._MOST_COPIES", 2)
    here = site(trusted=60)
    copies: Copies = here.client._copies
    names = [here.client.keep(here.fresh()) for _ in range(5)]

    for name in names:
        here.client.tokens(name).fresh()

    assert len(copies.held) <= 2
