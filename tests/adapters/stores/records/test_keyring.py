"""Records of which the keyring keeps the values: duties, crashes, and keyrings that fail."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.records import SLACK, InThreads
from oidc_adapters.stores.records.files import FileRecords
from oidc_adapters.stores.records.keyring import KeyringRecords
from oidc_adapters.testing import (
    ASYNC_RECORDS_DUTIES,
    RECORDS_DUTIES,
    UNREACHABLE_RECORDS,
    AsyncRecordsDuty,
    RecordsDuty,
)
from oidc_core.wire.errors import StoreFailure, UsageError
from tests.adapters.stores.records.crashing import CRASHES, FileKeyring, killed_at_each_line
from tests.adapters.stores.records.racing import UNTIL, racers
from tests.flows.rig import NOW, run_asyncio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD: Final = ("old", "old " * 500)
NEW: Final = ("new", "new " * 500)


class MemoryKeyring:
    """A keyring in memory, of which a call may fail."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.failing = ""

    def _reach(self, call: str) -> None:
        if call == self.failing:
            message = "canary"
            raise RuntimeError(message)

    def get_password(self, service: str, username: str) -> str | None:
        self._reach("get")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._reach("set")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._reach("delete")
        del self.kept[service, username]


@pytest.fixture
def keyring() -> MemoryKeyring:
    return MemoryKeyring()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own"


@pytest.fixture
def store(path: Path, keyring: MemoryKeyring) -> KeyringRecords:
    return KeyringRecords("program", path, keyring=keyring)


def held(store: KeyringRecords) -> tuple[str, str] | None:
    found = store.read("key")
    return None if found is None else (found.version, found.value)


def failure(call: Callable[[], object]) -> StoreFailure:
    with pytest.raises(StoreFailure) as caught:
        call()
    assert "canary" not in f"{caught.value}"
    return caught.value


# --- duties --------------------------------------------------------------------------------------


@pytest.mark.parametrize("duty", RECORDS_DUTIES, ids=str)
def test_it_does_its_duty(duty: RecordsDuty, path: Path, keyring: MemoryKeyring) -> None:
    duty(lambda: KeyringRecords("program", path, keyring=keyring))


@pytest.mark.parametrize("duty", RECORDS_DUTIES, ids=str)
def test_it_does_its_duty_over_files(duty: RecordsDuty, path: Path, tmp_path: Path) -> None:
    keyring = FileKeyring(tmp_path / "keyring")
    duty(lambda: KeyringRecords("program", path, keyring=keyring))


@pytest.mark.parametrize("duty", ASYNC_RECORDS_DUTIES, ids=str)
def test_it_does_its_duty_in_threads(
    duty: AsyncRecordsDuty, path: Path, keyring: MemoryKeyring
) -> None:
    async def main() -> None:
        await duty(lambda: InThreads(KeyringRecords("program", path, keyring=keyring)))

    run_asyncio(main)


@pytest.mark.parametrize("call", ["get", "set"])
def test_a_keyring_that_fails_is_a_store_that_fails(
    store: KeyringRecords, keyring: MemoryKeyring, call: str
) -> None:
    store.create("key", *OLD, UNTIL)
    keyring.failing = call

    error = failure(lambda: store.replace("key", "old", *NEW, UNTIL))
    assert (error.code, error.about, error.found) == (
        "store_unavailable",
        "keyring",
        "RuntimeError",
    )
    error = failure(lambda: store.create("other", *NEW, UNTIL))
    assert error.code == "store_unavailable"
    keyring.failing = ""
    assert held(store) == OLD
    assert store.read("other") is None
    assert store.replace("key", "old", *NEW, UNTIL)
    assert store.create("other", *NEW, UNTIL)


def test_a_keyring_that_cannot_be_reached_is_not_taken_for_an_empty_one(
    store: KeyringRecords, keyring: MemoryKeyring
) -> None:
    store.create("key", *OLD, UNTIL)
    keyring.failing = "get"
    error = failure(lambda: store.read("key"))
    assert (error.code, error.about) == ("store_unavailable", "keyring")


def test_where_its_folder_is_not_it_raises(path: Path, keyring: MemoryKeyring) -> None:
    hidden = KeyringRecords("program", path / "below", keyring=keyring)
    path.write_text("")
    UNREACHABLE_RECORDS(lambda: hidden)


# --- what is kept where --------------------------------------------------------------------------


def test_values_are_in_the_keyring_alone(
    store: KeyringRecords, keyring: MemoryKeyring, path: Path
) -> None:
    store.create("key", "1", "canary-1", UNTIL)
    store.replace("key", "1", "2", "canary-2", UNTIL)

    assert [*keyring.kept.values()] == ["canary-2"]
    assert {service for service, _ in keyring.kept} == {"program"}
    assert all(b"canary" not in each.read_bytes() for each in path.iterdir())
    store.remove("key", "2")
    assert keyring.kept == {}


def test_services_in_folders_of_their_own_do_not_meet(
    store: KeyringRecords, keyring: MemoryKeyring, tmp_path: Path
) -> None:
    other = KeyringRecords("other", tmp_path / "other", keyring=keyring)
    store.create("key", *OLD, UNTIL)

    assert other.read("key") is None
    assert other.create("key", *NEW, UNTIL)
    assert held(store) == OLD


def test_files_in_the_same_folder_are_other_records(store: KeyringRecords, path: Path) -> None:
    store.create("key", *OLD, UNTIL)

    assert FileRecords(path).read("key") is None
    assert FileRecords(path).create("key", *NEW, UNTIL)
    assert held(store) == OLD


def test_a_value_that_somebody_removed_fails_closed(
    store: KeyringRecords, keyring: MemoryKeyring
) -> None:
    store.create("key", *OLD, UNTIL)
    keyring.kept.clear()

    error = failure(lambda: store.read("key"))
    assert (error.code, error.about) == ("record_invalid", "keyring")
    assert not store.create("key", *NEW, UNTIL)
    assert store.remove("key", "old")
    assert store.create("key", *NEW, UNTIL)


def test_a_value_that_cannot_be_removed_is_removed_by_the_next_writer(
    store: KeyringRecords, keyring: MemoryKeyring
) -> None:
    store.create("key", *OLD, UNTIL)
    keyring.failing = "delete"
    assert store.replace("key", "old", *NEW, UNTIL)
    assert held(store) == NEW
    assert len(keyring.kept) == 2

    assert failure(lambda: store.replace("key", "new", *OLD, UNTIL)).code == "store_unavailable"
    assert held(store) == NEW
    keyring.failing = ""
    assert store.replace("key", "new", *OLD, UNTIL)
    assert len(keyring.kept) == 1


def test_what_has_expired_is_cleaned_away_with_its_value(
    path: Path, keyring: MemoryKeyring
) -> None:
    clock = FrozenClock(NOW)
    store = KeyringRecords("program", path, keyring=keyring, clock=clock)
    store.create("key", "1", "v", NOW)
    clock.advance(SLACK + 1)

    assert store.clean() == 1
    assert keyring.kept == {}
    assert [*path.glob("*.entry")] == []


# --- limits --------------------------------------------------------------------------------------


class ShortKeyring(MemoryKeyring):
    """Keeps the start of a value, without a word."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:100])


@pytest.mark.parametrize("most", [2_560, 100])
def test_a_value_that_is_too_large_is_refused(
    path: Path, keyring: MemoryKeyring, most: int
) -> None:
    store = KeyringRecords("program", path, keyring=keyring, most=most)
    assert store.create("key", "old", "x" * (most // 2), UNTIL)

    for call in (
        lambda: store.replace("key", "old", "new", "x" * (most // 2 + 1), UNTIL),
        lambda: store.create("other", "new", "x" * (most // 2 + 1), UNTIL),
        lambda: store.create("other", "new", "\U0001f600" * (most // 4 + 1), UNTIL),
    ):
        error = failure(call)
        assert (error.code, error.about) == ("store_full", "keyring")
        assert error.expected == f"{most} octets of UTF-16 at most"
    assert held(store) == ("old", "x" * (most // 2))
    assert store.read("other") is None
    assert len(keyring.kept) == 1


def test_a_keyring_that_keeps_only_a_part_is_seen(path: Path) -> None:
    keyring = ShortKeyring()
    store = KeyringRecords("program", path, keyring=keyring)
    assert store.create("key", "old", "x" * 100, UNTIL)

    error = failure(lambda: store.replace("key", "old", *NEW, UNTIL))
    assert (error.code, error.about) == ("store_unavailable", "keyring")
    assert held(store) == ("old", "x" * 100)


# --- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("about", "settings"),
    [
        ("service", {"service": ""}),
        ("service", {"service": 5}),
        ("folder", {"folder": 5}),
        ("keyring", {"keyring": object()}),
        ("most", {"most": 0}),
        ("most", {"most": "1"}),
        ("patience", {"patience": 0}),
    ],
)
def test_a_wrong_setting_is_named(
    path: Path, keyring: MemoryKeyring, about: str, settings: dict[str, Any]
) -> None:
    given: dict[str, Any] = {"service": "program", "folder": path, "keyring": keyring}
    given |= settings
    with pytest.raises(UsageError) as refusal:
        KeyringRecords(**given)

    assert (refusal.value.code, refusal.value.about) == ("config_invalid", about)


def test_without_the_package_it_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(UsageError) as refusal:
        KeyringRecords("program", path)

    assert (refusal.value.code, refusal.value.about) == ("config_invalid", "keyring")
    assert "oidc-core[keyring]" in f"{refusal.value}"


def test_a_backend_of_the_package_serves_it(path: Path) -> None:
    package = pytest.importorskip("keyring", reason="the package keyring is not installed")
    from keyring.backend import KeyringBackend

    class Kept(MemoryKeyring, KeyringBackend):
        pass

    before = package.get_keyring()
    keyring = Kept()
    package.set_keyring(keyring)
    try:
        assert KeyringRecords("program", path).create("key", *OLD, UNTIL)
    finally:
        package.set_keyring(before)
    assert [*keyring.kept.values()] == [OLD[1]]


@pytest.mark.parametrize("name", ["null", "fail"])
def test_a_backend_that_keeps_nothing_is_refused(path: Path, name: str) -> None:
    package = pytest.importorskip("keyring", reason="the package keyring is not installed")
    backends = pytest.importorskip(f"keyring.backends.{name}")
    before = package.get_keyring()
    package.set_keyring(backends.Keyring())
    try:
        with pytest.raises(UsageError) as refusal:
            KeyringRecords("program", path)
    finally:
        package.set_keyring(before)
    assert (refusal.value.code, refusal.value.about) == ("config_invalid", "keyring")
    assert refusal.value.found == f"keyring.backends.{name}"


# --- crashes, and several processes --------------------------------------------------------------


@pytest.fixture
def shared(path: Path, tmp_path: Path) -> KeyringRecords:
    return KeyringRecords("program", path, keyring=FileKeyring(tmp_path / "keyring"))


def values(tmp_path: Path) -> int:
    return len(FileKeyring(tmp_path / "keyring").names())


@pytest.mark.slow
@CRASHES
def test_a_crash_while_a_record_is_made_leaves_it_or_none(
    shared: KeyringRecords, tmp_path: Path
) -> None:
    seen: list[tuple[str, str] | None] = []
    for line in killed_at_each_line(lambda: shared.create("key", *NEW, UNTIL)):
        seen.append(held(shared))
        assert shared.create("key", *OLD, UNTIL) is (seen[-1] is None), line
        assert values(tmp_path) == 1, line
        assert shared.remove("key", OLD[0] if seen[-1] is None else NEW[0]), line
        assert values(tmp_path) == 0, line
    assert {*seen} == {None, NEW}


@pytest.mark.slow
@CRASHES
def test_a_crash_while_a_record_is_replaced_leaves_either(
    shared: KeyringRecords, tmp_path: Path
) -> None:
    seen: list[tuple[str, str] | None] = []
    shared.create("key", *OLD, UNTIL)
    for line in killed_at_each_line(lambda: shared.replace("key", OLD[0], *NEW, UNTIL)):
        seen.append(held(shared))
        assert shared.replace("key", NEW[0], *OLD, UNTIL) is (seen[-1] == NEW), line
        assert held(shared) == OLD, line
        assert values(tmp_path) <= 2, line
        assert shared.replace("key", OLD[0], *OLD, UNTIL), line
        assert values(tmp_path) == 1, line
    assert {*seen} == {OLD, NEW}


@pytest.mark.slow
@CRASHES
def test_a_crash_while_a_record_is_removed_leaves_it_or_none(
    shared: KeyringRecords, tmp_path: Path
) -> None:
    seen: list[tuple[str, str] | None] = []
    shared.create("key", *OLD, UNTIL)
    for line in killed_at_each_line(lambda: shared.remove("key", OLD[0])):
        seen.append(held(shared))
        shared.clean()
        assert values(tmp_path) == (seen[-1] is not None), line
        assert shared.create("key", *OLD, UNTIL) is (seen[-1] is None), line
    assert {*seen} == {OLD, None}
    assert values(tmp_path) == 0


@pytest.mark.slow
def test_processes_that_share_a_keyring_win_one_race_each(path: Path, tmp_path: Path) -> None:
    keyring = FileKeyring(tmp_path / "keyring")
    store = KeyringRecords("test", path, keyring=keyring)
    store.create("key", "0", "0", UNTIL)
    last = "0"
    with racers(f"{path}", "keyring") as processes:
        for number in range(50):
            lines = [f"replace key {last} {number}-{own} {number}-{own}" for own in range(8)]
            answers = processes.start(*lines)
            assert answers.count(True) == 1
            last = f"{number}-{answers.index(True)}"
            assert held(store) == (last, last)
    assert len(keyring.names()) == 1
