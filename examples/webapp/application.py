"""The example: a Flask application with a login, the claims, a refresh and a logout."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from examples.webapp.wording import ACCEPTED, LABELS, lines, moment
from flask import Flask, Response, flash, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from oidc_adapters import AuthenticationRequest, MemoryRecords
from oidc_adapters.web import Page, WayOn
from oidc_adapters.web.flask import Oidc
from oidc_core import StoreFailure, fingerprint

if TYPE_CHECKING:
    from examples.webapp.configuration import Configuration

    from oidc_core import Tokens

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No script, and nothing from another site.

It says nothing about forms: browsers apply `form-action` to the redirect that answers a form, too,
and the answer to *Log in* is a redirect to the provider.
"""

START: Final = WayOn(label="Go to the start page", url="/")


def web_application(configuration: Configuration, **config: Any) -> Flask:
    """Make the application.

    Args:
        configuration: its settings.
        config: settings of Flask and of its extension in addition, for tests.

    Raises:
        UsageError: a setting is wrong; the error names it.
    """
    app = Flask(__name__)
    offline = "offline_access" in configuration.scopes
    app.config |= {
        "OIDC_ISSUER": configuration.issuer,
        "OIDC_CLIENT_ID": configuration.client_id,
        "OIDC_CLIENT_SECRET": configuration.client_secret,
        "OIDC_SCOPE": " ".join(configuration.scopes),
        "OIDC_REDIRECT_URI": configuration.redirect_uri,
        "OIDC_POST_LOGOUT_REDIRECT_URI": configuration.post_logout_redirect_uri,
        "OIDC_GOODBYE": "/goodbye",
        "OIDC_CLAIMS": (*LABELS, *configuration.claims),
        "OIDC_EVIDENCE": True,
        # Without consent many providers ignore that scope (OIDC Core §11).
        "OIDC_REQUEST": AuthenticationRequest(prompt="consent" if offline else ""),
        "OIDC_DRAW": draw,
        # One process that forgets its sessions when it ends needs no file and no fixed secret.
        "OIDC_RECORDS": MemoryRecords(),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "SESSION_COOKIE_SAMESITE": "Lax",
        **config,
    }
    oidc = Oidc(app)
    _pages(app, oidc, configuration)
    app.add_template_filter(moment)
    app.add_template_filter(lines)
    app.context_processor(lambda: {"oidc": oidc, "configuration": configuration})
    app.register_error_handler(HTTPException, _no_page)
    app.after_request(_guarded)
    return app


def _pages(app: Flask, oidc: Oidc, configuration: Configuration) -> None:
    @app.get("/")
    def start() -> str:
        return render_template("start.html")

    @app.get("/claims")
    @oidc.required
    def claims() -> str:
        tokens = oidc.tokens.fresh() if configuration.do_refresh else None
        return render_template("claims.html", tokens=tokens, accepted=ACCEPTED)

    @app.post("/refresh")
    @oidc.required
    def refresh() -> Response:
        if configuration.do_refresh:
            _refreshed(oidc)
        return _see_other("/claims#tokens")

    @app.get("/goodbye")
    def goodbye() -> str | Response:
        return _see_other("/") if oidc.user else render_template("goodbye.html")


def _refreshed(oidc: Oidc) -> None:
    """Get new tokens before the old ones expire, and tell what changed; no token is shown."""
    before = oidc.tokens.fresh()
    if before.refresh_token is None:
        flash("The login service gave no refresh token.")
        return
    try:
        after = oidc.tokens.fresh(refused=before.access_token)
    except StoreFailure as failure:
        if failure.code != "token_refused":
            raise
        flash("Your tokens are only some seconds old. Wait five seconds, then refresh them.")
        return
    flash(f"The access token {_mark(before)} was replaced by {_mark(after)}.")
    if before.refresh_token != after.refresh_token:
        flash("The refresh token was replaced, too.")
    flash(f"Refreshed on {moment(time.time())}.")


def _mark(tokens: Tokens) -> str:
    return f"{fingerprint(tokens.access_token)} (valid until {moment(tokens.expires_at)})"


def draw(page: Page) -> str:
    """Draw a page of the library in the looks of this application."""
    return render_template("page.html", page=page)


def _no_page(error: HTTPException) -> Response:
    """Answer what Flask itself refuses with a page in the same looks."""
    status = error.code or 500
    words = {
        404: ("There is no such page", "The address may be mistyped, or the page has moved."),
        405: ("This page is opened in another way", "Please begin at the start page."),
    }
    other = ("Something went wrong", "This is not your fault. Please try again in a few minutes.")
    title, text = words.get(status, other)
    page = Page(status=status, title=title, text=text, ways=(START,))
    return Response(draw(page), status)


def _see_other(path: str) -> Response:
    response = redirect(path, 303)
    return Response(response.get_data(), response.status_code, response.headers)


def _guarded(response: Response) -> Response:
    """Say what a browser may do with an answer, where the library has not said it."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
