"""A folder of pages that a command writes and CI compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def outdated(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """Name the pages that are not as wanted."""
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))


def run(arguments: Sequence[str], folder: Path, wanted: Mapping[str, str]) -> int:
    """Write the pages, or with `--check` say which are out of date; return the exit status."""
    about = f"docs/{folder.name}"
    if "--check" in arguments:
        late = outdated(folder, wanted)
        print("\n".join(late) or f"{about} is up to date")
        return 1 if late else 0
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8")
    print(f"{len(wanted)} pages in {about}")
    return 0
