"""``flow_validate_id_token(ctx, id_token)``: a bool."""

import json
from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.context import (
    APIError,
    check_id_token,
    flow_get_token,
    flow_refresh_token,
    flow_validate_id_token,
    validation,
)
from oidc_adapters.context.memory import key_of
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import (
    FakeProvider,
)
from oidc_adapters.testing.transports import TellsTime
from oidc_core.endpoints.id_token import REFRESH_RULES
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import (
    OidcError,
)
from oidc_core.wire.http import Answer, WireRequest
from tests.adapters.context.world import CLIENT, NOW, World, claims_of, plain, restarted
from tests.adapters.testing.raw_client import b64

DAY: Final = 86_400


class TestValidateIdToken:
    """``flow_validate_id_token(ctx, id_token)``: a bool."""

    def refused(self, world: World, id_token: str) -> str:
        """The code an ID token is refused with; the flow says no as well."""
        assert flow_validate_id_token(world.ctx, id_token) is False
        with pytest.raises(OidcError) as refusal:
            check_id_token(world.ctx, id_token)
        return refusal.value.code

    def test_the_token_of_a_login_holds(self, world: World) -> None:
        id_token = world.tokens()["id_token"]

        assert flow_validate_id_token(world.ctx, id_token) is True
        evidence = check_id_token(world.ctx, id_token)
        assert dict(evidence.skipped)["at_hash"] == "no access token came along"
        assert "nonce" not in dict(evidence.skipped)

    def test_the_token_of_a_refresh_holds(self, world: World) -> None:
        new = plain(flow_refresh_token(world.ctx, world.tokens()["refresh_token"]))

        assert flow_validate_id_token(world.ctx, new["id_token"]) is True
        assert "same_sub" not in dict(check_id_token(world.ctx, new["id_token"]).skipped)

    def test_the_token_of_a_refresh_of_an_unknown_login_holds(self) -> None:
        world, old = restarted(refresh_unknown_logins=True)
        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))

        assert flow_validate_id_token(world.ctx, new["id_token"]) is True

    def test_the_nonce_must_be_one_that_this_context_issued(self) -> None:
        provider = FakeProvider(clients=(CLIENT,))
        elsewhere = World(provider).tokens()["id_token"]

        other = World(provider, random_device=FixedEntropy(2))
        assert self.refused(other, elsewhere) == "nonce_mismatch"

    def test_a_token_of_a_login_under_way_holds(self, world: World) -> None:
        """If the application exchanges the code itself, the nonce is still this context's."""
        code = world.code()
        answered = world.ctx.records.answered.take(key_of(code), NOW)
        assert answered is not None
        logged_in: LoggedIn = world.ctx.shell.run(answered.rp, answered.step)

        assert flow_validate_id_token(world.ctx, logged_in.tokens.id_token)
        world.clock.advance(121)
        assert self.refused(world, logged_in.tokens.id_token) == "nonce_mismatch"

    def test_a_token_without_nonce_is_refused(self) -> None:
        world, old = restarted(refresh_unknown_logins=True)
        refreshed = plain(flow_refresh_token(world.ctx, old["refresh_token"]))["id_token"]
        stranger = World(world.provider, random_device=FixedEntropy(3))

        assert self.refused(stranger, refreshed) == "nonce_missing"

    def test_max_age_still_binds_it(self, world: World) -> None:
        id_token = world.tokens(max_age=10)["id_token"]
        assert flow_validate_id_token(world.ctx, id_token)
        pending = world.ctx.records.finished.find(key_of(claims_of(id_token)["nonce"]), NOW)
        assert pending is not None
        later = evolve(pending, demands=evolve(pending.demands, started_at=NOW + 131))
        world.ctx.records.finished.put(key_of(str(pending.demands.nonce)), later, NOW)

        assert self.refused(world, id_token) == "auth_time_too_old"

    @pytest.mark.parametrize(
        ("demand", "code"),
        [
            ({"required_acr": ("gold",)}, "acr_mismatch"),
            ({"essential_claims": ("auth_time",)}, None),
            ({"sub_iss": "https://other.example", "sub": "alice"}, "sub_mismatch"),
        ],
    )
    def test_whatever_its_login_demands_still_binds_it(
        self, demand: dict[str, Any], code: str | None, world: World
    ) -> None:
        id_token = world.tokens()["id_token"]
        pending = world.ctx.records.finished.find(key_of(claims_of(id_token)["nonce"]), NOW)
        assert pending is not None
        asked = evolve(pending, demands=evolve(pending.demands, **demand))
        world.ctx.records.finished.put(key_of(str(pending.demands.nonce)), asked, NOW)

        if code is None:
            assert flow_validate_id_token(world.ctx, id_token)
        else:
            assert self.refused(world, id_token) == code

    @pytest.mark.parametrize(
        ("form", "code"),
        [
            ("", "jws_malformed"),
            ("{header}.{payload}.{signature}.", "jws_malformed"),
            ("{header}.{payload}", "jws_malformed"),
            ("{header}.{payload}.{other}", "signature_invalid"),
            ("eyJhbGciOiJub25lIn0.{payload}.", "alg_not_allowed"),
        ],
        ids=["nothing", "four parts", "two parts", "another signature", "alg none"],
    )
    def test_structure_and_signature_are_checked(self, form: str, code: str, world: World) -> None:
        header, payload, signature = world.tokens()["id_token"].split(".")
        other = ("B" if signature[0] == "A" else "A") + signature[1:]
        spoilt = form.format(header=header, payload=payload, signature=signature, other=other)

        assert self.refused(world, spoilt) == code

    def test_an_expired_token_is_refused(self, world: World) -> None:
        id_token = world.tokens()["id_token"]
        world.clock.advance(300 + 119)
        assert flow_validate_id_token(world.ctx, id_token)
        world.clock.advance(1)

        assert self.refused(world, id_token) == "exp_expired"

    @pytest.mark.parametrize("days", [1, 2, 9])
    def test_one_that_lives_ten_days_is_valid_until_it_expires(self, days: int) -> None:
        """How long ago it was issued counted when it came."""
        provider = FakeProvider(clients=(CLIENT,), token_lifetime=10 * DAY)
        world = World(provider)
        of_login = world.tokens()
        of_refresh = plain(flow_refresh_token(world.ctx, of_login["refresh_token"]))
        world.clock.advance(days * DAY)
        world.tokens()

        for tokens in (of_login, of_refresh):
            assert flow_validate_id_token(world.ctx, tokens["id_token"])
            assert world.ctx.evidence(tokens["id_token"]) is not None
        world.clock.advance((10 - days) * DAY + 119)
        assert flow_validate_id_token(world.ctx, of_login["id_token"])
        world.clock.advance(1)
        for tokens in (of_login, of_refresh):
            assert self.refused(world, tokens["id_token"]) == "exp_expired"

    @pytest.mark.parametrize("refreshing", [False, True])
    def test_one_that_is_old_when_it_comes_is_refused(self, refreshing: bool) -> None:
        world = World(FakeProvider(clients=(CLIENT,), token_lifetime=10 * DAY, code_lifetime=DAY))
        world.clock.advance(3 * DAY)
        refresh_token = world.tokens()["refresh_token"]
        code = world.code()

        def long_ago(request: WireRequest, clock: TellsTime) -> Answer:
            return world.transport.through(request, FrozenClock(clock.now() - 2 * DAY))

        world.transport.tamper = long_ago
        outcome = (
            flow_refresh_token(world.ctx, refresh_token)
            if refreshing
            else flow_get_token(world.ctx, code)
        )
        assert outcome == APIError("iat_too_old")

    def test_the_expected_user_still_binds_it(self, world: World) -> None:
        id_token = world.tokens()["id_token"]
        pending = world.ctx.records.finished.find(key_of(claims_of(id_token)["nonce"]), NOW)
        assert pending is not None
        other = evolve(pending, demands=evolve(pending.demands, sub="bob"))
        world.ctx.records.finished.put(key_of(str(pending.demands.nonce)), other, NOW)

        assert self.refused(world, id_token) == "sub_mismatch"

    def test_strangers_do_not_use_up_the_fetches_of_logins(self, world: World) -> None:
        payload = world.tokens()["id_token"].split(".")[1]
        for number in range(5):
            header = b64(json.dumps({"alg": "RS256", "kid": f"{number}"}).encode())
            flow_validate_id_token(world.ctx, f"{header}.{payload}.{b64(bytes(256))}")
        world.provider.rotate_keys()

        assert "id_token" in world.tokens()

    def test_keys_out_of_reach_are_no_verdict(self, world: World) -> None:
        id_token = world.tokens()["id_token"]
        fresh = World(world.provider, random_device=FixedEntropy(1))
        fresh.transport.cut("/jwks")

        assert self.refused(fresh, id_token) == "keys_unavailable"

    def test_keys_are_refreshed_when_due_and_not_at_every_call(self) -> None:
        provider = FakeProvider(clients=(CLIENT,), token_lifetime=86_400)
        world = World(provider, key_refresh_secs=100)
        id_token = world.tokens()["id_token"]
        fetched: list[int] = []
        for _ in range(6):
            assert flow_validate_id_token(world.ctx, id_token)
            fetched.append(world.fetched("/jwks"))
            world.clock.advance(50)

        assert fetched == [1, 1, 2, 2, 3, 3]

    def test_rotated_keys_are_found(self, world: World) -> None:
        world.tokens()
        world.provider.rotate_keys()

        assert flow_validate_id_token(world.ctx, world.tokens()["id_token"])


class TestRulesOfAnUnknownLogin:
    """A refresh whose login this context does not know, under the rules of every refresh."""

    def test_they_are_the_rules_of_a_refresh_but_for_what_cannot_be_compared(self) -> None:
        table = validation._UNKNOWN_LOGIN

        assert (table.of, table.optional) == (REFRESH_RULES.of, REFRESH_RULES.optional)
        pairs = zip(table.rules, REFRESH_RULES.rules, strict=True)
        changed = [new.name for new, old in pairs if new != old]
        assert changed == [
            "same_iss", "same_sub", "same_aud", "same_azp", "same_nonce", "same_auth_time",
        ]  # fmt: skip
