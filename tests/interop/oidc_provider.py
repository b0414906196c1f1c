"""Starts the npm `oidc-provider`, a certified OpenID Provider, on a free loopback port."""

import json
import subprocess
import tempfile
import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import urllib3

from tests.interop.node import Node, find_node, installed_provider

START_TIMEOUT: Final = 60.0
STOP_TIMEOUT: Final = 5.0
REQUEST_TIMEOUT: Final = 10.0


class ProviderFailed(Exception):
    """The provider did not start, or refused what a test asked of it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One request that the provider answered."""

    method: str
    path: str
    status: int


class Provider:
    """A running provider. `issuer` is also its origin: `http://127.0.0.1:PORT`."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.issuer = _issuer_once_ready(process)
        self._process = process
        self._log = log

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

    def log(self) -> str:
        """Its output on stderr: each refusal with the provider's own reason."""
        return self._log.read_text()

    def stop(self) -> None:
        """End the process and wait for it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

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
    home = installed_provider(node)
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch, "stderr.txt")
        provider = Provider(_start(node, home, log), log)
        try:
            if not provider.issuer:
                raise ProviderFailed(f"oidc-provider did not get ready:\n{provider.log()}")
            for metadata in clients:
                provider.register(metadata)
            yield provider
        finally:
            provider.stop()


def _start(node: Node, home: Path, log: Path) -> subprocess.Popen[str]:
    with log.open("a") as stderr:
        return subprocess.Popen(
            (*node.node, "op.mjs"),
            cwd=home,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )


def _issuer_once_ready(process: subprocess.Popen[str]) -> str:
    """The issuer from the line "ready ISSUER", or an empty string when it never came."""
    assert process.stdout is not None
    giving_up = threading.Timer(START_TIMEOUT, process.kill)
    giving_up.start()
    try:
        line = process.stdout.readline()
    finally:
        giving_up.cancel()
    return line.removeprefix("ready ").strip()
