"""``oidc demo``: a whole login over real HTTP, told exchange by exchange."""

from itertools import groupby
from typing import Final, TypeAlias

from oidc_adapters.cli.commands import Demo
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
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import OidcError
from oidc_core.wire.jsontypes import JsonObject

REFUSED: Final = 1
"""The exit status of a refusal."""

NOT_REFUSED: Final = 3
"""The exit status if a misbehaviour is not refused as it must be."""

Outcome: TypeAlias = LoggedIn | OidcError


def demo(command: Demo, world: World) -> int:
    """Run the demo; the exit status is 0, or 1 for a refusal."""
    if command.list_misbehaviours:
        return _list_misbehaviours(world)
    return _as_json(command, world) if command.json else _as_story(command, world)


def _as_story(command: Demo, world: World) -> int:
    page = Page(world.out, world.environ)
    story = Story(page)
    story.opening("One login by the authorization code flow", _opening(command))
    outcome = _outcome(command, world, story, page)
    if isinstance(outcome, LoggedIn) and command.misbehave is None:
        story.closing(outcome)
        return 0
    page.line()
    page.flush()
    return judged(command, outcome, world)


def _as_json(command: Demo, world: World) -> int:
    """Run the demo for a program: one object on standard output, and nothing else there."""
    steps = StepList()
    outcome = _outcome(command, world, steps, Page(world.err, world.environ))
    if not isinstance(outcome, LoggedIn) or command.misbehave is not None:
        return judged(command, outcome, world)
    told = JsonObject(
        {
            "sub": outcome.identity.subject,
            "issuer": outcome.identity.issuer,
            "steps": tuple(steps.steps),
            "checks": tuple(steps.checks),
        }
    )
    world.out.write(indented(told))
    return 0


def _outcome(command: Demo, world: World, witness: Witness, page: Page) -> Outcome:
    try:
        if command.provider is not None:
            return log_in(command.provider, world, witness, page)
        return fake_login(command.misbehave, world, witness)
    except OidcError as refusal:
        return refusal


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


def judged(command: Demo, outcome: Outcome, world: World) -> int:
    """Tell how a login that was not to end well ended, and return the exit status.

    A provider that misbehaves must be refused, and with the code of its row.
    """
    page = Page(world.err, world.environ)
    refusal = outcome if isinstance(outcome, OidcError) else None
    if command.json:
        nothing = JsonObject({"error": None, "misbehaviour": command.misbehave})
        world.out.write(indented(nothing if refusal is None else failure_json(refusal)))
    if refusal is not None:
        tell_failure(page, refusal)
    if command.misbehave is None:
        return REFUSED
    expected, found = MISBEHAVIOURS[command.misbehave].code, refusal and refusal.code
    if found == expected:
        return REFUSED
    said = f"refused with {found}" if found else "not refused"
    text = f"NOT AS IT MUST BE: {command.misbehave} was {said}; it must be with {expected}"
    page.line(text, style="bad")
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
