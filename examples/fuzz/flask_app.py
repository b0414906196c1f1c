"""A Flask application to fuzz: a page, and a route that says who is signed in."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from markupsafe import escape

from oidc_adapters.web.flask import Oidc


def create_app(settings: Mapping[str, Any]) -> Flask:
    """Return the application, made of its settings."""
    app = Flask(__name__)
    app.config.from_mapping(settings)
    oidc = Oidc(app)

    @app.get("/")
    @oidc.required
    def index() -> str:
        return f"Hello {escape(oidc.session.claims.get('name', 'you'))}"

    @app.get("/tokens")
    @oidc.required
    def tokens() -> str:
        return escape(oidc.tokens.fresh().scope or "")

    @app.get("/who")
    def who() -> ResponseReturnValue:
        user = oidc.user
        return jsonify(user and [user.identity.issuer, user.identity.subject])

    return app
