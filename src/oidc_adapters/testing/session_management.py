"""The provider's side of OIDC Session Management 1.0: a salted hash, and the page that checks it.

The provider's frame knows the browser's state at the provider by a cookie that its script can read,
so it has no secret in it.
"""

from base64 import b64encode
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

COOKIE: Final = "fake_provider_state"
"""Names the browser's state at the provider; its script reads it."""

PATH: Final = "check-session"

_SCRIPT: Final = """
"use strict";
const octets = (text) => new TextEncoder().encode(text);
const state = () => {
  const pairs = document.cookie.split(/; */).map((pair) => pair.split("="));
  const found = pairs.find(([name]) => name === "fake_provider_state");
  return found ? found[1] : "";
};
const hashed = async (text) => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", octets(text)));
  return Array.from(digest, (octet) => octet.toString(16).padStart(2, "0")).join("");
};
const judged = async (data, origin) => {
  const [clientId, told, ...more] = String(data).split(" ");
  const [, salt, ...rest] = (told || "").split(".");
  if (!clientId || !salt || more.length || rest.length) return "error";
  const mine = await hashed([clientId, origin, state(), salt].join(" "));
  return told === mine + "." + salt ? "unchanged" : "changed";
};
addEventListener("message", async (event) => {
  event.source.postMessage(await judged(event.data, event.origin), event.origin);
});
"""
_HASH: Final = b64encode(sha256(_SCRIPT.encode("ascii")).digest()).decode("ascii")

FRAME_HEADERS: Final = (
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("content-security-policy", f"default-src 'none'; script-src 'sha256-{_HASH}'"),
)
"""Any page may have it in a frame: an answer tells only whether its own hash still holds."""

FRAME_PAGE: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Session</title></head>'
    f"<body><script>{_SCRIPT}</script></body></html>\n"
).encode("ascii")
"""The page of ``check_session_iframe`` (§3.2)."""


def browser_state(sid: str) -> str:
    """Return the value of the cookie for a session, which does not tell the session."""
    return sha256(f"browser state of {sid}".encode()).hexdigest()


def session_state(client_id: str, redirect_uri: str, state: str, salt: str) -> str:
    """Return the ``session_state`` of an authorization response (§3.2).

    Args:
        client_id: the client.
        redirect_uri: where the response goes; the client's frame has its origin.
        state: of the browser, by :func:`browser_state`; empty where nobody is signed in.
        salt: without a space and a full stop.
    """
    parts = urlsplit(redirect_uri)
    origin = f"{parts.scheme}://{parts.netloc}"
    told = f"{client_id} {origin} {state} {salt}"
    return f"{sha256(told.encode()).hexdigest()}.{salt}"
