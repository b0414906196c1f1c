"""A login of a program on the user's own machine: a browser opens and comes back on loopback.

.. code-block:: python

    setup = ClientSetup(
        issuer="https://op.example",
        client_id="my-program",
        token_endpoint_auth_method="none",
        redirect_uri="http://127.0.0.1/callback",
    )
    logged_in = loopback_login(setup)

The listener takes the callback of this login and no other request: any page that the user has open
can send one to a port of this machine, so the first request means nothing (RFC 8252 §8.3).
"""

import webbrowser
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Final, Unpack
from urllib.parse import urlsplit

from attrs import evolve

from oidc_adapters.clients.asking import Asked, request_of
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.native.flow import log_in
from oidc_adapters.native.listener import HOST, CallbackListener, listening
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.transport import Transport
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import discovery
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import as_setting, check_kind

_LONGEST: Final = 3_600
_PLACE: Final = f"http://{HOST}/callback, with a port or without"


def loopback_login(
    setup: ClientSetup,
    request: AuthenticationRequest = DEFAULT_REQUEST,
    *,
    open_browser: Callable[[str], object] = webbrowser.open,
    timeout: float = 300,
    transport: Transport | None = None,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    **asked: Unpack[Asked],
) -> LoggedIn:
    """Log the user of this machine in, with the browser that the user has.

    ``client.keep(logged_in.tokens)`` keeps the tokens, where a client of the same setup has grants.

    Args:
        setup: the client.  Its redirect URI is ``http://127.0.0.1/PATH``: without a port any that
            is free is listened at (RFC 8252 §7.3), with a port that one.
        request: what is asked of the provider and its user.
        open_browser: sends a browser to a URL, or shows the URL to the user; ``False`` says that
            there is no browser.
        timeout: seconds that the user has, up to an hour.
        transport: sends requests; over urllib3 by default. One that is given is never closed.
        clock: tells the time; the system's by default.
        entropy: gives secrets; the operating system's by default.
        asked: the members of a request one by one, as in ``prompt="login"``, in its place.

    Raises:
        UsageError: ``config_invalid`` for a setting, a port in use, and if there is no browser.
        CallbackError: ``state_expired`` if nobody came back in time.
        OidcError: see its ``hint`` and ``retryable``.
    """
    check_kind(setup, ClientSetup, about="setup", code="config_invalid")
    wanted, seconds = request_of(request, asked), _seconds(timeout)
    with ExitStack() as until_the_end:
        listener = until_the_end.enter_context(listening(*_place(setup)))
        sender = until_the_end.enter_context(_own()) if transport is None else transport
        shell = Shell(sender, Credentials(), clock=clock, entropy=entropy)
        rp = _ready(setup, listener, shell)
        return log_in(rp, shell, wanted, listener, _visiting(open_browser), timeout=seconds)


def _ready(setup: ClientSetup, listener: CallbackListener, shell: Shell) -> RelyingParty:
    """Return the relying party that comes back here, and give the shell its credentials."""
    here = _coming_back_to(setup, listener.url)
    rp = here.relying_party()
    if here.metadata is None:
        rp = shell.run(rp, discovery.discover(rp))
    shell.credentials = here.credentials(rp)
    return rp


def _visiting(open_browser: Callable[[str], object]) -> Callable[[str], None]:
    def visit(url: str) -> None:
        if open_browser(url) is False:
            expected = "a browser on this machine, or a function that shows the URL"
            raise UsageError("config_invalid", about="open_browser", expected=expected)

    return visit


def _own() -> AbstractContextManager[Transport]:
    from oidc_adapters.transport.over_urllib3 import Urllib3Transport

    return Urllib3Transport()


def _seconds(timeout: float) -> float:
    seconds = as_setting(timeout, int | float, "timeout")
    if isinstance(seconds, bool) or not 0 < seconds <= _LONGEST:
        expected = f"more than 0, up to {_LONGEST} seconds"
        raise UsageError("config_invalid", about="timeout", found=seconds, expected=expected)
    return seconds


def _place(setup: ClientSetup) -> tuple[int, str]:
    """Return port and path of the redirect URI; port 0 if it has no port."""
    uris = (setup.redirect_uri,) if setup.registration is None else setup.registration.redirect_uris
    uri = uris[0] if uris else ""
    parts = urlsplit(uri)  # the setup has judged it
    if parts.scheme != "http" or parts.hostname != HOST or parts.query:
        raise UsageError("config_invalid", about="redirect_uri", found=uri, expected=_PLACE)
    return parts.port or 0, parts.path or "/"


def _coming_back_to(setup: ClientSetup, uri: str) -> ClientSetup:
    """Return the same settings with the redirect URI that is listened at."""
    if setup.registration is None:
        return evolve(setup, redirect_uri=uri)
    registration = evolve(setup.registration, redirect_uris=(uri,))
    return evolve(setup, registration=registration, redirect_uri="")
