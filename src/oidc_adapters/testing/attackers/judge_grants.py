"""Judges the tokens of sessions: what was handed out, and what was sent for it."""

from typing import Final

from oidc_adapters.testing.attackers.forging import taken_apart
from oidc_adapters.testing.attackers.judge_tokens import Demanded, flaw_of_id_token
from oidc_adapters.testing.attackers.observations import Call, Flaw, Held, History, Sent

MOST_EXCHANGES: Final = 4
"""Exchanges of one call, at most."""


MARGIN: Final = 60
"""Seconds before its expiry at which an access token may be renewed."""


def flaw_of_fresh(history: History, call: Call) -> Flaw | None:
    """Return what is wrong with the answer to who asked for an access token."""
    held = history.sessions.get(call.given.get("session", ""))
    if held is None:
        return None
    if call.token:
        return _flaw_of_token(history, call, held)
    lost = call.retryable == "restart" and not (held.ended or held.disturbed)
    if lost and held.issuer.startswith("https://honest."):
        return Flaw("kept grant", f"a session is lost, though no message was: {call.code}")
    return None


def flaw_of_sending(history: History, call: Call) -> Flaw | None:
    """Return the flaw of the refresh tokens that were sent, or revoked."""
    sent = [each for each in call.sent if each.purpose == "refresh"]
    if len(sent) > MOST_EXCHANGES:
        return Flaw("no storm", f"a call caused {len(sent)} refreshes")
    for each in sent:
        token = each.form.get("refresh_token", "")
        arrived = [one for one in history.refreshes.get(token, []) if one.lost != "no"]
        if len(arrived) > history.most_sends:
            return Flaw("refresh sends", f"a refresh token was sent {len(arrived)} times")
        if any(not one.lost for one in arrived[:-1]):
            return Flaw("refresh sends", "a refresh token was sent again after it was answered")
        held = _of(history, token)
        if held is not None and held.issuer != each.issuer:
            return Flaw("code confinement", f"a refresh token went to {each.issuer}")
    for each in [one for one in call.sent if one.purpose == "revocation"]:
        held = _of(history, each.form.get("token", ""))
        if held is not None and not held.ended and call.kind != "leave":
            return Flaw("refresh revocation", "the tokens of a living session were revoked")
    return _flaw_of_storm(history, call, sent)


def _flaw_of_storm(history: History, call: Call, sent: list[Sent]) -> Flaw | None:
    """Return whether a token that was refused caused a second exchange."""
    refused = call.given.get("access_token", "")
    if call.kind != "fresh" or not refused or not sent:
        return None
    before = [
        one
        for each in history.calls[: history.calls.index(call)]
        if each.token and each.given.get("access_token") == refused
        for one in each.sent
        if one.purpose == "refresh" and _lasts(one, call.at)
    ]
    if not before:
        return None
    return Flaw("no storm", "an access token that was refused caused a second refresh")


def _lasts(answer: Sent, at: int) -> bool:
    """Return whether the access token of an answer is valid for a while yet."""
    lifetime = answer.members.get("expires_in")
    return not answer.lost and isinstance(lifetime, int) and at + MARGIN < answer.at + lifetime


def _of(history: History, refresh_token: str) -> Held | None:
    return next(
        (each for each in history.sessions.values() if refresh_token in each.refresh_tokens), None
    )


def _flaw_of_token(history: History, call: Call, held: Held) -> Flaw | None:
    if held.ended:
        return Flaw("ended grant", f"a token was handed out though {held.ended}")
    if call.token == call.given.get("access_token"):
        return Flaw("refused token", "an access token was handed out that was named as refused")
    answer = held.access_tokens.get(call.token)
    if answer is None:
        return Flaw("identity", "an access token of another session was handed out")
    lifetime = answer.members.get("expires_in")
    if isinstance(lifetime, int) and answer.at + lifetime < call.at:
        return Flaw("expiry", "an access token was handed out that had expired")
    if answer.purpose != "refresh" or "id_token" not in answer.members:
        return None
    return _flaw_of_refreshed(history, held, answer)


def _flaw_of_refreshed(history: History, held: Held, answer: Sent) -> Flaw | None:
    """Return why the ID token of a refresh should have been refused (OIDC Core §12.2)."""
    token = str(answer.members["id_token"])
    demanded = Demanded(
        issuer=held.issuer,
        client_id=history.client_ids[held.issuer],
        at=answer.at,
        nonce=held.nonce,
        access_token=str(answer.members.get("access_token", "")),
    )
    found = flaw_of_id_token(history, token, demanded)
    if found is not None:
        return found
    if taken_apart(token).claims.get("sub") != held.sub:
        return Flaw("refreshed ID token", "the ID token of a refresh is about another user")
    return None
