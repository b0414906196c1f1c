"""The options."""

import pytest

from oidc_adapters.cli.option_parser import option_parser

ISSUER = ("login", "--issuer", "https://op.example", "--client-id", "c")

COMMANDS = [
    "demo",
    "login",
    "token",
    "whoami",
    "refresh",
    "logout",
    "explain",
    "doctor",
    "fake-provider",
]


def test_what_is_left_out_has_a_default() -> None:
    given = option_parser().parse_args(ISSUER)

    assert (given.port, given.timeout, given.callback_path) == (0, 300, "/callback")
    assert given.scope == "openid profile email"
    assert given.browser is True
    assert given.insecure_allow_http_loopback is False
    assert option_parser().parse_args(["fake-provider"]).callback_port == 0


@pytest.mark.parametrize(
    "argv",
    [
        ("unknown",),
        ("login",),
        ("login", "--issuer", "https://op.example"),
        (*ISSUER, "--port", "65536"),
        (*ISSUER, "--port", "-1"),
        (*ISSUER, "--port", "٣"),
        (*ISSUER, "--timeout", "٣"),
        (*ISSUER, "--timeout", "9" * 5_000),
        (*ISSUER, "--timeout", "0"),
        (*ISSUER, "--timeout", "soon"),
        (*ISSUER, "--callback-path", "callback"),
        (*ISSUER, "--callback-path", "/a?b"),
        (*ISSUER, "--callback-path", "/a b"),
        (*ISSUER, "--auth-method", "private_key_jwt"),
        (*ISSUER, "--client-secret", "on-the-command-line"),
        (*ISSUER, "--client-secret-env", "A", "--client-secret-file", "b"),
        ("demo", "--misbehave", "no_such_thing"),
        ("explain",),
        ("explain", "--all", "exp_expired"),
        ("explain", "exp_expired", "--now", "soon"),
        ("explain", "exp_expired", "--now", "9" * 13),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        option_parser().parse_args(argv)

    assert ended.value.code == 2
    assert "usage: oidc" in capsys.readouterr().err


def test_there_may_be_no_command() -> None:
    assert option_parser().parse_args([]).command is None


def test_the_commands_are_known_by_their_names() -> None:
    assert list(option_parser().commands) == COMMANDS
    assert "--issuer" in option_parser().commands["login"].options


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("lgin",), "oidc: error: no command lgin; near: login"),
        (("doctor", "--jsn", "i"), "oidc doctor: error: no option --jsn; near: --json"),
        (("login", "--isuer=https://op.example"), "no option --isuer; near: --issuer"),
        (("login", "--iss", "https://op.example"), "no option --iss; near: --issuer"),
        (("--versio",), "oidc: error: no option --versio; near: --version"),
    ],
)
def test_a_misspelt_name_is_told_with_those_near_it(
    argv: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        option_parser().parse_args(argv)

    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        (*ISSUER, "--client-secret", "hunter2-of-the-shop"),
        ("explain", "exp_expired", "hunter2-of-the-shop"),
        ("hunter2-of-the-shop",),
        ("--hunter2-of-the-shop",),
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(
    argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        option_parser().parse_args(argv)

    assert ended.value.code == 2
    assert "hunter2" not in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        option_parser().parse_args([command, "--help"])

    assert ended.value.code == 0
    assert f"usage: oidc {command}" in capsys.readouterr().out
