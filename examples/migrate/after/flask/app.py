"""A Flask application with oidc-core."""

import os
from typing import Any

import requests
from flask import Flask, request

from oidc_adapters.web.flask import Oidc

app = Flask(__name__)
app.config.from_object("settings")
oidc = Oidc(app)


@app.get("/")
def index() -> str:
    return '<form method="post" action="/logout"><button>Log out</button></form>'


@app.get("/orders")
@oidc.required
def orders() -> str:
    user = oidc.session
    page = request.args.get("page", "1")
    return f"{user.claims.get('name', '')} ({user.identity.subject}), page {page}"


@app.get("/report")
@oidc.required
def report() -> Any:
    bearer = {"Authorization": f"Bearer {oidc.tokens.fresh().access_token}"}
    return requests.get(f"{os.environ['API']}userinfo", headers=bearer, timeout=10).json()
