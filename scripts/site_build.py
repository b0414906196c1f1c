"""Build the documentation site: lay its pages out, draw its pictures, and check its links."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.docs.counts import counts
from tests.interop.install import Unavailable

import site_drawings
from site_links import links_of
from site_pages import ROOT, Layout, Lost, write_changed

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

SITE: Final = ROOT / "build" / "site"
WORK: Final = ROOT / "build" / "site-work"
"""Where the pages are laid out, and what speeds the next build up."""


def main(arguments: Sequence[str]) -> int:
    """Build the site and return the exit status."""
    site = Path(arguments[0]).resolve() if arguments else SITE
    try:
        with _one_at_a_time():
            return built(site)
    except (Lost, Unavailable) as why:
        print(f"scripts/site: {why}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failure:
        return failure.returncode


def built(site: Path) -> int:
    """Bring the site in a folder up to date, check its links, and return the exit status."""
    began = time.monotonic()
    layout = Layout()
    layout.lay_out()
    files = _files(layout)
    stamp, digest = WORK / "stamp.txt", _digest(site, files)
    if stamp.exists() and stamp.read_text("utf-8") == digest and (site / "index.html").exists():
        print(f"{site} is up to date")
        return 0
    stamp.unlink(missing_ok=True)
    write_changed(WORK / "source", files)
    _sphinx(site)
    links = links_of(site)
    listed = WORK / "external-links.txt"
    listed.write_text("\n".join([*links.external, ""]), "utf-8")
    for line in links.lost:
        print(f"scripts/site: {line}", file=sys.stderr)
    took = time.monotonic() - began
    print(f"{len(layout.pages)} pages in {site}, after {took:.0f} s")
    print(counts())
    print(f"{links.checked} links within the site checked, {len(links.lost)} faults")
    print(f"{len(links.external)} addresses elsewhere, of good form, not visited: {listed}")
    if not links.lost:
        stamp.write_text(digest, "utf-8")
    return int(bool(links.lost))


def _files(layout: Layout) -> dict[str, bytes]:
    """Return what Sphinx reads, with every picture drawn."""
    drawings = [
        drawing
        for place, text in layout.pages.items()
        for drawing in site_drawings.drawings_of(text, place)
    ]
    drawn = site_drawings.draw(drawings, WORK / "drawings")
    layout.pictures |= {f"{site_drawings.FOLDER}/{name}": path for name, path in drawn.items()}
    return layout.files(lambda place, text: site_drawings.with_pictures(text, place))


def _digest(site: Path, files: Mapping[str, bytes]) -> str:
    """Return a digest of everything that makes a site."""
    docs = ROOT / "docs"
    own = [*(ROOT / "scripts").glob("site_*.py"), docs / "conf.py", docs / "search_scorer.js"]
    own += [path for name in ("_static", "_templates") for path in (docs / name).iterdir()]
    made_of = {**files, **{str(path): path.read_bytes() for path in own}}
    found = hashlib.sha256(f"{site} {version('sphinx')} {version('furo')}".encode())
    for name, content in sorted(made_of.items()):
        found.update(f"{name} {len(content)} ".encode() + content)
    return found.hexdigest()


def _sphinx(site: Path) -> None:
    """Run Sphinx, to which every warning is an error.

    It reads the pages that have changed and writes all of them: the navigation and the search
    would be out of date otherwise.
    """
    if site.exists():
        if any(site.iterdir()) and not (site / ".buildinfo").exists():
            raise Lost(f"{site} holds something else than a site")
        shutil.rmtree(site)
    options = ["-q", "-W", "--keep-going", "--write-all", "-j", str(os.cpu_count() or 1)]
    places = ["-c", str(ROOT / "docs"), "-d", str(WORK / "doctrees")]
    folders = [*places, str(WORK / "source"), str(site)]
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
