"""The faults on the wire, and the tokens that are stored before more is sent."""

from collections import Counter
from typing import ClassVar

from hypothesis import settings
from hypothesis.stateful import rule, run_state_machine_as_test

from oidc_adapters.testing.drivers import FAULTS, Drive, DriverWorld, Interrupted
from oidc_core.wire.http import Answer, HttpRequest, NoAnswer
from tests.adapters.testing.drivers.bent import (
    SEARCH,
    Machine,
    Plain,
    VerifiesFirst,
    check_finds,
)


class Counting(Plain):
    """Counts how its exchanges end."""

    ends: ClassVar[Counter[str]] = Counter()

    def sent(self, request: HttpRequest) -> Answer:
        try:
            answer = super().sent(request)
        except Interrupted:
            self.ends["interrupt"] += 1
            raise
        if isinstance(answer, NoAnswer):
            self.ends[f"{answer.sent} {answer.code}"] += 1
            return answer
        self.ends[str(answer.status)] += 1
        if answer.header("dpop-nonce"):
            self.ends[f"nonce with {answer.status}"] += 1
        return answer


class Machines(Machine):
    """Tries it."""

    def driver(self, world: DriverWorld) -> Drive:
        return Counting(world).run

    @rule()
    def demand_a_nonce_of_a_resource(self) -> None:
        """What else rarely happens."""
        self.ask_userinfo(0, ["demand"], proved=True)


def test_everything_that_goes_wrong_is_met() -> None:
    Counting.ends.clear()

    run_state_machine_as_test(Machines, settings=settings(SEARCH, max_examples=40))

    assert {*Counting.ends} >= {
        "no http_connect_failed",
        "maybe http_timeout",
        "maybe http_too_large",
        "maybe content_encoding_unexpected",
        "interrupt",
        "200",
        "307",
        "503",
        "nonce with 200",
        "nonce with 400",
        "nonce with 401",
    }, Counting.ends


def test_tokens_that_are_stored_after_they_were_verified_are_found() -> None:
    check_finds(VerifiesFirst, "stored-first")


def test_everything_that_can_go_wrong_is_described() -> None:
    assert all(FAULTS.values())


def test_an_interruption_is_nothing_that_a_driver_catches_by_the_way() -> None:
    assert not issubclass(Interrupted, Exception)
