"""A login at a real provider: somebody signs in with a browser, which comes back on loopback."""

from collections.abc import Callable

from oidc_adapters.cli.commands import RealProvider
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.loopback_login import LoopbackLogin
from oidc_adapters.cli.progress import ProgressTransport
from oidc_adapters.cli.recording import WatchedShell, Witness
from oidc_adapters.cli.world import World
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.native.listener import listening
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.policy import Policy
from oidc_core.operations.logged_in import LoggedIn


def log_in(provider: RealProvider, world: World, witness: Witness, page: Page) -> LoggedIn:
    """Log in at a provider.

    Args:
        provider: who it is, and the client there.
        world: network, browser, time, randomness.
        witness: is told what happens.
        page: where the user is told what to do.

    Raises:
        OidcError: the refusal of the login.
    """
    with (
        world.transport(provider.ca) as transport,
        listening(provider.port, provider.callback_path) as listener,
    ):
        setup = ClientSetup(
            issuer=provider.issuer,
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            token_endpoint_auth_method=provider.auth_method,
            redirect_uri=listener.url,
            scope=provider.scope,
            policy=_policy(insecure_allow_http_loopback=provider.insecure_allow_http_loopback),
        )
        sender = ProgressTransport(transport, world)
        shell = WatchedShell(sender, witness, clock=world.clock, entropy=world.entropy)
        return LoopbackLogin.discover(setup, shell).log_in(
            AuthenticationRequest(),
            listener,
            _visit(provider, world, page, listener.url),
            timeout=provider.timeout,
        )


def _policy(*, insecure_allow_http_loopback: bool) -> Policy:
    if insecure_allow_http_loopback:
        return Policy(quirks=frozenset({"insecure_allow_http_loopback"}))
    return Policy()


def _visit(
    provider: RealProvider, world: World, page: Page, redirect_uri: str
) -> Callable[[str], None]:
    """Return what sends the user to a page: it is printed, and opened if that is wanted."""

    def visit(url: str) -> None:
        page.line()
        page.line("Open this page in a browser on this machine, and sign in:", style="bold")
        page.line()
        page.raw(url)
        page.line()
        page.line(f"It comes back to {redirect_uri} within {provider.timeout} seconds.")
        page.flush()
        if provider.browser and not world.open_page(url):
            page.line("(No browser could be opened from here.)", style="warn")
            page.flush()

    return visit
