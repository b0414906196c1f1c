"""The doors of Django and Flask under gunicorn with two workers, which share one store."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.cookiejar import CookieJar
from importlib.util import find_spec
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

import pytest

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.testing import FakeClient, FakeProvider, ServedProvider, serve

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.slow

ROOT: Final = "tests.processes.web_applications"
WORKERS: Final = 2
MOST: Final = 50
NAVIGATION: Final = {
    "accept": "text/html",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": "same-origin",
}


class Visitor:
    """A browser that follows redirects, over a new connection each time."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.opener = build_opener(HTTPCookieProcessor(CookieJar()), ProxyHandler({}))

    def ask(self, path: str, **headers: str) -> tuple[int, str]:
        """Return the status and the text of the page that a request leads to."""
        request = Request(self.base + path, headers={**NAVIGATION, **headers})
        try:
            with self.opener.open(request, timeout=20) as reply:
                return reply.status, reply.read().decode()
        except HTTPError as reply:
            with reply:
                return reply.code, reply.read().decode()

    def workers(self) -> set[str]:
        """Ask until each worker has answered; return their process ids."""
        found: set[str] = set()
        with ThreadPoolExecutor(4) as several:
            for _ in range(MOST):
                for status, text in several.map(self.ask, ["/orders"] * 4):
                    assert (status, text.split()[1:]) == (200, ["True"]), text
                    found.add(text.split()[0])
                if len(found) == WORKERS:
                    break
        return found


@contextmanager
def served(kind: str, folder: Path) -> Generator[tuple[str, ServedProvider]]:
    """Serve an application and its provider on loopback."""
    from tests.processes import web_applications as applications

    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = FakeClient(
            client_id=applications.CLIENT_ID,
            client_secret=applications.CLIENT_SECRET,
            redirect_uris=(f"{base}/callback",),
            backchannel_logout_uri=f"{base}/backchannel-logout",
        )
        provider = FakeProvider(clients=(client,), id_token_alg="EdDSA")
        with serve(provider, SystemClock()) as running:
            environ = {
                **os.environ,
                "HOME": str(folder),  # gunicorn makes a socket there
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                applications.ISSUER: running.issuer,
                applications.BASE: base,
                applications.FOLDER: str(folder),
            }
            if kind == "django":
                code = f"import {ROOT} as a; a.django_application(migrate=True)"
                subprocess.run([sys.executable, "-c", code], check=True, env=environ, timeout=60)
            with _gunicorn(kind, listener.fileno(), environ, folder):
                yield base, running


@contextmanager
def _gunicorn(kind: str, fd: int, environ: dict[str, str], folder: Path) -> Generator[None]:
    application = f"{ROOT}:{kind}_application()"
    command = [sys.executable, "-m", "gunicorn", "--workers", str(WORKERS)]
    command += ["--bind", f"fd://{fd}", "--worker-tmp-dir", str(folder), application]
    with (
        (folder / "gunicorn.log").open("wb") as log,
        subprocess.Popen(
            command, env=environ, pass_fds=(fd,), stdout=log, stderr=log, cwd=folder
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def _until_it_answers(visitor: Visitor) -> None:
    end = monotonic() + 30
    while True:
        try:
            visitor.ask("/orders", **{"sec-fetch-mode": "cors"})
        except URLError:
            assert monotonic() < end, "the server does not answer"
            sleep(0.1)
        else:
            return


@pytest.mark.parametrize("kind", ["django", "flask"])
def test_two_workers_are_one_application(kind: str, tmp_path: Path) -> None:
    if find_spec("gunicorn") is None:
        pytest.skip("gunicorn is not installed")
    with served(kind, tmp_path) as (base, running):
        _until_it_answers(Visitor(base))
        visitors = [Visitor(base) for _ in range(5)]
        for visitor in visitors:
            status, text = visitor.ask("/orders")
            assert status == 200, text
        first = visitors[0]
        assert len(first.workers()) == WORKERS

        told: Any = running.provider.backchannel_logout(SystemClock().now(), sub="alice")
        request = Request(
            f"{base}/backchannel-logout", told.form, {"content-type": told.content_type}
        )
        with first.opener.open(request, timeout=20) as reply:
            assert reply.status == 200

        fetch = {"sec-fetch-mode": "cors", "accept": "application/json"}
        assert {visitor.ask("/orders", **fetch)[0] for visitor in visitors * 4} == {401}
