"""The arguments of the command line, checked and turned into values."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from oidc_adapters.cli.commands import (
    Command,
    Demo,
    Doctor,
    Explain,
    FakeProviderCommand,
    Help,
    Kept,
    Login,
    Logout,
    RealProvider,
    Refresh,
    Token,
    WhoAmI,
)
from oidc_adapters.cli.option_parser import option_parser
from oidc_adapters.testing import FakeClient


def parse(argv: Sequence[str] | None, environ: Mapping[str, str]) -> Command:
    """Read a command line.

    Args:
        argv: the arguments, or those of the process.
        environ: where secrets are looked up by name: no secret is taken from the command line.

    Raises:
        SystemExit: 2 with a message if it cannot be understood, 0 after help.
    """
    options = option_parser()
    given = options.parse_args(sys.argv[1:] if argv is None else argv)
    command: str | None = given.command
    if command is None:
        return Help(options.parser.format_help())
    return _READERS[command](options.commands[command], given, environ)


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
        secret_from=_secret_place(given),
        auth_method=given.auth_method,
        scope=given.scope,
        port=given.port,
        callback_path=given.callback_path,
        timeout=given.timeout,
        browser=given.browser,
        ca=given.ca,
        insecure_allow_http_loopback=given.insecure_allow_http_loopback,
    )


def _secret_place(given: argparse.Namespace) -> str:
    """Return where the secret is, to find it there again."""
    variable: str | None = given.client_secret_env
    path: Path | None = given.client_secret_file
    if variable is not None:
        return f"env:{variable}"
    return "" if path is None else f"file:{path.absolute()}"


def _secret(
    parser: argparse.ArgumentParser, given: argparse.Namespace, environ: Mapping[str, str]
) -> str | None:
    """Look the client's secret up where the command line says it is."""
    variable: str | None = given.client_secret_env
    path: Path | None = given.client_secret_file
    if variable is None and path is None:
        return None
    try:
        secret = secret_at(_secret_place(given), environ)
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"--client-secret-file: {path}: {error}")
    if not secret:
        parser.error(f"there is no secret in {variable or path}")
    return secret


def secret_at(place: str, environ: Mapping[str, str]) -> str:
    """Return the secret that is in a variable or a file, or an empty string.

    Args:
        place: ``env:NAME`` or ``file:/path``.
        environ: the environment's variables.

    Raises:
        OSError: the file cannot be read.
        UnicodeDecodeError: the file is not text.
    """
    kind, _, name = place.partition(":")
    if kind == "env":
        return environ.get(name, "")
    return Path(name).read_text("utf-8").rstrip("\r\n") if kind == "file" else ""


def _login(
    parser: argparse.ArgumentParser, given: argparse.Namespace, environ: Mapping[str, str]
) -> Login:
    return Login(provider=_provider(parser, given, environ), store=given.store, kept=_kept(given))


def _kept(given: argparse.Namespace) -> Kept:
    return Kept(profile=given.profile, folder=given.folder)


def _token(
    _parser: argparse.ArgumentParser, given: argparse.Namespace, _environ: Mapping[str, str]
) -> Token:
    return Token(kept=_kept(given), leeway=given.leeway, json=given.json)


def _whoami(
    _parser: argparse.ArgumentParser, given: argparse.Namespace, _environ: Mapping[str, str]
) -> WhoAmI:
    return WhoAmI(kept=_kept(given), userinfo=given.userinfo, json=given.json)


def _refresh(
    _parser: argparse.ArgumentParser, given: argparse.Namespace, _environ: Mapping[str, str]
) -> Refresh:
    return Refresh(kept=_kept(given))


def _logout(
    _parser: argparse.ArgumentParser, given: argparse.Namespace, _environ: Mapping[str, str]
) -> Logout:
    return Logout(kept=_kept(given), browser=given.browser)


def _explain(
    _parser: argparse.ArgumentParser, given: argparse.Namespace, _environ: Mapping[str, str]
) -> Explain:
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


def _doctor(
    _parser: argparse.ArgumentParser, given: argparse.Namespace, _environ: Mapping[str, str]
) -> Doctor:
    return Doctor(
        issuer=given.issuer,
        client_id=given.client_id,
        redirect_uri=given.redirect_uri,
        ca=given.ca,
        json=given.json,
    )


def _fake_provider(
    parser: argparse.ArgumentParser, given: argparse.Namespace, environ: Mapping[str, str]
) -> FakeProviderCommand:
    client, secret = _fake_client(given), _secret(parser, given, environ)
    if given.config is not None:
        by_default = _fake_client(option_parser().parse_args(["fake-provider"]))
        if client != by_default or secret or given.user:
            parser.error("--config names clients and users: leave out the options for them")
    return FakeProviderCommand(
        port=given.port,
        misbehave=given.misbehave,
        client=None if given.config is not None else client,
        client_secret=secret,
        users=tuple(given.user),
        config=given.config,
    )


def _fake_client(given: argparse.Namespace) -> FakeClient:
    port: int = given.callback_port
    host = f"127.0.0.1:{port}" if port else "127.0.0.1"  # without one it stands for every port
    uris: list[str] = given.redirect_uri or [f"http://{host}/callback"]
    after: list[str] = given.post_logout_redirect_uri or ["http://127.0.0.1/"]
    return FakeClient(
        client_id=given.client_id,
        client_secret="",
        redirect_uris=tuple(uris),
        post_logout_redirect_uris=tuple(after),
        backchannel_logout_uri=given.backchannel_logout_uri,
        frontchannel_logout_uri=given.frontchannel_logout_uri,
        token_endpoint_auth_method=given.client_auth_method,
    )


_Reader: TypeAlias = Callable[
    [argparse.ArgumentParser, argparse.Namespace, Mapping[str, str]], Command
]
_READERS: Final = MappingProxyType[str, _Reader](
    {
        "demo": _demo,
        "login": _login,
        "token": _token,
        "whoami": _whoami,
        "refresh": _refresh,
        "logout": _logout,
        "explain": _explain,
        "doctor": _doctor,
        "fake-provider": _fake_provider,
    }
)
