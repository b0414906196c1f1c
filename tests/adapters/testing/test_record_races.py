"""Each duty for several callers is failed by a store that neglects it."""

from __future__ import annotations

from time import sleep

import pytest

from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.testing import RECORDS_DUTIES

DUTY_OF = {duty.name: duty for duty in RECORDS_DUTIES}


class RacyReplace(MemoryRecords):
    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        found = self.read(key)
        sleep(0.001)
        return bool(
            found
            and found.version == expected
            and super().replace(key, self._records[key].version, version, value, until)
        )


class RacyCreate(MemoryRecords):
    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        absent = self.read(key) is None
        sleep(0.001)
        with self._process.lock:
            if absent:
                self._records.pop(key, None)
            return super().create(key, version, value, until)


class RacyRemove(MemoryRecords):
    def remove(self, key: str, expected: str, /) -> bool:
        with self._process.lock:
            there = self._has(key, expected)
        sleep(0.001)
        super().remove(key, expected)
        return there


class NeverReplaces(MemoryRecords):
    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        return False


NEGLECTED = [
    ("racing-creates", RacyCreate),
    ("racing-replaces", RacyReplace),
    ("racing-removes", RacyRemove),
    ("racing-counters", RacyReplace),
    ("racing-counters", NeverReplaces),
]


@pytest.mark.parametrize(("name", "neglectful"), NEGLECTED)
def test_a_store_that_neglects_a_duty_fails_it(name: str, neglectful: type[MemoryRecords]) -> None:
    store = neglectful()

    with pytest.raises(AssertionError) as failure:
        DUTY_OF[name](lambda: store)
    assert str(failure.value)


def test_handles_of_two_places_fail() -> None:
    with pytest.raises(AssertionError):
        DUTY_OF["handles"](MemoryRecords)


def test_every_race_is_lost_by_some_store() -> None:
    assert {name for name, _ in NEGLECTED} == {name for name in DUTY_OF if "racing" in name}
