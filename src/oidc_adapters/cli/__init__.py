"""``oidc``: the library on the command line.

``oidc demo`` tells a whole login, ``oidc login`` makes one at a real provider, ``oidc explain``
explains error codes, ``oidc fake-provider`` serves a provider to try things out against.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Final, assert_never

from oidc_adapters.cli.arguments import parse
from oidc_adapters.cli.commands import (
    Command,
    Demo,
    Doctor,
    Explain,
    FakeProviderCommand,
    Login,
)
from oidc_adapters.cli.demo import demo
from oidc_adapters.cli.doctor import doctor
from oidc_adapters.cli.explain import explain
from oidc_adapters.cli.failures import tell_failure
from oidc_adapters.cli.fake_provider import fake_provider
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.login import login
from oidc_adapters.cli.world import World, world_of_this_process
from oidc_core.wire.errors import OidcError

__all__ = ["main", "run"]

_INTERRUPTED: Final = 130
_NOBODY_READS: Final = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    0 is success, 1 a refusal, 2 a command line that cannot be understood, 3 a misbehaviour of the
    fake provider that was not refused as it must be.

    Args:
        argv: the arguments, or those of the process.
    """
    status = run(argv, world_of_this_process())
    if status == _NOBODY_READS:  # otherwise the interpreter would complain when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


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
    except KeyboardInterrupt:
        return _INTERRUPTED
    return status


def _dispatch(command: Command, world: World) -> int:
    match command:
        case Demo():
            return demo(command, world)
        case Login():
            return login(command, world)
        case Explain():
            return explain(command, world)
        case Doctor():
            return doctor(command, world)
        case FakeProviderCommand():
            return fake_provider(command, world)
        case _:
            assert_never(command)
