"""The one page of these applications: it greets its user, and has a button to log out."""

from html import escape

from oidc_adapters.web import WebSession
from oidc_core.wire.replies import Reply

LONGEST = 131_072
"""Octets of the longest body that an application reads."""


def greeting(session: WebSession, logout_path: str) -> Reply:
    """Return the page of a user."""
    name = escape(str(session.claims.get("name", session.identity.subject)))
    text = (
        '<!doctype html><html lang="en"><title>Hello</title>'
        f"<p>Hello {name}</p>"
        f'<form method="post" action="{escape(logout_path)}"><button>Log out</button></form></html>'
    )
    headers = (
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "strict-origin"),
    )
    return Reply(status=200, headers=headers, body=text.encode())
