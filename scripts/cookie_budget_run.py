"""The run of `./scripts/cookie-budget`, which explains it and starts it in its environment."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cookie_budget_browser import DEADLINE, Browser, Tab, browsing, until
from cookie_budget_site import DEFAULT, SETTINGS
from oidc_adapters import SystemClock
from oidc_adapters.stores.pending.cookies import COOKIE_PREFIX
from oidc_adapters.testing import FakeClient, FakeProvider, serve

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

ALWAYS_FINISH: Final = 14
"""So many logins with default demands, started at once, all finish."""

LONGEST_RUN: Final = 3_600
"""Seconds after which it ends, even if it still waits."""

APPROVE: Final = "button[value=approve]"
RETURN_TO: Final = {
    "default": "/inbox",
    "form_post": "/inbox",
    "return_to_138": "/" + "é" * 68 + "x",
    "return_to_3000": "/" + "x" * 2_999,
    "largest": "/inbox",
}
KEPT: Final = {**RETURN_TO, "return_to_3000": DEFAULT, "largest": DEFAULT}
"""Where a login goes on: what is too long for the cookie is dropped."""

HEAD: Final = (
    "demands         starts  row       octets  cookies  largest  blind  finished  evicted"
    "  431  400  other  left  then"
)


class Row(NamedTuple):
    """One row of the table; the columns are explained in `cookie_budget`."""

    demands: str
    starts: int
    kind: str
    octets: tuple[int, ...]
    blind: int
    finished: int
    completed: int
    evicted: int
    statuses: tuple[int, ...]
    left: tuple[int, ...]
    then: str

    @property
    def failed(self) -> bool:
        """Whether it breaks the promise: more starts than that exclude other logins."""
        few = self.starts <= ALWAYS_FINISH
        answered = 431 not in self.statuses or not (few or self.kind == "at once")
        return not answered or (
            few and self.demands == "default" and self.finished < self.completed
        )

    def line(self) -> str:
        """Return the row as a line of the table."""
        other = len([status for status in self.statuses if status not in {200, 400, 431}])
        ratio, largest = f"{self.finished}/{self.completed}", max(self.octets, default=0)
        return (
            f"{self.demands:15} {self.starts:>6}  {self.kind:8}  {sum(self.octets):>6}  "
            f"{len(self.octets):>7}  {largest:>7}  {self.blind:>5}  {ratio:>8}  "
            f"{self.evicted:>7}  {self.statuses.count(431):>3}  {self.statuses.count(400):>3}  "
            f"{other:>5}  {sum(self.left):>4}  {self.then}"
        )


class Table:
    """Makes the rows.

    Args:
        browser: who logs in.
        site: the application's origin.
        issuer: the provider's.
        journal: where the application writes down what it saw.
        screenshot: where to put a picture of the first login that finished.
    """

    def __init__(
        self, browser: Browser, site: str, issuer: str, journal: Path, screenshot: Path | None
    ) -> None:
        self._browser = browser
        self._site = site
        self._issuer = issuer
        self._journal = journal
        self._screenshot = screenshot

    def row(self, demands: str, starts: int, kind: str) -> Row:
        """Make a row, from a browser without cookies."""
        browser, statuses = self._browser, list[int]()
        browser.forget()
        self._look(statuses)
        began = len(self._noted())
        tabs, blind = self._start(demands, starts)
        finish = tabs
        if kind == "one more":
            more, _ = self._start(demands, 1)
            tabs = finish = [*tabs, *more]
        elif kind == "again":
            more, blind = self._start(demands, starts)
            tabs, finish = [*tabs, *more], more
        seen = self._look(statuses)
        gone = {
            name
            for line in self._noted()[began:]
            if line["path"] == "/login"
            for name in line["deleted"]
        }
        ends = self._finish(finish)
        statuses += [tab.status for tab in ends]
        left, then = self._look(statuses), ""
        browser.close_all(tabs)
        if kind == "again":
            last, _ = self._start(demands, 1)
            (end,) = self._finish(last)
            statuses.append(end.status)
            then = "finished" if self._is_finished(end, demands) else f"{end.status} {end.title}"
            browser.close_all(last)
        return Row(
            demands=demands,
            starts=starts,
            kind=kind,
            octets=seen,
            blind=blind,
            finished=len([end for end in ends if self._is_finished(end, demands)]),
            completed=len(finish),
            evicted=len(gone),
            statuses=tuple(statuses),
            left=left,
            then=then,
        )

    def _start(self, demands: str, starts: int) -> tuple[list[str], int]:
        """Open tabs on the login page; return them when all are at the provider, or refused.

        Returns:
            The tabs, and how many starts saw no cookie of another tab of theirs.
        """
        request = demands if demands in {"form_post", "largest"} else "default"
        query = urlencode({"next": RETURN_TO[demands], "demands": request})
        before = len(self._noted())
        url = f"{self._site}/login?{query}"
        tabs = self._browser.open_all(self._browser.first, [url] * starts)
        for tab in tabs:
            until(partial(self._is_answered, tab))
        logins = [line for line in self._noted()[before:] if line["path"] == "/login"]
        own = {name for line in logins for name in line["set"]}
        return tabs, len([line for line in logins if own.isdisjoint(line["seen"])])

    def _finish(self, tabs: Sequence[str]) -> list[Tab]:
        """Sign in on every tab that is at the provider, then wait for all."""
        browser, ends = self._browser, list[Tab]()
        for tab in tabs:
            if browser.state(tab).url.startswith(self._issuer):
                browser.click(tab, APPROVE)
        for tab in tabs:
            until(partial(self._is_back, tab))
            until(partial(self._is_answered, tab))
            ends.append(browser.state(tab))
            if self._screenshot is not None and ends[-1].title == "logged in":
                browser.photograph(tab, self._screenshot)
                self._screenshot = None
        return ends

    def _look(self, statuses: list[int]) -> tuple[int, ...]:
        """Load a page of the application, and return what each cookie took up in the request.

        Where the server refused to read it, the browser tells instead.
        """
        before, browser = len(self._noted()), self._browser
        browser.go(browser.first, f"{self._site}/?{before}")
        until(lambda: browser.state(browser.first).url.endswith(f"/?{before}"))
        until(partial(self._is_answered, browser.first))
        statuses.append(browser.state(browser.first).status)
        lines = [line for line in self._noted()[before:] if line["path"] == "/"]
        return tuple(lines[-1]["octets"] if lines else browser.held(COOKIE_PREFIX))

    def _noted(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._journal.read_text("utf-8").splitlines()]

    def _is_answered(self, tab: str) -> bool:
        seen = self._browser.state(tab)
        return seen.ready and (seen.status > 0 or seen.url.startswith("chrome-error:"))

    def _is_back(self, tab: str) -> bool:
        return not self._browser.state(tab).url.startswith(self._issuer)

    def _is_finished(self, tab: Tab, demands: str) -> bool:
        told = f"Hello alice, on to {KEPT[demands]}"
        return tab.status == 200 and tab.title == "logged in" and told in tab.text


def certified(folder: Path) -> str:
    """Make a key and a certificate for localhost; return the digest of the public key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "key.pem").write_bytes(private)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(public).digest()).decode()


@contextmanager
def gunicorn(listener: socket.socket, folder: Path, settings: dict[str, Any]) -> Generator[None]:
    """Serve the application with gunicorn's own limits, as long as the context lasts."""
    paths = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    known = {name: value for name, value in os.environ.items() if name != "GUNICORN_CMD_ARGS"}
    command = [sys.executable, "-m", "gunicorn", "cookie_budget_site:made()"]
    command += ["--bind", f"fd://{listener.fileno()}", "--workers", "2"]
    command += ["--worker-class", "gthread", "--threads", "24"]
    command += ["--certfile", str(folder / "certificate.pem"), "--keyfile", str(folder / "key.pem")]
    command += ["--log-level", "warning", "--worker-tmp-dir", str(folder)]
    with (folder / "gunicorn.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=folder,
            pass_fds=[listener.fileno()],
            env={**known, "PYTHONPATH": paths, SETTINGS: json.dumps(settings)},
        )
        try:
            _wait_for(process, listener.getsockname()[1], folder)
            yield
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    context = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError):
            connection = HTTPSConnection("localhost", port, timeout=5, context=context)
            connection.request("GET", "/")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.2)
    sys.exit(
        "cookie-budget: gunicorn did not start:\n" + (folder / "gunicorn.log").read_text("utf-8")
    )


def _end(number: int, _frame: object) -> None:
    """End as after an error, so that nothing that was started stays."""
    sys.exit(f"cookie-budget: ended by {signal.Signals(number).name}")


def main(arguments: list[str]) -> int:
    """Print the table; 1 if a row breaks what is promised."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGALRM, _end)
    signal.alarm(LONGEST_RUN)
    driver, binary, starts, demands, hold, screenshot = arguments
    rows: list[Row] = []
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        site = f"https://localhost:{listener.getsockname()[1]}"
        client = FakeClient(redirect_uris=(f"{site}/callback",))
        serving = serve(FakeProvider(clients=(client,)), SystemClock(), interactive=True)
        issuer, spki = stack.enter_context(serving).issuer, certified(folder)
        settings = {
            "issuer": issuer,
            "secret": client.client_secret,
            "sealing": secrets.token_urlsafe(32),
            "redirect_uri": client.redirect_uris[0],
            "journal": str(folder / "journal"),
            "hold": float(hold),
        }
        stack.enter_context(gunicorn(listener, folder, settings))
        browser = stack.enter_context(browsing(driver, binary, spki, folder / "profile"))
        print(f"Chromium {browser.version}, gunicorn at {site}, provider at {issuer}\n\n{HEAD}")
        picture = Path(screenshot) if screenshot else None
        table = Table(browser, site, issuer, folder / "journal", picture)
        for asked in demands.split(","):
            for many in map(int, starts.split(",")):
                for kind in ("at once", "one more", "again"):
                    rows.append(table.row(asked, many, kind))
                    print(rows[-1].line(), flush=True)
        log = (folder / "gunicorn.log").read_text("utf-8")
    warnings = Counter(line.partition("[WARNING] ")[2] or line for line in log.splitlines())
    print("\ngunicorn's warnings:", *[f"{n} x {said}" for said, n in warnings.items()] or ["none"])
    failed = [row for row in rows if row.failed]
    print(f"{len(rows)} rows, {len(failed)} of them break what is promised")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
