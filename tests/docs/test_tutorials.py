"""Every step of the tutorials runs, in a folder of its own, and shows what the page says."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import define

from tests.docs.pages import ROOT, Page
from tests.docs.test_code_blocks import TUTORIALS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


INSTALLATION: Final = {"mkdir", "cd", "python3", ".", "pip"}
PROGRAMS: Final = {"flask": "flask", "uvicorn": "uvicorn", "oidc": "oidc_adapters.cli"}
READY: Final = ("Ctrl-C ends it", "Running on http", "running on http")
PORTS: Final = ("8000", "8765")
NAVIGATION: Final = {
    "Accept": "text/html",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}


def free_ports(count: int) -> list[str]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


@define
class Folder:
    """The reader's folder, terminals and ports."""

    page: Page
    path: Path
    ports: dict[str, str]
    environ: dict[str, str]

    @classmethod
    def empty(cls, page: Page, path: Path) -> Folder:
        known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environ = {
            **known,
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return cls(page, path, dict(zip(PORTS, free_ports(len(PORTS)), strict=True)), environ)

    def here(self, text: str) -> str:
        """Return text of the page with the ports of this run."""
        for shown, own in self.ports.items():
            text = text.replace(shown, own)
        return text

    def save(self, files: list[tuple[str, str]]) -> None:
        for name, text in files:
            (self.path / name).write_text(self.here(text), "utf-8")

    def commands(self) -> Iterator[list[str]]:
        """Yield the commands that are no installation; those that set a variable do so."""
        texts = [block.text for block in self.page.blocks if block.language == "console"]
        for line in "".join(texts).replace("\\\n", " ").splitlines():
            words = shlex.split(self.here(line.removeprefix("$ ")))
            if line.startswith("$ export "):
                name, _, value = words[1].partition("=")
                self.environ[name] = value
            elif line.startswith("$ ") and words[0] not in INSTALLATION:
                yield words

    @contextmanager
    def serving(self, command: list[str]) -> Generator[list[str]]:
        """Run a command that serves; the list gets what it printed, when it has ended."""
        told: list[str] = []
        with subprocess.Popen(
            [sys.executable, "-m", PROGRAMS[command[0]], *command[1:]],
            cwd=self.path,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    told.append(line)
                    if any(ready in line for ready in READY):
                        break
                else:
                    pytest.fail("".join(told))
                yield told
            finally:
                process.terminate()
                told += process.stdout.readlines()


@define
class Person:
    """A person with a browser, who compares what it shows with the page."""

    folder: Folder
    browser: Any

    @property
    def start(self) -> str:
        return self.folder.here("http://127.0.0.1:8000")

    def sees(self, answer: Any) -> str:
        """Return the text that is visible, a line for each element."""
        body = answer.text.partition("<main>")[2] or answer.text
        lines = re.sub(r"<[^>]+>", "\n", body).split("\n")
        shown = [unescape(line).strip('" ') for line in lines if line.strip('" ')]
        return "\n".join(shown)

    def presses_log_in(self) -> Any:
        return self.browser.post(f"{self.start}/login", data={"return_to": "/"})

    def logs_in(self, decision: str = "approve") -> str:
        page = self.presses_log_in()
        assert self.sees(page).startswith("Sign in\n"), page.text
        chosen = {"user": "alice", "decision": decision}
        return self.sees(self.browser.post(page.url, data=chosen))

    def logs_out(self) -> str:
        return self.sees(self.browser.post(f"{self.start}/logout"))


@pytest.fixture
def person(folder: Folder) -> Generator[Person]:
    client: Any = pytest.importorskip("httpx", reason="a browser of the tests")
    with client.Client(headers=NAVIGATION, follow_redirects=True, timeout=30) as browser:
        yield Person(folder, browser)


@pytest.fixture(params=sorted(TUTORIALS))
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    return Folder.empty(Page(request.param), tmp_path)


@pytest.mark.slow
def test_each_step_does_what_the_page_says(folder: Folder, person: Person) -> None:
    page, files = folder.page, folder.page.files
    first = [name for name, _ in files].index("app.py") + 1
    provider, application, forging, *again, testing = folder.commands()

    folder.save(files[:first])
    with folder.serving(provider), folder.serving(application):
        start = person.sees(person.browser.get(f"{person.start}/"))
        title, words, _ = start.splitlines()
        assert f'"{title}. {words}" with a button' in page.text
        assert person.logs_in().splitlines()[0] == "Hello Alice Adams"
        assert person.logs_out() == start
        assert_shown(page, person.logs_in("deny"))
    with folder.serving(forging), folder.serving(application) as told:
        assert_shown(page, person.logs_in())
    assert without_marks(page.text).count(without_marks(logged(told, "nonce_mismatch"))) == 1

    folder.save([(name, text) for name, text in files[first:] if name != "settings.py"])
    with folder.serving([*again, application][0]):
        assert_shown(page, person.sees(person.presses_log_in()))
    folder.save(files[first:])  # the settings of a real provider, too
    command = [sys.executable, *testing[1:], "-p", "no:cacheprovider", str(folder.path)]
    done = subprocess.run(
        command, cwd=folder.path, env=folder.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert f"\n{done.stdout.splitlines()[-1].partition(' in ')[0]}\n" in page.text


def assert_shown(page: Page, seen: str) -> None:
    """Hold a page of a failure against what the tutorial shows: title, words and code."""
    title, words, *_, code = seen.splitlines()

    assert f"```text\n{title}\n{words}\n{code}\n```" in page.text


def logged(told: list[str], code: str) -> str:
    return next(line for line in told if line.startswith(code))


def without_marks(text: str) -> str:
    return re.sub("#[0-9a-f]{8}", "#", text)
