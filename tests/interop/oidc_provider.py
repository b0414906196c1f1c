"""Starts the npm `oidc-provider`, a certified OpenID Provider, on a free loopback port."""

import json
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import urllib3

from tests.interop.node import find_node, installed_provider
from tests.interop.process import ProviderFailed, Started, started

REQUEST_TIMEOUT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One request that the provider answered."""

    method: str
    path: str
    status: int


@dataclass(frozen=True, slots=True)
class Happened:
    """A grant was used (`grant.success`) or revoked (`grant.revoked`), by a request of a client.

    Or a client was told about a logout (`backchannel.success`), or did not take it (`….error`).
    """

    event: str
    client_id: str
    grant_type: str


class Provider:
    """A running provider. `issuer` is also its origin: `http://127.0.0.1:PORT`."""

    def __init__(self, running: Started) -> None:
        self.issuer = running.origin
        self.process = running.process
        self.log = running.log

    def register(self, metadata: Mapping[str, object]) -> None:
        """Add a client, or put it in place of the one with the same `client_id`."""
        self._ask("POST", "/__test/clients", metadata)

    def rotate_keys(self, *, keep_old: bool = False) -> tuple[str, ...]:
        """Sign with new keys from now on; the `kid`s of these. Sessions, codes and tokens live on.

        The old keys leave the published set unless `keep_old`. Without them the provider no longer
        accepts an old ID token as `id_token_hint`.
        """
        return tuple(self._ask("POST", "/__test/rotate", {"keep_old": keep_old})["kids"])

    def requests(self) -> tuple[Answered, ...]:
        """All requests answered since the start, in the order in which the answers ended."""
        return tuple(Answered(**row) for row in self._ask("GET", "/__test/requests"))

    def events(self) -> tuple[Happened, ...]:
        """Return the events of grants since the start, in order."""
        return tuple(Happened(**row) for row in self._ask("GET", "/__test/events"))

    def forget_access_tokens(self, client_id: str) -> None:
        """Refuse the access tokens of a client before they expire. Its refresh tokens live on."""
        self._ask("POST", "/__test/forget", {"client_id": client_id})

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        answer = urllib3.request(
            method,
            self.issuer + path,
            body=None if body is None else json.dumps(body).encode(),
            timeout=REQUEST_TIMEOUT,
            retries=False,
        )
        if answer.status not in {200, 204}:
            said = f"{answer.status} {answer.data.decode()}"
            raise ProviderFailed(f"{method} {path}: {said}\n{self.log()}")
        return answer.json() if answer.data else None


@contextmanager
def running_provider(clients: Iterable[Mapping[str, object]] = ()) -> Generator[Provider]:
    """A provider with these clients, stopped at the end of the block.

    Raises `Unavailable` if the provider is not available, `ProviderFailed` if it does not start.
    """
    node = find_node()
    with started((*node.node, "op.mjs"), cwd=installed_provider(node)) as running:
        provider = Provider(running)
        for metadata in clients:
            provider.register(metadata)
        yield provider
