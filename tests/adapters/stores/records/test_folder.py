"""Records of a folder: names, times, files that are not understood, and what is cleaned away."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_adapters.runtime.boot_clock import Boot
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.records import SLACK
from oidc_adapters.stores.records.files import FileRecords
from oidc_core.wire.errors import StoreFailure, UsageError
from tests.adapters.runtime.test_file_lock import holder
from tests.flows.rig import NOW

if TYPE_CHECKING:
    from pathlib import Path

UNTIL: Final = NOW + 60


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own"


@pytest.fixture
def store(path: Path, clock: FrozenClock) -> FileRecords:
    return FileRecords(path, clock=clock)


def record_file(path: Path) -> Path:
    (found,) = path.glob("*.record")
    return found


# --- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("about", "settings"),
    [
        ("folder", {"folder": 5}),
        ("folder", {"folder": ""}),
        ("folder", {"folder": "a\0b"}),
        ("folder", {"folder": None}),
        ("patience", {"patience": 0}),
        ("patience", {"patience": "10"}),
        ("clock", {"clock": 5}),
    ],
)
def test_a_wrong_setting_is_named(path: Path, about: str, settings: dict[str, Any]) -> None:
    given: dict[str, Any] = {"folder": path}
    with pytest.raises(UsageError) as refusal:
        FileRecords(**(given | settings))

    assert (refusal.value.code, refusal.value.about) == ("config_invalid", about)


def test_a_folder_is_named_by_text_or_by_a_path(path: Path) -> None:
    assert FileRecords(f"{path}").create("key", "1", "v", UNTIL)
    assert FileRecords(path).read("key") is not None
    assert FileRecords(path).single_use == "shared"


def test_a_store_that_nobody_has_used_makes_no_folder(path: Path) -> None:
    store = FileRecords(path)
    assert not path.exists()
    assert store.read("key") is None
    assert path.stat().st_mode & 0o777 == 0o700


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["../key", "/etc/key", "a/b", "..", "", "k" * 255, "a\nb", "lock"])
def test_no_key_leads_out_of_the_folder(store: FileRecords, path: Path, key: str) -> None:
    assert store.create(key, "1", "v", UNTIL)

    assert sorted(each.name for each in path.parent.iterdir()) == ["own"]
    assert len(record_file(path).stem) == 64
    found = store.read(key)
    assert found is not None
    assert found.value == "v"


def test_no_file_but_those_of_the_store_is_there(store: FileRecords, path: Path) -> None:
    store.create("key", "1", "v", UNTIL)
    store.replace("key", "1", "2", "v", UNTIL)
    store.times()
    store.remove("key", "2")

    assert {each.name for each in path.iterdir()} <= {"lock", "clock"}


# --- what is not understood ----------------------------------------------------------------------

MEMBERS: Final[dict[str, object]] = {
    "schema": 1, "key": "key", "version": "1", "until": UNTIL, "at": NOW, "value": "v",
    "stale": "",
}  # fmt: skip


def _with(**members: object) -> bytes:
    return json.dumps({**MEMBERS, **members}).encode()


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"", "record_invalid"),
        (b"{", "record_invalid"),
        (b"[]", "record_invalid"),
        (b"null", "record_invalid"),
        (b"\xff\xfe{}", "record_invalid"),
        (b"[" * 100_000, "record_invalid"),
        (b"{}", "record_invalid"),
        (_with(schema="1"), "record_invalid"),
        (_with(schema=2), "record_version_unknown"),
        (_with(schema=2, key="other", value=[]), "record_version_unknown"),
        (_with(key="other"), "record_invalid"),
        (_with(key=None), "record_invalid"),
        (_with(version=1), "record_invalid"),
        (_with(until="1"), "record_invalid"),
        (_with(at=None), "record_invalid"),
        (_with(value=1), "record_invalid"),
        (_with(stale=["a"]), "record_invalid"),
    ],
)
def test_a_file_that_is_not_understood_is_told_and_stays(
    store: FileRecords, path: Path, clock: FrozenClock, octets: bytes, code: str
) -> None:
    store.create("key", "1", "v", UNTIL)
    file = record_file(path)
    file.write_bytes(octets)

    for call in (
        lambda: store.read("key"),
        lambda: store.create("key", "2", "v", UNTIL),
        lambda: store.replace("key", "1", "2", "v", UNTIL),
        lambda: store.remove("key", "1"),
    ):
        with pytest.raises(StoreFailure) as refusal:
            call()
        assert refusal.value.code == code
    clock.advance(2 * SLACK)
    assert store.clean() == 0
    assert file.read_bytes() == octets
    assert store.create("another", "1", "v", UNTIL)


def test_a_record_that_was_copied_to_another_key_is_refused(store: FileRecords, path: Path) -> None:
    store.create("key", "1", "v", UNTIL)
    octets = record_file(path).read_bytes()
    store.remove("key", "1")
    store.create("other", "1", "v", UNTIL)
    record_file(path).write_bytes(octets)

    with pytest.raises(StoreFailure) as refusal:
        store.read("other")
    assert refusal.value.code == "record_invalid"


def test_a_record_behind_a_link_is_not_read(store: FileRecords, path: Path) -> None:
    store.create("key", "1", "v", UNTIL)
    file = record_file(path)
    file.rename(path.parent / "elsewhere")
    file.symlink_to(path.parent / "elsewhere")

    for call in (lambda: store.read("key"), lambda: store.remove("key", "1")):
        with pytest.raises(OSError, match="symbolic link"):
            call()
    assert store.clean() == 0


def test_a_folder_opened_to_others_meanwhile_is_refused(store: FileRecords, path: Path) -> None:
    store.create("key", "1", "v", UNTIL)
    path.chmod(0o777)
    for call in (lambda: store.read("key"), lambda: store.remove("key", "1"), store.times):
        with pytest.raises(UsageError) as refusal:
            call()
        assert (refusal.value.code, refusal.value.about) == ("config_invalid", "folder")


# --- the lock ------------------------------------------------------------------------------------


def test_a_writer_waits_only_so_long_and_a_reader_not_at_all(path: Path) -> None:
    FileRecords(path).create("key", "1", "v", UNTIL)
    store = FileRecords(path, patience=1)
    store.times()
    with holder(path):
        assert store.read("key") is not None
        with pytest.raises(StoreFailure) as refusal:
            store.replace("key", "1", "2", "v", UNTIL)
        assert (refusal.value.code, refusal.value.about) == ("store_unavailable", "lock")
    assert store.replace("key", "1", "2", "v", UNTIL)


def test_threads_wait_for_each_other_only_so_long(path: Path) -> None:
    store, entered, leave = FileRecords(path, patience=1), threading.Event(), threading.Event()

    def hold() -> None:
        with store._locked():
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert entered.wait(10)
        with pytest.raises(StoreFailure) as refusal:
            store.create("key", "1", "v", UNTIL)
        assert (refusal.value.code, refusal.value.about) == ("store_unavailable", "lock")
    finally:
        leave.set()
        thread.join(10)
    assert store.create("key", "1", "v", UNTIL)


# --- the clock -----------------------------------------------------------------------------------


def test_its_clock_does_not_follow_the_wall_clock(path: Path, clock: FrozenClock) -> None:
    boot = [Boot("a-start", 100)]
    store = FileRecords(path, clock=clock, boot=lambda: boot[0])
    assert store.times() == (NOW, NOW)
    clock.advance(5_000)
    boot[0] = Boot("a-start", 107)
    other = FileRecords(path, clock=FrozenClock(NOW - 5_000), boot=lambda: boot[0])

    assert store.times() == (NOW + 7, NOW + 5_000)
    assert other.times() == (NOW + 7, NOW - 5_000)


@pytest.mark.parametrize("text", [None, "", "no anchor", "\xff"])
def test_after_a_start_of_the_machine_its_clock_goes_on(path: Path, text: str | None) -> None:
    boot = [Boot("a-start", 100)]
    store = FileRecords(path, clock=FrozenClock(NOW), boot=lambda: boot[0])
    store.create("key", "1", "v", UNTIL)

    boot[0] = Boot("another-start", 5)
    if text is not None:
        (path / "clock").write_text(text, "latin-1")
    behind = FileRecords(path, clock=FrozenClock(NOW - 5_000), boot=lambda: boot[0])
    found = behind.read("key")
    assert found is not None
    assert found.times == (NOW, NOW - 5_000)

    boot[0] = Boot("a-third-start", 5)
    ahead = FileRecords(path, clock=FrozenClock(NOW + 5_000), boot=lambda: boot[0])
    found = ahead.read("key")
    assert found is not None
    assert found.times.now == NOW + 5_000
    assert behind.times().now == NOW + 5_000
    assert ahead.replace("key", "1", "2", "v", UNTIL)


# --- cleaning ------------------------------------------------------------------------------------


def test_what_expired_an_hour_ago_is_cleaned_away(
    store: FileRecords, path: Path, clock: FrozenClock
) -> None:
    store.create("early", "1", "v", NOW)
    store.create("late", "1", "v", NOW + 10)
    (path / "foreign.record").write_bytes(_with())
    (path / "note").write_text("")

    clock.advance(SLACK)
    assert store.clean() == 0
    clock.advance(1)
    assert store.clean() == 1
    assert store.read("early") is None
    assert store.read("late") is not None
    clock.advance(10)
    assert store.clean(0) == 0
    assert store.clean(1) == 1
    assert (path / "note").exists()
    assert (path / "foreign.record").exists()


def test_a_store_cleans_itself_when_a_program_makes_its_first_record(
    store: FileRecords, path: Path, clock: FrozenClock
) -> None:
    for number in range(5):
        store.create(f"{number}", "1", "v", NOW)
    clock.advance(SLACK + 1)

    FileRecords(path, clock=clock).create("new", "1", "v", UNTIL)

    assert len([*path.glob("*.record")]) == 1


def test_a_store_that_serves_for_long_cleans_itself_now_and_then(
    store: FileRecords, path: Path, clock: FrozenClock
) -> None:
    for number in range(100):
        store.create(f"{number}", "1", "v", clock.now())
        clock.advance(SLACK)

    assert len([*path.iterdir()]) < 30
