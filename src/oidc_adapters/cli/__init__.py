"""``oidc``: the library on the command line.

``oidc demo`` tells a whole login. ``oidc login`` makes one at a real provider; ``token``,
``whoami``, ``refresh`` and ``logout`` use one that was kept. ``oidc explain`` explains error codes,
callbacks and tokens, ``oidc doctor`` examines a provider, and ``oidc fake-provider`` serves one to
try things out against.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from typing import Final, TextIO, assert_never

from oidc_adapters.cli.arguments import parse
from oidc_adapters.cli.commands import (
    Command,
    Demo,
    Doctor,
    Explain,
    FakeProviderCommand,
    Help,
    Login,
    Logout,
    Refresh,
    Token,
    WhoAmI,
)
from oidc_adapters.cli.demo import demo
from oidc_adapters.cli.doctor import doctor
from oidc_adapters.cli.explain import explain
from oidc_adapters.cli.failures import tell_failure
from oidc_adapters.cli.fake_provider import fake_provider
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.login import login
from oidc_adapters.cli.sessions import logout, refresh, token, whoami
from oidc_adapters.cli.world import World, world_of_this_process
from oidc_core.wire.errors import OidcError

__all__ = ["main", "run"]

_INTERRUPTED: Final = 130
_NOBODY_READS: Final = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    0 is success, 1 a refusal, 2 a command line that cannot be understood, 3 a misbehaviour of the
    fake provider that was not refused as it must be, 130 an interrupt, 141 a reader that went away.

    Args:
        argv: the arguments, or those of the process.
    """
    status = run(argv, world_of_this_process())
    for stream in (sys.stdout, sys.stderr):
        _let_go(stream)
    return status


def _let_go(stream: TextIO | None) -> None:
    """Drop what cannot be written: otherwise the interpreter would complain when it ends."""
    if stream is None:  # it was closed before the process began
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def run(argv: Sequence[str] | None, world: World) -> int:
    """Run a command in a world, like :func:`main`."""
    try:
        with redirect_stdout(world.out), redirect_stderr(world.err):
            command = parse(argv, world.environ)
    except SystemExit as ended:  # argparse has printed its message already
        return ended.code if isinstance(ended.code, int) else 0
    try:
        status = _dispatch(command, world)
        world.out.flush()
    except OidcError as error:
        tell_failure(Page(world.err, world.environ), error)
        return 1
    except BrokenPipeError:
        return _NOBODY_READS
    except OSError as fault:  # as of a disk that is full
        with suppress(OSError):
            Page(world.err, world.environ).line(f"oidc: {fault.strerror}", style="bad")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return status


def _dispatch(command: Command, world: World) -> int:
    match command:
        case Demo():
            return demo(command, world)
        case Explain():
            return explain(command, world)
        case Doctor():
            return doctor(command, world)
        case FakeProviderCommand():
            return fake_provider(command, world)
        case Help():
            world.out.write(command.text)
            return 0
        case _:
            return _of_a_login(command, world)


def _of_a_login(command: Login | Token | WhoAmI | Refresh | Logout, world: World) -> int:
    match command:
        case Login():
            return login(command, world)
        case Token():
            return token(command, world)
        case WhoAmI():
            return whoami(command, world)
        case Refresh():
            return refresh(command, world)
        case Logout():
            return logout(command, world)
        case _:
            assert_never(command)
