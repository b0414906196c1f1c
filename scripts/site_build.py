"""Build the documentation site: lay its pages out, draw its pictures, and check its links."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import site_drawings
from site_links import links_of
from site_pages import ROOT, Layout, Lost
from tests.interop.install import Unavailable

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

SITE: Final = ROOT / "build" / "site"
WORK: Final = ROOT / "build" / "site-work"
"""Where the pages are laid out, and what speeds the next build up."""


def main(arguments: Sequence[str]) -> int:
    """Build the site and return the exit status."""
    site = Path(arguments[0]).resolve() if arguments else SITE
    began = time.monotonic()
    try:
        with _one_at_a_time():
            pages = build(site)
    except (Lost, Unavailable) as why:
        print(f"scripts/site: {why}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failure:
        return failure.returncode
    links = links_of(site)
    (WORK / "external-links.txt").write_text("\n".join([*links.external, ""]), "utf-8")
    for line in links.lost:
        print(f"scripts/site: {line}", file=sys.stderr)
    took = time.monotonic() - began
    print(f"{pages} pages in {site}, after {took:.0f} s")
    print(f"{links.checked} links within the site checked, {len(links.lost)} faults")
    print(f"{len(links.external)} addresses elsewhere, not visited: see {WORK.name}")
    return int(bool(links.lost))


def build(site: Path) -> int:
    """Write the site to a folder and return the number of its pages."""
    layout = Layout()
    layout.lay_out()
    drawings = [
        drawing
        for place, text in layout.pages.items()
        for drawing in site_drawings.drawings_of(text, place)
    ]
    drawn = site_drawings.draw(drawings, WORK / "drawings")
    layout.pictures |= {f"{site_drawings.FOLDER}/{name}": path for name, path in drawn.items()}
    layout.write(WORK / "source", lambda place, text: site_drawings.with_pictures(text, place))
    _sphinx(WORK / "source", site)
    return len(layout.pages)


def _sphinx(source: Path, site: Path) -> None:
    """Run Sphinx, to which every warning is an error."""
    options = ["-q", "-W", "--keep-going", "-j", str(os.cpu_count() or 1)]
    folders = ["-c", str(ROOT / "docs"), "-d", str(WORK / "doctrees"), str(source), str(site)]
    paths = [str(ROOT / "scripts"), os.environ.get("PYTHONPATH", "")]
    subprocess.run(
        [sys.executable, "-m", "sphinx", *options, *folders],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        check=True,
    )


@contextmanager
def _one_at_a_time() -> Generator[None]:
    """Let two builds that are started at once follow each other."""
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
