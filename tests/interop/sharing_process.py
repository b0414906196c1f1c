"""One process of an application whose processes share a store. It does what a test says.

It reads commands from standard input, one JSON object per line, and answers each with a line. It
ends when its standard input ends.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import Any, Final, Literal, cast

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.records import Records
from oidc_adapters.stores.records.sqlite import SqliteRecords
from oidc_adapters.stores.shared import SharedStore
from oidc_adapters.transport import Transport
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.machine.grants import Guards
from oidc_core.wire.errors import OidcError, ProviderError
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.incoming import Incoming
from tests.interop.application import COOKIES, POLICY, SCOPE, SEALING_SECRET
from tests.interop.clients import AWKWARD_SECRET, REDIRECT_URI

HELD_FOR: Final = 120.0
"""Seconds that a refresh is held at most; the test kills the process before."""

Point = Literal["", "mark", "answer"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings that all processes of an application share.

    `store` is `sqlite`, `postgresql` or `redis`, and `address` says where it is. `name` is its
    table, or the prefix of its keys. `guards` is the setting of `Grants`: for a claim and an
    exchange.
    """

    issuer: str
    client_id: str
    store: str
    address: str
    name: str
    guards: Sequence[int]


def opened(plan: Plan) -> Records:
    """Open the store that the processes share."""
    if plan.store == "sqlite":
        return SqliteRecords(plan.address)
    if plan.store == "redis":
        from oidc_adapters.stores.records.redis import RedisRecords
        from tests.servers.redis_clients import waiting_client

        return RedisRecords(waiting_client(plan.address), prefix=f"{plan.name}:")
    from sqlalchemy import create_engine

    from oidc_adapters.stores.records.sql import SqlRecords

    records = SqlRecords(create_engine(plan.address), table=plan.name)
    records.create_table()
    return cast("Records", records)


class HoldingTransport:
    """Sends requests. At the point it holds a refresh until the test kills the process.

    At `mark` the request is about to leave; at `answer` the provider has answered.
    """

    def __init__(self, inner: Transport, process: "AppProcess") -> None:
        self._inner = inner
        self._process = process
        self.point: Point = ""

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request."""
        refreshes = b"grant_type=refresh_token" in (request.body or b"")
        if refreshes and self.point == "mark":
            self._stand_still("")
        answer = self._inner.send(request, clock)
        if refreshes and self.point == "answer":
            assert isinstance(answer, HttpResponse)
            self._stand_still(json.loads(answer.body)["access_token"])
        return answer

    def _stand_still(self, access_token: str) -> None:
        self._process.say({"held": access_token})
        Event().wait(HELD_FOR)


class AppProcess:
    """A client, and the commands of a test."""

    def __init__(self, plan: Plan) -> None:
        self._lock = Lock()
        self._records = opened(plan)
        self._sender = Urllib3Transport(pool_size=32)
        self._transport = HoldingTransport(self._sender, self)
        shared = SharedStore(self._records, SEALING_SECRET, profile=COOKIES)
        setup = ClientSetup(
            issuer=plan.issuer,
            client_id=plan.client_id,
            client_secret=AWKWARD_SECRET,
            redirect_uri=REDIRECT_URI,
            scope=SCOPE,
            policy=POLICY,
        )
        self._client = OidcClient(
            setup,
            shared.pending,
            transport=self._transport,
            keys=shared.keys,
            metadata=shared.metadata,
            grants=Grants(self._records, SEALING_SECRET, guards=Guards(*plan.guards)),
        )

    def serve(self) -> None:
        """Do what the test says."""
        for line in sys.stdin:
            command: dict[str, Any] = json.loads(line)
            self.say(getattr(self, command.pop("do"))(**command))
        self._client.close()
        self._records.close()
        self._sender.close()

    def say(self, answer: Mapping[str, object]) -> None:
        """Write a line."""
        with self._lock:
            print(json.dumps(answer), flush=True)

    def start(self) -> Mapping[str, object]:
        """Start a login."""
        redirect = self._client.start_login()
        cookie = "; ".join(f"{each.name}={each.value}" for each in redirect.cookies)
        return {"url": redirect.url, "cookie": cookie}

    def finish(self, url: str, cookie: str) -> Mapping[str, object]:
        """Finish a login that any process started."""
        url, _, query = url.partition("?")
        incoming = Incoming(method="GET", url=url, query=query, cookie=cookie)
        return {"grant": self._client.finish_login(incoming).grant_id}

    def use(self, grants: Sequence[str], callers: int, at: float) -> Mapping[str, object]:
        """Let so many callers use the tokens of each session at that moment.

        It returns their access tokens, or `!` and an error.
        """
        got = {grant: list[str]() for grant in grants}

        def call(grant: str) -> None:
            sleep(max(0.0, at - monotonic()))
            try:
                got[grant].append(self._used(grant))
            except OidcError as error:
                got[grant].append(f"!{getattr(error, 'error', '') or error.code}")

        threads = [Thread(target=call, args=(grant,)) for grant in [*grants] * callers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return got

    def _used(self, grant: str) -> str:
        """Ask for UserInfo, after a 401 with another access token; return the one that served."""
        session = self._client.tokens(grant)
        tokens = session.fresh(leeway=0)
        try:
            self._client.userinfo(tokens)
        except ProviderError as refusal:
            if refusal.status != 401:
                raise
            tokens = session.fresh(leeway=0, refused=tokens.access_token)
            self._client.userinfo(tokens)
        return tokens.access_token

    def hold(self, point: Point) -> Mapping[str, object]:
        """Hold the next refresh at this point."""
        self._transport.point = point
        return {}

    def end(self, grant: str) -> Mapping[str, object]:
        """End a session; return the tokens to revoke."""
        ended = self._client.tokens(grant).end()
        assert ended is not None
        return {"refresh": ended.tokens.refresh_token, "access": ended.access_tokens}


if __name__ == "__main__":
    app = AppProcess(Plan(**json.loads(sys.argv[1])))
    print("ready to be commanded", flush=True)
    app.serve()
