"""Processes that race for the same callbacks, through a store that they share.

    python -m tests.callback_races sqlite|postgresql|redis [--states 2000] [--processes 8]

Each login is started, and its callback given to every process at the same moment.  One of them may
win it and send the code to the provider, which is one more process and counts requests.  The
outcome is printed as JSON; it is an error unless each login was won once.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from oidc_adapters import ClientSetup, Incoming, OidcClient, OidcError, Policy, SharedStore
from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.stores.records.redis import RedisRecords
from oidc_adapters.stores.records.sql import SqlRecords
from oidc_adapters.stores.records.sqlite import SqliteRecords
from oidc_adapters.testing import serve
from tests.flows.rig import honest_provider, setup_for
from tests.servers.postgresql import postgresql
from tests.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from multiprocessing.connection import Connection

    from oidc_adapters.stores.records import Records

STORES: Final = ("sqlite", "postgresql", "redis")
SECRET: Final = b"the sealing secret of the races!"
BATCH: Final = 250
PATIENCE: Final = 120.0

_FORK: Final = multiprocessing.get_context("fork")


def main() -> int:
    """Run one race, print its outcome, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", choices=STORES)
    parser.add_argument("--states", type=int, default=2_000)
    parser.add_argument("--processes", type=int, default=8)
    options = parser.parse_args()
    with opening(options.store) as opened:
        outcome = race(opened, states=options.states, processes=options.processes)
    print(json.dumps({"store": options.store, **outcome}))
    once = outcome["winners"] == outcome["token_requests"] == outcome["states"]
    return 0 if once and not outcome["failures"] else 1


@contextmanager
def opening(store: str) -> Generator[Callable[[], Records]]:
    """Run a server where one is needed; what it yields opens the store, in any process."""
    if store == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield lambda: SqliteRecords(Path(folder) / "records.db", busy_timeout=60)
    elif store == "postgresql":
        from sqlalchemy import create_engine

        with postgresql() as server:
            SqlRecords(create_engine(server.url())).create_table()
            yield lambda: SqlRecords(create_engine(server.url(), pool_size=1))
    else:
        from redis import Redis

        with redis_server() as server:
            yield lambda: RedisRecords(Redis(port=server.port, socket_timeout=60))


def race(opened: Callable[[], Records], *, states: int, processes: int) -> dict[str, Any]:
    """Race for this many logins; return the outcome."""
    began = monotonic()
    provider, at_provider = _FORK.Pipe()
    serving = _FORK.Process(target=_provide, args=(at_provider,))
    serving.start()
    setup: dict[str, str] = provider.recv()
    barrier = _FORK.Barrier(processes)
    racers: list[Connection] = []
    children: list[Any] = [serving]
    for _ in range(processes):
        here, there = _FORK.Pipe()
        child = _FORK.Process(target=_racer, args=(there, opened, setup, barrier))
        child.start()
        racers.append(here)
        children.append(child)
    try:
        client, outcomes = _client(opened(), setup), Counter[str]()
        for first in range(0, states, BATCH):
            started = [client.start_login() for _ in range(min(BATCH, states - first))]
            provider.send([page.url for page in started])
            queries: list[str] = provider.recv()
            cookies = ["; ".join(f"{c.name}={c.value}" for c in page.cookies) for page in started]
            for racer in racers:
                racer.send([*zip(queries, cookies, strict=True)])
            for racer in racers:
                assert racer.poll(PATIENCE), "a racer does not answer"
                outcomes.update(racer.recv())
        provider.send(None)
        requests: Counter[str] = provider.recv()
    finally:
        for racer in racers:
            racer.send(None)
        for child in children:
            child.join(5)
            child.kill()  # where it failed; nothing happens to one that has ended
    return {
        "states": states,
        "processes": processes,
        "winners": outcomes.pop("won", 0),
        "token_requests": requests["token"],
        "metadata_requests": requests["openid-configuration"],
        "key_set_requests": requests["jwks"],
        "state_used": outcomes.pop("state_used", 0),
        "state_unknown": outcomes.pop("state_unknown", 0),
        "failures": dict(outcomes),
        "seconds": round(monotonic() - began, 1),
    }


def _client(records: Records, setup: dict[str, str]) -> OidcClient:
    shared = SharedStore(records, SECRET)
    policy = Policy(userinfo="never", quirks={"insecure_allow_http_loopback"})
    settings: dict[str, Any] = {**setup, "policy": policy}
    return OidcClient(
        ClientSetup(**settings), shared.pending, keys=shared.keys, metadata=shared.metadata
    )


def _provide(calls: Connection) -> None:
    """Be the provider: sign users in, and in the end tell how often it was asked."""
    with serve(honest_provider(), SystemClock()) as served:
        settings = setup_for(served.provider)
        names = ("issuer", "client_id", "client_secret", "redirect_uri", "scope")
        calls.send({name: getattr(settings, name) for name in names})
        urls: list[str]
        while urls := calls.recv():
            now = SystemClock().now()
            calls.send([served.provider.authorize(url, now).incoming("").query for url in urls])
        calls.send(Counter([request.url.rpartition("/")[2] for request, _ in served.exchanges]))


def _racer(
    calls: Connection, opened: Callable[[], Records], setup: dict[str, str], barrier: Any
) -> None:
    """Be one of the processes: try each callback when all the others do."""
    client = _client(opened(), setup)
    callbacks: list[tuple[str, str]]
    while callbacks := calls.recv():
        outcomes = Counter[str]()
        for query, cookie in callbacks:
            incoming = Incoming(method="GET", url=setup["redirect_uri"], query=query, cookie=cookie)
            barrier.wait(PATIENCE)
            try:
                client.finish_login(incoming)
                outcomes["won"] += 1
            except OidcError as refused:
                outcomes[refused.code] += 1
        calls.send(outcomes)


if __name__ == "__main__":
    sys.exit(main())
