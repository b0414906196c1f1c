"""Records in Redis while answers are lost, servers stop and many processes write.

Every value is the list of the writes that led to it, so the last one tells which were applied.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import signal
import threading
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_adapters.stores.records.redis import AsyncRedisRecords, RedisRecords
from tests.servers.cutting_proxy import CuttingProxy
from tests.servers.redis import redis_server as another_server
from tests.servers.redis_clients import awaited, awaited_client, redis, repeating, waiting_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oidc_adapters.stores.records import Records
    from tests.servers.redis import RedisServer

LONGEST: Final = 60.0
UNTIL: Final = 4_000_000_000
KEY: Final = "grant:1"


@pytest.fixture
def proxy(redis_server: RedisServer) -> Iterator[CuttingProxy]:
    with CuttingProxy(("127.0.0.1", redis_server.port)) as proxy:
        yield proxy


@pytest.fixture
def clean(redis_server: RedisServer) -> Iterator[Any]:
    """A client that meets no fault, of a server without records."""
    with waiting_client(redis_server.url) as client:
        client.flushdb()
        yield client


@pytest.fixture
def address(proxy: CuttingProxy) -> str:
    """Where a client meets the proxy."""
    return f"redis://127.0.0.1:{proxy.port}/0"


# --- lost answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["create", "replace", "remove"])
def test_a_write_whose_answer_is_lost_is_unknown(
    proxy: CuttingProxy, address: str, clean: Any, call: str
) -> None:
    records, direct = RedisRecords(waiting_client(address, **repeating(redis))), RedisRecords(clean)
    calls = {
        "create": lambda: records.create(KEY, "v1", "text", UNTIL),
        "replace": lambda: records.replace(KEY, "v1", "v2", "text", UNTIL),
        "remove": lambda: records.remove(KEY, "v1"),
    }
    if call != "create":
        direct.create(KEY, "v1", "text", UNTIL)
    records.times()
    proxy.lose_answers(b"EVAL")

    with pytest.raises(redis.ConnectionError):
        calls[call]()

    found = direct.read(KEY)
    assert proxy.lost == 1
    assert (found and found.version) == {"create": "v1", "replace": "v2", "remove": None}[call]


def test_an_awaited_write_whose_answer_is_lost_is_unknown(
    proxy: CuttingProxy, address: str, clean: Any
) -> None:
    async def main() -> None:
        client = awaited_client(address, **repeating(awaited))
        records = AsyncRedisRecords(client)
        await records.times()
        proxy.lose_answers(b"EVAL")
        with pytest.raises(redis.ConnectionError):
            await records.create(KEY, "v1", "text", UNTIL)
        await client.aclose()

    asyncio.run(main())

    found = RedisRecords(clean).read(KEY)
    assert found is not None
    assert found.version == "v1"


class Told:
    """The answers that the writers got."""

    def __init__(self) -> None:
        self.applied: list[str] = []
        self.refused: list[str] = []
        self.unknown: list[str] = []

    def check(self, records: Records) -> None:
        """Compare it with the writes that led to the record."""
        found = records.read(KEY)
        assert found is not None
        writes = json.loads(found.value)
        assert [*Counter(writes).values()] == [1] * len(writes)
        assert {*self.applied} <= {*writes}
        assert not {*self.refused} & {*writes}
        assert {*writes} - {"first"} <= {*self.applied, *self.unknown}


def begin(records: Records) -> None:
    assert records.create(KEY, "first", json.dumps(["first"]), UNTIL)


def write_on(records: Records, name: str, told: Told) -> None:
    """Add one write to the record."""
    try:
        found = records.read(KEY)
        assert found is not None
        value = json.dumps([*json.loads(found.value), name])
        done = records.replace(KEY, found.version, name, value, UNTIL)
    except redis.RedisError:
        told.unknown.append(name)
    else:
        (told.applied if done else told.refused).append(name)


def test_no_write_is_called_refused_that_was_applied(
    proxy: CuttingProxy, address: str, clean: Any
) -> None:
    """Many write, and every few answers one is lost."""
    direct, told = RedisRecords(clean), Told()
    begin(direct)

    def writer(own: int) -> None:
        with waiting_client(address, **repeating(redis)) as client:
            for number in range(60):
                if number % 7 == own:
                    proxy.lose_answers(b"HSET")
                write_on(RedisRecords(client), f"{own}-{number}", told)

    with ThreadPoolExecutor(6) as threads:
        assert [*threads.map(writer, range(6))] == [None] * 6

    told.check(direct)
    assert min(len(told.applied), len(told.refused), len(told.unknown), proxy.lost) > 5


# --- servers that stop ---------------------------------------------------------------------------


@pytest.mark.slow
def test_an_outage_is_an_exception_and_loses_nothing() -> None:
    with another_server(durable=True) as server:
        told, ended = Told(), threading.Event()
        with waiting_client(server.url, **repeating(redis, 0)) as client:
            direct = RedisRecords(client)
            begin(direct)

            def writer(own: int) -> None:
                number = 0
                while not ended.wait(0.01):
                    number += 1
                    write_on(direct, f"{own}-{number}", told)

            with ThreadPoolExecutor(4) as threads:
                writers = [threads.submit(writer, own) for own in range(4)]
                sleep(0.5)
                before = len(told.applied)
                server.stop(signal.SIGKILL)
                down = len(told.unknown)
                sleep(2.0)
                failed = len(told.unknown) - down
                server.start()
                until, again = monotonic() + LONGEST, len(told.applied)
                while len(told.applied) < again + 20 and monotonic() < until:
                    sleep(0.05)
                ended.set()
                assert [each.result(LONGEST) for each in writers] == [None] * 4

            told.check(direct)
            assert min(before, failed) > 20


# --- processes -----------------------------------------------------------------------------------


def count_on(url: str, own: int, rounds: int) -> int:
    """Add to the number in a record, and return how many times it succeeded."""
    with waiting_client(url) as client:
        records, succeeded = RedisRecords(client), 0
        for number in range(rounds):
            found = records.read(KEY)
            assert found is not None
            value = f"{int(found.value) + 1}"
            succeeded += records.replace(KEY, found.version, f"{own}-{number}", value, UNTIL)
        return succeeded


@pytest.mark.slow
def test_processes_that_race_for_one_record_lose_no_write(
    redis_server: RedisServer, clean: Any
) -> None:
    records, racers, rounds = RedisRecords(clean), 8, 100
    assert records.create(KEY, "first", "0", UNTIL)

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(racers, context) as processes:
        counts = [
            processes.submit(count_on, redis_server.url, own, rounds) for own in range(racers)
        ]
        until = monotonic() + LONGEST
        while not all(each.done() for each in counts) and monotonic() < until:
            clean.script_flush()
            sleep(0.001)
        succeeded = [each.result(LONGEST) for each in counts]

    found = records.read(KEY)
    assert found is not None
    assert int(found.value) == sum(succeeded)
    assert sum(succeeded) >= rounds
