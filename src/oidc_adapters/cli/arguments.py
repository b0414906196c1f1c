"""The arguments of the command line, checked and turned into values."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from attrs import field, frozen

from oidc_adapters.cli.option_parser import CALLBACK_PORT, option_parser
from oidc_core.model.client import AuthMethod


@frozen(kw_only=True)
class RealProvider:
    """A provider, a client there, and how a browser comes back from it.

    Attributes:
        issuer: the issuer identifier.
        client_id: the client's identifier.
        client_secret: its secret, if it has one.
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


@frozen
class Login:
    """``oidc login``."""

    provider: RealProvider


@frozen(kw_only=True)
class Explain:
    """``oidc explain``.

    Attributes:
        subject: a code, a callback or a token; ``-`` for one on standard input.
        all: whether to list all codes instead.
        issuer, client_id, nonce: what a token or callback is compared with.
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
        client_id, redirect_uri: of the client, for what it has to configure.
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
    """``oidc fake-provider``."""

    port: int = 0
    misbehave: str | None = None
    client_id: str = "client"
    callback_port: int = CALLBACK_PORT
    redirect_uris: tuple[str, ...] = ()


Command: TypeAlias = Demo | Login | Explain | Doctor | FakeProviderCommand


def parse(argv: Sequence[str] | None, environ: Mapping[str, str]) -> Command:
    """Read a command line.

    Args:
        argv: the arguments, or those of the process.
        environ: where secrets are looked up by name: no secret is taken from the command line.

    Raises:
        SystemExit: 2 with a message if it cannot be understood, 0 after help.
    """
    parser = option_parser()
    given = parser.parse_args(argv)
    command: str = given.command
    if command == "demo":
        return _demo(parser, given, environ)
    if command == "login":
        return Login(_provider(parser, given, environ))
    if command == "explain":
        return Explain(
            subject=given.subject or "",
            all=given.all,
            issuer=given.issuer,
            client_id=given.client_id,
            nonce=given.nonce,
            jwks=given.jwks,
            now=given.now,
            json=given.json,
        )
    if command == "doctor":
        return Doctor(
            issuer=given.issuer,
            client_id=given.client_id,
            redirect_uri=given.redirect_uri,
            ca=given.ca,
            json=given.json,
        )
    port: int = given.callback_port
    uris: list[str] = given.redirect_uri or [f"http://127.0.0.1:{port}/callback"]
    return FakeProviderCommand(
        port=given.port,
        misbehave=given.misbehave,
        client_id=given.client_id,
        callback_port=port,
        redirect_uris=tuple(uris),
    )


def _demo(
    parser: argparse.ArgumentParser, given: argparse.Namespace, environ: Mapping[str, str]
) -> Demo:
    if given.issuer and (given.misbehave or given.list_misbehaviours):
        parser.error("only the fake provider misbehaves on demand: leave out --issuer")
    if not given.issuer:
        _refuse_stray(parser, given)
    return Demo(
        provider=_provider(parser, given, environ) if given.issuer else None,
        misbehave=given.misbehave,
        list_misbehaviours=given.list_misbehaviours,
        json=given.json,
    )


def _refuse_stray(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Refuse settings of a real provider if there is no real provider."""
    for name in ("client_id", "client_secret_env", "client_secret_file", "auth_method", "ca"):
        if getattr(given, name) is not None:
            parser.error(f"--{name.replace('_', '-')} needs --issuer")


def _provider(
    parser: argparse.ArgumentParser, given: argparse.Namespace, environ: Mapping[str, str]
) -> RealProvider:
    if not given.client_id:
        parser.error("--issuer needs --client-id")
    secret = _secret(parser, given, environ)
    if secret is None and given.auth_method is None:
        parser.error("name the client's secret, or say --auth-method none for a public client")
    return RealProvider(
        issuer=given.issuer,
        client_id=given.client_id,
        client_secret=secret,
        auth_method=given.auth_method,
        scope=given.scope,
        port=given.port,
        callback_path=given.callback_path,
        timeout=given.timeout,
        browser=given.browser,
        ca=given.ca,
        insecure_allow_http_loopback=given.insecure_allow_http_loopback,
    )


def _secret(
    parser: argparse.ArgumentParser, given: argparse.Namespace, environ: Mapping[str, str]
) -> str | None:
    """Look the client's secret up where the command line says it is."""
    variable: str | None = given.client_secret_env
    path: Path | None = given.client_secret_file
    if variable is not None:
        secret = environ.get(variable, "")
    elif path is not None:
        try:
            secret = path.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            parser.error(f"--client-secret-file: {path}: {error}")
    else:
        return None
    if not secret:
        parser.error(f"there is no secret in {variable or path}")
    return secret
