"""The options of each command, as the standard library's argparse has them."""

import argparse
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from oidc_adapters.testing import MISBEHAVIOURS
from oidc_core.model.client import AUTH_METHODS

CALLBACK_PORT: Final = 8_888
"""The port of the redirect URI that the fake provider registers unless told otherwise."""

_AddParser: TypeAlias = Callable[..., argparse.ArgumentParser]

_MAX_PORT: Final = 65_535
_DIGITS: Final = 12
_EPILOG: Final = "No secret is taken from the command line: name a variable or a file that has it."


def option_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="oidc",
        description="OpenID Connect on the command line.",
        epilog="Exit status: 0 done, 1 refused, 2 not understood, 3 a misbehaviour went through.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands.add_parser)
    _add_login(commands.add_parser)
    _add_explain(commands.add_parser)
    _add_doctor(commands.add_parser)
    _add_fake_provider(commands.add_parser)
    return parser


def _add_demo(add_parser: _AddParser) -> None:
    parser = add_parser(
        "demo",
        help="a whole login over real HTTP, told exchange by exchange",
        description="Log in over real HTTP, at its own fake provider or at a real one, and tell "
        "each exchange with the checks made. No secret is shown.",
        epilog=_EPILOG,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    _add_misbehave(parser)
    parser.add_argument("--list-misbehaviours", action="store_true", help="list what can go wrong")
    _add_real_provider(parser, required=False)


def _add_login(add_parser: _AddParser) -> None:
    parser = add_parser(
        "login",
        help="log in at a provider and print the verified claims",
        description="Log in at a provider with a browser, which comes back to a loopback port, and "
        "print the verified claims as JSON; nonce and sid show as fingerprints.",
        epilog=_EPILOG,
    )
    _add_real_provider(parser, required=True)


def _add_explain(add_parser: _AddParser) -> None:
    parser = add_parser(
        "explain",
        help="what an error code, a callback URL or a token says, and whether it holds",
        description="Explain an error code, a callback URL or a token, offline. No token, code, "
        "state or secret is printed.",
        epilog="Exit status: 0 explained, 1 a client would refuse it, 2 not understood. A token "
        "on the command line stays in the shell's history: `-` reads it from standard input.",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "subject", nargs="?", metavar="CODE|CALLBACK|TOKEN", help="or - for standard input"
    )
    which.add_argument("--all", action="store_true", help="list all codes")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    against = parser.add_argument_group("compare it with")
    against.add_argument("--issuer", default="", metavar="URL", help="the issuer of the provider")
    against.add_argument("--client-id", default="", metavar="ID", help="the client")
    against.add_argument("--nonce", default="", metavar="TEXT", help="the nonce of the login")
    against.add_argument(
        "--jwks", type=Path, metavar="FILE", help="the provider's key set: verify the signature"
    )
    against.add_argument(
        "--now", type=_time, metavar="SECONDS", help="judge at this time, since the epoch"
    )


def _add_doctor(add_parser: _AddParser) -> None:
    parser = add_parser(
        "doctor",
        help="what stands between a client and a provider, and what to configure",
        description="Examine a provider by its metadata and its keys: issuer, TLS, clocks, "
        "algorithms, PKCE, logout, client authentication. It says only what it established.",
        epilog="Exit status: 0 nothing stands in the way of a login, 1 something does, 2 not "
        "understood.",
    )
    parser.add_argument("issuer", metavar="ISSUER", help="the issuer, as a client has it")
    parser.add_argument("--client-id", default="", metavar="ID", help="for the configuration")
    parser.add_argument("--redirect-uri", default="", metavar="URL", help="for the configuration")
    parser.add_argument("--ca", metavar="FILE", help="CA certificates, in place of the system's")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")


def _add_misbehave(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--misbehave",
        type=_misbehaviour,
        metavar="NAME",
        help="let the fake provider do something wrong: oidc demo --list-misbehaviours",
    )


def _add_real_provider(parser: argparse.ArgumentParser, *, required: bool) -> None:
    at = parser.add_argument_group("a real provider")
    at.add_argument("--issuer", required=required, metavar="URL", help="its issuer identifier")
    at.add_argument("--client-id", required=required, metavar="ID", help="the client there")
    _add_secret(at)
    at.add_argument(
        "--auth-method",
        choices=sorted(AUTH_METHODS - {"private_key_jwt"}),
        help="how the client authenticates; client_secret_basic with a secret; "
        "a public client must say `none`",
    )
    at.add_argument("--scope", default="openid profile email", help="the requested scopes")
    at.add_argument(
        "--port", type=_port, default=0, metavar="N", help="of the redirect URI; any that is free"
    )
    at.add_argument(
        "--callback-path",
        type=_path,
        default="/callback",
        metavar="PATH",
        help="the redirect URI is http://127.0.0.1:PORT/callback unless this says otherwise",
    )
    at.add_argument(
        "--timeout", type=_seconds, default=300, metavar="SECONDS", help="for the user; 300"
    )
    at.add_argument(
        "--no-browser", dest="browser", action="store_false", help="print the URL, open nothing"
    )
    at.add_argument("--ca", metavar="FILE", help="CA certificates, in place of the system's")
    at.add_argument(
        "--insecure-allow-http-loopback",
        action="store_true",
        help="let a provider on this machine do without TLS",
    )


class _Group(Protocol):
    """Where options go."""

    def add_mutually_exclusive_group(self) -> Any:
        """Return a group of which one option may be given."""
        ...


def _add_secret(group: _Group) -> None:
    secret = group.add_mutually_exclusive_group()
    secret.add_argument("--client-secret-env", metavar="NAME", help="the variable with its secret")
    secret.add_argument(
        "--client-secret-file", type=Path, metavar="FILE", help="the file with its secret"
    )


def _add_fake_provider(add_parser: _AddParser) -> None:
    parser = add_parser(
        "fake-provider",
        help="serve a fake provider on loopback, for tests",
        description="Serve a fake provider on 127.0.0.1 until Ctrl-C.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "--port", type=_port, default=0, metavar="N", help="where to listen; any that is free"
    )
    _add_misbehave(parser)
    parser.add_argument(
        "--user",
        action="append",
        default=[],
        metavar="SUB",
        help="who can sign in, more than once for several; alice and bob",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a TOML file with clients, users and settings, in place of the options for them",
    )
    _add_fake_client(parser)


def _add_fake_client(parser: argparse.ArgumentParser) -> None:
    client = parser.add_argument_group("the client it knows")
    client.add_argument("--client-id", default="client", metavar="ID", help="its identifier")
    _add_secret(client)
    client.add_argument(
        "--client-auth-method",
        choices=sorted(AUTH_METHODS - {"private_key_jwt"}),
        default="client_secret_basic",
        help="how it authenticates; client_secret_basic",
    )
    client.add_argument(
        "--callback-port",
        type=_port,
        default=CALLBACK_PORT,
        metavar="N",
        help=f"of the redirect URI it has on record; {CALLBACK_PORT}",
    )
    for name, what in (
        ("--redirect-uri", "the redirect URIs it has on record instead"),
        ("--post-logout-redirect-uri", "where a browser may come back to after a logout"),
    ):
        again = f"{what}; may be given more than once"
        client.add_argument(name, action="append", metavar="URL", help=again)
    client.add_argument("--backchannel-logout-uri", metavar="URL", help="takes logout tokens")
    client.add_argument(
        "--frontchannel-logout-uri", metavar="URL", help="is loaded in a frame at a logout"
    )


def _known(name: str, table: Mapping[str, object], kind: str) -> str:
    if name in table:
        return name
    near = get_close_matches(name, table, n=3)
    hint = f"; near: {', '.join(near)}" if near else ""
    message = f"no {kind} {name!r}{hint}"
    raise argparse.ArgumentTypeError(message)


def _misbehaviour(name: str) -> str:
    return _known(name, MISBEHAVIOURS, "misbehaviour")


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) <= _MAX_PORT:
        return int(text)
    message = f"no port: {text!r}"
    raise argparse.ArgumentTypeError(message)


def _seconds(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) > 0:
        return int(text)
    message = f"no number of seconds: {text!r}"
    raise argparse.ArgumentTypeError(message)


def _time(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= _DIGITS:
        return int(text)
    message = f"no time in seconds since the epoch: {text!r}"
    raise argparse.ArgumentTypeError(message)


def _path(text: str) -> str:
    if (
        text.startswith("/")
        and text.isascii()
        and text.isprintable()
        and not set(text) & set(" ?#")
    ):
        return text
    message = f"no path: {text!r}"
    raise argparse.ArgumentTypeError(message)
