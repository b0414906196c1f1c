"""The web routes by the settings of a framework."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from oidc_adapters.runtime.clock import FrozenClock, SystemClock
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.testing import InMemoryTransport
from oidc_adapters.web import RecordSessions, Sessions, WebLogin, WebRequest
from oidc_adapters.web.assembly import async_web_login_of, web_login_of
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse
from tests.adapters.web.asgi_site import settings_for
from tests.adapters.web.visiting import BASE, CLIENT, NAVIGATION
from tests.flows.rig import NOW, honest_provider
from tests.parties import refused

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


def test_a_callback_is_taken_once_among_all_workers(tmp_path: Path) -> None:
    provider = honest_provider(clients=(CLIENT,))
    transports = [InMemoryTransport(provider) for _ in range(2)]
    shared = {"OIDC_RECORDS": MemoryRecords(), "OIDC_LOGIN_BY_GET": True}
    first, second = [made(tmp_path, OIDC_TRANSPORT=each, **shared) for each in transports]
    login = first.login(WebRequest.of("GET", "/login", headers=NAVIGATION.items()))
    cookie = (login.header("set-cookie") or "").partition(";")[0]
    response = provider.authorize(login.header("location") or "", SystemClock().now())
    headers = {**NAVIGATION, "cookie": cookie}
    back = WebRequest.of("GET", "/callback", query=response.encoded, headers=headers.items())

    replies = [web.callback(back) for web in (first, second)]

    urls = [request.url for request, _ in transports[1].exchanges]
    assert replies[0].header("location") == "/"
    assert (replies[1].header("location") or "").startswith(f"{provider.issuer}/authorize?")
    assert provider.issuer + "/token" not in urls


def test_a_registration_in_full(tmp_path: Path) -> None:
    names = {"OIDC_CLIENT_ID": None, "OIDC_REDIRECT_URI": None, "OIDC_LOGIN_BY_GET": "true"}
    registration = ClientRegistration(
        client_id=CLIENT.client_id,
        redirect_uris=(f"{BASE}/callback",),
        backchannel_logout_uri=f"{BASE}/backchannel-logout",
        scope="openid profile email",
    )

    web = made(tmp_path, **names, OIDC_REGISTRATION=registration, OIDC_POLICY=Policy())

    assert web.callback_paths == ("/callback",)
    assert started(web).endswith("; Secure")


def test_a_slip_in_a_name_is_told(tmp_path: Path) -> None:
    found = refused(UsageError, "config_invalid", partial(made, tmp_path, OIDC_POLCIY=Policy()))

    assert found.expected == "OIDC_POLICY"


def test_a_clock_for_tests(tmp_path: Path) -> None:
    clock = FrozenClock(NOW)
    provider = honest_provider(clients=(CLIENT,), skew=3_600)
    transport = InMemoryTransport(provider)
    settings = {"OIDC_CLOCK": clock, "OIDC_TRANSPORT": transport, "OIDC_LOGIN_BY_GET": True}
    web = made(tmp_path, **settings)

    started(web)

    _, answer = transport.exchanges[0]
    assert isinstance(answer, HttpResponse)
    assert answer.received_at == NOW


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
        {"OIDC_SECRET": [SECRET, 1]},
        {"OIDC_LIFETIME": "long"},
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


def test_workers_in_development_share_logins(tmp_path: Path) -> None:
    uri = "http://localhost:5000/callback"
    provider = honest_provider(clients=(type(CLIENT)(redirect_uris=(uri,)),))
    settings: dict[str, Any] = {
        "OIDC_LOGIN_BY_GET": True,
        "OIDC_REDIRECT_URI": uri,
        "OIDC_TRANSPORT": InMemoryTransport(provider),
        "OIDC_RECORDS": MemoryRecords(),
    }
    one, other = made(tmp_path, **settings), made(tmp_path, **settings)
    began = one.login(WebRequest.of("GET", "/login", headers=NAVIGATION.items()))
    response = provider.authorize(began.header("location") or "", SystemClock().now())
    cookie = (began.header("set-cookie") or "").partition(";")[0]
    query = response.url.partition("?")[2]

    request = WebRequest.of("GET", "/callback", query=query, headers=[("cookie", cookie)])
    finished = other.callback(request)

    assert (finished.status, finished.header("location")) == (303, "/")


def test_secrets_are_replaced(tmp_path: Path) -> None:
    records, old, new = MemoryRecords(), SECRET, f"newer: {SECRET}"
    before = made(tmp_path, OIDC_SECRET=old, OIDC_RECORDS=records, OIDC_LOGIN_BY_GET=True)
    after = made(tmp_path, OIDC_SECRET=[new, old], OIDC_RECORDS=records)
    cookie = started(before).partition(";")[0]

    request = WebRequest.of("GET", "/callback", query="state=x", headers=[("cookie", cookie)])

    assert b"cookie_key_unknown" not in after.callback(request).body


def test_a_framework_has_its_own_sessions(tmp_path: Path) -> None:
    wrapped: list[RecordSessions] = []

    def around(sessions: RecordSessions) -> Sessions:
        wrapped.append(sessions)
        return sessions

    provider = honest_provider(clients=(CLIENT,))
    config = {
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT.client_id,
        "OIDC_CLIENT_SECRET": CLIENT.client_secret,
        "OIDC_REDIRECT_URI": f"{BASE}/callback",
        "OIDC_RECORDS": MemoryRecords(),
        "OIDC_TRANSPORT": InMemoryTransport(provider),
        "OIDC_SECRET": SECRET,
        "OIDC_LIFETIME": 600,
        "OIDC_IDLE": 60,
    }
    web_login_of(config, folder=tmp_path, around=around)

    assert [(each.lifetime, each.idle) for each in wrapped] == [(600, 60)]


def test_an_application_that_awaits(tmp_path: Path) -> None:
    provider = honest_provider(clients=(CLIENT,))
    config = {**settings_for(provider), "OIDC_RECORDS": None}
    web = async_web_login_of(config, folder=tmp_path)
    request = WebRequest.of("GET", "/login", headers=NAVIGATION.items())

    reply = asyncio.run(web.login(request))

    assert (reply.header("location") or "").startswith(provider.issuer)
    assert (reply.header("set-cookie") or "").endswith("; Secure")


def test_an_application_that_awaits_in_development(tmp_path: Path) -> None:
    uri = "http://localhost:8000/callback"
    provider = honest_provider(clients=(type(CLIENT)(redirect_uris=(uri,)),))
    config = settings_for(provider, OIDC_REDIRECT_URI=uri, OIDC_POST_LOGOUT_REDIRECT_URI=None)
    web = async_web_login_of(config, folder=tmp_path)
    request = WebRequest.of("GET", "/login", headers=NAVIGATION.items())

    assert "Secure" not in (asyncio.run(web.login(request)).header("set-cookie") or "Secure")


def test_paths_are_below_the_mount_by_default(tmp_path: Path) -> None:
    uri = f"{BASE}/app/callback"
    config = settings_for(honest_provider(), OIDC_REDIRECT_URI=uri, OIDC_GOODBYE="/")
    setup = async_web_login_of(config, folder=tmp_path, root_path="/app/").setup

    assert (setup.login_path, setup.logout_path) == ("/app/login", "/app/logout")
    assert (setup.home, setup.goodbye) == ("/app/", "/")
    wrong: Any = 1
    call = partial(async_web_login_of, config, folder=tmp_path, root_path=wrong)
    refused(UsageError, "config_invalid", call)
