"""A store of records that fails, or lets something happen, at a call of one's choice."""

from collections.abc import Callable

from oidc_adapters.stores.records import Found, MemoryRecords, Times
from oidc_core.model.pending import SingleUse


class PluggedRecords:
    """Records in memory; ``before`` and ``after`` are called with the name and key of each call."""

    def __init__(self, records: MemoryRecords | None = None) -> None:
        self.records = MemoryRecords() if records is None else records
        self.before: Callable[[str, str], object] = lambda _name, _key: None
        self.after: Callable[[str, str], object] = lambda _name, _key: None
        self.calls: list[str] = []

    @property
    def single_use(self) -> SingleUse:
        return "shared"

    def times(self) -> Times:
        self._called("times", "")
        return self.records.times()

    def read(self, key: str, /) -> Found | None:
        self._called("read", key)
        found = self.records.read(key)
        self.after("read", key)
        return found

    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        self._called("create", key)
        created = self.records.create(key, version, value, until)
        self.after("create", key)
        return created

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        self._called("replace", key)
        replaced = self.records.replace(key, expected, version, value, until)
        self.after("replace", key)
        return replaced

    def remove(self, key: str, expected: str, /) -> bool:
        self._called("remove", key)
        removed = self.records.remove(key, expected)
        self.after("remove", key)
        return removed

    def clean(self, most: int = 1_000, /) -> int:
        return self.records.clean(most)

    def close(self) -> None:
        self.records.close()

    def _called(self, name: str, key: str) -> None:
        self.calls.append(name)
        self.before(name, key)


class AwaitedRecords:
    """The same for code that awaits."""

    def __init__(self, plugged: PluggedRecords | None = None) -> None:
        self.plugged = PluggedRecords() if plugged is None else plugged

    @property
    def single_use(self) -> SingleUse:
        return "shared"

    async def times(self) -> Times:
        return self.plugged.times()

    async def read(self, key: str, /) -> Found | None:
        return self.plugged.read(key)

    async def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        return self.plugged.create(key, version, value, until)

    async def replace(
        self, key: str, expected: str, version: str, value: str, until: int, /
    ) -> bool:
        return self.plugged.replace(key, expected, version, value, until)

    async def remove(self, key: str, expected: str, /) -> bool:
        return self.plugged.remove(key, expected)

    async def clean(self, most: int = 1_000, /) -> int:
        return self.plugged.clean(most)

    async def close(self) -> None:
        self.plugged.close()


def failing_at(wanted: str) -> Callable[[str, str], object]:
    """Return what fails at the calls of this name."""

    def fail(name: str, _key: str) -> object:
        if name == wanted:
            message = "the store is away"
            raise ConnectionError(message)
        return None

    return fail
