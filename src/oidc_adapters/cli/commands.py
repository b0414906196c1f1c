"""The commands, as values: a command line that was understood."""

from pathlib import Path
from typing import Literal, TypeAlias

from attrs import field, frozen

from oidc_adapters.testing import FakeClient
from oidc_core.model.client import AuthMethod

Store: TypeAlias = Literal["", "file", "keyring"]


@frozen(kw_only=True)
class RealProvider:
    """A provider, a client there, and how a browser comes back from it.

    Attributes:
        issuer: the issuer identifier.
        client_id: the client's identifier.
        client_secret: its secret, if it has one.
        secret_from: where that was found, as in ``env:NAME`` or ``file:/path``.
        auth_method: how it authenticates; with its secret if left out.
        scope: the requested scopes.
        port: the port of the loopback redirect URI; 0 for any.
        callback_path: its path.
        timeout: seconds the user has.
        browser: whether to open one.
        ca: a file with CA certificates in place of the system's.
        insecure_allow_http_loopback: whether the provider may lack TLS if it is on loopback.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    secret_from: str = ""
    auth_method: AuthMethod | None = None
    scope: str = "openid profile email"
    port: int = 0
    callback_path: str = "/callback"
    timeout: int = 300
    browser: bool = True
    ca: str | None = None
    insecure_allow_http_loopback: bool = False


@frozen(kw_only=True)
class Demo:
    """``oidc demo``; without a provider it is the fake one."""

    provider: RealProvider | None = None
    misbehave: str | None = None
    list_misbehaviours: bool = False
    json: bool = False


@frozen(kw_only=True)
class Kept:
    """Which login that was kept is meant.

    Attributes:
        profile: its name.
        folder: where logins are kept; the user's own by default.
    """

    profile: str = "default"
    folder: Path | None = None


@frozen(kw_only=True)
class Login:
    """``oidc login``.

    Attributes:
        provider: where, and as which client.
        store: ``file`` or ``keyring`` to keep the tokens; empty to forget them.
        kept: under which name, and where.
    """

    provider: RealProvider
    store: Store = ""
    kept: Kept = Kept()


@frozen(kw_only=True)
class Token:
    """``oidc token``.

    Attributes:
        kept: of which login.
        leeway: for how many seconds it must be good.
        json: whether to print JSON.
    """

    kept: Kept = Kept()
    leeway: int = 30
    json: bool = False


@frozen(kw_only=True)
class WhoAmI:
    """``oidc whoami``.

    Attributes:
        kept: of which login.
        userinfo: whether to ask the provider for UserInfo.
        json: whether to print JSON.
    """

    kept: Kept = Kept()
    userinfo: bool = False
    json: bool = False


@frozen(kw_only=True)
class Refresh:
    """``oidc refresh``; ``kept``: of which login."""

    kept: Kept = Kept()


@frozen(kw_only=True)
class Logout:
    """``oidc logout``.

    Attributes:
        kept: of which login.
        browser: whether to end the provider's session too.
    """

    kept: Kept = Kept()
    browser: bool = False


@frozen
class Help:
    """``oidc`` without a command; ``text``: the help."""

    text: str


@frozen(kw_only=True)
class Explain:
    """``oidc explain``.

    Attributes:
        subject: a code, a callback or a token; ``-`` for one on standard input.
        all: whether to list all codes instead.
        issuer, client_id, nonce: to compare a token or callback with.
        jwks: a file with the provider's key set, for the signature.
        now: the time to judge at, in seconds since the epoch; the clock's by default.
        json: whether to print JSON.
    """

    subject: str = field(default="", repr=False)
    all: bool = False
    issuer: str = ""
    client_id: str = ""
    nonce: str = field(default="", repr=False)
    jwks: Path | None = None
    now: int | None = None
    json: bool = False


@frozen(kw_only=True)
class Doctor:
    """``oidc doctor``.

    Attributes:
        issuer: as a client has it configured.
        client_id, redirect_uri: of the client, for its settings.
        ca: a file with CA certificates in place of the system's.
        json: whether to print JSON.
    """

    issuer: str
    client_id: str = ""
    redirect_uri: str = ""
    ca: str | None = None
    json: bool = False


@frozen(kw_only=True)
class FakeProviderCommand:
    """``oidc fake-provider``.

    Attributes:
        port: where to listen; 0 for any.
        misbehave: what it does wrong, if anything.
        client: the client on record, its secret left out; ``None`` if the file names the clients.
        client_secret: its secret, or ``None`` for one of this run.
        users: who can sign in, by ``sub``; those of the file, or alice and bob, if empty.
        config: a TOML file with clients, users and settings.
    """

    port: int = 0
    misbehave: str | None = None
    client: FakeClient | None = None
    client_secret: str | None = field(default=None, repr=False)
    users: tuple[str, ...] = ()
    config: Path | None = None


Command: TypeAlias = (
    Demo | Login | Token | WhoAmI | Refresh | Logout | Explain | Doctor | FakeProviderCommand | Help
)
