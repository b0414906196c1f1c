"""An extension of Sphinx: anchors that can be linked to and searched, and short tables of contents.

A page writes `<a id="state_mismatch"></a>` for an anchor on a code host and on this site. Sphinx
passes HTML on without looking at it. So the anchor becomes a target here, which links are checked
against, and an entry of the index, which the search finds by its name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

_ANCHOR: Final = re.compile(r'<a id="([a-z0-9_]+)">')


class Anchors(SphinxTransform):
    """Makes targets of the anchors of a page."""

    default_priority = 300

    def apply(self) -> None:
        """Put a target, and an entry of the index, for each anchor."""
        slugs: dict[str, tuple[int, str, str]] = {}
        for raw in list(self.document.findall(nodes.raw)):
            found = _ANCHOR.fullmatch(raw.astext())
            if found is None:
                continue
            name = found[1]
            entry = addnodes.index(entries=[("single", name, name, "main", None)])
            raw.replace_self([entry, nodes.target("", "", ids=[name])])
            slugs[name] = (raw.line or 0, name, name)
        if slugs:
            metadata = self.env.metadata[self.env.docname]
            metadata["myst_slugs"] = {**metadata.get("myst_slugs", {}), **slugs}


def only_the_way_here(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: nodes.document | None
) -> None:
    """Give the theme a table of contents that is open only where the reader is.

    Otherwise each page would carry the names of all pages, two thirds of which are the reference.
    """
    whole = context["toctree"]

    def toctree(**options: Any) -> str:
        shown: str = whole(**{**options, "collapse": True})
        return shown

    context["toctree"] = toctree


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the anchors to Sphinx."""
    app.add_transform(Anchors)
    app.connect("html-page-context", only_the_way_here, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
