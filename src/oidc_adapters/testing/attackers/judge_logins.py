"""Judges logins as browsers and providers saw them."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

from oidc_adapters.testing.attackers.forging import taken_apart
from oidc_adapters.testing.attackers.judge_tokens import Demanded, flaw_of_id_token
from oidc_adapters.testing.attackers.observations import (
    Call,
    Entry,
    Flaw,
    History,
    IssuedTo,
    Login,
    Sent,
)

LIFETIME: Final = 600
"""Seconds that a login may take, by the default policy."""

MOST_REQUESTS: Final = 6
"""Requests that one call may cause: a code, keys twice, UserInfo, and keys for it."""


def flaw_of_start(history: History, call: Call) -> Flaw | None:
    """Return what is wrong with a login that was begun."""
    if call.login is None:
        return None
    asked = call.login.asked
    secrets = [asked("state"), asked("nonce"), asked("code_challenge"), *call.login.cookies]
    again = [each for each in secrets if each and each in history.secrets]
    if again or len(set(secrets)) < len(secrets):
        return Flaw("fresh secrets", "a secret of a login was used before")
    return None


def flaw_of_finish(history: History, call: Call) -> Flaw | None:
    """Return the flaw of the answer to a callback, or of the requests for it."""
    redeemed = [each for each in call.sent if each.purpose == "token"]
    if not redeemed and call.entry is None:
        return None
    login = history.logins.get(call.given.get("state", ""))
    if login is None:
        return Flaw("state", "a callback was taken whose state no login has")
    return (
        _flaw_of_callback(history, call, login)
        or _flaw_of_requests(history, call, login, redeemed)
        or _flaw_of_entry(history, call, login, redeemed)
    )


def _flaw_of_callback(history: History, call: Call, login: Login) -> Flaw | None:
    """Return why the callback should have been refused before anything was sent."""
    state = login.asked("state")
    if login.browser != call.browser:
        why = f"{call.browser}'s browser finished a login that {login.browser}'s has begun"
        return Flaw("browser binding", why)
    if not at_home(call, login):
        return Flaw("redirect_uri", f"a login was finished at {call.url}")
    if call.given.get("iss", login.issuer) != login.issuer:
        return Flaw("issuer", "a callback of another issuer was taken")
    if state in history.exchanged:
        return Flaw("single use", "a login was finished twice")
    if state in history.returned:
        return Flaw("failed login", "a login was finished after it had failed")
    if call.at - login.at > LIFETIME:
        return Flaw("expiry", "a login was finished that had expired")
    return None


def at_home(call: Call, login: Login) -> bool:
    """Return whether a callback came to the redirect URI of the login."""
    base, _, query = login.asked("redirect_uri").partition("?")
    name, _, value = query.partition("=")
    return call.url == base and (not query or call.given.get(name) == value)


def _flaw_of_requests(
    history: History, call: Call, login: Login, redeemed: list[Sent]
) -> Flaw | None:
    if len(redeemed) > 1:
        return Flaw("single use", "a code was sent twice for one callback")
    if len(call.sent) > MOST_REQUESTS:
        return Flaw("bounded work", f"a callback caused {len(call.sent)} requests")
    for sent in redeemed:
        issued = history.codes.get(sent.form.get("code", ""))
        astray = issued is not None and issued.issuer != sent.issuer
        if sent.issuer != login.issuer or (astray and sent.form["code"] not in history.leaked):
            return Flaw("code confinement", f"a code went to {sent.issuer}")
        if sent.form.get("redirect_uri") != login.asked("redirect_uri"):
            return Flaw("redirect_uri", "a code was redeemed with another redirect_uri")
    return None


def _flaw_of_entry(history: History, call: Call, login: Login, redeemed: list[Sent]) -> Flaw | None:
    entry = call.entry
    if entry is None:
        return None
    answers = [each for each in redeemed if each.status == 200 and not each.lost]
    if not answers:
        return Flaw("signature", "a user was logged in without an ID token")
    answer = answers[-1]
    return (
        _flaw_of_integrity(history, call, login, entry)
        or _flaw_of_identity(history, call, login, answer)
        or _flaw_of_userinfo(call, entry)
        or _flaw_of_ended(history, login, answer)
    )


def _flaw_of_integrity(history: History, call: Call, login: Login, entry: Entry) -> Flaw | None:
    """Return why the code is of another browser, user or login."""
    issued = history.codes.get(call.given.get("code", ""))
    if issued is None:
        return None
    if issued.browser != call.browser and not _of_leaked_request(history, login, issued):
        why = f"{call.browser}'s browser is logged in with a code of {issued.browser}'s"
        return Flaw("session integrity", why)
    if issued.sub != entry.sub:
        return Flaw("identity", f"{issued.sub} signed in and is logged in as {entry.sub}")
    if issued.parameters.get("client_id") != history.client_ids[login.issuer]:
        return Flaw("audience", "a code of another client was redeemed")
    if issued.parameters.get("code_challenge", "") != login.asked("code_challenge"):
        return Flaw("PKCE", "a code for another code_challenge was redeemed")
    return None


def _of_leaked_request(history: History, login: Login, issued: IssuedTo) -> bool:
    """Return whether the attacker answered, as itself, a request that it had read.

    It knows everything that the provider binds the code to, so no client can tell: FAPI 2.0 lists
    it as a limit of its attacker model, too.
    """
    same = all(
        login.asked(each) == issued.parameters.get(each, "") for each in ("nonce", "code_challenge")
    )
    known = login.asked("state") in history.leaked
    return same and known and issued.browser in history.controlled


def _flaw_of_identity(history: History, call: Call, login: Login, answer: Sent) -> Flaw | None:
    entry, token = call.entry, str(answer.members.get("id_token", ""))
    demanded = Demanded(
        issuer=login.issuer,
        client_id=history.client_ids[login.issuer],
        at=call.at,
        nonce=login.asked("nonce"),
        nonce_needed=True,
        access_token=str(answer.members.get("access_token", "")),
    )
    found = flaw_of_id_token(history, token, demanded) or _flaw_of_verifier(login, answer)
    if found is not None or entry is None:
        return found
    claims = taken_apart(token).claims
    if (entry.issuer, entry.sub) != (claims.get("iss"), claims.get("sub")):
        return Flaw("identity", f"a token of {claims.get('sub')} made {entry.sub} logged in")
    return None


def _flaw_of_verifier(login: Login, answer: Sent) -> Flaw | None:
    verifier = answer.form.get("code_verifier", "")
    digest = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if digest != login.asked("code_challenge"):
        return Flaw("PKCE", "the code_verifier is not the login's")
    return None


def _flaw_of_userinfo(call: Call, entry: Entry) -> Flaw | None:
    said = [each for each in call.sent if each.purpose == "userinfo" and each.status == 200]
    if entry.with_userinfo and said and said[-1].members.get("sub") != entry.sub:
        return Flaw("UserInfo sub", "claims about another user were taken")
    return None


def _flaw_of_ended(history: History, login: Login, answer: Sent) -> Flaw | None:
    """Return whether the provider had ended the session that the login is of."""
    claims = taken_apart(str(answer.members.get("id_token", ""))).claims
    for _, told in history.logouts:
        issued = told.get("iat")
        named = [name for name in ("sub", "sid") if told.get(name) is not None]
        same = all(told.get(name) == claims.get(name) for name in ("iss", *named))
        if same and isinstance(issued, int) and login.at < issued:
            return Flaw("ended session", "a login was finished whose session the provider ended")
    return None
