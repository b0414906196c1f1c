"""Records in Redis or Valkey, over a real server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_adapters.stores.records import SLACK, InThreads
from oidc_adapters.stores.records.redis import AsyncRedisRecords, RedisRecords
from oidc_adapters.testing import (
    ASYNC_RECORDS_DUTIES,
    ASYNC_UNREACHABLE_RECORDS,
    RECORDS_DUTIES,
    UNREACHABLE_RECORDS,
    AsyncRecordsDuty,
    RecordsDuty,
)
from oidc_core import UsageError
from tests.flows.rig import run_trio
from tests.servers.redis import RedisServer
from tests.servers.redis import redis_server as another_server
from tests.servers.redis_clients import awaited, awaited_client, redis, repeating, waiting_client

if TYPE_CHECKING:
    from collections.abc import Iterator

SOON: Final = 0.2
"""Seconds after which a client gives up."""

DECODES: Final = pytest.mark.parametrize("decodes", [False, True], ids=["octets", "text"])


@DECODES
@pytest.mark.parametrize("duty", RECORDS_DUTIES, ids=str)
def test_it_does_its_duty(redis_server: RedisServer, duty: RecordsDuty, decodes: bool) -> None:
    with waiting_client(redis_server.url, decode_responses=decodes) as client:
        duty(lambda: RedisRecords(client))


@DECODES
@pytest.mark.parametrize("duty", ASYNC_RECORDS_DUTIES, ids=str)
def test_it_does_its_duty_for_code_that_awaits(
    redis_server: RedisServer, duty: AsyncRecordsDuty, decodes: bool
) -> None:
    async def main() -> None:
        client = awaited_client(redis_server.url, decode_responses=decodes)
        await duty(lambda: AsyncRedisRecords(client))
        await client.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("duty", ASYNC_RECORDS_DUTIES, ids=str)
def test_it_does_its_duty_in_threads(
    redis_server: RedisServer, client: Any, duty: AsyncRecordsDuty
) -> None:
    async def main() -> None:
        await duty(lambda: InThreads(RedisRecords(client)))

    run_trio(main)


def test_it_does_its_duty_where_nobody_answers() -> None:
    with waiting_client("redis://127.0.0.1:1", **repeating(redis, 0)) as nobody:
        UNREACHABLE_RECORDS(lambda: RedisRecords(nobody))


def test_it_does_its_duty_where_nobody_answers_code_that_awaits() -> None:
    async def main() -> None:
        nobody = awaited_client("redis://127.0.0.1:1", **repeating(awaited, 0))
        await ASYNC_UNREACHABLE_RECORDS(lambda: AsyncRedisRecords(nobody))
        await nobody.aclose()

    asyncio.run(main())


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Any]:
    """A client of a server without records."""
    with waiting_client(redis_server.url) as client:
        client.flushdb()
        yield client


def test_it_serves_all_processes(client: Any) -> None:
    assert RedisRecords(client).single_use == "shared"


@DECODES
def test_a_record_is_read_as_it_was_written(redis_server: RedisServer, decodes: bool) -> None:
    with waiting_client(redis_server.url, decode_responses=decodes) as client:
        records = RedisRecords(client)
        until = records.times().utc + 60
        assert records.create("grant:1", "v1", "ä€😀", until)
        assert records.replace("grant:1", "v1", "v2", "a ü", until)

        found = records.read("grant:1")

        assert found is not None
        assert (found.version, found.value) == ("v2", "a ü")
        assert records.remove("grant:1", "v2")
        assert records.read("grant:1") is None


@DECODES
def test_a_record_is_awaited_as_it_was_written(redis_server: RedisServer, decodes: bool) -> None:
    async def main() -> None:
        client = awaited_client(redis_server.url, decode_responses=decodes)
        records = AsyncRedisRecords(client)
        until = (await records.times()).utc + 60
        assert records.single_use == "shared"
        assert await records.create("grant:2", "v1", "ä€😀", until)
        assert await records.replace("grant:2", "v1", "v2", "a ü", until)

        found = await records.read("grant:2")

        assert found is not None
        assert (found.version, found.value) == ("v2", "a ü")
        assert await records.remove("grant:2", "v2")
        assert await records.read("grant:2") is None
        await records.close()
        await client.aclose()

    asyncio.run(main())


def test_keys_begin_with_the_prefix_and_leave_an_hour_after_they_expired(
    client: Any,
) -> None:
    records = RedisRecords(client, prefix="app:")
    until = records.times().utc + 60

    records.create("grant:1", "v1", "text", until)
    created = client.pexpiretime("app:grant:1")
    records.replace("grant:1", "v1", "v2", "text", until + 5)
    replaced = client.pexpiretime("app:grant:1")

    assert client.keys() == [b"app:grant:1"]
    assert (created, replaced) == ((until + SLACK) * 1_000, (until + 5 + SLACK) * 1_000)
    assert records.clean() == 0


@pytest.mark.parametrize("until", [-(2**70), -1, 0, 2**70])
def test_no_expiry_is_too_early_or_too_late(client: Any, until: int) -> None:
    assert RedisRecords(client).create("grant:1", "v1", "text", until)
    assert client.exists("oidc:grant:1") == (until > 0)


def test_a_write_that_somebody_repeats_was_applied(client: Any) -> None:
    """A proxy may do so; another write of that version is none of its answers."""
    records = RedisRecords(client)
    until = records.times().utc + 60

    created = [records.create("grant:1", "v1", "text", until) for _ in range(2)]
    replaced = [records.replace("grant:1", "v1", "v2", "more", until) for _ in range(2)]

    assert created == replaced == [True, True]
    assert not records.create("grant:1", "v2", "other", until)
    assert not records.replace("grant:1", "v1", "v2", "other", until)


def test_the_server_may_forget_every_script(client: Any) -> None:
    records = RedisRecords(client)
    until = records.times().utc + 60

    for number in range(3):
        client.script_flush()
        assert records.create(f"grant:{number}", "v1", "text", until)


def test_what_is_no_record_is_an_error(client: Any) -> None:
    client.set("oidc:grant:1", "text")
    records = RedisRecords(client)

    for call in (
        lambda: records.read("grant:1"),
        lambda: records.create("grant:1", "v1", "text", 1),
        lambda: records.replace("grant:1", "v1", "v2", "text", 1),
        lambda: records.remove("grant:1", "v1"),
    ):
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            call()


def test_the_client_stays_open(client: Any) -> None:
    records = RedisRecords(client)

    records.close()

    assert client.ping()
    assert records.read("grant:1") is None


# --- settings ------------------------------------------------------------------------------------


class NoClient:
    """Runs commands, but has neither a pool nor nodes."""

    def execute_command(self, *_args: Any, **_options: Any) -> Any:
        return None


@pytest.mark.parametrize("client", [None, "redis://127.0.0.1", redis.Redis, NoClient()])
def test_what_is_no_client_is_refused(client: Any) -> None:
    with pytest.raises(UsageError) as refused:
        RedisRecords(client)

    assert (refused.value.code, refused.value.about) == ("config_invalid", "client")


def test_a_client_of_the_other_kind_is_refused(client: Any) -> None:
    async def main() -> None:
        other = awaited.Redis()
        waiting: Any = client
        awaiting: Any = other
        with pytest.raises(UsageError) as refused:
            RedisRecords(awaiting)
        assert (refused.value.code, refused.value.about) == ("config_invalid", "client")
        with pytest.raises(UsageError) as refused:
            AsyncRedisRecords(waiting)
        assert (refused.value.code, refused.value.about) == ("config_invalid", "client")
        await other.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("prefix", [None, b"oidc:", 1])
def test_a_prefix_is_text(client: Any, prefix: Any) -> None:
    with pytest.raises(UsageError) as refused:
        RedisRecords(client, prefix=prefix)

    assert (refused.value.code, refused.value.about) == ("config_invalid", "prefix")


class OtherClient:
    """A client of valkey-py or of older redis-py: its pool wants the name of the command."""

    def __init__(self, port: int) -> None:
        self._connection = redis.Connection(port=port)
        self.asked: list[str] = []
        self.connection_pool = self

    def execute_command(self, *_args: Any, **_options: Any) -> Any:
        pytest.fail("the store takes a connection of the pool")

    def get_connection(self, command_name: str, *_keys: str, **_options: str) -> object:
        self.asked.append(command_name)
        return self._connection

    def release(self, connection: Any) -> None:
        connection.disconnect()


def test_a_pool_may_want_the_name_of_the_command(redis_server: RedisServer) -> None:
    other = OtherClient(redis_server.port)

    assert RedisRecords(other).read("grant:1") is None
    assert other.asked == ["EVAL"]


# --- servers that do not serve -------------------------------------------------------------------


def test_a_replica_is_never_read(redis_server: RedisServer) -> None:
    with (
        another_server("--replicaof", f"127.0.0.1 {redis_server.port}") as replica,
        waiting_client(replica.url) as client,
    ):
        records = RedisRecords(client)

        with pytest.raises(redis.ReadOnlyError):
            records.read("grant:1")
        with pytest.raises(redis.ReadOnlyError):
            records.times()


def test_a_primary_without_the_replicas_it_needs_is_never_read() -> None:
    """Another may have taken its place."""
    with (
        another_server("--min-replicas-to-write", "1") as alone,
        waiting_client(alone.url) as client,
        pytest.raises(redis.ResponseError, match="NOREPLICAS"),
    ):
        RedisRecords(client).read("grant:1")


def test_an_answer_that_came_too_late_is_nobody_elses(redis_server: RedisServer) -> None:
    """One connection, which the next call gets, too."""
    pool = redis.ConnectionPool.from_url(
        redis_server.url, max_connections=1, socket_timeout=SOON, **repeating(redis, 0)
    )
    records = RedisRecords(redis.Redis(connection_pool=pool))
    until = records.times().utc + 60
    for number in (1, 2):
        records.create(f"late:{number}", f"v{number}", "text", until)

    with redis_server.paused(), pytest.raises(redis.TimeoutError):
        records.read("late:1")

    found = records.read("late:2")
    assert found is not None
    assert found.version == "v2"
    pool.disconnect()


def test_a_cancelled_call_leaves_no_answer_behind(redis_server: RedisServer) -> None:
    async def main() -> None:
        pool = awaited.ConnectionPool.from_url(redis_server.url, max_connections=1)
        records = AsyncRedisRecords(awaited.Redis(connection_pool=pool))
        until = (await records.times()).utc + 60
        for number in (3, 4):
            await records.create(f"late:{number}", f"v{number}", "text", until)

        with redis_server.paused(), pytest.raises(TimeoutError):
            async with asyncio.timeout(SOON):
                await records.read("late:3")

        found = await records.read("late:4")
        assert found is not None
        assert found.version == "v4"
        await pool.disconnect()

    asyncio.run(main())
