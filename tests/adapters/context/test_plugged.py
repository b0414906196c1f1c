"""The application's own parts may raise and return anything: it comes back as an error value."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from oidc_adapters.context import (
    APIError,
    OIDCCtx,
    check_id_token,
    flow_get_authorization_code,
    flow_get_token,
    flow_refresh_token,
    flow_request_authorization_code,
    flow_validate_id_token,
)
from oidc_adapters.context.plugged import PluggedTransport
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import FakeProvider
from oidc_adapters.testing.transports import TellsTime
from oidc_core.model.pending import LoginSecrets
from oidc_core.wire.errors import OidcError, StoreFailure, TransportFailure, UsageError
from oidc_core.wire.http import Answer, WireRequest
from tests.adapters.context.world import CLIENT, ISSUER, NOW, REDIRECT_URI, Line, World

FAULTS: Final = [ConnectionResetError("c"), OSError(), KeyError("k"), RecursionError(), ValueError]
EACH_FAULT: Final = pytest.mark.parametrize("fault", FAULTS, ids=repr)


class Told(FrozenClock):
    """A clock that a test may break."""

    told: Any = None

    def now(self) -> int:
        if isinstance(self.told, Exception) or self.told is ValueError:
            raise self.told
        now: int = super().now() if self.told is None else self.told
        return now


class Device(FixedEntropy):
    """A random device that a test may break."""

    fault: Any = None
    given: Any = None

    def _broken(self) -> bool:
        if self.fault is not None:
            raise self.fault
        return self.given is not None

    def login_secrets(self) -> LoginSecrets:
        return self.given if self._broken() else super().login_secrets()

    def token(self) -> str:
        return self.given if self._broken() else super().token()


def world_of(clock: Told) -> World:
    world = World()
    world.clock = clock
    world.ctx = OIDCCtx(
        ISSUER,
        REDIRECT_URI,
        CLIENT.client_id,
        CLIENT.client_secret,
        transport=world.transport,
        clock=clock,
        random_device=FixedEntropy(1),
    )
    return world


def returned(world: World, break_it: Callable[[], None]) -> list[object]:
    """The return value of each call when something breaks after the one before it."""
    query, code = world.callback(), world.code()
    tokens = world.tokens()
    break_it()
    return [
        flow_get_authorization_code(world.ctx, query),
        flow_get_token(world.ctx, code),
        flow_refresh_token(world.ctx, tokens.get("refresh_token", "r")),
        flow_validate_id_token(world.ctx, tokens["id_token"]),
    ]


def raised(call: Callable[..., object], *given: Any) -> tuple[str, str]:
    with pytest.raises(OidcError) as refusal:
        call(*given)
    return refusal.value.code, refusal.value.about


class TestClock:
    """A clock that raises, or tells no whole seconds."""

    @EACH_FAULT
    def test_what_it_raises_is_a_value(self, fault: Any) -> None:
        clock = Told(NOW)
        world = world_of(clock)
        results = returned(world, lambda: setattr(clock, "told", fault))

        assert results == [APIError("store_unavailable")] * 3 + [False]
        for call in (flow_request_authorization_code, world_of):
            given = world.ctx if call is flow_request_authorization_code else clock
            assert raised(call, given) == ("store_unavailable", "clock")
        assert raised(check_id_token, world.ctx, "a.b.c") == ("store_unavailable", "clock")

    @pytest.mark.parametrize(
        "told", [1.5, "now", True, float("nan"), b"", 10**5_000, -(10**5_000), 2**53 + 1], ids=type
    )
    def test_what_is_no_time_is_a_value(self, told: Any) -> None:
        clock = Told(NOW)
        world = world_of(clock)
        results = returned(world, lambda: setattr(clock, "told", told))

        assert results == [APIError("config_invalid")] * 3 + [False]
        cause = results[0].cause if isinstance(results[0], APIError) else None
        assert cause is not None
        assert (cause.about, cause.expected) == ("clock", "whole seconds")
        assert raised(flow_request_authorization_code, world.ctx) == ("config_invalid", "clock")
        assert raised(world.ctx.evidence, "a.b.c") == ("config_invalid", "clock")


class TestTransport:
    """A transport that raises, though its port says that it never does."""

    @EACH_FAULT
    def test_what_it_raises_is_a_value(self, fault: Any, world: World) -> None:
        def fails(_request: WireRequest, _clock: TellsTime) -> Answer:
            raise fault

        code, tokens = world.code(), world.tokens()
        world.clock.advance(50)
        world.transport.tamper = fails

        assert flow_get_token(world.ctx, code) == APIError("code_in_doubt")
        assert flow_refresh_token(world.ctx, tokens["refresh_token"]) == APIError(
            "refresh_in_doubt"
        )
        world.clock.advance(4_000)
        assert not flow_validate_id_token(world.ctx, tokens["id_token"])
        with pytest.raises(TransportFailure) as failure:
            World(transport=_failing(fault))
        assert (failure.value.code, failure.value.sent) == ("http_malformed", "maybe")

    @EACH_FAULT
    def test_keys_that_are_known_outlive_it(self, fault: Any) -> None:
        world = World(FakeProvider(clients=(CLIENT,), token_lifetime=7_200))
        id_token = world.tokens()["id_token"]
        world.clock.advance(3_700)
        world.transport.tamper = _failing(fault).tamper

        assert flow_validate_id_token(world.ctx, id_token)

    @pytest.mark.parametrize("answer", [None, "x", b"{}", (200, "x"), object])
    def test_what_is_no_answer_is_a_value(self, answer: Any, world: World) -> None:
        code, tokens = world.code(), world.tokens()
        world.transport.tamper = lambda _request, _clock: answer

        for value in (
            flow_get_token(world.ctx, code),
            flow_refresh_token(world.ctx, tokens["refresh_token"]),
        ):
            assert value == APIError("answer_unexpected")

    def test_an_error_of_this_library_stays_as_it_is(self, world: World) -> None:
        def refuses(_request: WireRequest, _clock: TellsTime) -> Answer:
            raise UsageError("url_invalid", about="proxy")

        code = world.code()
        world.transport.tamper = refuses
        assert flow_get_token(world.ctx, code) == APIError("url_invalid")

    @pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
    def test_an_interruption_stays_one(self, end: type[BaseException], world: World) -> None:
        def ends(_request: WireRequest, _clock: TellsTime) -> Answer:
            raise end

        code = world.code()
        world.transport.tamper = ends
        with pytest.raises(end):
            flow_get_token(world.ctx, code)

    @pytest.mark.parametrize("judges", [True, False])
    def test_it_says_of_addresses_what_the_transport_says(self, judges: bool) -> None:
        class Says(Line):
            judges_addresses = judges

        assert PluggedTransport(Says(FakeProvider())).judges_addresses is judges


def _failing(fault: Any) -> Line:
    def fails(_request: WireRequest, _clock: TellsTime) -> Answer:
        raise fault

    line = Line(FakeProvider(clients=(CLIENT,)))
    line.tamper = fails
    return line


class TestRandomDevice:
    """A random device that raises, or gives no secrets."""

    @EACH_FAULT
    def test_what_it_raises_is_an_error_of_its_own(self, fault: Any) -> None:
        device = Device(1)
        world = World(random_device=device)
        elsewhere = World(random_device=FixedEntropy(5)).tokens()["id_token"]
        device.fault = fault

        assert raised(flow_request_authorization_code, world.ctx)[0] == "entropy_failure"
        assert flow_validate_id_token(world.ctx, elsewhere) is False
        assert raised(check_id_token, world.ctx, elsewhere)[0] == "entropy_failure"

    @pytest.mark.parametrize("given", ["", 5, b"octets", ("a", "b"), object()], ids=type)
    def test_what_is_no_secret_is_refused(self, given: Any) -> None:
        device = Device(1)
        world = World(random_device=device)
        elsewhere = World(random_device=FixedEntropy(5)).tokens()["id_token"]
        device.given = given

        assert raised(flow_request_authorization_code, world.ctx)[0] == "entropy_failure"
        assert raised(check_id_token, world.ctx, elsewhere)[0] == "entropy_failure"


def test_a_failure_shows_nothing_of_what_was_raised() -> None:
    clock = Told(NOW)
    world = world_of(clock)
    clock.told = ConnectionError("postgres://user:password@host")
    value = flow_get_token(world.ctx, "code")

    assert isinstance(value, APIError)
    assert isinstance(value.cause, StoreFailure)
    assert value.cause.__cause__ is None
    assert "password" not in f"{value!r} {value.cause}"
