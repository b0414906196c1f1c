"""The flaws of calls that end sessions."""

from __future__ import annotations

import pytest

from oidc_adapters.testing.attackers.forging import forged
from oidc_adapters.testing.attackers.judge import judged, settle
from oidc_adapters.testing.attackers.judge_ends import EVENT
from oidc_adapters.testing.attackers.observations import Call, Held, History
from oidc_adapters.testing.attackers.world import HONEST, HOSTILE, NOW
from oidc_adapters.testing.signing_keys import KeyRing
from tests.adapters.testing.attackers.scene import logged_in, machine

KEY = KeyRing(seed=1).signing_key("EdDSA")
CLAIMS: dict[str, object] = {
    "iss": HONEST,
    "aud": "client",
    "iat": NOW,
    "exp": NOW + 120,
    "jti": "one",
    "events": {EVENT: {}},
    "sub": "alice",
}


def told(
    how: str = "own", typ: str = "logout+jwt", status: int = 200, **changed: object
) -> tuple[History, Call, Held]:
    """Return a call with a logout token that was taken, and the session of its user."""
    made = machine()
    held = logged_in(made)
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}
    token = forged(claims, KEY, how, typ=typ)
    call = Call(kind="backchannel", browser="", process=0, given={"logout_token": token}, at=NOW)
    call.status = status
    call.ended = [held.name] if status == 200 else []
    return made.world.history, call, held


def test_a_good_logout_token_ends_the_session_it_names() -> None:
    history, call, held = told()

    assert judged(history, call) is None
    settle(history, call)
    assert held.ended == "its provider ended it"


@pytest.mark.parametrize(
    ("how", "changed", "name"),
    [
        ("none", {}, "signature"),
        ("unpublished", {}, "signature"),
        ("own", {"iss": "https://nobody.example"}, "issuer"),
        ("own", {"aud": "evil"}, "audience"),
        ("own", {"exp": NOW - 121}, "expiry"),
        ("own", {"iat": NOW - 181}, "expiry"),
        ("own", {"iat": None}, "expiry"),
        ("own", {"events": None}, "logout token"),
        ("own", {"events": {EVENT: "text"}}, "logout token"),
        ("own", {"nonce": "n"}, "logout token"),
        ("own", {"sub": None}, "logout token"),
        ("own", {"typ": "at+jwt"}, "logout token"),
        ("own", {"sub": "bob"}, "logout token"),
    ],
)
def test_a_bad_logout_token_that_was_taken(how: str, changed: dict[str, object], name: str) -> None:
    typ = str(changed.get("typ", "logout+jwt"))
    claims = {each: value for each, value in changed.items() if each != "typ"}
    history, call, _ = told(how, typ, 200, **claims)

    flaw = judged(history, call)

    assert flaw is not None
    assert flaw.invariant == name


def test_a_bad_logout_token_that_was_refused_is_no_flaw() -> None:
    history, call, _ = told("none", status=400)

    assert judged(history, call) is None


def test_a_logout_token_that_was_taken_twice() -> None:
    history, call, _ = told()
    settle(history, call)

    flaw = judged(history, call)

    assert flaw is not None
    assert flaw.invariant == "single use"


def test_a_session_that_goes_on() -> None:
    history, call, _ = told()
    call.ended = []

    flaw = judged(history, call)

    assert flaw is not None
    assert flaw.invariant == "ended session"


@pytest.mark.parametrize(("issuer", "name"), [(HONEST, None), (HOSTILE, "logout token")])
def test_a_frame_ends_the_session_it_names(issuer: str, name: str | None) -> None:
    history, _, held = told()
    given = {"iss": issuer, "sid": held.sid}
    call = Call(kind="frontchannel", browser="", process=0, given=given, at=NOW)
    call.ended = [held.name]

    flaw = judged(history, call)

    assert (flaw and flaw.invariant) == name


def test_a_callback_ends_no_session() -> None:
    history, _, held = told()
    call = Call(kind="return", browser="alice", process=0, at=NOW, ended=[held.name])

    flaw = judged(history, call)

    assert flaw is not None
    assert flaw.invariant == "logout token"
