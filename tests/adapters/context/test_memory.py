"""The memory of a context is bounded in number and in time."""

import pytest

from oidc_adapters.context.memory import Memory
from oidc_core.wire.errors import (
    StoreFailure,
)


class TestMemory:
    """The memory of a context is bounded."""

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

    def test_what_has_to_stay_longer_stays_longer_and_nothing_else(self) -> None:
        memory = Memory[str](lifetime=10, cap=5)
        memory.put("long", "L", 0, until=100)
        memory.put("short", "S", 0)
        memory.put("no longer", "N", 0, until=5)

        assert [memory.find(key, 10) for key in ("long", "short", "no longer")] == ["L", "S", "N"]
        assert [memory.find(key, 11) for key in ("long", "short", "no longer")] == ["L", None, None]
        assert memory.take("short", 11) is None
        assert [memory.find("long", 100), memory.find("long", 101)] == ["L", None]

    def test_room_is_refused_before_anything_is_dropped(self) -> None:
        memory = Memory[str](lifetime=10, cap=1)
        memory.check_room(0)
        memory.put("a", "A", 0)

        with pytest.raises(StoreFailure) as refusal:
            memory.check_room(10)
        assert (refusal.value.code, refusal.value.found) == ("store_full", 1)
        memory.check_room(11)
