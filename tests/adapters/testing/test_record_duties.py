"""Each duty for one caller is failed by a store that neglects it."""

from __future__ import annotations

import itertools

import pytest

from oidc_adapters.stores.records import Found, MemoryRecords, Times
from oidc_adapters.testing import RECORDS_DUTIES
from tests.flows.rig import NOW

DUTY_OF = {duty.name: duty for duty in RECORDS_DUTIES}


class CreatesOver(MemoryRecords):
    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        with self._process.lock:
            self._records.pop(key, None)
            return super().create(key, version, value, until)


class ReplacesAbsent(MemoryRecords):
    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        created = super().create(key, version, value, until)
        return created or super().replace(key, expected, version, value, until)


class ReplacesAny(MemoryRecords):
    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        found = self.read(key)
        return found is not None and super().replace(key, found.version, version, value, until)


class LostReplaceLies(MemoryRecords):
    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        super().replace(key, expected, version, value, until)
        return self.read(key) is not None


class RemovesAny(MemoryRecords):
    def remove(self, key: str, expected: str, /) -> bool:
        found = self.read(key)
        return found is not None and super().remove(key, found.version)


class RemovesTwice(MemoryRecords):
    def remove(self, key: str, expected: str, /) -> bool:
        return super().remove(key, expected) or self.read(key) is None


class Trims(MemoryRecords):
    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        return super().create(key, version, value.strip(), until)


class Truncates(MemoryRecords):
    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        return super().create(key, version, value[:65_535], until)


class IgnoresCase(MemoryRecords):
    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        return super().create(key.lower(), version, value, until)

    def read(self, key: str, /) -> Found | None:
        return super().read(key.lower())


class ShortKeys(MemoryRecords):
    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        return super().create(key[:254], version, value, until)

    def read(self, key: str, /) -> Found | None:
        return super().read(key[:254])

    def remove(self, key: str, expected: str, /) -> bool:
        return super().remove(key[:254], expected)


class NumericVersions(MemoryRecords):
    def _has(self, key: str, version: str) -> bool:
        record = self._records.get(key)
        try:
            return record is not None and float(record.version) == float(version)
        except ValueError:
            return super()._has(key, version)


class CaselessVersions(MemoryRecords):
    def _has(self, key: str, version: str) -> bool:
        record = self._records.get(key)
        return record is not None and record.version.lower() == version.lower()


class MixesValues(MemoryRecords):
    def read(self, key: str, /) -> Found | None:
        found = super().read(key)
        return None if found is None else found._replace(value="another")


class OtherClock(MemoryRecords):
    def read(self, key: str, /) -> Found | None:
        found = super().read(key)
        return None if found is None else found._replace(times=Times(now=NOW * 2, utc=NOW))


class Backwards(MemoryRecords):
    turn = itertools.count()

    def times(self) -> Times:
        return Times(now=-next(self.turn), utc=NOW)


class ForgetsExpired(MemoryRecords):
    def read(self, key: str, /) -> Found | None:
        found, record = super().read(key), self._records.get(key)
        return None if record is None or record.until < self.times().utc else found


class CleansEarly(MemoryRecords):
    def clean(self, most: int = 1_000, /) -> int:
        early = [k for k, r in self._records.items() if r.until < self.times().utc]
        return sum([self._records.pop(key, None) is not None for key in early[:most]])


class NeverCleans(MemoryRecords):
    def clean(self, most: int = 1_000, /) -> int:
        return 0

    def _clean(self, most: int) -> int:
        return 0


class CleansAll(MemoryRecords):
    def clean(self, most: int = 1_000, /) -> int:
        return super().clean(1_000)

    def _clean(self, most: int) -> int:
        return super()._clean(most) if most == 1_000 else 0


class CleansForever(MemoryRecords):
    def clean(self, most: int = 1_000, /) -> int:
        return super().clean(most) or 1


class Miscounts(MemoryRecords):
    def clean(self, most: int = 1_000, /) -> int:
        return min(most, 1) if super().clean(most) else 0

    def _clean(self, most: int) -> int:
        return super()._clean(most) if most != 100 else 0


class ForgetsWhenClosed(MemoryRecords):
    def close(self) -> None:
        self._records.clear()


class LiesWhenClosed(MemoryRecords):
    closed = False

    def close(self) -> None:
        self.closed = True

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        return self.closed or super().replace(key, expected, version, value, until)


NEGLECTED = [
    ("absent", ReplacesAbsent),
    ("absent", RemovesTwice),
    ("create-once", CreatesOver),
    ("read", OtherClock),
    ("replace", ReplacesAny),
    ("replace", LostReplaceLies),
    ("remove", RemovesAny),
    ("remove", RemovesTwice),
    ("remove", ReplacesAbsent),
    ("values", Trims),
    ("values", Truncates),
    ("keys", IgnoresCase),
    ("keys", ShortKeys),
    ("versions", NumericVersions),
    ("versions", CaselessVersions),
    ("sealed", MixesValues),
    ("clock", Backwards),
    ("expired", ForgetsExpired),
    ("expired", CleansEarly),
    ("clean", NeverCleans),
    ("clean", CleansAll),
    ("clean", Miscounts),
    ("clean", CleansForever),
    ("closed", ForgetsWhenClosed),
    ("closed", LiesWhenClosed),
]


@pytest.mark.parametrize(("name", "neglectful"), NEGLECTED)
def test_a_store_that_neglects_a_duty_fails_it(name: str, neglectful: type[MemoryRecords]) -> None:
    store = neglectful()

    with pytest.raises(AssertionError) as failure:
        DUTY_OF[name](lambda: store)
    assert str(failure.value)


def test_every_duty_for_one_caller_is_neglected_by_some_store() -> None:
    several = {name for name in DUTY_OF if name.startswith(("racing", "handles"))}

    assert {name for name, _ in NEGLECTED} == {*DUTY_OF} - several
