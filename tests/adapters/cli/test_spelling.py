"""Misspelt names."""

import pytest

from oidc_adapters.cli.spelling import misspelt

COMMANDS = {"login": {"--issuer", "-h"}, "logout": {"--browser"}}


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], ""),
        (["--version"], ""),
        (["login", "--issuer", "x"], ""),
        (["login", "-h"], ""),
        (["login", "--", "--anything"], ""),
        (["logi"], "no command logi; near: login, logout"),
        (["login", "--isuer"], "no option --isuer; near: --issuer"),
        (["login", "--browser"], "no option --browser"),
        (["s3cr3t"], "no command of that name"),
        (["--" + "a" * 60], "no option of that name"),
    ],
)
def test_names_are_looked_up(argv: list[str], expected: str) -> None:
    assert misspelt(argv, {"--version"}, COMMANDS) == expected
