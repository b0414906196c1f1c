"""Stores of records: those that ship, and one that a stranger writes."""

from pathlib import Path
from typing import Literal

import redis
import redis.asyncio

from oidc_adapters import (
    AsyncOidcClient,
    AsyncRecords,
    AsyncRedisRecords,
    ClientSetup,
    Connections,
    CookieProfile,
    FileRecords,
    Found,
    Identity,
    Incoming,
    IndexedSession,
    Keyring,
    KeyringRecords,
    MemoryRecords,
    OidcClient,
    OidcError,
    PendingLogins,
    ProviderKeys,
    RecordMetadata,
    RecordPendingLogins,
    RecordProviderKeys,
    Records,
    RedisRecords,
    Reply,
    SessionIndex,
    SharedStore,
    SqliteRecords,
    Times,
)
from oidc_core import Connection


def shipped(path: Path) -> tuple[Records, Records]:
    """One in memory and one in a file."""
    return MemoryRecords(elapsed=lambda: 5.0), SqliteRecords(path, busy_timeout=3)


class Ring:
    """A keyring of a stranger."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str, /) -> str | None:
        return self._kept.get((service, username))

    def set_password(self, service: str, username: str, password: str, /) -> None:
        self._kept[service, username] = password

    def delete_password(self, service: str, username: str, /) -> None:
        del self._kept[service, username]


def of_command_lines(folder: Path) -> tuple[Records, Records]:
    """One in the files of a folder, and one with values in a keyring."""
    ring: Keyring = Ring()
    ringed = KeyringRecords("program", folder, keyring=ring, most=2_560)
    return FileRecords(folder, patience=5), ringed


def in_redis(client: redis.Redis, cluster: redis.RedisCluster) -> tuple[Records, Records]:
    """One on a server, one in a cluster."""
    return RedisRecords(client), RedisRecords(cluster, prefix="app:")


def awaited_in_redis(
    client: redis.asyncio.Redis, cluster: redis.asyncio.RedisCluster
) -> tuple[AsyncRecords, AsyncRecords]:
    """The same for code that awaits."""
    return AsyncRedisRecords(client), AsyncRedisRecords(cluster, prefix="app:")


def shared_by_workers(setup: ClientSetup, path: Path) -> OidcClient:
    """A client that waits, all of whose workers share one file."""
    profile = CookieProfile(prefix="__Host-app-")
    ended: list[str] = []
    shared = SharedStore(SqliteRecords(path), "s" * 32, profile=profile, end_session=ended.append)
    return OidcClient(
        setup,
        shared.pending,
        keys=shared.keys,
        metadata=shared.metadata,
        grants=shared.grants,
        sessions=shared.sessions,
    )


def ended_by_the_provider(client: OidcClient, posted: Incoming, framed: Incoming) -> list[int]:
    """The answers to a logout token and to a frame, with one client and with several."""
    several = Connections(client)
    answers: tuple[Reply, ...] = (
        client.backchannel_logout(posted),
        several.backchannel_logout(posted),
        client.frontchannel_logout(framed),
        several.frontchannel_logout(framed),
        client.session_frame("hash.salt", interval=5),
    )
    return [answer.status for answer in answers]


def indexed(index: SessionIndex, whose: Connection, who: Identity) -> tuple[IndexedSession, ...]:
    """The sessions of a user, after one was added, found and removed."""
    new = IndexedSession(
        session_id="s-1",
        grant_id="g-1",
        issuer=who.issuer,
        subject=who.subject,
        sid="sid",
        issued_at=1,
        began_at=0,
        until=4_000_000_000,
    )
    index.add(whose, new)
    found = index.of_sid(whose, who.issuer, "sid")
    index.remove(whose, new)
    return found + index.of_subject(whose, who.issuer, who.subject)


async def indexed_awaited(
    index: SessionIndex, whose: Connection, new: IndexedSession
) -> tuple[IndexedSession, ...]:
    """The same for code that awaits."""
    await index.add_async(whose, new)
    found = await index.of_sid_async(whose, new.issuer, new.sid or "")
    await index.remove_async(whose, new)
    return found + await index.of_subject_async(whose, new.issuer, new.subject)


def shared_by_hosts(setup: ClientSetup, client: redis.asyncio.Redis) -> AsyncOidcClient:
    """A client that awaits, with the parts one by one."""
    records = AsyncRedisRecords(client)
    pending: PendingLogins = RecordPendingLogins(records, b"s" * 32)
    keys = RecordProviderKeys(records, b"n" * 32, b"s" * 32, cap=10)
    metadata = RecordMetadata(records, b"s" * 32)
    behind: ProviderKeys = keys
    failures: list[OidcError | None] = [keys.failure, metadata.failure]
    assert failures == [None, None]
    return AsyncOidcClient(setup, pending, keys=behind, metadata=metadata)


def kept(store: Records) -> Found:
    """A record of a store that waits."""
    assert store.create("a", "1", "v", store.times().utc + 60)
    found = store.read("a")
    assert found is not None
    store.close()
    return found


async def kept_awaited(store: AsyncRecords) -> Found:
    """A record of a store that awaits."""
    assert await store.create("a", "1", "v", (await store.times()).utc + 60)
    found = await store.read("a")
    assert found is not None
    await store.close()
    return found


class Awaited:
    """A store of a stranger."""

    def __init__(self) -> None:
        self._kept = MemoryRecords(elapsed=lambda: 5.0)

    @property
    def single_use(self) -> Literal["process"]:
        return self._kept.single_use

    async def times(self) -> Times:
        return self._kept.times()

    async def read(self, key: str, /) -> Found | None:
        return self._kept.read(key)

    async def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        return self._kept.create(key, version, value, until)

    async def replace(
        self, key: str, expected: str, version: str, value: str, until: int, /
    ) -> bool:
        return self._kept.replace(key, expected, version, value, until)

    async def remove(self, key: str, expected: str, /) -> bool:
        return self._kept.remove(key, expected)

    async def clean(self, most: int = 1_000, /) -> int:
        return self._kept.clean(most)

    async def close(self) -> None:
        self._kept.close()
