"""``oidc doctor``: find what prevents a login, as far as it is established."""

from oidc_adapters.cli.commands import Doctor
from oidc_adapters.cli.diagnosing.examination import Examination, examine
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.login import indented
from oidc_adapters.cli.progress import ProgressTransport
from oidc_adapters.cli.verdicts import tell
from oidc_adapters.cli.world import World
from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_core.wire.jsontypes import JsonObject


def doctor(command: Doctor, world: World) -> int:
    """Examine a provider; the exit status is 0, or 1 if something prevents a login."""
    with world.transport(command.ca) as transport:
        sender = ProgressTransport(transport, world)
        shell = Shell(sender, Credentials(), clock=world.clock, entropy=world.entropy)
        found = examine(
            shell, command.issuer, client_id=command.client_id, redirect_uri=command.redirect_uri
        )
    if command.json:
        world.out.write(indented(_as_json(found)))
    else:
        _tell(Page(world.out, world.environ), found)
    return 0 if found.sound else 1


def _tell(page: Page, found: Examination) -> None:
    page.line(f"The provider {found.issuer}", style="bold")
    if found.examined not in {"", found.issuer}:
        page.line(f"examined as {found.examined}", indent=3, style="warn")
    page.line()
    tell(page, found.verdicts)
    page.line()
    failed = [verdict.name for verdict in found.verdicts if verdict.outcome == "failed"]
    if failed:
        page.line(f"A login fails because of: {', '.join(dict.fromkeys(failed))}.", style="bad")
    else:
        page.line("No obstacle to a login was found.", style="good")
    if found.configuration is not None:
        page.line()
        page.line("The settings of a client:")
        page.line()
        for line in found.configuration.source.splitlines():
            page.raw(f"   {line}")
        page.line()
        for remark in found.configuration.remarks:
            page.verdict("·", remark, "", style="dim")


def _as_json(found: Examination) -> JsonObject:
    told = found.configuration
    configuration = None
    if told is not None:
        configuration = JsonObject(
            {
                "source": told.source,
                "arguments": JsonObject(dict(told.arguments)),
                "development": told.development,
                "remarks": told.remarks,
            }
        )
    return JsonObject(
        {
            "issuer": found.issuer,
            "examined": found.examined,
            "sound": found.sound,
            "checks": tuple([verdict.as_json() for verdict in found.verdicts]),
            "configuration": configuration,
        }
    )
