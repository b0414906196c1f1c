"""The memory of a context is bounded in number and in time."""

import os

import pytest

from oidc_adapters.context.memory import Flights, Memory
from oidc_core.wire.errors import (
    StoreFailure,
)


class TestFlights:
    """A caller who wants what is under way waits for it."""

    def test_the_first_does_it_and_the_others_get_its_result(self) -> None:
        flights = Flights[str]()
        first, second, third = [flights.board("a") for _ in range(3)]
        assert first is None
        assert second is not None
        assert third is not None
        flights.land("a", "A")

        assert [second.result(0), third.result(0)] == ["A", "A"]

    def test_what_has_landed_is_begun_anew(self) -> None:
        flights = Flights[str]()
        flights.board("a")
        flights.land("a", "A")

        assert flights.board("a") is None

    def test_a_forked_process_does_not_wait_for_its_parents(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flights = Flights[str]()
        flights.board("a")
        monkeypatch.setattr(os, "getpid", lambda: -1)  # as it is in the child

        assert flights.board("a") is None

    def test_one_does_not_wait_for_another(self) -> None:
        flights = Flights[str]()

        assert [flights.board("a"), flights.board("b")] == [None, None]


class TestMemory:
    """What a context remembers is bounded."""

    def test_the_oldest_go_at_the_cap(self) -> None:
        memory = Memory[str](lifetime=10, cap=2)
        for key in ("a", "b", "a", "c"):
            memory.put(key, key.upper(), 0)

        assert [memory.find(key, 0) for key in "abc"] == ["A", None, "C"]
        assert len(memory) == 2

    def test_what_is_over_goes(self) -> None:
        memory = Memory[str](lifetime=10, cap=2)
        memory.put("a", "A", 0)
        memory.put("b", "B", 1)

        assert [memory.find("a", 10), memory.find("a", 11), memory.take("b", 11)] == [
            "A",
            None,
            "B",
        ]
        assert memory.take("b", 11) is None

    def test_what_is_of_the_future_keeps_no_room_from_others(self) -> None:
        memory = Memory[str](lifetime=10, cap=2)
        memory.put("future", "F", 1_000)

        for now in (0, 11, 22):
            assert memory.admit(f"{now}", "N", now)
        assert len(memory) == 1

    def test_an_admission_drops_nothing(self) -> None:
        memory = Memory[str](lifetime=10, cap=1)

        assert memory.admit("a", "A", 0)
        assert not memory.admit("a", "B", 0)
        with pytest.raises(StoreFailure) as refusal:
            memory.admit("b", "B", 0)
        assert refusal.value.code == "pending_too_many"
        assert memory.find("a", 0) == "A"
