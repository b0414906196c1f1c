"""Code that a reader copies from the pages passes mypy strict."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.docs.pages import ROOT, written_pages
from tests.docs.test_code_blocks import ALONE, TUTORIALS

if TYPE_CHECKING:
    from pathlib import Path

MYPY: Final = (sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-version=3.11")


def scripts() -> dict[str, str]:
    """The pages as scripts; where each block is independent, a script for each."""
    found: dict[str, str] = {}
    for page in written_pages():
        stem = page.path.removesuffix(".md").translate(str.maketrans("/-", "__"))
        if page.path in TUTORIALS:
            found |= {
                f"{stem}_{name}": text.replace("from app import", f"from {stem}_app import")
                for name, text in page.files
            }
            continue
        blocks = [block for block in page.blocks if block.language == "python"]
        texts = [block.text for block in blocks if not block.file]  # mypy sees the files themselves
        pieces = texts if page.path in ALONE else ["\n".join(texts)]
        found |= {f"{stem}_{number}.py": piece for number, piece in enumerate(pieces) if piece}
    return found


@pytest.mark.slow
def test_the_blocks_type_check(tmp_path: Path) -> None:
    for name, text in scripts().items():
        (tmp_path / name).write_text(text, "utf-8")

    done = subprocess.run(
        [*MYPY, f"--cache-dir={tmp_path / 'cache'}", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.stdout.splitlines()[-1].startswith("Success"), done.stdout
