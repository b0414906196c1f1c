"""A worker of an application whose users log in, and whose provider ends their sessions.

It takes one command a line, and answers each with one line.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from time import monotonic, time
from typing import Final, cast

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing import InMemoryTransport
from oidc_adapters.testing.ledger import Ledger
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import OidcError
from oidc_core.wire.incoming import Incoming
from tests.flows.rig import SEALING_SECRET, honest_provider, setup_for
from tests.logouts import FORM, URI
from tests.processes.places import Kind, Place

PATIENCE: Final = 120.0
"""Seconds for which the provider sends a logout again that has not ended all sessions."""


class Worker:
    """One process of the application; each has the same provider, with other sessions.

    Args:
        number: tells the workers apart.
        place: where the records are.
        trusted: seconds for which tokens are handed out without a look there.
    """

    def __init__(self, number: int, place: Place, trusted: float) -> None:
        self._provider = honest_provider(token_lifetime=3_600)
        self._provider.ledger = Ledger(seed=number)
        self._dies_at = 0
        self._ended: list[str] = []
        self._grants: list[str] = []
        records, self.close = place.opened(SystemClock())
        self._client = OidcClient(
            setup_for(self._provider, policy=Policy(userinfo="never")),
            MemoryPendingLogins(),
            transport=InMemoryTransport(self._provider),
            grants=Grants(records, SEALING_SECRET, trusted=trusted),
            sessions=SessionIndex(records, SEALING_SECRET, end_session=self._end),
        )

    def commands(self) -> Mapping[str, Callable[[str], str]]:
        """Return the commands by name."""
        return {
            "login": self.login,
            "alive": self.alive,
            "logout": self.logout,
            "post": self.post,
            "die": self.die,
        }

    def login(self, count: str) -> str:
        """Log the user in so often, each time in another browser."""
        for _ in range(int(count)):
            page = self._client.start_login()
            header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)
            incoming = self._provider.authorize(page.url, int(time())).incoming(header)
            self._grants.append(self._client.finish_login(incoming).grant_id)
        return str(len(self._grants))

    def alive(self, _: str) -> str:
        """Tell how many of its sessions still get tokens."""
        return str(sum(self._is_alive(each) for each in self._grants))

    def logout(self, _: str) -> str:
        """Tell the form with which the provider ends all sessions of the user."""
        return self._provider.backchannel_logout(int(time()), sub="alice").form.decode()

    def post(self, form: str) -> str:
        """Take a logout, again while it has not ended all.

        It tells the last answer, that to a repeat, and how many sessions this process ended.
        """
        incoming = Incoming(method="POST", url=URI, body=form.encode(), content_type=FORM)
        end, statuses = monotonic() + PATIENCE, list[int]()
        while not statuses or (statuses[-1] == 503 and monotonic() < end):
            statuses.append(self._client.backchannel_logout(incoming).status)
        again = self._client.backchannel_logout(incoming).status
        return f"{statuses[-1]} {again} {len({*self._ended})}"

    def die(self, number: str) -> str:
        """Let this process be killed when it has ended so many sessions."""
        self._dies_at = int(number)
        return number

    def _end(self, session_id: str) -> None:
        self._ended.append(session_id)
        if len(self._ended) == self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

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
    number, trusted, kind, address, name = sys.argv[1:]
    worker = Worker(int(number), Place(cast("Kind", kind), address, name), float(trusted))
    for line in sys.stdin:
        command, _, about = line.strip().partition(" ")
        print(worker.commands()[command](about), flush=True)
    worker.close()


if __name__ == "__main__":
    main()
