"""One application four times: Flask and FastAPI, with our doors and with Authlib's clients.

Each has a page for users who are logged in, which greets them by name; a login is a link.  Authlib
is used as its documentation says: the user is kept in the session cookie of the framework.  Ours
keeps the session and the tokens, sealed, in SQLite.

The server of ``benchmarks.web_servers`` calls :func:`made`, with the settings in its environment.
"""

import asyncio
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from secrets import token_urlsafe
from time import perf_counter, process_time_ns
from types import MappingProxyType
from typing import Annotated, Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from urllib3 import PoolManager
from urllib3.util import make_headers

from oidc_adapters.testing import FakeClient

App: TypeAlias = Any
_SECRET: Final = "a-secret-of-the-applications-of-the-benchmarks"
_SCOPE: Final = "openid profile email"
_CLIENT: Final = FakeClient()
_TICK: Final = 0.005
_PATIENCE: Final = 60
"""Seconds.  With the five of httpx's default, Authlib's logins fail at 64 in flight."""


class Place(NamedTuple):
    """Where an application is, and where its provider is."""

    issuer: str
    base: str
    folder: str

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of our doors."""
        return {
            "SECRET_KEY": _SECRET,
            "OIDC_ISSUER": self.issuer,
            "OIDC_CLIENT_ID": _CLIENT.client_id,
            "OIDC_CLIENT_SECRET": _CLIENT.client_secret,
            "OIDC_REDIRECT_URI": f"{self.base}/callback",
            "OIDC_LOGIN_BY_GET": True,
            "OIDC_RECORDS": str(Path(self.folder) / "oidc.db"),
        }

    def registered(self, **more: object) -> dict[str, Any]:
        """Return the settings of Authlib's clients."""
        return {
            "client_id": _CLIENT.client_id,
            "client_secret": _CLIENT.client_secret,
            "server_metadata_url": f"{self.issuer}/.well-known/openid-configuration",
            "client_kwargs": {"scope": _SCOPE, "code_challenge_method": "S256", **more},
        }


def made() -> App:
    """Return the application that the environment names."""
    name, issuer, base, folder = [os.environ[f"BENCH_{each}"] for each in SETTINGS]
    return APPS[name](Place(issuer, base, folder))


def flask_ours(place: Place) -> App:
    """Return the Flask application with our door."""
    from flask import Flask

    from oidc_adapters.web.flask import Oidc

    app = Flask(__name__)
    app.config |= place.settings
    oidc = Oidc(app)

    @app.get("/")
    @oidc.required
    def index() -> str:
        return f"Hello {oidc.session.claims['name']}"

    app.add_url_rule("/cpu", view_func=_cpu_time)
    return app


def flask_authlib(place: Place) -> App:
    """Return the Flask application with Authlib's client."""
    from flask import Flask, redirect, session

    app = Flask(__name__)
    app.secret_key = _SECRET
    oauth: Any = import_module("authlib.integrations.flask_client").OAuth(app)
    client = oauth.register("provider", **place.registered())

    @app.get("/")
    def index() -> Any:
        user = session.get("user")
        return f"Hello {user['name']}" if user else redirect("/login")

    @app.get("/login")
    def login() -> Any:
        return client.authorize_redirect(f"{place.base}/callback")

    @app.get("/callback")
    def callback() -> Any:
        token = client.authorize_access_token()
        session["user"] = client.userinfo(token=token)
        return redirect("/")

    app.add_url_rule("/cpu", view_func=_cpu_time)
    return app


def flask_floor(place: Place) -> App:
    """Return a Flask application that goes the same way, and checks only the signature.

    What it does is the least that any client does: the two requests, on connections that are kept,
    by the client under ours; the standard library's base64 and JSON; the signature by a loaded key;
    the user in the session cookie of Flask.
    """
    from flask import Flask, redirect, request, session

    app = Flask(__name__)
    app.secret_key = _SECRET
    provider = _BareProvider(place)

    @app.get("/")
    def index() -> Any:
        user = session.get("user")
        return f"Hello {user['name']}" if user else redirect("/login")

    @app.get("/login")
    def login() -> Any:
        session["state"], session["verifier"] = token_urlsafe(), token_urlsafe()
        return redirect(provider.authorization_url(session["state"], session["verifier"]))

    @app.get("/callback")
    def callback() -> Any:
        assert request.args["state"] == session.pop("state")
        session["user"] = provider.user(request.args["code"], session.pop("verifier"))
        return redirect("/")

    app.add_url_rule("/cpu", view_func=_cpu_time)
    return app


class _BareProvider:
    """The requests of the floor, which trust every answer."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._pool = PoolManager()
        self._headers = make_headers(basic_auth=f"{_CLIENT.client_id}:{_CLIENT.client_secret}")
        self._key: RSAPublicKey | None = None

    def authorization_url(self, state: str, verifier: str) -> str:
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode()
        asked = {
            "response_type": "code", "client_id": _CLIENT.client_id, "scope": _SCOPE,
            "redirect_uri": f"{self._place.base}/callback", "state": state, "nonce": state,
            "code_challenge": challenge.rstrip("="), "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{self._place.issuer}/authorize?{urlencode(asked)}"

    def user(self, code: str, verifier: str) -> Any:
        form = {
            "grant_type": "authorization_code", "code": code, "code_verifier": verifier,
            "redirect_uri": f"{self._place.base}/callback",
        }  # fmt: skip
        url = f"{self._place.issuer}/token"
        answer = self._pool.request_encode_body(
            "POST", url, form, self._headers, encode_multipart=False
        ).json()
        signed, _, signature = answer["id_token"].rpartition(".")
        key, octets = self._public_key(), urlsafe_b64decode(signature + "==")
        key.verify(octets, signed.encode(), PKCS1v15(), SHA256())
        json.loads(urlsafe_b64decode(signed.partition(".")[2] + "=="))
        bearer = {"authorization": f"Bearer {answer['access_token']}"}
        return self._pool.request("GET", f"{self._place.issuer}/userinfo", headers=bearer).json()

    def _public_key(self) -> RSAPublicKey:
        if self._key is None:
            jwk = self._pool.request("GET", f"{self._place.issuer}/jwks").json()["keys"][0]
            e, n = [int.from_bytes(urlsafe_b64decode(jwk[name] + "==")) for name in ("e", "n")]
            self._key = RSAPublicNumbers(e, n).public_key()
        return self._key


def fastapi_ours(place: Place) -> App:
    """Return the FastAPI application with our door."""
    from fastapi import Depends, FastAPI
    from fastapi.responses import HTMLResponse

    from oidc_adapters.web.fastapi import Oidc, WebSession

    oidc = Oidc(place.settings)
    app = FastAPI(exception_handlers=oidc.exception_handlers)
    app.include_router(oidc.router)

    @app.get("/")
    async def index(user: Annotated[WebSession, Depends(oidc.user)]) -> HTMLResponse:
        return HTMLResponse(f"Hello {user.claims['name']}")

    _measured(app)
    return app


def fastapi_authlib(place: Place) -> App:
    """Return the FastAPI application with Authlib's client."""
    from fastapi import FastAPI, Request
    from fastapi.responses import HTMLResponse, RedirectResponse
    from starlette.middleware.sessions import SessionMiddleware

    app = FastAPI()
    app.add_middleware(SessionMiddleware, secret_key=_SECRET)
    oauth: Any = import_module("authlib.integrations.starlette_client").OAuth()
    client = oauth.register("provider", **place.registered(timeout=_PATIENCE))

    @app.get("/")
    async def index(request: Request) -> Any:
        user = request.session.get("user")
        return HTMLResponse(f"Hello {user['name']}") if user else RedirectResponse("/login")

    @app.get("/login")
    async def login(request: Request) -> Any:
        return await client.authorize_redirect(request, f"{place.base}/callback")

    @app.get("/callback")
    async def callback(request: Request) -> Any:
        token = await client.authorize_access_token(request)
        request.session["user"] = dict(await client.userinfo(token=token))
        return RedirectResponse("/")

    _measured(app)
    return app


def _measured(app: App) -> None:
    """Let an application that awaits tell its CPU time, and how late its event loop was."""
    from fastapi.responses import PlainTextResponse

    late: list[float] = []

    async def tick() -> None:
        while True:
            due = perf_counter() + _TICK
            await asyncio.sleep(_TICK)
            late.append(perf_counter() - due)

    async def cpu_time() -> str:
        return _cpu_time()

    async def lateness() -> str:
        """Begin to measure, or tell the seconds by which each tick came late since then."""
        if not ticking:
            ticking.append(asyncio.create_task(tick()))
        told, late[:] = json.dumps(late), []
        return told

    ticking: list[asyncio.Task[None]] = []
    app.get("/cpu", response_class=PlainTextResponse)(cpu_time)
    app.get("/lateness", response_class=PlainTextResponse)(lateness)


def _cpu_time() -> str:
    return str(process_time_ns())


APPS: Final[Mapping[str, Callable[[Place], App]]] = MappingProxyType(
    {
        "flask_ours": flask_ours,
        "flask_authlib": flask_authlib,
        "flask_floor": flask_floor,
        "fastapi_ours": fastapi_ours,
        "fastapi_authlib": fastapi_authlib,
    }
)
SETTINGS: Final = ("APP", "ISSUER", "BASE", "FOLDER")
