"""A clock of the machine: it runs on within one start, and never backwards over several."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from oidc_adapters.runtime import boot_clock
from oidc_adapters.runtime.boot_clock import Anchor, Boot, anchor_of, anchored, this_boot
from tests.flows.rig import NOW

FIRST = Anchor("one", 100, NOW - 100)
NAMELESS = Anchor("", 100, NOW - 100)


def test_a_new_store_is_anchored_at_the_wall_clock() -> None:
    anchor = anchored(None, Boot("one", 100), NOW, 0)

    assert anchor == FIRST
    assert anchor.now(Boot("one", 100)) == NOW
    assert anchor.now(Boot("one", 160)) == NOW + 60


@pytest.mark.parametrize("moved", [-10_000_000, -1, 0, 1, 10_000_000])
def test_the_wall_clock_moves_nothing_within_a_start(moved: int) -> None:
    assert anchored(FIRST, Boot("one", 160), NOW + 60 + moved, NOW + 5) == FIRST


def test_another_start_is_anchored_again() -> None:
    again = anchored(FIRST, Boot("two", 3_000), NOW + 86_400, NOW + 900)

    assert again == Anchor("two", 3_000, NOW + 86_400 - 3_000)


def test_a_wall_clock_that_is_behind_after_a_start_does_not_set_it_back() -> None:
    boot = Boot("two", 30)

    assert anchored(FIRST, boot, 0, NOW + 900).now(boot) == NOW + 900


def test_the_same_start_with_fewer_seconds_is_another_one() -> None:
    """A machine that was brought back to an earlier state."""
    boot = Boot("one", 50)

    assert anchored(FIRST, boot, NOW + 500, NOW + 900).now(boot) == NOW + 900


@pytest.mark.parametrize(
    ("elapsed", "utc", "kept"),
    [
        (160, NOW + 60, True),
        (160, NOW + 120, True),  # a minute of drift
        (160, NOW + 121, False),
        (160, NOW - 86_400, True),  # set back
        (99, NOW + 60, False),
        (3_600, NOW + 86_400, False),
    ],
)
def test_a_start_without_identifier_is_told_by_its_seconds(
    elapsed: int, utc: int, *, kept: bool
) -> None:
    boot = Boot("", elapsed)
    anchor = anchored(NAMELESS, boot, utc, NOW)

    assert (anchor == NAMELESS) is kept
    assert anchor.now(boot) >= min(utc, NAMELESS.now(boot))


@pytest.mark.parametrize("anchor", [FIRST, NAMELESS, Anchor("a b", 0, -5)])
def test_an_anchor_is_kept_as_text(anchor: Anchor) -> None:
    assert anchor_of(anchor.text()) == anchor
    assert anchor_of(anchor.text() + "\n") == anchor


@pytest.mark.parametrize("text", ["", "x", "1", "1 x y", "1.5 2 y", "\x00"])
def test_another_text_is_none(text: str) -> None:
    assert anchor_of(text) is None


def test_it_is_common_to_processes() -> None:
    code = "from oidc_adapters.runtime.boot_clock import this_boot; print(*this_boot())"

    before = this_boot()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = this_boot()

    other = Boot(" ".join(done.stdout.split()[:-1]), int(done.stdout.split()[-1]))
    assert before.id == other.id == after.id
    assert before.elapsed <= other.elapsed <= after.elapsed


def test_a_system_without_these_clocks_has_the_monotonic_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(boot_clock, "_BOOT_ID", tmp_path / "absent")
    monkeypatch.setattr(boot_clock, "_CLOCK", None)

    boot = this_boot()

    assert boot.id == ""
    assert 0 <= time.monotonic() - boot.elapsed < 60
