"""Five mistakes that people make, planted in a Flask application."""

import json

from flask import Flask, Response, redirect, request, session
from flask.typing import ResponseReturnValue

CALLBACK = "/callback"


def plant(app: Flask, fault: str) -> Flask:
    """Plant a mistake in an application, and return it."""
    {
        "state not bound to the browser": unbound_state,
        "open redirect by next": open_redirect,
        "session kept across users": kept_session,
        "error page that leaks": telling_page,
        "endless restart": endless_restart,
    }[fault](app)
    return app


def unbound_state(app: Flask) -> None:
    """Keep login cookies on the server, for browsers that lose them."""
    kept: dict[str, str] = {}

    @app.after_request
    def keep(response: Response) -> Response:
        if request.path == "/login" and request.method == "POST":
            for header in response.headers.getlist("Set-Cookie"):
                name, _, value = header.partition(";")[0].partition("=")
                kept[name] = value
        return response

    @app.before_request
    def bring() -> None:
        if request.path == CALLBACK:
            both = {**kept, **request.cookies}
            request.environ["HTTP_COOKIE"] = "; ".join(map("=".join, both.items()))


def open_redirect(app: Flask) -> None:
    """Go on to wherever a link says."""

    @app.before_request
    def go_on() -> ResponseReturnValue | None:
        to = request.args.get("next")
        return redirect("".join(to.splitlines())) if to else None


def kept_session(app: Flask) -> None:
    """Remember the first user of a browser, in a session that no login and no logout ends."""
    app.secret_key = "a key for the session of Flask itself"

    @app.after_request
    def remember(response: Response) -> Response:
        if request.path == "/who" and response.status_code == 200:
            told = session.get("who") or response.get_json()
            session["who"] = told
            response.set_data(json.dumps(told))
        return response


def telling_page(app: Flask) -> None:
    """Show the whole request on the page of an error, to make support easier."""

    @app.after_request
    def tell(response: Response) -> Response:
        if response.status_code >= 400:
            response.set_data(response.get_data() + f"<p>{request.url}</p>".encode())
        return response


def endless_restart(app: Flask) -> None:
    """Start the login again whenever one fails; links start logins here."""

    @app.after_request
    def again(response: Response) -> Response:
        failed = request.path == CALLBACK and response.status_code >= 400
        return Response(status=303, headers={"Location": "/login"}) if failed else response
