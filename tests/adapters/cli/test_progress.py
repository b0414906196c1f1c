"""Progress."""

from io import StringIO

import pytest

from oidc_adapters.cli.progress import say

from .worlds import Stage, Terminal


@pytest.mark.parametrize(("err", "expected"), [(Terminal(), "... a\\x1b[b\n"), (StringIO(), "")])
def test_a_terminal_is_told_and_a_pipe_is_not(err: StringIO, expected: str) -> None:
    say(Stage(err=err).world, "a\x1b[b")

    assert err.getvalue() == expected
