"""A FastAPI application under uvicorn, over real sockets: two workers with one store."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.testing.servers import serve
from tests.adapters.web.asgi_site import SECRET
from tests.adapters.web.visiting import CLIENT, NAVIGATION
from tests.flows.rig import honest_provider

if TYPE_CHECKING:
    from collections.abc import Generator

pytest.importorskip("fastapi", reason="FastAPI is not installed")
httpx: Any = pytest.importorskip("httpx", reason="a client of HTTP is needed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def served(issuer: str, port: int, folder: Path) -> Generator[None]:
    base = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "OIDC_ISSUER": issuer,
        "OIDC_CLIENT_ID": CLIENT.client_id,
        "OIDC_CLIENT_SECRET": CLIENT.client_secret or "",
        "OIDC_REDIRECT_URI": f"{base}/callback",
        "OIDC_POST_LOGOUT_REDIRECT_URI": f"{base}/goodbye",
        "OIDC_SECRET": SECRET,
        "OIDC_RECORDS": str(folder / "oidc.db"),
    }
    command = [
        sys.executable, "-m", "uvicorn", "--factory", "tests.adapters.web.served_app:app",
        "--port", str(port), "--workers", "2", "--log-level", "warning",
    ]  # fmt: skip
    process = subprocess.Popen(command, env=environment, cwd=folder)
    try:
        until = monotonic() + PATIENCE
        while monotonic() < until:
            with socket.socket() as found:
                if found.connect_ex(("127.0.0.1", port)) == 0:
                    break
            sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
def test_a_whole_login_with_two_workers(tmp_path: Path) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    client = evolve(
        CLIENT, redirect_uris=(f"{base}/callback",), post_logout_redirect_uris=(f"{base}/goodbye",)
    )
    provider = honest_provider(clients=(client,))
    with serve(provider, SystemClock()) as op, served(op.issuer, port, tmp_path):
        browser = httpx.Client(headers=NAVIGATION, follow_redirects=True, timeout=30)
        workers: set[int] = set()
        with browser:
            first = browser.get(f"{base}/orders")
            assert (first.status_code, str(first.url)) == (200, f"{base}/orders")
            assert (first.json()["sub"], first.json()["token"]) == ("alice", True)
            until = monotonic() + PATIENCE
            while len(workers) < 2 and monotonic() < until:
                # each request has a connection of its own, and either worker may take it
                found = browser.get(f"{base}/orders", headers={"connection": "close"})
                assert found.json()["sub"] == "alice"
                workers.add(found.json()["pid"])
            assert len(workers) == 2

            left = browser.post(f"{base}/logout", follow_redirects=False)
            assert left.headers["location"].startswith(op.issuer)
            for _ in range(4):
                gone = browser.get(
                    f"{base}/orders", headers={"connection": "close"}, follow_redirects=False
                )
                assert gone.status_code == 303
