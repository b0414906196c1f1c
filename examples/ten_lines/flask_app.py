"""A Flask application with a page for users who are logged in; ``settings.py`` lies beside it."""

from flask import Flask
from markupsafe import escape

from oidc_adapters.web.flask import Oidc

app = Flask(__name__)
app.config.from_object("settings")  # OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, ...
oidc = Oidc(app)


@app.get("/")
@oidc.required
def index() -> str:
    """Greet the user."""
    return f"Hello {escape(oidc.session.claims.get('name', 'there'))}"
