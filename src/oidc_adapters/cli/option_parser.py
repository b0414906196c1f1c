"""The options of each command, as the standard library's argparse has them."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn, Protocol, TypeAlias

from oidc_adapters.cli.option_values import (
    as_given,
    as_misbehaviour,
    as_name,
    as_path,
    as_port,
    as_seconds,
    as_time,
)
from oidc_adapters.cli.spelling import misspelt
from oidc_core.model.client import AUTH_METHODS

_AddParser: TypeAlias = Callable[..., argparse.ArgumentParser]


class _Options(Protocol):
    """Takes options."""

    def add_argument(self, *names: str, **settings: Any) -> Any:
        """Take one more option."""
        ...


class _Group(Protocol):
    """Where options go."""

    def add_mutually_exclusive_group(self) -> Any:
        """Return a group of which one option may be given."""
        ...


_REPEATS: Final = "unrecognized arguments"
_EPILOG: Final = "No secret is taken from the command line: name a variable or a file that has it."


class Parser(argparse.ArgumentParser):
    """A parser that knows the names of its options, and takes no abbreviation of them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False)

    @property
    def options(self) -> frozenset[str]:
        """The names of its options, as in ``--issuer``."""
        return frozenset(self._option_string_actions)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end; words too many are not repeated, since one may be a secret."""
        plain = "there are words too many" if message.startswith(_REPEATS) else message
        super().error(plain)


class OptionParser(NamedTuple):
    """The parser of all commands.

    Attributes:
        parser: reads a command line.
        commands: the parser of each command, by its name.
    """

    parser: Parser
    commands: Mapping[str, Parser]

    def parse_args(self, argv: Sequence[str]) -> argparse.Namespace:
        """Read a command line.

        Raises:
            SystemExit: 2 with a message if it is not understood; 0 after help or the version.
        """
        options = {name: parser.options for name, parser in self.commands.items()}
        wrong = misspelt(argv, self.parser.options, options)
        if wrong:
            words = [word for word in argv if word in self.commands]
            (self.commands[words[0]] if words else self.parser).error(wrong)
        return self.parser.parse_args(argv)


def option_parser() -> OptionParser:
    """Return the parser of all commands."""
    parser = Parser(
        prog="oidc",
        description="OpenID Connect on the command line.",
        epilog="Exit status: 0 done, 1 refused or failed, 2 not understood, 3 a misbehaviour of "
        "the fake provider went through.",
    )
    parser.add_argument("--version", action="version", version=f"oidc {_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for add in (
        _add_demo,
        _add_login,
        _add_token,
        _add_whoami,
        _add_refresh,
        _add_logout,
        _add_explain,
        _add_doctor,
        _add_fake_provider,
    ):
        add(commands.add_parser)
    return OptionParser(parser, commands.choices)


def _version() -> str:
    try:
        return version("oidc-core")
    except PackageNotFoundError:  # the sources, which nobody has installed
        return "of the sources"


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
        epilog=f"{_EPILOG} Kept logins are in --folder, which is $XDG_STATE_HOME/oidc, or "
        "~/.local/state/oidc, or on Windows %LOCALAPPDATA%\\oidc, unless told otherwise.",
    )
    _add_real_provider(parser, required=True)
    keep = parser.add_argument_group("keep the tokens, for oidc token and its like")
    keep.add_argument(
        "--store", choices=("file", "keyring"), default="", help="where; nowhere by default"
    )
    _add_kept(keep)


def _add_kept(group: _Options) -> None:
    group.add_argument(
        "--profile", type=as_name, default="default", metavar="NAME", help="which login; default"
    )
    group.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="where logins are kept; by default a folder of this user",
    )


def _add_token(add_parser: _AddParser) -> None:
    parser = add_parser(
        "token",
        help="print a fresh access token of a login that was kept",
        description="Print an access token that is good for a while, and nothing else; it is "
        "refreshed first if it must be.",
    )
    parser.add_argument(
        "--leeway", type=as_seconds, default=30, metavar="SECONDS", help="how long at least; 30"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    _add_kept(parser)


def _add_whoami(add_parser: _AddParser) -> None:
    parser = add_parser(
        "whoami",
        help="say who is logged in, by a login that was kept",
        description="Say who is logged in. Only --userinfo asks the provider.",
    )
    parser.add_argument("--userinfo", action="store_true", help="ask the provider for UserInfo")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    _add_kept(parser)


def _add_refresh(add_parser: _AddParser) -> None:
    parser = add_parser(
        "refresh",
        help="exchange the refresh token of a login that was kept, now",
        description="Exchange the refresh token for new tokens, even if the old ones are good.",
    )
    _add_kept(parser)


def _add_logout(add_parser: _AddParser) -> None:
    parser = add_parser(
        "logout",
        help="forget a login that was kept, and revoke its tokens",
        description="Forget a login, and have the provider revoke its tokens if it can.",
    )
    parser.add_argument(
        "--browser", action="store_true", help="end the provider's session too, in the browser"
    )
    _add_kept(parser)


def _add_explain(add_parser: _AddParser) -> None:
    parser = add_parser(
        "explain",
        help="explain an error code, a callback URL or a token",
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
        "--now", type=as_time, metavar="SECONDS", help="judge at this time, since the epoch"
    )


def _add_doctor(add_parser: _AddParser) -> None:
    parser = add_parser(
        "doctor",
        help="find what prevents a login at a provider, and what to configure",
        description="Examine a provider by its metadata and its keys: issuer, TLS, clocks, "
        "algorithms, PKCE, logout, client authentication. It says only what it established.",
        epilog="Exit status: 0 nothing prevents a login, 1 something does, 2 not understood.",
    )
    parser.add_argument(
        "issuer", type=as_given, metavar="ISSUER", help="the issuer, as a client configures it"
    )
    parser.add_argument("--client-id", default="", metavar="ID", help="for the configuration")
    parser.add_argument("--redirect-uri", default="", metavar="URL", help="for the configuration")
    parser.add_argument("--ca", metavar="FILE", help="CA certificates, in place of the system's")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")


def _add_misbehave(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--misbehave",
        type=as_misbehaviour,
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
        "--port", type=as_port, default=0, metavar="N", help="of the redirect URI; any that is free"
    )
    at.add_argument(
        "--callback-path",
        type=as_path,
        default="/callback",
        metavar="PATH",
        help="the redirect URI is http://127.0.0.1:PORT/callback unless this says otherwise",
    )
    at.add_argument(
        "--timeout", type=as_seconds, default=300, metavar="SECONDS", help="for the user; 300"
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
        "--port", type=as_port, default=0, metavar="N", help="where to listen; any that is free"
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
        type=as_port,
        default=0,
        metavar="N",
        help="of the redirect URI it has on record, http://127.0.0.1/callback; any by default",
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
