"""Make the project's virtual environments, with only the standard library.

An environment carries a stamp of the packages installed in it, so a second run costs nothing and a
changed `pyproject.toml` installs again. All chatter goes to standard error.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
STAMP = "oidc-core-stamp.json"


def project_table() -> dict[str, Any]:
    """Read `pyproject.toml`."""
    return tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))


def group_requirements(group: str) -> list[str]:
    """Expand a dependency group (PEP 735) to requirements, for a pip that has no `--group`."""
    groups: dict[str, list[str | dict[str, str]]] = project_table()["dependency-groups"]
    requirements: list[str] = []
    for entry in groups[group]:
        if isinstance(entry, str):
            requirements.append(entry)
        else:
            requirements += group_requirements(entry["include-group"])
    return requirements


def lowest_requirements() -> list[str]:
    """Pin every runtime dependency, also of the extras, to the lowest version declared."""
    project = project_table()["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    optional = [item for name in sorted({*extras} - {"testing"}) for item in extras[name]]
    return [item.replace(">=", "==") for item in (*project["dependencies"], *optional)]


def prepare(
    groups: Sequence[str] = (),
    *,
    directory: str = ".venv",
    interpreter: str = sys.executable,
    install: Sequence[str] = ("-e", str(ROOT)),
    pins: Sequence[str] = (),
) -> Path:
    """Bring an environment up to date and return its Python.

    Args:
        groups: dependency groups to have; those installed earlier stay.
        directory: the environment's folder, in the project's root.
        interpreter: the Python that a new environment is made with.
        install: what pip is told to install of the project itself.
        pins: requirements that hold dependencies at a version.
    """
    home = ROOT / directory
    python = home / "bin" / "python"
    with _only_one(home.with_name(f"{directory}.lock")):
        if not _works(python):
            _make(home, interpreter)
        stamp = home / STAMP
        wanted = {"install": [*install], "pins": [*pins], "pyproject": _digest(PYPROJECT)}
        had: dict[str, Any] = json.loads(stamp.read_text("utf-8")) if stamp.exists() else {}
        present: list[str] = had.get("groups", [])
        missing = {*groups} - {*present}
        if missing or {key: had.get(key) for key in wanted} != wanted:
            together = sorted({*groups, *present})
            requirements = [line for group in together for line in group_requirements(group)]
            stamp.unlink(missing_ok=True)
            _install(python, [*install, *pins, *requirements])
            stamp.write_text(json.dumps({**wanted, "groups": together}), "utf-8")
    return python


def pip_install(python: Path, requirements: Iterable[str]) -> None:
    """Add packages to an environment without recording them."""
    _install(python, list(requirements))


def _install(python: Path, arguments: list[str]) -> None:
    say(f"installing into {python.parent.parent.name} …")
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, *arguments], cwd=ROOT, stdout=sys.stderr, check=False)
    if done.returncode:
        sys.exit("oidc_core: pip could not install what is needed; its message stands above")


def _make(home: Path, interpreter: str) -> None:
    say(f"making {home.name} …")
    if not has_venv(interpreter):
        version = re.search(r"3\.\d+", _output([interpreter, "--version"]))
        name = f"python{version[0] if version else '3'}-venv"
        sys.exit(
            f"oidc_core: {interpreter} comes without the module venv or ensurepip.\n"
            f"Debian, Ubuntu: apt-get install {name}    (or python3-venv)\n"
            "Elsewhere: install a complete Python 3.11+, or name one with PYTHON=/path/to/python.",
        )
    subprocess.run(
        [interpreter, "-m", "venv", "--clear", str(home)],
        check=True,
        stdout=sys.stderr,
    )


def has_venv(interpreter: str) -> bool:
    """Whether a Python is complete enough to make an environment with."""
    if interpreter == sys.executable:
        return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    check = [interpreter, "-c", "import venv, ensurepip"]
    done = subprocess.run(check, capture_output=True, check=False)
    return done.returncode == 0


def _works(python: Path) -> bool:
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    if not python.exists():
        return False
    done = subprocess.run([python, "-c", check], capture_output=True, check=False)
    return done.returncode == 0


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def _only_one(path: Path) -> Generator[None]:
    """Let two commands started at once install one after the other."""
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    """Tell the person at the terminal, off the command's own output."""
    sys.stderr.write(f"oidc_core: {text}\n")
    sys.stderr.flush()
