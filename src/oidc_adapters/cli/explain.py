"""``oidc explain``: what an error code means and what to do about it."""

from itertools import groupby

from oidc_adapters.cli.arguments import Explain
from oidc_adapters.cli.failures import CLASS_NAMES, row_facts
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.world import World
from oidc_core.wire.codes import CODES


def explain(command: Explain, world: World) -> int:
    """Explain one code, or list them all."""
    page = Page(world.out, world.environ)
    if command.code:
        page.line(command.code, style="bold")
        page.facts(row_facts(CODES[command.code]), indent=3)
        return 0
    for place, rows in groupby(CODES.values(), lambda row: (row.stage, row.fault, row.retryable)):
        stage, fault, retryable = place
        page.spread(stage, f"{CLASS_NAMES[fault]}, retry: {retryable}")
        page.facts([(row.code, row.hint) for row in rows], indent=3)
        page.line()
    return 0
