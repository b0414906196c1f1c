"""Every command of the page about the command line runs, and prints what the page shows."""

from __future__ import annotations

import re
import shlex
import socket
from contextlib import ExitStack
from io import StringIO
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

import pytest
from attrs import define, field

from oidc_adapters.cli import run
from oidc_adapters.cli.world import World
from oidc_adapters.runtime.boot_clock import Boot
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import Entropy, FixedEntropy
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from tests.adapters.cli.browsing import sign_in
from tests.docs.pages import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

PAGE: Final = Page("docs/how-to/command-line.md")
NOW: Final = 1_800_000_000
PORT: Final = "8765"
"""The port of the provider on the page; here it is another one of four digits."""

ANYTHING: Final = "..."
"""A line of the page that stands for any number of lines."""


@define
class Shell:
    """A terminal: variables, a home, and the status of the last command."""

    home: Path
    port: str
    environ: dict[str, str]
    status: int = 0
    elapsed: int = 1_000
    entropy: Entropy = field(factory=lambda: FixedEntropy(7))
    until_the_end: ExitStack = field(factory=ExitStack)

    def run(self, line: str) -> str:
        """Run a line, and return what a terminal would show; ten seconds go by."""
        self.elapsed += 10
        words = [self._filled_in(word) for word in shlex.split(line)]
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self.environ[name] = value
            return ""
        if words == ["echo", "$?"]:
            return f"{self.status}\n"
        assert words[0] == "oidc", line
        if words[1:2] == ["fake-provider"]:
            return self._served(words[1:])
        out = StringIO()
        self.status = run(words[1:], self._world(out, lambda: None))
        return out.getvalue().replace(self.port, PORT)

    def _filled_in(self, word: str) -> str:
        filled = re.sub(r"\$([A-Z_]+)", lambda found: self.environ[found[1]], word)
        return filled.replace(PORT, self.port)

    def _world(self, out: StringIO, wait: Callable[[], None]) -> World:
        return World(
            out=out,
            err=out,
            stdin=StringIO(),
            environ={**self.environ, "HOME": str(self.home)},
            transport=lambda ca: Urllib3Transport(ca=ca),
            clock=FrozenClock(NOW),
            entropy=self.entropy,
            open_page=self._open_page,
            wait=wait,
            boot=lambda: Boot("this start", self.elapsed),
        )

    def _open_page(self, url: str) -> bool:
        thread = Thread(target=sign_in, args=(url,))
        thread.start()
        self.until_the_end.callback(thread.join, 10)
        return True

    def _served(self, argv: list[str]) -> str:
        """Run the provider in a thread until the end, and return what it prints at first."""
        out, serving, ended = StringIO(), Queue[str](), Event()

        def wait() -> None:
            serving.put(out.getvalue())
            ended.wait(60)

        thread = Thread(target=run, args=(argv, self._world(out, wait)))
        thread.start()
        self.until_the_end.callback(thread.join, 10)
        self.until_the_end.callback(ended.set)
        return serving.get(timeout=10).replace(self.port, PORT)


def free_port_of_four_digits() -> str:
    for port in range(8_100, 10_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return str(port)
    pytest.fail("no port is free")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Shell]:
    monkeypatch.chdir(tmp_path)
    for block in PAGE.blocks:
        if block.language == "toml":
            (tmp_path / "op.toml").write_text(block.text)
    made = Shell(tmp_path, free_port_of_four_digits(), {})
    with made.until_the_end:
        yield made


def steps(text: str) -> list[tuple[str, list[str]]]:
    """Return the commands of a console block, each with the lines that it prints."""
    found: list[tuple[str, list[str]]] = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        last = next(n for n, line in enumerate(lines) if not line.endswith("\\"))
        command = " ".join([line.removesuffix("\\") for line in lines[: last + 1]])
        found.append((command, lines[last + 1 :]))
    return found


def shows(printed: list[str], shown: list[str]) -> bool:
    """Return whether what was printed is what the page shows."""
    parts = [re.escape(line) + "\n" if line != ANYTHING else "(?:.*\n)*" for line in shown]
    return re.fullmatch("".join(parts), "".join([f"{line}\n" for line in printed])) is not None


def test_the_page_shows_what_the_commands_print(shell: Shell) -> None:
    blocks = [block for block in PAGE.blocks if block.language == "console"]
    told: list[str] = []

    for block in blocks:
        for command, shown in steps(block.text):
            printed = [line.rstrip() for line in shell.run(command).splitlines()]
            if not shows(printed, shown):
                told.append("\n".join([f"$ {command}", *printed]))

    assert "\n\n".join(told) == ""


def test_the_page_shows_every_command() -> None:
    from oidc_adapters.cli.option_parser import option_parser

    text = "".join([block.text for block in PAGE.blocks if block.language == "console"])

    for name in option_parser().commands:
        assert f"$ oidc {name}" in text, name


def test_a_difference_is_seen() -> None:
    assert shows(["a", "b", "c"], ["a", ANYTHING]) is True
    assert shows(["a", "b", "c"], ["a", "c"]) is False
    assert steps("$ oidc a \\\n  b\nout\n\n$ oidc c\n") == [
        ("oidc a    b", ["out", ""]),
        ("oidc c", []),
    ]
