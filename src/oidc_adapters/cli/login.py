"""``oidc login``: log in at a real provider and print the verified claims as JSON."""

import json

from oidc_adapters.cli.commands import Login
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.real_login import log_in
from oidc_adapters.cli.redaction import without_secrets
from oidc_adapters.cli.step_list import StepList
from oidc_adapters.cli.world import World
from oidc_core.wire.jsontypes import JsonValue, render


def login(command: Login, world: World) -> int:
    """Log in; standard output has the claims and nothing else."""
    page = Page(world.err, world.environ)
    logged_in = log_in(command.provider, world, StepList(), page)
    for note in logged_in.notes:
        page.verdict("!", note, "", style="warn")
    world.out.write(indented(without_secrets("", logged_in.claims)))
    return 0


def indented(value: JsonValue) -> str:
    """Return JSON for programs and for eyes, with a line feed at its end."""
    return json.dumps(json.loads(render(value)), indent=2) + "\n"
