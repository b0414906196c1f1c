"""Copies of the source tree in which a test may plant an offence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SRC: Final = ROOT / "src"


@dataclass(frozen=True)
class Tree:
    """A project's root: `src/` and `tests/` in it, or as much of them as a test needs."""

    root: Path

    @property
    def core(self) -> Path:
        return self.root / "src" / "oidc_core"

    def plant(self, path: str, text: str) -> None:
        """Write a file of the tree, or add to it."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a", encoding="utf-8") as opened:
            opened.write(text)

    def python(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run code in a separate process that imports the packages of this tree."""
        return self.run(sys.executable, "-c", code, *arguments)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in this tree, unmeasured: a tracer would import what is forbidden here."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("COV", "PYTEST"))}
        return subprocess.run(
            command,
            cwd=self.root,
            env={**inherited, "PYTHONPATH": str(self.root / "src"), "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def modules(self, package: str = "oidc_core") -> list[str]:
        """Name every module of a package, by looking at the files."""
        found = [
            ".".join(path.relative_to(self.root / "src").with_suffix("").parts)
            for path in sorted((self.root / "src" / package).rglob("*.py"))
        ]
        return [name.removesuffix(".__init__") for name in found if not name.endswith("__main__")]


HERE: Final = Tree(ROOT)


def copy_of_the_tree(folder: Path) -> Tree:
    """Copy the packages and `pyproject.toml`."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SRC, folder / "src", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "README.md").write_text("", encoding="utf-8")
    return Tree(folder)
