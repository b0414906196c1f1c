"""Judges the ends of sessions: who may end which, and that an end is final."""

from typing import Final

from oidc_adapters.testing.attackers.forging import taken_apart
from oidc_adapters.testing.attackers.judge_tokens import Demanded, flaw_of_signed
from oidc_adapters.testing.attackers.observations import Call, Flaw, Held, History
from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.signing import is_object

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
TYPES: Final = ("logout+jwt", "JWT", None)
AGE: Final = 120 + 60
"""The age in seconds beyond which a logout token is too old, by the default policy."""


def flaw_of_backchannel(history: History, call: Call) -> Flaw | None:
    """Return the flaw of the answer to a logout token, and of the ends that it caused."""
    token = call.given.get("logout_token", "")
    claims = taken_apart(token).claims
    flaw = _flaw_of_logout_token(history, token, call.at)
    if flaw is not None:
        took = call.status == 200 or bool(call.ended)
        return flaw if took else None
    return _flaw_of_ended(history, call, claims)


def _flaw_of_logout_token(history: History, token: str, at: int) -> Flaw | None:
    """Return why a logout token should have been refused (Back-Channel Logout §2.6)."""
    apart = taken_apart(token)
    claims = apart.claims
    issuer = str(claims.get("iss", ""))
    client_id = history.client_ids.get(issuer)
    if client_id is None:
        return Flaw("issuer", "a logout token of a stranger was accepted")
    found = flaw_of_signed(history, token, Demanded(issuer, client_id, at))
    if found is not None:
        return found
    events = claims.get("events")
    if not is_object(events) or not is_object(events.get(EVENT)):
        return Flaw("logout token", "a token that is about no logout was accepted")
    if apart.header.get("typ") not in TYPES or "nonce" in claims:
        return Flaw("logout token", "a token of another type was taken for a logout token")
    if claims.get("sub") is None and claims.get("sid") is None:
        return Flaw("logout token", "a logout token without a name was accepted")
    issued = claims.get("iat")
    if not isinstance(issued, int) or not -AGE <= issued - at <= AGE:
        return Flaw("expiry", "a logout token that is too old was accepted")
    if claims.get("jti") in history.told:
        return Flaw("single use", "a logout token was accepted twice")
    return None


def _flaw_of_ended(history: History, call: Call, claims: Members) -> Flaw | None:
    """Return which session ended that was not named, or did not end that was."""
    for name in call.ended:
        held = history.sessions.get(name)
        if held is not None and not covers(claims, held):
            return Flaw("logout token", "a logout token ended a session that it does not name")
    if call.status != 200:
        return None
    for held in history.sessions.values():
        if must_end(claims, held) and not held.ended and held.name not in call.ended:
            return Flaw("ended session", "a session that the provider ended goes on")
    return None


def flaw_of_frontchannel(history: History, call: Call) -> Flaw | None:
    """Return which session a frame ended that it does not name."""
    for name in call.ended:
        held = history.sessions.get(name)
        named = (call.given.get("iss"), call.given.get("sid"))
        if held is not None and (held.issuer, held.sid) != named:
            return Flaw("logout token", "a frame ended a session that it does not name")
    return None


def flaw_of_other_ends(_history: History, call: Call) -> Flaw | None:
    """Return the flaw of a call that must not end a session."""
    if call.ended and call.kind not in {"backchannel", "frontchannel", "leave", "fresh"}:
        return Flaw("logout token", f"a {call.kind} ended a session")
    return None


def covers(claims: Members, held: Held) -> bool:
    """Return whether a logout token names a session."""
    if claims.get("iss") != held.issuer:
        return False
    return claims.get("sub") in {None, held.sub} and claims.get("sid") in {None, held.sid}


def must_end(claims: Members, held: Held) -> bool:
    """Return whether a session that a logout token names was there when it was issued."""
    issued = claims.get("iat")
    return covers(claims, held) and isinstance(issued, int) and held.issued <= issued
