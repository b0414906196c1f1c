"""Processes of one application that share a store, as a test commands them."""

import json
import os
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any, Final

from tests.interop.process import ProviderFailed, Started, started
from tests.interop.sharing_process import Plan, Point

ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 90.0
"""Seconds that a process may take for a command."""

_SOON: Final = 0.3
"""Seconds after which callers of several processes begin at the same moment."""


class Member:
    """A process of the application."""

    def __init__(self, running: Started) -> None:
        self._running = running

    def tell(self, do: str, **asked: object) -> None:
        """Give a command, without waiting for its answer."""
        assert self._running.process.stdin is not None
        print(json.dumps({"do": do, **asked}), file=self._running.process.stdin, flush=True)

    def answer(self) -> Any:
        """Wait for the answer to a command, or until a refresh is held."""
        assert self._running.process.stdout is not None
        giving_up = threading.Timer(PATIENCE, self._running.process.kill)
        giving_up.start()
        try:
            line = self._running.process.stdout.readline()
        finally:
            giving_up.cancel()
        if not line:
            raise ProviderFailed(f"no answer:\n{self._running.log()}")
        return json.loads(line)

    def ask(self, do: str, **asked: object) -> Any:
        """Give a command, and wait for its answer."""
        self.tell(do, **asked)
        return self.answer()

    def killed_at(self, point: Point, grant: str) -> str:
        """Use a session until its refresh is held at a point, and kill the process.

        It returns the new access token if the process died with it.
        """
        self.ask("hold", point=point)
        self.tell("use", grants=[grant], callers=1, at=0)
        access_token: str = self.answer()["held"]
        self._running.process.kill()
        self._running.process.wait(PATIENCE)
        return access_token


@contextmanager
def member(plan: Plan) -> Generator[Member]:
    """A process of the application, ended at the end of the block."""
    command = (sys.executable, "-m", "tests.interop.sharing_process", json.dumps(asdict(plan)))
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    with started(command, env=os.environ | {"PYTHONPATH": path}) as running:
        yield Member(running)


def used_at_once(
    members: Sequence[Member], grants: Sequence[str], callers: int
) -> Mapping[str, list[str]]:
    """Let so many callers in each process use each session at the same moment.

    It returns what they got: access tokens, or `!` and an error.
    """
    at = monotonic() + _SOON
    for each in members:
        each.tell("use", grants=grants, callers=callers, at=at)
    answers = [each.answer() for each in members]
    return {grant: [one for each in answers for one in each[grant]] for grant in grants}
