"""The pictures that are computed from the code, and the pages that they belong to.

A page has a picture between the comments `<!-- picture: NAME -->` and `<!-- end -->`, as Mermaid.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import picture_of_layers
import picture_of_login

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
_FOLDER: Final = "docs/explanation"
PICTURES: Final[Mapping[str, tuple[str, Callable[[], str]]]] = {
    "login": (f"{_FOLDER}/login-flow.md", lambda: _block(picture_of_login.picture())),
    "layers of oidc_core": (f"{_FOLDER}/layers.md", lambda: _layers("oidc_core")),
    "layers of oidc_adapters": (f"{_FOLDER}/layers.md", lambda: _layers("oidc_adapters")),
}
"""The page of each picture, and the function that draws it."""

END: Final = "<!-- end -->"


def _block(picture: str) -> str:
    return f"```mermaid\n{picture}```\n"


def _layers(package: str) -> str:
    """Return the picture of a package's layers, and the list of their names."""
    return f"{_block(picture_of_layers.picture(package))}\n{picture_of_layers.names_of(package)}"


def drawn(text: str, name: str, picture: str) -> str:
    """Return the text of a page with a picture in its place."""
    start = f"<!-- picture: {name} -->\n"
    before, found, after = text.partition(start)
    if not found or END not in after:
        raise ValueError(f"the page has no place for the picture {name!r}")
    return f"{before}{start}\n{picture}\n{END}{after.partition(END)[2]}"


def outdated(root: Path = ROOT) -> list[str]:
    """Name the pictures that are not as the code would have them."""
    return [
        f"{page}: {name}"
        for name, (page, draw) in PICTURES.items()
        if (text := (root / page).read_text("utf-8")) != drawn(text, name, draw())
    ]


def main(arguments: Sequence[str]) -> int:
    """Write the pictures, or with `--check` say what is out of date."""
    if "--check" in arguments:
        late = outdated()
        print("\n".join(late) or "the pictures are up to date")
        return int(bool(late))
    for name, (page, draw) in PICTURES.items():
        path = ROOT / page
        path.write_text(drawn(path.read_text("utf-8"), name, draw()), "utf-8")
    print(f"{len(PICTURES)} pictures in docs/explanation")
    return 0
