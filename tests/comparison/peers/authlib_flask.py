"""The application with Authlib's client for Flask, in the way of its documentation."""

from __future__ import annotations

from typing import Any

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for

TOKENS: dict[str, Any] = {}  # in place of the table of the documentation


def fetch_token(_name: str) -> Any:
    return TOKENS.get(session["user"]["sub"])


def update_token(_name: str, token: Any, **_found: str) -> None:
    TOKENS[session["user"]["sub"]] = token


app = Flask(__name__)
app.config.from_object("settings")
oauth = OAuth(app, fetch_token=fetch_token, update_token=update_token)
oauth.register("op")


@app.get("/")
def index() -> Any:
    if "user" not in session:
        return redirect(url_for("login"))
    return f"Hello {session['user']['name']}"


@app.get("/login")
def login() -> Any:
    return oauth.op.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback() -> Any:
    token = oauth.op.authorize_access_token()
    session["user"] = token["userinfo"]
    TOKENS[token["userinfo"]["sub"]] = token
    return redirect(url_for("index"))


@app.get("/report")
def report() -> Any:
    return oauth.op.get("userinfo").json()
