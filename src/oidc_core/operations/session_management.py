"""Watching in the browser whether the provider's session goes on (OIDC Session Management 1.0).

Prefer the back-channel logout.  The provider's frame reads a cookie of the provider inside a page
of the application.  Browsers that block third-party cookies break that: Safari, Firefox and Brave,
and Chrome in part.  Where they do, the provider's frame says ``changed`` although nothing has
changed, or never answers.

1. Keep :attr:`~oidc_core.operations.logged_in.LoggedIn.session_state` in the session of the
   application.
2. Serve the page of :func:`frame` at a path of the application, and load it in a hidden frame of
   its other pages.
3. Those pages listen for a message of their own origin that is :data:`CHANGED`.  Then start a login
   with ``prompt=none`` and with the ID token as ``id_token_hint``.  If the same user comes back,
   keep the new ``session_state``; otherwise end the session of the application (§3.1).

The page tells :data:`CHANGED` once, and then it stops.  If the login that follows brings the same
user each time, and each new page tells it at once, then the browser blocks the provider's cookie:
load the page no more.
"""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Final

from oidc_core.endpoints.authorization import is_session_state
from oidc_core.model.relying_party import RelyingParty, endpoint
from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject, render
from oidc_core.wire.replies import NO_STORE, Reply
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import origin_of

CHANGED: Final = "changed"
"""The message of the frame to its parent window: the user's session at the provider changed."""

_LONGEST: Final = 3600
"""Seconds."""

_HTML: Final = ("content-type", "text/html; charset=utf-8")
_PROVIDER: Final = "provider"

# The window's load comes after the frame's, so the first question finds somebody.  On `error`, or
# anything unknown, it stops: a login with prompt=none is forbidden then (§3.1).
_SCRIPT: Final = """
"use strict";
const told = JSON.parse(document.body.dataset.told);
const frame = document.getElementById(told.frame);
const provider = frame.contentWindow;
const origin = new URL(frame.src).origin;
const ask = () => provider.postMessage(told.message, origin);
let timer = 0;
addEventListener("load", () => {
  timer = setInterval(ask, told.interval);
  ask();
});
addEventListener("message", (event) => {
  if (event.origin !== origin || event.source !== provider) return;
  if (event.data === "unchanged") return;
  clearInterval(timer);
  if (event.data === told.changed) parent.postMessage(told.changed, location.origin);
});
"""
_HASH: Final = b64encode(sha256(_SCRIPT.encode("ascii")).digest()).decode("ascii")


def frame(rp: RelyingParty, session_state: str, *, interval: int = 10) -> Reply:
    """Return the page that asks the provider's frame again and again.

    Every value is in it as data, never in the script, and the page allows that one script only.
    Nobody but the application's own origin may have the page in a frame.

    Args:
        rp: the relying party, with the provider's metadata.
        session_state: as the login had it.
        interval: seconds between two questions, 1 to 3,600.

    Raises:
        UsageError: ``parameter_invalid``; ``unsupported_by_provider`` without a
            ``check_session_iframe`` in the metadata.
    """
    check_kind(rp, RelyingParty, about="rp")
    _check(session_state, interval)
    url = endpoint(rp, "check_session_iframe")
    told = JsonObject(
        {
            "message": f"{rp.client.client_id} {session_state}",
            "interval": 1000 * interval,
            "frame": _PROVIDER,
            "changed": CHANGED,
        }
    )
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Session</title></head>'
        f'<body data-told="{escape(render(told))}">'
        f'<iframe id="{_PROVIDER}" src="{escape(url)}" hidden></iframe>'
        f"<script>{_SCRIPT}</script></body></html>\n"
    )
    headers = (_HTML, NO_STORE, ("content-security-policy", _policy(url)))
    return Reply(status=200, headers=headers, body=page.encode())


def _check(session_state: str, interval: int) -> None:
    check_kind(session_state, str, about="session_state")
    check_kind(interval, int, about="interval")
    if not is_session_state(session_state):
        raise UsageError(
            "parameter_invalid", about="session_state", expected="text without a space"
        )
    if not 1 <= interval <= _LONGEST:
        expected = f"1 to {_LONGEST} seconds"
        raise UsageError("parameter_invalid", about="interval", found=interval, expected=expected)


def _policy(url: str) -> str:
    """Return the only things that the page may do: run its script, load the frame at a URL."""
    return (
        f"default-src 'none'; script-src 'sha256-{_HASH}'; frame-src {origin_of(url)}; "
        "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    )
