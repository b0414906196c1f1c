"""The processes of the rows of the web: a provider, and applications under real servers.

Flask runs in one worker of gunicorn with threads, FastAPI under uvicorn.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from socket import socket
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.web_apps import SETTINGS
from benchmarks.web_browser import fetched, log_in

_BACKLOG: Final = 4_096
_GUNICORN: Final = (
    "gunicorn", "--workers=1", "--worker-class=gthread", "--threads=8", f"--backlog={_BACKLOG}",
    "--log-level=error", "benchmarks.web_apps:made()",
)  # fmt: skip
_UVICORN: Final = ("uvicorn", "--factory", "--log-level=error", "benchmarks.web_apps:made")
_PATIENCE: Final = 30


@contextmanager
def serving(names: Sequence[str]) -> Generator[dict[str, str]]:
    """Run a provider and applications as long as the context lasts; the value has their URLs."""
    with ExitStack() as stack:
        provider, *listening = [stack.enter_context(_listening()) for _ in ("", *names)]
        bases = {name: _url(each) for name, each in zip(names, listening, strict=True)}
        uris = [f"{base}/callback" for base in bases.values()]
        _provider(stack, provider, uris)
        for name, each in zip(names, listening, strict=True):
            folder = stack.enter_context(TemporaryDirectory(ignore_cleanup_errors=True))
            settings = (name, _url(provider), bases[name], folder)
            stack.enter_context(_application(each, settings))
        for base in bases.values():
            asyncio.run(log_in(base))
        yield bases


def cpu_time(base: str) -> int:
    """Return the nanoseconds of CPU that the process of an application has used."""
    return int(asyncio.run(fetched(f"{base}/cpu")).body)


def lateness(base: str) -> list[float]:
    """Return the seconds by which the ticks of an event loop came late since the last call."""
    found: list[float] = json.loads(asyncio.run(fetched(f"{base}/lateness")).body)
    return sorted(found)


def _listening() -> socket:
    listening = socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(_BACKLOG)
    return listening


def _url(listening: socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def _provider(stack: ExitStack, listening: socket, uris: Sequence[str]) -> None:
    fd = listening.fileno()
    command = [sys.executable, "-m", "benchmarks.web_provider", str(fd), *uris]
    process = stack.enter_context(
        subprocess.Popen(
            command, pass_fds=[fd], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    )
    stack.callback(process.terminate)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


@contextmanager
def _application(listening: socket, settings: Sequence[str]) -> Generator[None]:
    fd = listening.fileno()
    kind = settings[0].partition("_")[0]
    server = (*_GUNICORN, f"--bind=fd://{fd}") if kind == "flask" else (*_UVICORN, f"--fd={fd}")
    named = {f"BENCH_{name}": value for name, value in zip(SETTINGS, settings, strict=True)}
    with subprocess.Popen(
        [sys.executable, "-m", *server],
        pass_fds=[fd],
        env={**os.environ, **named},
        stderr=subprocess.DEVNULL,  # a login that fails is counted, not told
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
