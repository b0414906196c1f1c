"""Public names that a change breaks: the names of the package roots, compared with a commit.

    scripts/api-breaks [--against REF]

REF is the newest tag, or the commit that `pyproject.toml` names as `api-baseline` as long as there
is no release. A break needs a separate entry in `changelog.d/`, as `<what>.changed.md` or
`<what>.removed.md`; without one the command exits with 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import griffe

import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("oidc_core", "oidc_adapters")
ENTRIES: Final = ("*.changed.md", "*.removed.md")


def baseline() -> str:
    """Return the commit to compare with: the newest tag, or the one of `pyproject.toml`."""
    tag = _git("describe", "--tags", "--abbrev=0")
    if tag is not None:
        return tag
    named: str = environment.project_table()["tool"]["oidc-core"]["api-baseline"]
    return named


def is_known(ref: str) -> bool:
    """Return whether this checkout has the commit."""
    return _git("cat-file", "-e", f"{ref}^{{commit}}") is not None


def is_whole() -> bool:
    """Return whether this checkout has the whole history; a shallow one or an archive has not."""
    return _git("rev-parse", "--is-shallow-repository") == "false"


def _git(*arguments: str) -> str | None:
    """Return what git says, ``None`` if it fails."""
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def breaks(before: griffe.Module, after: griffe.Module) -> Iterator[str]:
    """Name what the public names of a package had before and do not have any more."""
    for name in sorted(map(str, before.exports or ())):
        if name not in (after.exports or ()):
            yield f"{before.path}.{name}: removed"
            continue
        old, new = _target(before, name), _target(after, name)
        if old.kind is not new.kind:
            yield f"{before.path}.{name}: was a {old.kind.value}, is a {new.kind.value}"
            continue
        for found in griffe.find_breaking_changes(old, new):
            yield f"{before.path}.{name}: {_told(found)}"


def _target(package: griffe.Module, name: str) -> griffe.Object:
    member = package.members[name]
    return member.final_target if isinstance(member, griffe.Alias) else member


def _told(found: griffe.Breakage) -> str:
    place = found.obj.path.rpartition(".")[2]
    return f"{place}: {found.kind.value.lower()} ({found.old_value!s} -> {found.new_value!s})"


def loaded(ref: str | None) -> list[griffe.Module]:
    """Load the packages of the working tree, or of a commit."""
    found: list[griffe.Module] = []
    together = griffe.ModulesCollection()  # both roots have the names of the core
    for name in PACKAGES:
        package = (
            griffe.load(name, search_paths=[ROOT / "src"], modules_collection=together)
            if ref is None
            else griffe.load_git(
                name, ref=ref, repo=ROOT, search_paths=["src"], modules_collection=together
            )
        )
        if not isinstance(package, griffe.Module):
            raise TypeError(name)
        found.append(package)
    return found


def main(arguments: Sequence[str]) -> int:
    """Compare, print, and judge."""
    parser = argparse.ArgumentParser(prog="api-breaks", description=__doc__)
    parser.add_argument("--against", metavar="REF", default="")
    ref = parser.parse_args(arguments).against or baseline()
    if not is_known(ref):
        print(f"the commit {ref} is not in this checkout: nothing to compare with")
        return int(is_whole())
    found = [
        line
        for before, after in zip(loaded(ref), loaded(None), strict=True)
        for line in breaks(before, after)
    ]
    print("\n".join([*found, f"{len(found)} breaks of the public API since {ref[:12]}"]))
    entries = [path for pattern in ENTRIES for path in (ROOT / "changelog.d").glob(pattern)]
    if found and not entries:
        print("a break needs an entry in changelog.d/, as <what>.changed.md or <what>.removed.md")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
