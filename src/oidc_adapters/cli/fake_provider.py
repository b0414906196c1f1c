"""``oidc fake-provider``: serve the fake provider on loopback, to try something out against it."""

from contextlib import ExitStack, suppress
from shlex import quote
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import evolve

from oidc_adapters.cli.commands import FakeProviderCommand
from oidc_adapters.cli.fake_provider_file import ProviderFile, read_provider_file
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.world import World
from oidc_adapters.testing import FakeClient, FakeProvider, FakeUser, serve
from oidc_core.wire.errors import UsageError

_SECRET_VARIABLE: Final = "FAKE_CLIENT_SECRET"


def fake_provider(command: FakeProviderCommand, world: World) -> int:
    """Serve until somebody presses Ctrl-C.

    Raises:
        UsageError: ``config_invalid`` if the port is not available, or for what the file says.
    """
    provider = _made(command, world)
    with ExitStack() as until_the_end:
        try:
            serving = serve(provider, world.clock, interactive=True, port=command.port)
            served = until_the_end.enter_context(serving)
        except OSError:
            raise UsageError(
                "config_invalid", about="port", found=command.port, expected="a port that is free"
            ) from None
        _tell(Page(world.out, world.environ), served.provider)
        world.wait()
    return 0


def _made(command: FakeProviderCommand, world: World) -> FakeProvider:
    secret = command.client_secret or world.entropy.token()
    if command.config is not None:
        told = read_provider_file(command.config, secret)
    else:
        client = evolve(command.client or FakeClient(), client_secret=secret)
        users = tuple([FakeUser(sub=sub, claims={"name": sub}) for sub in command.users])
        told = ProviderFile(clients=(client,), users=users, settings={})
    settings: dict[str, Any] = {**told.settings}
    if told.users:
        settings["users"] = told.users
    if command.misbehave is not None:
        settings["misbehave"] = command.misbehave
    seed = int.from_bytes(world.entropy.token().encode(), "big")
    return FakeProvider(clients=told.clients, seed=seed, **settings)


def _tell(page: Page, provider: FakeProvider) -> None:
    """Print everything that a client needs, and how to try it."""
    page.line("A fake OpenID provider, for tests; everybody is let in.", style="bold")
    page.line()
    facts = [
        ("issuer", provider.issuer),
        ("users", ", ".join([user.sub for user in provider.users])),
        *[("misbehaves", row.name) for row in provider.misbehaviours],
    ]
    page.facts(facts, indent=3)
    for client in provider.clients:
        page.line()
        page.facts(_client_facts(client), indent=3)
    page.line()
    _tell_how(page, provider.issuer, provider.clients[0])
    page.line("Ctrl-C ends it.", style="dim")
    page.flush()


def _client_facts(client: FakeClient) -> list[tuple[str, str]]:
    by_secret = client.token_endpoint_auth_method not in {"none", "private_key_jwt"}
    ends = (
        ("back channel", client.backchannel_logout_uri),
        ("front channel", client.frontchannel_logout_uri),
    )
    return [
        ("client_id", client.client_id),
        *([("client_secret", client.client_secret)] if by_secret else []),
        ("authentication", client.token_endpoint_auth_method),
        *[("redirect_uri", uri) for uri in client.redirect_uris],
        *[("after a logout", uri) for uri in client.post_logout_redirect_uris],
        *[(name, uri) for name, uri in ends if uri is not None],
    ]


def _tell_how(page: Page, issuer: str, client: FakeClient) -> None:
    """Say how to log in, if the command line can come back to the client's redirect URI."""
    method = client.token_endpoint_auth_method
    place = _on_loopback(client.redirect_uris)
    if place is None or method == "private_key_jwt":
        return
    port, path = place
    page.line("Log in from another terminal:")
    page.line()
    options = [f"--port {port}"] if port else []
    if method != "none":
        page.raw(f"   export {_SECRET_VARIABLE}={quote(client.client_secret)}")
        options.insert(0, f"--client-secret-env {_SECRET_VARIABLE}")
    if method != "client_secret_basic":
        options.append(f"--auth-method {method}")
    if path != "/callback":
        options.append(f"--callback-path {quote(path)}")
    page.raw(f"   oidc login --issuer {issuer} --client-id {quote(client.client_id)} \\")
    options.append("--insecure-allow-http-loopback")
    page.raw(f"     {' '.join(options)}")
    page.line()


def _on_loopback(uris: tuple[str, ...]) -> tuple[int, str] | None:
    """Return port and path of the first redirect URI that the command line can listen at.

    Port 0 stands for every port.
    """
    for uri in uris:
        with suppress(ValueError):  # a port that is none
            url = urlsplit(uri)
            if url.scheme == "http" and url.hostname == "127.0.0.1":
                return url.port or 0, url.path
    return None
