"""The entry of the command line."""

import errno
import json
import os
import subprocess
import sys

import pytest

from oidc_adapters.cli import main

from .cli.worlds import Stage, Terminal


def interrupted() -> None:
    raise KeyboardInterrupt


class Closed(Terminal):
    """A stream that nobody reads any more."""

    def write(self, text: str, /) -> int:
        raise BrokenPipeError


class Full(Terminal):
    """A stream to a disk that is full."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_main_runs_in_this_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "exp_expired"]) == 0
    assert capsys.readouterr().out.startswith("exp_expired\n")


def test_help_is_no_failure_and_nonsense_is() -> None:
    helped, lost = Stage().run("--help"), Stage().run("nonsense")

    assert (helped.status, helped.err) == (0, "")
    assert "usage: oidc" in helped.out
    assert (lost.status, lost.out) == (2, "")
    assert "no command nonsense" in lost.err


def test_without_a_command_there_is_help() -> None:
    ran = Stage().run()

    assert (ran.status, ran.err) == (0, "")
    assert "usage: oidc" in ran.out
    assert "doctor" in ran.out


def test_the_version_is_told() -> None:
    ran = Stage().run("--version")

    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("oidc ")


def test_an_error_is_told_without_a_traceback() -> None:
    ran = Stage().run("login", "--issuer", "no url", "--client-id", "c", "--auth-method", "none")

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("failed: url_invalid (issuer)\n")


def test_an_interrupt_ends_it_quietly() -> None:
    ran = Stage(wait=interrupted).run("fake-provider")

    assert (ran.status, ran.err) == (130, "")


def test_a_reader_that_went_away_ends_it_quietly() -> None:
    ran = Stage(out=Closed()).run("explain", "--all")

    assert (ran.status, ran.err) == (141, "")


def test_output_that_cannot_be_written_is_told() -> None:
    ran = Stage(out=Full()).run("explain", "--all")

    assert (ran.status, ran.err) == (1, "oidc: No space left on device\n")
    assert Stage(out=Full(), err=Full()).run("explain", "--all").status == 1


def test_what_cannot_be_written_is_dropped_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", None)

    assert main(["explain", "exp_expired"]) == 141
    stream.close()  # to the null device by now


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "oidc_adapters.cli", "demo", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["sub"] == "alice"


def test_a_closed_pipe_leaves_no_complaint() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "oidc_adapters.cli", "explain", "--all"],
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (141, b"")


CLOSING = """
import os, sys
os.close(int(sys.argv[1]))
os.execv(sys.executable, [sys.executable, "-m", "oidc_adapters.cli", *sys.argv[2:]])
"""


@pytest.mark.parametrize(
    ("closed", "arguments", "status"),
    [
        ("0", ("explain", "-"), 2),
        ("1", ("explain", "exp_expired"), 0),
        ("2", ("explain", "exp_expire"), 2),
    ],
)
def test_a_stream_that_is_closed_is_done_without(
    closed: str, arguments: tuple[str, ...], status: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLOSING, closed, *arguments],
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == status
    assert b"Traceback" not in done.stderr
