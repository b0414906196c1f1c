"""A Flask application with Authlib."""

from functools import wraps

from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, redirect, request, session, url_for

TOKENS = {}  # a table of the database


def fetch_token(_name):
    return TOKENS.get(session["user"]["sub"])


def update_token(_name, token, **_found):
    TOKENS[session["user"]["sub"]] = token


app = Flask(__name__)
app.config.from_object("settings")
oauth = OAuth(app, fetch_token=fetch_token, update_token=update_token)
oauth.register("op")


def login_required(view):
    @wraps(view)
    def guarded(*args, **named):
        if "user" in session:
            return view(*args, **named)
        session["next"] = request.full_path
        return redirect(url_for("login"))

    return guarded


@app.get("/login")
def login():
    return oauth.op.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    try:
        token = oauth.op.authorize_access_token()
    except OAuthError as error:
        return f"Not logged in: {error.error}", 403
    session["user"] = token["userinfo"]
    TOKENS[session["user"]["sub"]] = token
    return redirect(session.pop("next", "/"))


@app.post("/logout")
def logout():
    token = TOKENS.pop(session["user"]["sub"])
    session.clear()
    back = url_for("logged_out", _external=True)
    return oauth.op.logout_redirect(back, id_token_hint=token["id_token"])


@app.get("/logged-out")
def logged_out():
    oauth.op.validate_logout_response()
    return redirect("/")


@app.get("/")
def index():
    return '<form method="post" action="/logout"><button>Log out</button></form>'


@app.get("/orders")
@login_required
def orders():
    user = session["user"]
    return f"{user['name']} ({user['sub']}), page {request.args.get('page', '1')}"


@app.get("/report")
@login_required
def report():
    return oauth.op.get("userinfo").json()
