"""The application with this library's door for Flask."""

from __future__ import annotations

import os
from typing import Any

import requests
from flask import Flask

from oidc_adapters.web.flask import Oidc

app = Flask(__name__)
app.config.from_object("settings")
oidc = Oidc(app)


@app.get("/")
@oidc.required
def index() -> Any:
    return f"Hello {oidc.session.claims['name']}"


@app.get("/report")
@oidc.required
def report() -> Any:
    bearer = {"Authorization": f"Bearer {oidc.tokens.fresh().access_token}"}
    return requests.get(os.environ["API"], headers=bearer, timeout=10).json()
