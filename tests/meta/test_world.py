"""The harness that forbids the world is red on each way to reach it."""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import secrets
import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.meta.world import WorldTouchedError, no_world

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def test_plain_computation_passes() -> None:
    with no_world():
        total = sum(int(digit) for digit in "1234")

    assert total == 10


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (time, "time"),
        (time, "monotonic"),
        (time, "perf_counter_ns"),
        (random, "random"),
        (random, "randbytes"),
        (secrets, "token_urlsafe"),
        (os, "urandom"),
    ],
)
def test_time_and_chance_are_refused(module: ModuleType, name: str) -> None:
    original = getattr(module, name)

    with pytest.raises(WorldTouchedError, match=rf"{module.__name__}\.{name}"), no_world():
        getattr(module, name)()

    assert getattr(module, name) is original or getattr(module, name) == original


def test_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorldTouchedError, match="open"), no_world(loading=True):
        (tmp_path / "x").write_text("")


def test_a_socket_is_refused() -> None:
    with pytest.raises(WorldTouchedError, match="socket"), no_world(loading=True):
        socket.socket()


def test_a_swallowed_touch_still_counts() -> None:
    swallowed = contextlib.suppress(BaseException)

    with pytest.raises(WorldTouchedError, match=r"time\.time"), no_world(), swallowed:
        time.time()


def test_loading_a_module_is_for_the_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loaded_in_a_world_of_its_own.py").write_text("X = 1\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    name = "loaded_in_a_world_of_its_own"

    with pytest.raises(WorldTouchedError, match=r"import|os\.listdir"), no_world():
        importlib.import_module(name)
    sys.modules.pop(name, None)
    with no_world(loading=True):
        assert importlib.import_module(name).X == 1
    with no_world():
        assert importlib.import_module(name).X == 1
