"""Records in a cluster of servers, which hand each other their keys."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_adapters.stores.records.redis import AsyncRedisRecords, RedisRecords
from tests.servers.cutting_proxy import CuttingProxy
from tests.servers.redis import RedisServer, of_cluster, program, redis_server
from tests.servers.redis_clients import awaited, redis, waiting_client

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = 30.0
UNTIL: Final = 4_000_000_000
KEY: Final = "grant:1"
NAME: Final = f"oidc:{KEY}"

pytestmark = pytest.mark.slow


class Cluster:
    """Two servers, the first with nearly all the keys."""

    def __init__(self, servers: tuple[RedisServer, RedisServer]) -> None:
        self.servers = servers
        self.nodes = tuple([waiting_client(each.url) for each in servers])
        self.names = [each.execute_command("CLUSTER MYID").decode() for each in self.nodes]
        first, second = self.nodes
        second.execute_command("CLUSTER ADDSLOTSRANGE", 0, 99)
        first.execute_command("CLUSTER ADDSLOTSRANGE", 100, 16_383)
        bus = servers[1].options[-1]
        first.execute_command("CLUSTER MEET", "127.0.0.1", servers[1].port, bus)
        self.slot: int = first.execute_command("CLUSTER KEYSLOT", NAME)
        until = monotonic() + LONGEST
        while not all(self._knows_all(each) for each in self.nodes) and monotonic() < until:
            sleep(0.05)

    def begin_to_move(self) -> None:
        """Let the second server take the key's slot, of which it has nothing yet."""
        self.nodes[1].execute_command("CLUSTER SETSLOT", self.slot, "IMPORTING", self.names[0])
        self.nodes[0].execute_command("CLUSTER SETSLOT", self.slot, "MIGRATING", self.names[1])

    def move_the_key(self) -> None:
        port = self.servers[1].port
        self.nodes[0].execute_command("MIGRATE", "127.0.0.1", port, NAME, 0, 5_000)

    def end_to_move(self) -> None:
        for node in reversed(self.nodes):
            node.execute_command("CLUSTER SETSLOT", self.slot, "NODE", self.names[1])

    def moves(self) -> Iterator[str]:
        """Move the key, and say after each step what was done."""
        yield "nothing"
        self.begin_to_move()
        yield "slot begun"
        self.move_the_key()
        yield "key moved"
        self.end_to_move()
        yield "slot moved"

    def close(self) -> None:
        for each in self.nodes:
            each.close()

    @staticmethod
    def _knows_all(node: Any) -> bool:
        up: bool = node.execute_command("CLUSTER INFO")["cluster_state"] == "ok"
        return up and len(node.execute_command("CLUSTER SLOTS")) == 2


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    if program() is None:
        pytest.skip("needs Redis or Valkey: apt-get install redis-server")
    with ExitStack() as stack:
        servers = [stack.enter_context(redis_server(*of_cluster())) for _ in range(2)]
        made = Cluster((servers[0], servers[1]))
        stack.callback(made.close)
        yield made


def test_a_record_is_followed_to_another_server(cluster: Cluster) -> None:
    client = redis.RedisCluster.from_url(cluster.servers[0].url)
    records = RedisRecords(client)
    assert records.create(KEY, "0", "text", UNTIL)

    for number, step in enumerate(cluster.moves()):
        found = records.read(KEY)
        assert found is not None, step
        assert found.version == f"{number}"
        assert not records.replace(KEY, "other", "lost", "text", UNTIL), step
        assert records.replace(KEY, f"{number}", f"{number + 1}", "text", UNTIL), step

    assert records.remove(KEY, "4")
    assert records.times().utc > 0
    client.close()


def test_a_record_is_followed_by_code_that_awaits(cluster: Cluster) -> None:
    async def main() -> None:
        client = awaited.RedisCluster.from_url(cluster.servers[0].url, decode_responses=True)
        records = AsyncRedisRecords(client)
        assert await records.create(KEY, "0", "text", UNTIL)

        for number, step in enumerate(cluster.moves()):
            found = await records.read(KEY)
            assert found is not None, step
            assert found.version == f"{number}"
            assert not await records.replace(KEY, "other", "lost", "text", UNTIL), step
            assert await records.replace(KEY, f"{number}", f"{number + 1}", "text", UNTIL), step

        assert await records.remove(KEY, "4")
        assert (await records.times()).utc > 0
        await client.aclose()

    asyncio.run(main())


# --- lost answers --------------------------------------------------------------------------------


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[CuttingProxy]:
    with CuttingProxy(("127.0.0.1", cluster.servers[0].port)) as proxy:
        yield proxy


def through(proxy: CuttingProxy, cluster: Cluster) -> dict[str, Any]:
    """Return settings of a client that meets the proxy in place of the first server."""
    real, seen = ("127.0.0.1", cluster.servers[0].port), ("127.0.0.1", proxy.port)

    def moved(address: tuple[str, int]) -> tuple[str, int]:
        return seen if address == real else address

    return {"address_remap": moved}


def test_a_write_whose_answer_is_lost_is_unknown(cluster: Cluster, proxy: CuttingProxy) -> None:
    client = redis.RedisCluster.from_url(cluster.servers[0].url, **through(proxy, cluster))
    records = RedisRecords(client)
    records.create(KEY, "first", "text", UNTIL)
    proxy.lose_answers(b"EVAL")

    with pytest.raises(redis.ConnectionError):
        records.replace(KEY, "first", "second", "text", UNTIL)

    found = records.read(KEY)
    assert found is not None
    assert (found.version, proxy.lost) == ("second", 1)
    client.close()


def test_an_awaited_write_whose_answer_is_lost_is_unknown(
    cluster: Cluster, proxy: CuttingProxy
) -> None:
    async def main() -> None:
        url = cluster.servers[0].url
        client = awaited.RedisCluster.from_url(url, **through(proxy, cluster))
        records = AsyncRedisRecords(client)
        await records.create(KEY, "first", "text", UNTIL)
        proxy.lose_answers(b"EVAL")

        with pytest.raises(redis.ConnectionError):
            await records.replace(KEY, "first", "second", "text", UNTIL)

        found = await records.read(KEY)
        assert found is not None
        assert (found.version, proxy.lost) == ("second", 1)
        await client.aclose()

    asyncio.run(main())
