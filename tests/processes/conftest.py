"""Fixtures: the parent of all processes, places for records, and how large the tests are."""

import os
from collections.abc import Callable, Generator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import pytest

from oidc_core.machine.grants import CLAIM_GUARD, SEND_GUARD
from tests.processes.crowd import Parent, parent
from tests.processes.messages import ProviderPlan
from tests.processes.places import Place, Store, locked
from tests.processes.scene import Scene
from tests.processes.trace import told
from tests.servers.postgresql import PostgreSql
from tests.servers.redis import RedisServer

HERE: Final = Path(__file__).parent
FULL_SIZE: Final = os.environ.get("OIDC_CORE_FULL_SIZE") == "1"
"""Whether each test has as many records as it can have."""

REAL_GUARDS: Final = os.environ.get("OIDC_CORE_REAL_GUARDS") == "1"
"""Whether a worker that was killed is waited for as long as applications do by default."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this directory as slow."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("slow")


@pytest.fixture
def size() -> Callable[[int, int], int]:
    """Choose a number: for every run, or for one with OIDC_CORE_FULL_SIZE=1."""
    return lambda usual, full: full if FULL_SIZE else usual


@pytest.fixture
def guards() -> dict[str, int]:
    """Settings of workers: for how long they watch others.

    An exchange that lives has to be stored within its guard, on a machine that has much to do.
    """
    if REAL_GUARDS:
        return {"claim": CLAIM_GUARD, "send": SEND_GUARD, "patience": SEND_GUARD + 20}
    return {"claim": 1, "send": 15 if FULL_SIZE else 5, "patience": 40}


@pytest.fixture
def warm_parent(tmp_path: Path) -> Generator[Parent]:
    """A parent of processes; at the end, nothing may be left that they complained about."""
    errors = tmp_path / "errors"
    with parent(errors) as made:
        yield made
    assert not errors.read_text("utf-8")


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store with records of this test alone."""
    name = f"oidc_{token_hex(6)}"
    if request.param == "sqlite":
        path = str(tmp_path / "records.db")
        return Store(Place("sqlite", path, name), partial(locked, path))
    if request.param == "postgresql":
        sql: PostgreSql = request.getfixturevalue("postgresql_server")
        return Store(Place("postgresql", sql.url(), name).made(), sql.paused, sql.socket)
    redis: RedisServer = request.getfixturevalue("redis_server")
    return Store(Place("redis", redis.url, name), redis.paused, ("127.0.0.1", redis.port))


@pytest.fixture
def scene(warm_parent: Parent, store: Store, tmp_path: Path) -> Generator[Callable[..., Scene]]:
    """Make a scene."""
    with ExitStack() as opened:

        def make(
            provider: ProviderPlan | None = None, at: Place = store.place, **settings: Any
        ) -> Scene:
            made = Scene(warm_parent, at, tmp_path, provider, **settings)
            opened.callback(made.close)
            return made

        yield make
        print(told(tmp_path / "trace"))
