"""``flow_refresh_token(ctx, refresh_token)``."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from attrs import evolve

from oidc_adapters.context import (
    APIError,
    AuthServerError,
    flow_get_authorization_code,
    flow_get_token,
    flow_refresh_token,
    flow_request_authorization_code,
    flow_validate_id_token,
    refresh_flow,
)
from oidc_adapters.context.memory import Memory, key_of
from oidc_adapters.context.outcomes import Failure, TokenDict
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import (
    MISBEHAVIOURS,
    FakeProvider,
)
from oidc_adapters.testing.transports import TellsTime
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.http import Answer, HttpResponse, WireRequest
from oidc_core.wire.jsontypes import JsonObject
from tests.adapters.context.world import CLIENT, World, claims_of, plain, restarted, text
from tests.adapters.testing.raw_client import b64


class TestRefreshToken:
    """``flow_refresh_token(ctx, refresh_token)``."""

    def test_the_answer_is_a_plain_dict_with_new_tokens(self, world: World) -> None:
        old = world.tokens()
        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))

        assert type(new) is dict
        assert sorted(new) == sorted(old)
        assert {name for name in new if new[name] == old[name]} == {
            "token_type", "expires_in", "scope",
        }  # fmt: skip

    def test_the_client_authenticates_in_the_form(self, world: World) -> None:
        old = world.tokens()
        flow_refresh_token(world.ctx, old["refresh_token"])

        assert world.forms("refresh_token") == [
            {
                "grant_type": ["refresh_token"],
                "refresh_token": [old["refresh_token"]],
                "client_id": [CLIENT.client_id],
                "client_secret": [CLIENT.client_secret],
            }
        ]

    def test_it_goes_on_refreshing(self, world: World) -> None:
        tokens = world.tokens()
        for _ in range(3):
            tokens = plain(flow_refresh_token(world.ctx, tokens["refresh_token"]))
            evidence = world.ctx.evidence(tokens["id_token"])
            assert evidence is not None
            assert evidence.authorization_response is None
            assert [one.of for one in evidence.each] == ["refreshed_id_token"]
            assert dict(evidence.id_token.skipped).get("same_sub") is None

    def test_an_answer_without_id_token_is_fine(self) -> None:
        world = World(FakeProvider(clients=(CLIENT,), refresh_id_token=False))
        new = plain(flow_refresh_token(world.ctx, world.tokens()["refresh_token"]))

        assert "id_token" not in new
        assert isinstance(flow_refresh_token(world.ctx, new["refresh_token"]), dict)

    def test_a_refresh_token_that_is_not_replaced_stays(self, world: World) -> None:
        old = world.tokens()

        def unrotated(request: WireRequest, clock: TellsTime) -> Answer:
            answer = world.transport.through(request, clock)
            assert isinstance(answer, HttpResponse)
            members = json.loads(answer.body)
            members.pop("refresh_token", None)
            return evolve(answer, body=json.dumps(members).encode())

        world.transport.tamper = unrotated
        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))

        assert new["refresh_token"] == old["refresh_token"]

    @pytest.mark.parametrize(
        "name", [name for name, row in MISBEHAVIOURS.items() if row.during == "refresh"]
    )
    def test_whatever_the_provider_gets_wrong_is_returned(self, name: str) -> None:
        world = World(FakeProvider(clients=(CLIENT,), misbehave=name))
        outcome = flow_refresh_token(world.ctx, world.tokens()["refresh_token"])
        code = MISBEHAVIOURS[name].code

        assert isinstance(outcome, AuthServerError if code == "provider_error" else APIError)
        cause = outcome.cause
        assert cause is not None
        assert cause.code == code

    def test_the_new_refresh_token_of_a_refused_answer_is_sent_next(self, world: World) -> None:
        old = world.tokens()["refresh_token"]

        def untyped(request: WireRequest, clock: TellsTime) -> Answer:
            answer = world.transport.through(request, clock)
            assert isinstance(answer, HttpResponse)
            return evolve(answer, body=answer.body.replace(b"Bearer", b"mac"))

        for _ in range(2):
            world.transport.tamper = untyped
            assert flow_refresh_token(world.ctx, old) == APIError("token_type_mismatch")
        world.transport.tamper = None

        new = plain(flow_refresh_token(world.ctx, old))
        sent = [form["refresh_token"] for form in world.forms("refresh_token")]
        assert len({*map(str, sent)}) == len(sent) == 3
        assert plain(flow_refresh_token(world.ctx, old))["access_token"] == new["access_token"]
        assert plain(flow_refresh_token(world.ctx, new["refresh_token"]))

    def test_an_empty_refresh_token_is_refused(self, world: World) -> None:
        assert flow_refresh_token(world.ctx, "") == APIError("refresh_token_missing")
        assert world.forms("refresh_token") == []

    def test_keys_out_of_reach_lose_no_refresh_token(self, world: World) -> None:
        old = world.tokens()["refresh_token"]
        world.provider.rotate_keys(keep_previous=False)
        world.transport.cut("/jwks")

        assert flow_refresh_token(world.ctx, old) == APIError("keys_unavailable")
        world.transport.tamper = None
        world.clock.advance(60)
        new = plain(flow_refresh_token(world.ctx, old))
        assert flow_validate_id_token(world.ctx, new["id_token"])
        assert len(world.forms("refresh_token")) == 1
        assert isinstance(flow_refresh_token(world.ctx, new["refresh_token"]), dict)

    def test_threads_that_refresh_at_once_share_one_request(self, world: World) -> None:
        old = world.tokens()
        calls = 3 * [partial(flow_refresh_token, world.ctx, old["refresh_token"])]
        results = at_once(world, *calls)

        first, second, third = results
        assert isinstance(first, dict)
        assert isinstance(second, dict)
        assert first == second == third
        assert len({id(result) for result in results}) == 3
        assert len(world.forms("refresh_token")) == 1
        first.clear()
        assert "access_token" in second

    def test_the_record_of_a_replaced_refresh_token_goes(self, world: World) -> None:
        old = world.tokens()["refresh_token"]
        new = plain(flow_refresh_token(world.ctx, old))["refresh_token"]
        records = world.ctx.records

        assert records.refreshable.find(key_of(old), world.clock.now()) is None
        assert records.refreshable.find(key_of(new), world.clock.now()) is not None
        assert (len(records.unverified), len(records.replaced)) == (0, 1)
        world.clock.advance(61)
        assert flow_refresh_token(world.ctx, old) == APIError("login_unknown")
        assert len(records.replaced) == 0
        assert len(world.forms("refresh_token")) == 1

    @pytest.mark.parametrize("seconds", [0, 1, 60])
    @pytest.mark.parametrize("known", [True, False])
    def test_one_who_comes_late_with_a_replaced_token_gets_the_same_tokens(
        self, seconds: int, known: bool, world: World
    ) -> None:
        """The second use of a replaced token revokes the session (RFC 9700 §4.14.2)."""
        old = world.tokens()
        if not known:
            world = World(world.provider, random_device=FixedEntropy(2))
        given: dict[str, Any] = {} if known else {"id_token": old["id_token"]}
        again = partial(flow_refresh_token, world.ctx, old["refresh_token"], **given)

        first = plain(again())
        world.clock.advance(seconds)
        late = [plain(again()) for _ in range(3)]

        assert late == [first] * 3
        assert len({id(one) for one in (first, *late)}) == 4
        assert len(world.forms("refresh_token")) == 1
        newer = plain(flow_refresh_token(world.ctx, first["refresh_token"]))
        assert plain(again()) == first
        assert plain(flow_refresh_token(world.ctx, first["refresh_token"])) == newer
        assert len(world.forms("refresh_token")) == 2

    def test_a_minute_is_not_made_longer_by_those_who_come_late(self, world: World) -> None:
        old = world.tokens()["refresh_token"]
        for _ in range(3):
            assert isinstance(flow_refresh_token(world.ctx, old), dict)
            world.clock.advance(30)

        assert flow_refresh_token(world.ctx, old) == APIError("login_unknown")

    def test_one_who_looked_before_the_others_had_it_verified_sends_nothing(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A thread may be held up anywhere, also before it could join the others."""
        old, looked, gate = world.tokens()["refresh_token"], threading.Event(), threading.Event()
        exchanged, late = refresh_flow._exchanged, list[object]()

        def held(*given: Any) -> Any:
            if threading.current_thread().name == "late":
                looked.set()
                assert gate.wait(30)
            return exchanged(*given)

        class Apart:
            def run(self, _key: object, work: Callable[[], Any], *, seconds: float) -> Any:
                assert seconds
                return work()

        flights: Any = Apart()
        world.ctx.records = evolve(world.ctx.records, refreshing=flights)
        monkeypatch.setattr(refresh_flow, "_exchanged", held)
        waits = threading.Thread(
            target=lambda: late.append(flow_refresh_token(world.ctx, old)), name="late"
        )
        waits.start()
        assert looked.wait(30)
        first = plain(flow_refresh_token(world.ctx, old))
        gate.set()
        waits.join(30)

        assert late == [first]
        assert len(world.forms("refresh_token")) == 1
        assert isinstance(flow_refresh_token(world.ctx, first["refresh_token"]), dict)

    def test_threads_in_any_order_send_a_token_once(self) -> None:
        for number in range(20):
            world = World(random_device=FixedEntropy(number + 1))
            old, barrier = world.tokens(), threading.Barrier(4)

            def refresh(
                world: World = world, old: TokenDict = old, barrier: threading.Barrier = barrier
            ) -> TokenDict | Failure:
                barrier.wait(30)
                return flow_refresh_token(world.ctx, old["refresh_token"])

            with ThreadPoolExecutor(4) as threads:
                results = [one.result(30) for one in [threads.submit(refresh) for _ in range(4)]]
            assert [result == results[0] for result in results] == [True] * 4
            assert len(world.forms("refresh_token")) == 1
            assert isinstance(
                flow_refresh_token(world.ctx, plain(results[0])["refresh_token"]), dict
            )

    def test_one_that_is_not_replaced_is_sent_each_time(self, world: World) -> None:
        """It may be used again, and its answers are new ones."""
        old = world.tokens()["refresh_token"]

        sent = list[object]()

        def answers(request: WireRequest, clock: TellsTime) -> Answer:
            sent.append(request)
            answer = saved[0] if saved else world.transport.through(request, clock)
            assert isinstance(answer, HttpResponse)
            saved.append(answer)
            members = json.loads(answer.body)
            members.pop("refresh_token", None)
            members["access_token"] = f"access-{len(sent)}"
            members.pop("id_token", None)
            return evolve(answer, body=json.dumps(members).encode())

        saved = list[HttpResponse]()
        world.transport.tamper = answers
        tokens = [plain(flow_refresh_token(world.ctx, old))["access_token"] for _ in range(3)]

        assert tokens == ["access-1", "access-2", "access-3"]
        assert len(world.ctx.records.replaced) == 0

    @pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
    def test_an_interrupted_refresh_is_in_doubt_for_those_who_wait(
        self, end: type[BaseException], world: World
    ) -> None:
        """The provider may have taken the refresh token: nobody may send it again unasked."""
        old = world.tokens()["refresh_token"]

        def interrupted() -> str:
            with pytest.raises(end):
                flow_refresh_token(world.ctx, old)
            return "interrupted"

        calls = (interrupted, partial(flow_refresh_token, world.ctx, old))
        assert at_once(world, *calls, end=end) == ["interrupted", APIError("refresh_in_doubt")]
        assert world.forms("refresh_token") == []

    def test_one_that_takes_too_long_is_in_doubt_for_those_who_wait(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(refresh_flow, "_PATIENCE", 0)
        old, late = world.tokens()["refresh_token"], list[object]()

        def gated(request: WireRequest, clock: TellsTime) -> Answer:
            world.transport.tamper = None
            waits = threading.Thread(target=lambda: late.append(flow_refresh_token(world.ctx, old)))
            waits.start()
            waits.join(30)
            return world.transport.through(request, clock)

        world.transport.tamper = gated
        assert isinstance(flow_refresh_token(world.ctx, old), dict)
        assert late == [APIError("refresh_in_doubt")]

    def test_nothing_is_sent_that_could_not_be_kept(self, world: World) -> None:
        """A renewal that waits for its keys must not be pushed out: its refresh token is spent."""
        first, second = world.tokens()["refresh_token"], world.tokens()["refresh_token"]
        world.ctx.records = evolve(world.ctx.records, unverified=Memory(lifetime=600, cap=1))
        world.provider.rotate_keys(keep_previous=False)
        world.transport.cut("/jwks")
        assert flow_refresh_token(world.ctx, first) == APIError("keys_unavailable")

        assert flow_refresh_token(world.ctx, second) == APIError("store_full")
        world.transport.tamper = None
        world.clock.advance(60)
        assert isinstance(flow_refresh_token(world.ctx, first), dict)
        assert isinstance(flow_refresh_token(world.ctx, second), dict)
        assert len(world.forms("refresh_token")) == 2


def at_once(
    world: World, *calls: Callable[[], object], end: type[BaseException] | None = None
) -> list[object]:
    """Make calls that refresh with one token while the first one has not ended."""
    results: dict[int, object] = {}

    def make(at: int) -> None:
        results[at] = calls[at]()

    others = [threading.Thread(target=make, args=(at,)) for at in range(1, len(calls))]

    def gated(request: WireRequest, clock: TellsTime) -> Answer:
        world.transport.tamper = None
        for thread in others:
            thread.start()
        (flight,) = world.ctx.records.refreshing._flights.values()
        pause = threading.Event()
        while len(getattr(flight.future._condition, "_waiters", ())) < len(others):
            assert any(thread.is_alive() for thread in others)
            pause.wait(0.001)
        if end is not None:
            raise end
        return world.transport.through(request, clock)

    world.transport.tamper = gated
    make(0)
    for thread in others:
        thread.join(30)
    return [results[at] for at in range(len(calls))]


class TestIdTokenOfTheCaller:
    """The ID token that a caller gives counts, no matter who sent the refresh token."""

    @pytest.fixture
    def other(self, world: World) -> str:
        """An ID token of another user, at the same provider and client."""
        url = flow_request_authorization_code(world.ctx)
        query = dict(world.provider.authorize(url, world.clock.now(), user="bob").parameters)
        tokens = plain(
            flow_get_token(world.ctx, text(flow_get_authorization_code(world.ctx, query)))
        )
        return str(tokens["id_token"])

    def test_one_of_another_user_is_refused_where_the_login_is_remembered(
        self, world: World, other: str
    ) -> None:
        old = world.tokens()["refresh_token"]

        assert flow_refresh_token(world.ctx, old, id_token=other) == APIError("sub_mismatch")
        assert world.forms("refresh_token") == []
        assert isinstance(flow_refresh_token(world.ctx, old), dict)

    def test_one_of_another_user_is_refused_though_the_answer_has_no_id_token(
        self, world: World, other: str
    ) -> None:
        world.provider.refresh_id_token = False
        old = world.tokens()["refresh_token"]

        assert flow_refresh_token(world.ctx, old, id_token=other) == APIError("sub_mismatch")

    @pytest.mark.parametrize("leads", ["the right one", "the wrong one", "none"])
    def test_each_of_those_who_share_a_request_has_its_own_compared(
        self, leads: str, world: World, other: str
    ) -> None:
        old = world.tokens()
        fresh = World(
            world.provider, random_device=FixedEntropy(2), refresh_unknown_logins=leads == "none"
        )

        def refreshed(id_token: str | None) -> Callable[[], object]:
            return partial(flow_refresh_token, fresh.ctx, old["refresh_token"], id_token=id_token)

        right, wrong, none = refreshed(old["id_token"]), refreshed(other), refreshed(None)
        orders: dict[str, tuple[Callable[[], object], ...]] = {
            "the right one": (right, wrong, right),
            "the wrong one": (wrong, right, wrong),
            "none": (none, wrong, right, none),
        }
        calls = orders[leads]
        if leads != "none":
            assert none() == APIError("login_unknown")  # refused before it could join
        results = at_once(fresh, *calls)

        assert len(fresh.forms("refresh_token")) == 1
        for call, result in zip(calls, results, strict=True):
            if call is wrong:
                assert result == APIError("sub_mismatch")
            else:
                assert isinstance(result, dict)

    def test_a_renewal_that_was_kept_is_compared_with_that_of_who_asks_again(
        self, world: World, other: str
    ) -> None:
        old = world.tokens()
        fresh = World(world.provider, random_device=FixedEntropy(2))
        world.provider.rotate_keys(keep_previous=False)
        fresh.transport.cut("/jwks")
        again = partial(flow_refresh_token, fresh.ctx, old["refresh_token"])
        assert again(id_token=old["id_token"]) == APIError("keys_unavailable")
        fresh.transport.tamper = None
        fresh.clock.advance(60)

        assert again() == APIError("login_unknown")
        for _ in range(2):
            assert again(id_token=other) == APIError("sub_mismatch")
        assert isinstance(again(id_token=old["id_token"]), dict)
        assert again(id_token=other) == APIError("sub_mismatch")
        assert isinstance(again(id_token=old["id_token"]), dict)
        assert len(fresh.forms("refresh_token")) == 1

    @pytest.mark.parametrize(
        ("claim", "value", "code"),
        [
            ("sub", "somebody-else", "sub_mismatch"),
            ("azp", "client-2", "azp_mismatch"),
            ("aud", ["client", "client-2"], "aud_mismatch"),
            ("auth_time", 1_900_000_000, "auth_time_mismatch"),
        ],
    )
    def test_a_wrong_one_takes_the_renewal_from_nobody(
        self, claim: str, value: object, code: str, world: World
    ) -> None:
        old = world.tokens()
        fresh = World(world.provider, random_device=FixedEntropy(2))
        header, _, signature = old["id_token"].split(".")
        claims = b64(json.dumps({**claims_of(old["id_token"]), claim: value}).encode())
        wrong = f"{header}.{claims}.{signature}"
        again = partial(flow_refresh_token, fresh.ctx, old["refresh_token"])

        assert again(id_token=wrong) == APIError(code)
        assert isinstance(again(id_token=old["id_token"]), dict)
        assert len(fresh.forms("refresh_token")) == 1

    @pytest.mark.parametrize("name", ["refresh_bad_signature", "refresh_expired_id_token"])
    def test_a_renewal_that_holds_for_nobody_is_not_kept(self, name: str) -> None:
        world, old = restarted(name)
        outcome = flow_refresh_token(world.ctx, old["refresh_token"], id_token=old["id_token"])

        assert outcome == APIError(MISBEHAVIOURS[name].code)
        assert len(world.ctx.records.unverified) == 0

    def test_one_of_the_same_login_may_be_given_all_the_same(self, world: World) -> None:
        tokens = world.tokens()
        first = tokens["id_token"]
        for _ in range(3):
            tokens = plain(
                flow_refresh_token(world.ctx, tokens["refresh_token"], id_token=tokens["id_token"])
            )
        assert isinstance(
            flow_refresh_token(world.ctx, tokens["refresh_token"], id_token=first), dict
        )

    @pytest.mark.parametrize(
        ("known", "given", "code"),
        [
            ({}, {}, None),
            ({"iss": "a"}, {"iss": "b"}, "iss_mismatch"),
            ({"iss": "a"}, {}, "iss_mismatch"),
            ({"sub": "a"}, {"sub": "b"}, "sub_mismatch"),
            ({"sub": "a"}, {}, "sub_mismatch"),
            ({"aud": "a"}, {"aud": ("a",)}, None),
            ({"aud": ("a", "b")}, {"aud": ("b", "a")}, None),
            ({"aud": ("a", "b")}, {"aud": "a"}, "aud_mismatch"),
            ({"aud": "a"}, {}, "aud_mismatch"),
            ({"azp": "a"}, {"azp": "b"}, "azp_mismatch"),
            ({"azp": "a"}, {}, None),
            ({}, {"azp": "a"}, None),
            ({"nonce": "a"}, {"nonce": "b"}, "nonce_mismatch"),
            ({"nonce": "a"}, {}, None),
            ({"auth_time": 1}, {"auth_time": 2}, None),
        ],
    )
    def test_both_have_to_agree_on_whose_login_it_was(
        self, known: dict[str, Any], given: dict[str, Any], code: str | None
    ) -> None:
        if code is None:
            both = refresh_flow._agreeing(JsonObject(known), JsonObject(given))
            assert dict(both.members) == {**given, **known}
            return
        with pytest.raises(ProtocolViolation) as refusal:
            refresh_flow._agreeing(JsonObject(known), JsonObject(given))
        assert (refusal.value.code, refusal.value.of) == (code, "id_token")

    @pytest.mark.parametrize("other_client", ["client-2", ["client-2"], None, 5])
    def test_one_of_another_client_is_refused_before_anything_is_sent(
        self, other_client: object
    ) -> None:
        world, old = restarted()
        header, _, signature = old["id_token"].split(".")
        claims = {**claims_of(old["id_token"]), "aud": other_client}
        forged = f"{header}.{b64(json.dumps(claims).encode())}.{signature}"

        outcome = flow_refresh_token(world.ctx, old["refresh_token"], id_token=forged)
        assert outcome == APIError("parameter_invalid")
        assert world.forms("refresh_token") == []


class TestFullMemory:
    """A context refuses what it forgot at its cap, and never lets it pass unchecked."""

    @pytest.mark.parametrize("newer", [1, 2, 5])
    def test_a_login_that_was_forgotten_is_refused_without_its_id_token(self, newer: int) -> None:
        provider = FakeProvider(clients=(CLIENT,), misbehave="refresh_other_sub")
        world = World(provider)
        world.ctx.records = evolve(
            world.ctx.records,
            refreshable=Memory(lifetime=600, cap=1),
            accepted=Memory(lifetime=600, cap=1),
            finished=Memory(lifetime=600, cap=1),
        )
        old = world.tokens()
        for _ in range(newer):
            world.tokens()

        assert flow_refresh_token(world.ctx, old["refresh_token"]) == APIError("login_unknown")
        assert world.forms("refresh_token") == []
        outcome = flow_refresh_token(world.ctx, old["refresh_token"], id_token=old["id_token"])
        assert outcome == APIError("sub_mismatch")

    def test_ten_thousand_newer_logins_drop_none(self, world: World) -> None:
        world.provider.misbehave = "refresh_other_sub"
        old, records = world.tokens(), world.ctx.records
        (kept,) = [records.refreshable.find(key_of(old["refresh_token"]), world.clock.now())]
        assert kept is not None
        for number in range(10_001):
            records.keep_refreshable(evolve(kept, refresh_token=f"{number}"), world.clock.now())

        assert flow_refresh_token(world.ctx, old["refresh_token"]) == APIError("sub_mismatch")

    def test_a_forgotten_id_token_of_a_refresh_is_not_valid(self, world: World) -> None:
        new = plain(flow_refresh_token(world.ctx, world.tokens()["refresh_token"]))
        assert flow_validate_id_token(world.ctx, new["id_token"])
        world.ctx.records = evolve(world.ctx.records, accepted=Memory(lifetime=600, cap=1))

        assert not flow_validate_id_token(world.ctx, new["id_token"])

    def test_an_id_token_with_the_nonce_of_a_login_is_its_users(self, world: World) -> None:
        """Also where what a refresh compared is forgotten: the login itself says whose it was."""
        id_token = world.tokens()["id_token"]
        pending = world.ctx.records.finished.find(
            key_of(claims_of(id_token)["nonce"]), world.clock.now()
        )

        assert pending is not None
        assert pending.demands.sub == "alice"


class TestRefreshAfterRestart:
    """Refreshing the tokens of a login that this context does not know."""

    @pytest.mark.parametrize("refresh_token", ["known", "from elsewhere"])
    def test_without_its_id_token_it_is_refused(self, refresh_token: str) -> None:
        world, old = restarted()
        sent = old["refresh_token"] if refresh_token == "known" else refresh_token

        outcome = flow_refresh_token(world.ctx, sent)
        assert isinstance(outcome, APIError)
        assert outcome == APIError("login_unknown")
        assert outcome.cause is not None
        assert (outcome.cause.about, outcome.cause.retryable) == ("id_token", "no")
        assert world.forms("refresh_token") == []

    def test_the_evidence_says_what_could_not_be_compared(self) -> None:
        world, old = restarted(refresh_unknown_logins=True)
        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))
        evidence = world.ctx.evidence(new["id_token"])
        assert evidence is not None
        assert evidence.each == (evidence.id_token,)
        skipped = dict(evidence.id_token.skipped)

        why = "this context does not know the login"
        assert {name for name in skipped if skipped[name] == why} == {
            "same_iss", "same_sub", "same_aud", "same_azp", "same_nonce", "same_auth_time",
        }  # fmt: skip
        assert {"iss", "aud", "exp", "iat", "sub", "signature", "alg", "at_hash"}.isdisjoint(
            skipped
        )

    def test_later_refreshes_are_compared_with_the_first(self) -> None:
        world, old = restarted(refresh_unknown_logins=True)
        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))
        world.provider.misbehave = "refresh_other_sub"

        outcome = flow_refresh_token(world.ctx, new["refresh_token"])
        assert outcome == APIError("sub_mismatch")

    def test_with_the_stored_id_token_all_is_compared(self) -> None:
        world, old = restarted("refresh_other_sub")

        outcome = flow_refresh_token(world.ctx, old["refresh_token"], id_token=old["id_token"])
        assert outcome == APIError("sub_mismatch")

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("refresh_other_iss", "iss_mismatch"),
            ("refresh_other_aud", "aud_mismatch"),
            ("refresh_other_azp", "azp_mismatch"),
            ("refresh_expired_id_token", "exp_expired"),
            ("refresh_bad_signature", "signature_invalid"),
            ("refresh_alg_none", "alg_not_allowed"),
        ],
    )
    def test_every_other_rule_holds(self, name: str, code: str) -> None:
        world, old = restarted(name, refresh_unknown_logins=True)

        assert flow_refresh_token(world.ctx, old["refresh_token"]) == APIError(code)

    def test_a_damaged_id_token_is_refused_before_anything_is_sent(self) -> None:
        world, old = restarted()

        outcome = flow_refresh_token(world.ctx, old["refresh_token"], id_token="damaged")
        assert outcome == APIError("parameter_invalid")
        assert world.forms("refresh_token") == []

    def test_the_id_token_may_still_be_given_later(self) -> None:
        world, old = restarted("refresh_other_sub", refresh_unknown_logins=True)
        world.provider.refresh_id_token = False
        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))
        world.provider.refresh_id_token = True

        outcome = flow_refresh_token(world.ctx, new["refresh_token"], id_token=old["id_token"])
        assert outcome == APIError("sub_mismatch")

    def test_an_answer_without_id_token_is_fine(self) -> None:
        world, old = restarted(refresh_unknown_logins=True)
        world.provider.refresh_id_token = False

        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))
        assert isinstance(flow_refresh_token(world.ctx, new["refresh_token"]), dict)
