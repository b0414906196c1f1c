"""A worker of an application whose users log in, and whose provider ends their sessions.

It takes one command a line, and answers each with one line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic, time
from typing import Final

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.stores.records.sqlite import SqliteRecords
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing import InMemoryTransport
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import OidcError
from tests.flows.rig import SEALING_SECRET, honest_provider, setup_for

PATIENCE: Final = 120.0
"""Seconds for which the provider sends a logout again that has not ended all sessions."""


class Worker:
    """One process of the application; each has the same provider, by its seed."""

    def __init__(self, path: Path, trusted: float) -> None:
        self._provider = honest_provider(token_lifetime=3_600)
        self._ended: list[str] = []
        self._grants: list[str] = []
        records = SqliteRecords(path)
        self._client = OidcClient(
            setup_for(self._provider, policy=Policy(userinfo="never")),
            MemoryPendingLogins(),
            transport=InMemoryTransport(self._provider),
            grants=Grants(records, SEALING_SECRET, trusted=trusted),
            sessions=SessionIndex(records, SEALING_SECRET, end_session=self._ended.append),
        )

    def commands(self) -> Mapping[str, Callable[[int], str]]:
        """Return the commands by name."""
        return {"login": self.login, "alive": self.alive, "logout": self.logout}

    def login(self, count: int) -> str:
        """Log the user in so often, each time in another browser."""
        for _ in range(count):
            page = self._client.start_login()
            header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)
            incoming = self._provider.authorize(page.url, int(time())).incoming(header)
            self._grants.append(self._client.finish_login(incoming).grant_id)
        return str(len(self._grants))

    def alive(self, _count: int) -> str:
        """Tell how many of its sessions still get tokens."""
        return str(sum(self._is_alive(each) for each in self._grants))

    def logout(self, _count: int) -> str:
        """Send a logout of the user, again while it has not ended all; tell all answers."""
        logout = self._provider.backchannel_logout(int(time()), sub="alice")
        end, statuses = monotonic() + PATIENCE, list[int]()
        while not statuses or (statuses[-1] == 503 and monotonic() < end):
            statuses.append(self._client.backchannel_logout(logout.incoming()).status)
        again = self._client.backchannel_logout(logout.incoming()).status
        return f"{statuses[-1]} {again} {len({*self._ended})}"

    def _is_alive(self, grant_id: str) -> bool:
        try:
            self._client.tokens(grant_id).fresh()
        except OidcError as error:
            if error.code != "grant_ended":
                raise
            return False
        return True


def main() -> None:
    """Obey."""
    worker = Worker(Path(sys.argv[1]), float(sys.argv[2]))
    for line in sys.stdin:
        name, _, count = line.strip().partition(" ")
        print(worker.commands()[name](int(count or 0)), flush=True)


if __name__ == "__main__":
    main()
