"""``flow_refresh_token(ctx, refresh_token)``."""

import json
import threading
from concurrent.futures import Future

import pytest
from attrs import evolve

from oidc_adapters.context import (
    APIError,
    AuthServerError,
    Failure,
    flow_refresh_token,
    flow_validate_id_token,
)
from oidc_adapters.context.memory import Flights, key_of
from oidc_adapters.context.outcomes import TokenDict
from oidc_adapters.testing import (
    MISBEHAVIOURS,
    FakeProvider,
)
from oidc_adapters.testing.transports import TellsTime
from oidc_core.wire.http import Answer, HttpResponse, WireRequest
from tests.adapters.context.world import CLIENT, World, plain, restarted


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
        old, boarded = world.tokens()["refresh_token"], threading.Semaphore(0)

        class Watched(Flights[TokenDict | Failure]):
            def board(self, key: str) -> Future[TokenDict | Failure] | None:
                flight = super().board(key)
                if flight is not None:
                    boarded.release()
                return flight

        world.ctx.records = evolve(world.ctx.records, refreshing=Watched())
        results: list[TokenDict | Failure] = []
        others = [
            threading.Thread(target=lambda: results.append(flow_refresh_token(world.ctx, old)))
            for _ in range(2)
        ]

        def gated(request: WireRequest, clock: TellsTime) -> Answer:
            for thread in others:
                thread.start()
                assert boarded.acquire(timeout=10)
            world.transport.tamper = None
            return world.transport.through(request, clock)

        world.transport.tamper = gated
        first = plain(flow_refresh_token(world.ctx, old))
        for thread in others:
            thread.join(10)

        assert results == [first, first]
        assert len({id(result) for result in (first, *results)}) == 3
        assert len(world.forms("refresh_token")) == 1

    def test_nobody_changes_the_result_of_those_who_wait(self, world: World) -> None:
        waited: list[Future[TokenDict | Failure] | None] = []
        old = world.tokens()["refresh_token"]

        def joined(request: WireRequest, clock: TellsTime) -> Answer:
            waited.append(world.ctx.records.refreshing.board(key_of(old)))
            return world.transport.through(request, clock)

        world.transport.tamper = joined
        plain(flow_refresh_token(world.ctx, old)).clear()

        flight = waited[0]
        assert flight is not None
        assert "access_token" in plain(flight.result(1))

    def test_the_record_of_a_replaced_refresh_token_goes(self, world: World) -> None:
        old = world.tokens()["refresh_token"]
        new = plain(flow_refresh_token(world.ctx, old))["refresh_token"]
        known = world.ctx.records.refreshable

        assert known.find(key_of(old), world.clock.now()) is None
        assert known.find(key_of(new), world.clock.now()) is not None

    def test_an_interrupted_refresh_is_in_doubt_for_those_who_wait(self, world: World) -> None:
        waited: list[Future[TokenDict | Failure] | None] = []
        old = world.tokens()["refresh_token"]

        def interrupted(request: WireRequest, clock: TellsTime) -> Answer:
            waited.append(world.ctx.records.refreshing.board(key_of(old)))
            raise KeyboardInterrupt

        world.transport.tamper = interrupted
        with pytest.raises(KeyboardInterrupt):
            flow_refresh_token(world.ctx, old)

        (flight,) = waited
        assert flight is not None
        assert flight.result(1) == APIError("refresh_in_doubt")


class TestRefreshAfterRestart:
    """Refreshing the tokens of a login that this context does not know."""

    def test_the_evidence_says_what_could_not_be_compared(self) -> None:
        world, old = restarted()
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
        world, old = restarted()
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
        world, old = restarted(name)

        assert flow_refresh_token(world.ctx, old["refresh_token"]) == APIError(code)

    def test_a_damaged_id_token_is_refused_before_anything_is_sent(self) -> None:
        world, old = restarted()

        outcome = flow_refresh_token(world.ctx, old["refresh_token"], id_token="damaged")
        assert outcome == APIError("parameter_invalid")
        assert world.forms("refresh_token") == []

    def test_the_id_token_may_still_be_given_later(self) -> None:
        world, old = restarted("refresh_other_sub")
        world.provider.refresh_id_token = False
        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))
        world.provider.refresh_id_token = True

        outcome = flow_refresh_token(world.ctx, new["refresh_token"], id_token=old["id_token"])
        assert outcome == APIError("sub_mismatch")

    def test_an_answer_without_id_token_is_fine(self) -> None:
        world, old = restarted()
        world.provider.refresh_id_token = False

        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))
        assert isinstance(flow_refresh_token(world.ctx, new["refresh_token"]), dict)
