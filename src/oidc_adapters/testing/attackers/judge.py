"""The judge of an attack: each invariant by its name, and what breaks it.

It reads what providers, browsers and the attacker saw, and never asks the library why it decided as
it did.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from oidc_adapters.testing.attackers.forging import taken_apart
from oidc_adapters.testing.attackers.judge_ends import (
    flaw_of_backchannel,
    flaw_of_frontchannel,
    flaw_of_other_ends,
    must_end,
)
from oidc_adapters.testing.attackers.judge_grants import flaw_of_fresh, flaw_of_sending
from oidc_adapters.testing.attackers.judge_logins import at_home, flaw_of_finish, flaw_of_start
from oidc_adapters.testing.attackers.observations import Call, Flaw, History

Judge: TypeAlias = Callable[[History, Call], Flaw | None]

INVARIANTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "state": "a code is sent, and a user logged in, only for a state that a login has",
        "browser binding": "a login is finished only by the browser that began it",
        "redirect_uri": "a login is finished only at its redirect URI, and redeemed with it",
        "issuer": "callbacks and tokens are taken only from the issuer of the login",
        "code confinement": "codes and refresh tokens go only to the endpoint of their issuer",
        "single use": "a login yields one token request; a logout token counts once",
        "failed login": "a login that has failed is never finished",
        "signature": "a token that counts was signed with a key that its issuer published",
        "key selection": "that key is for signatures, and the one that the token names",
        "audience": "a token or code that counts is for this client",
        "nonce": "an ID token that counts has the nonce of its login",
        "at_hash": "an ID token that counts is about the access token that it came with",
        "expiry": "nothing counts after its time: logins, tokens, logout tokens",
        "identity": "a user is logged in as the issuer and subject that signed in",
        "fresh secrets": "state, nonce, challenge and cookies are new in each login",
        "session integrity": "a browser is logged in only with a code that it was given itself",
        "PKCE": "a code that counts was issued for the challenge of its login",
        "bounded work": "one callback causes a few requests",
        "UserInfo sub": "claims of UserInfo are about the user of the ID token",
        "logout token": "only a good logout token, frame or the user ends sessions it names",
        "ended session": "a session that the provider ended goes on nowhere",
        "refresh sends": "a refresh token is sent as often as the policy says",
        "refresh revocation": "tokens of a session that goes on are not revoked",
        "ended grant": "a session that has ended hands out no token",
        "kept grant": "a session is not lost unless a message was",
        "refused token": "nobody gets an access token that they named as refused",
        "no storm": "one refused access token causes one refresh",
        "refreshed ID token": "a token is handed out only if its ID token is of the same user",
    }
)
"""The invariants by name."""

JUDGES: Final[Mapping[str, tuple[Judge, ...]]] = MappingProxyType(
    {
        "start": (flaw_of_start,),
        "finish": (flaw_of_finish, flaw_of_other_ends),
        "fresh": (flaw_of_fresh, flaw_of_sending),
        "leave": (flaw_of_sending,),
        "return": (flaw_of_other_ends,),
        "backchannel": (flaw_of_backchannel, flaw_of_sending),
        "frontchannel": (flaw_of_frontchannel, flaw_of_sending),
    }
)
"""The judges of each kind of call."""


def judged(history: History, call: Call) -> Flaw | None:
    """Return which invariant a call breaks, if it breaks one."""
    for judge in JUDGES[call.kind]:
        flaw = judge(history, call)
        if flaw is not None:
            return flaw
    return None


def take_in(history: History, call: Call) -> None:
    """Take down the tokens that a call brought for its session, and which message was lost."""
    held = history.sessions.get(call.given.get("session", ""))
    if call.kind != "fresh" or held is None:
        return
    for sent in call.sent:
        if sent.purpose == "refresh" and sent.status == 200 and not sent.lost:
            held.access_tokens[str(sent.members.get("access_token", ""))] = sent
            held.refresh_tokens.add(str(sent.members.get("refresh_token", "")))
    held.disturbed = held.disturbed or any(each.lost == "maybe" for each in call.sent)
    held.handed = call.token or held.handed


def settle(history: History, call: Call) -> None:
    """Take down the facts that later calls are judged by."""
    if call.login is not None:
        asked = call.login.asked
        values = (asked("state"), asked("nonce"), asked("code_challenge"), *call.login.cookies)
        history.secrets.update(values)
    if call.kind == "finish":
        _settle_finish(history, call)
    for name in call.ended:
        _end(history, name, "its provider ended it")
    if call.kind == "backchannel" and call.status == 200:
        claims = taken_apart(call.given.get("logout_token", "")).claims
        history.told.add(str(claims.get("jti")))
        history.logouts.append((call.at, claims))
        for held in history.sessions.values():
            if must_end(claims, held):
                _end(history, held.name, "its provider ended it")


def _settle_finish(history: History, call: Call) -> None:
    sent = {each.form.get("code") for each in call.sent if each.purpose == "token"}
    for held in history.sessions.values():
        if held.code in sent and (call.entry is None or call.entry.session != held.name):
            held.disturbed = True  # its provider revokes all that came of a code that is used again
    state = call.given.get("state", "")
    login = history.logins.get(state)
    if login is None or login.browser != call.browser or not at_home(call, login):
        return
    history.returned.add(state)
    if any(each.purpose == "token" for each in call.sent):
        history.exchanged.add(state)


def _end(history: History, name: str, why: str) -> None:
    held = history.sessions.get(name)
    if held is not None:
        held.ended = held.ended or why
