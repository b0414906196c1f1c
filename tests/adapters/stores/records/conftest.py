"""Servers that the tests of this folder share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers import redis as redis_servers

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def redis_server() -> Iterator[redis_servers.RedisServer]:
    """A Redis or Valkey that nobody stops; each test uses keys of its own."""
    if redis_servers.program() is None:
        pytest.skip(f"none of {', '.join(redis_servers.PROGRAMS)} is on the path")
    with redis_servers.redis_server() as server:
        yield server
