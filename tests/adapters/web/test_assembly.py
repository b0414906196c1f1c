"""The web routes by the settings of a framework."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.testing import InMemoryTransport
from oidc_adapters.web import WebLogin, WebRequest
from oidc_adapters.web.assembly import web_login_of
from oidc_core.wire.errors import UsageError
from tests.adapters.web.visiting import BASE, CLIENT, NAVIGATION
from tests.flows.rig import honest_provider

SECRET: Final = "a secret of this application, 32 octets or more"


def made(folder: Path, **config: Any) -> WebLogin:
    provider = honest_provider(clients=(CLIENT,))
    settings: dict[str, Any] = {
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT.client_id,
        "OIDC_CLIENT_SECRET": CLIENT.client_secret,
        "OIDC_REDIRECT_URI": f"{BASE}/callback",
        "OIDC_RECORDS": MemoryRecords(),
        "OIDC_TRANSPORT": InMemoryTransport(provider),
        "SECRET_KEY": SECRET,
        **config,
    }
    return web_login_of(settings, folder=folder)


def started(web: WebLogin) -> str:
    request = WebRequest.of("GET", "/login", headers=NAVIGATION.items())
    reply = web.login(request)
    assert "scope=openid%20profile%20email" in (reply.header("location") or "")
    return reply.header("set-cookie") or ""


def test_a_login_starts_by_the_settings(tmp_path: Path) -> None:
    web = made(tmp_path, OIDC_LOGIN_BY_GET=True, OIDC_LOGIN_PATH="/enter")

    assert web.setup.login_path == "/enter"
    assert started(web).endswith("; Secure")
    assert list(tmp_path.iterdir()) == []


def test_development_on_this_machine(tmp_path: Path) -> None:
    uri = "http://localhost:5000/callback"
    provider = honest_provider(clients=(type(CLIENT)(redirect_uris=(uri,)),))
    web = made(
        tmp_path,
        OIDC_LOGIN_BY_GET=True,
        OIDC_REDIRECT_URI=uri,
        OIDC_TRANSPORT=InMemoryTransport(provider),
    )

    assert "Secure" not in started(web)


def test_the_store_is_a_file_by_default(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    web = made(folder, OIDC_RECORDS=None)
    request = WebRequest.of("GET", "/", headers=[("cookie", "__Host-session=x")])

    assert web.user(request) is None
    assert folder.is_dir()


@pytest.mark.parametrize(
    "wrong",
    [
        {"SECRET_KEY": None},
        {"SECRET_KEY": "short"},
        {"OIDC_ISSUER": "op.example"},
        {"OIDC_RECORDS": 1},
        {"OIDC_HOME": "https://evil.example"},
        {"OIDC_LOGIN_BY_GET": "yes"},
        {"OIDC_REDIRECT_URI": None},
    ],
)
def test_settings_are_judged(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        made(tmp_path, **wrong)
