"""``oidc fake-provider``: serve the fake provider on loopback, to try something out against it."""

from contextlib import ExitStack

from oidc_adapters.cli.arguments import FakeProviderCommand
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.world import World
from oidc_adapters.testing import FakeClient, FakeProvider, serve
from oidc_core.wire.errors import UsageError

_SECRET_VARIABLE = "FAKE_CLIENT_SECRET"


def fake_provider(command: FakeProviderCommand, world: World) -> int:
    """Serve until somebody presses Ctrl-C.

    Raises:
        UsageError: ``config_invalid`` if the port is not available.
    """
    client = FakeClient(
        client_id=command.client_id,
        client_secret=world.entropy.token(),
        redirect_uris=command.redirect_uris,
    )
    seed = int.from_bytes(world.entropy.token().encode(), "big")
    provider = FakeProvider(clients=(client,), misbehave=command.misbehave, seed=seed)
    with ExitStack() as until_the_end:
        try:
            serving = serve(provider, world.clock, interactive=True, port=command.port)
            served = until_the_end.enter_context(serving)
        except OSError:
            raise UsageError(
                "config_invalid", about="port", found=command.port, expected="a port that is free"
            ) from None
        _tell(Page(world.out, world.environ), served.issuer, client, command)
        world.wait()
    return 0


def _tell(page: Page, issuer: str, client: FakeClient, command: FakeProviderCommand) -> None:
    """Print everything that a client needs, and how to try it."""
    page.line("A fake OpenID provider, for tests; everybody is let in.", style="bold")
    page.line()
    facts = [
        ("issuer", issuer),
        ("client_id", client.client_id),
        ("client_secret", client.client_secret),
        ("authentication", client.token_endpoint_auth_method),
        *[("redirect_uri", uri) for uri in client.redirect_uris],
        ("users", "alice, bob"),
        *([("misbehaves", command.misbehave)] if command.misbehave else []),
    ]
    page.facts(facts, indent=3)
    page.line()
    page.line("Log in from another terminal:")
    page.line()
    page.raw(f"   export {_SECRET_VARIABLE}={client.client_secret}")
    page.raw(f"   oidc login --issuer {issuer} --client-id {client.client_id} \\")
    page.raw(f"     --client-secret-env {_SECRET_VARIABLE} --port {command.callback_port} \\")
    page.raw("     --insecure-allow-http-loopback")
    page.line()
    page.line("Ctrl-C ends it.", style="dim")
    page.flush()
