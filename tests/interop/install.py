"""Installs the packages of a provider into a folder outside the tree, once for all runs."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

INSTALL_TIMEOUT: Final = 300.0
ENVIRONMENT_TIMEOUT: Final = 180.0
PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")
INSTALL: Final = ("install", "--quiet", "--no-compile", "--timeout", "15", "--retries", "2")


class Unavailable(Exception):
    """The provider is not available on this machine; the message says why and what would help."""


def cache_directory() -> Path:
    """Where installed packages are kept between runs: `OIDC_INTEROP_CACHE`, or the user's cache."""
    chosen = os.environ.get("OIDC_INTEROP_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oidc-core-interop"


def run(
    command: tuple[str, ...],
    *,
    needed: str,
    cwd: Path | None = None,
    timeout: float = INSTALL_TIMEOUT,
) -> str:
    """Run a command and return its output, or raise `Unavailable`, which names `needed`."""
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{' '.join(command)}: {error}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout)[-1000:]
        raise Unavailable(
            f"{' '.join(command)} ended with {done.returncode}: {said}\nNeeded: {needed}"
        )
    return done.stdout


def python_with(requirements: Path) -> Path:
    """The Python of a virtual environment that holds exactly these requirements.

    No two providers share an environment, because their requirements conflict. Each is made once
    for each content of the file and each Python. If two processes need it at once, one waits.
    """
    made_of = requirements.read_bytes() + sys.version.encode()
    digest = hashlib.sha256(made_of).hexdigest()
    home = cache_directory() / f"{requirements.stem}-{digest[:16]}"
    python = home / "bin" / "python"
    complete = home / "complete"
    home.parent.mkdir(parents=True, exist_ok=True)
    with _alone(home.with_suffix(".lock")):
        if not complete.exists():
            shutil.rmtree(home, ignore_errors=True)
            _make(home, python, requirements)
            complete.touch()
    return python


def _make(home: Path, python: Path, requirements: Path) -> None:
    needed = "Python's module venv; a reachable Python package index."
    run((sys.executable, "-m", "venv", "--without-pip", str(home)), needed=needed)
    fill = (*PIP, "--python", str(python), *INSTALL, "--requirement", str(requirements))
    run(fill, needed=needed, timeout=ENVIRONMENT_TIMEOUT)


@contextmanager
def _alone(path: Path) -> Generator[None]:
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
