"""``oidc demo``: a whole login over real HTTP, told exchange by exchange."""

from itertools import groupby
from typing import Final

from oidc_adapters.cli.arguments import Demo
from oidc_adapters.cli.failures import failure_json, tell_failure
from oidc_adapters.cli.fake_login import CLIENT_ID, fake_login
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.login import indented
from oidc_adapters.cli.real_login import log_in
from oidc_adapters.cli.recording import Witness
from oidc_adapters.cli.step_list import StepList
from oidc_adapters.cli.story import Story
from oidc_adapters.cli.world import World
from oidc_adapters.testing import MISBEHAVIOURS
from oidc_core.errors import OidcError
from oidc_core.jsontypes import JsonObject
from oidc_core.login import LoggedIn

REFUSED: Final = 1
"""The exit status of a refusal."""

NOT_REFUSED: Final = 3
"""The exit status if a misbehaviour is not refused as it must be."""


def demo(command: Demo, world: World) -> int:
    """Run the demo; the exit status is 0, or 1 for a refusal."""
    if command.list_misbehaviours:
        return _list_misbehaviours(world)
    if command.json:
        return _as_json(command, world)
    page = Page(world.out, world.environ)
    story = Story(page)
    story.opening("One login by the authorization code flow", _opening(command))
    try:
        logged_in = _log_in(command, world, story, page)
    except OidcError as error:
        page.line()
        page.flush()
        return judged(command.misbehave, error, world)
    if command.misbehave is not None:
        return judged(command.misbehave, None, world)
    story.closing(logged_in)
    return 0


def _as_json(command: Demo, world: World) -> int:
    """Run the demo for a program: one object on standard output, and nothing else there."""
    steps = StepList()
    try:
        logged_in = _log_in(command, world, steps, Page(world.err, world.environ))
    except OidcError as error:
        world.out.write(indented(failure_json(error)))
        return judged(command.misbehave, error, world)
    if command.misbehave is not None:
        world.out.write(indented(JsonObject({"error": None, "misbehaviour": command.misbehave})))
        return judged(command.misbehave, None, world)
    outcome = JsonObject(
        {
            "sub": logged_in.identity.subject,
            "issuer": logged_in.identity.issuer,
            "steps": tuple(steps.steps),
            "checks": tuple(steps.checks),
        }
    )
    world.out.write(indented(outcome))
    return 0


def _log_in(command: Demo, world: World, witness: Witness, page: Page) -> LoggedIn:
    if command.provider is not None:
        return log_in(command.provider, world, witness, page)
    return fake_login(command.misbehave, world, witness)


def _opening(command: Demo) -> tuple[tuple[str, str], ...]:
    """Say who takes part."""
    secrets = ("secrets", "each shows as a fingerprint, as in #1a2b3c4d")
    provider = command.provider
    if provider is not None:
        return (("provider", provider.issuer), ("client", provider.client_id), secrets)
    who = ("provider", "a fake one, on a loopback port, made for this run")
    client = ("client", f"{CLIENT_ID}, which has a secret of this run")
    if command.misbehave is None:
        return (who, client, secrets)
    wrong = ("misbehaves", f"{command.misbehave}: it {MISBEHAVIOURS[command.misbehave].summary}")
    return (who, wrong, client, secrets)


def judged(misbehave: str | None, refusal: OidcError | None, world: World) -> int:
    """Tell a refusal, and return the exit status.

    A provider that misbehaves must be refused, and with the code of its row.
    """
    page = Page(world.err, world.environ)
    if refusal is not None:
        tell_failure(page, refusal)
    if misbehave is None:
        return REFUSED
    expected, found = MISBEHAVIOURS[misbehave].code, None if refusal is None else refusal.code
    if found == expected:
        return REFUSED
    said = "it was not refused" if found is None else f"it was refused with {found}"
    page.line(f"NOT AS IT MUST BE: {misbehave}: {said}, and not with {expected}", style="bad")
    return NOT_REFUSED


def _list_misbehaviours(world: World) -> int:
    """List what the fake provider can do wrong, in the order in which a login meets it."""
    page = Page(world.out, world.environ)
    for during, rows in groupby(MISBEHAVIOURS.values(), lambda row: row.during):
        page.spread(during, "refused with")
        for row in rows:
            page.spread(f"  {row.name}", row.code, style="name")
            page.line(row.summary, indent=6)
        page.line()
    return 0
