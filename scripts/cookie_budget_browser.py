"""A headless Chromium, driven through ChromeDriver with only the standard library."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

DEADLINE: Final = 60
"""Seconds that anything may take that is waited for."""

_PORT: Final = re.compile(r"started successfully on port (\d+)")
_FLAGS: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_STATE: Final = """
const navigation = performance.getEntriesByType('navigation')[0];
return [location.href, document.readyState, navigation ? navigation.responseStatus : 0,
        document.title, document.body ? document.body.innerText : ''];
"""


class DriverError(Exception):
    """ChromeDriver refused a command."""


class Tab(NamedTuple):
    """The content of a tab.

    Attributes:
        url: where it is.
        ready: whether it is loaded.
        status: with which HTTP status its page came; 0 if no page came.
        title, text: the text of the page.
    """

    url: str
    ready: bool
    status: int
    title: str
    text: str


class Browser:
    """One browser with its tabs."""

    def __init__(self, port: int, capabilities: dict[str, Any]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        self._session = ""
        always = {"capabilities": {"alwaysMatch": capabilities}}
        made = self._ask("POST", "/session", always)
        self.version = str(made["capabilities"]["browserVersion"])
        self._session = f"/session/{made['sessionId']}"
        self.first = str(self._ask("GET", "/window"))

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        sent = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        self._connection.request(method, self._session + path, sent, headers)
        response = self._connection.getresponse()
        value: Any = json.loads(response.read())["value"]
        if response.status >= 400:
            message = f"{value['error']}: {value['message']}"
            raise DriverError(message)
        return value

    def close(self) -> None:
        """End the browser."""
        self._ask("DELETE", "")

    def go(self, tab: str, url: str) -> None:
        """Have a tab load a page."""
        self._switch(tab)
        self._ask("POST", "/url", {"url": url})

    def open_all(self, opener: str, urls: Sequence[str]) -> list[str]:
        """Open a tab for each URL, all by one script; return the tabs."""
        before = {*self._tabs()}
        self._script(opener, "for (const url of arguments[0]) window.open(url);", list(urls))
        until(lambda: len(self._tabs()) == len(before) + len(urls))
        return [tab for tab in self._tabs() if tab not in before]

    def close_all(self, tabs: Sequence[str]) -> None:
        """Close tabs."""
        for tab in tabs:
            self._switch(tab)
            self._ask("DELETE", "/window")

    def state(self, tab: str) -> Tab:
        """Return what a tab shows."""
        url, ready, status, title, text = self._script(tab, _STATE)
        return Tab(url, ready == "complete", int(status), title, text)

    def click(self, tab: str, selector: str) -> None:
        """Click the one element that a selector finds, as a user does."""
        self._switch(tab)
        where = {"using": "css selector", "value": selector}
        (element,) = self._ask("POST", "/element", where).values()
        self._ask("POST", f"/element/{element}/click", {})

    def forget(self) -> None:
        """Delete all cookies of all sites."""
        clear: dict[str, Any] = {"cmd": "Network.clearBrowserCookies", "params": {}}
        self._switch(self.first)
        self._ask("POST", "/goog/cdp/execute", clear)

    def held(self, prefix: str) -> list[int]:
        """Return what each cookie takes up in a request whose name starts with a prefix."""
        everything: dict[str, Any] = {"cmd": "Storage.getCookies", "params": {}}
        cookies = self._ask("POST", "/goog/cdp/execute", everything)["cookies"]
        mine = [cookie for cookie in cookies if cookie["name"].startswith(prefix)]
        return [len(cookie["name"]) + len(cookie["value"]) + 3 for cookie in mine]

    def photograph(self, tab: str, file: Path) -> None:
        """Write down what a tab looks like."""
        self._switch(tab)
        file.write_bytes(base64.b64decode(self._ask("GET", "/screenshot")))

    def _tabs(self) -> list[str]:
        return [str(tab) for tab in self._ask("GET", "/window/handles")]

    def _switch(self, tab: str) -> None:
        self._ask("POST", "/window", {"handle": tab})

    def _script(self, tab: str, script: str, *arguments: object) -> Any:
        self._switch(tab)
        return self._ask("POST", "/execute/sync", {"script": script, "args": arguments})


def until(reached: Callable[[], bool]) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: it does not come.
    """
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        with suppress(DriverError):  # a tab between two pages answers nothing
            if reached():
                return
        time.sleep(0.05)
    raise TimeoutError


@contextmanager
def browsing(driver: str, binary: str, spki: str, folder: Path) -> Generator[Browser]:
    """Have a browser, as long as the context lasts.

    Args:
        driver: the command of ChromeDriver.
        binary: the command of Chromium.
        spki: the digest of the one public key whose certificate is believed.
        folder: a new one, with all cookies that the browser keeps.
    """
    flags = [*_FLAGS, f"--user-data-dir={folder}", f"--ignore-certificate-errors-spki-list={spki}"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # Chromium does not start as root otherwise
    capabilities = {
        "browserName": "chrome",
        "pageLoadStrategy": "none",
        "goog:chromeOptions": {"binary": binary, "args": flags},
    }
    process = subprocess.Popen(
        [driver, "--port=0"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        browser = Browser(_port(process), capabilities)
        try:
            yield browser
        finally:
            browser.close()
    finally:
        # Its own process group, so that no Chromium outlives a driver that failed.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(DEADLINE)


def _port(process: subprocess.Popen[str]) -> int:
    for line in process.stdout or ():
        said = _PORT.search(line)
        if said:
            return int(said[1])
    message = "ChromeDriver did not start"
    raise DriverError(message)
