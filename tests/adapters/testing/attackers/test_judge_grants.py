"""The flaws of access tokens that are handed out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oidc_adapters.testing.attackers.forging import forged, taken_apart
from oidc_adapters.testing.attackers.judge import judged
from oidc_adapters.testing.attackers.observations import Call, Held, History
from oidc_adapters.testing.signing_keys import KeyRing
from tests.adapters.testing.attackers.scene import last, logged_in, machine

KEY = KeyRing(seed=1).signing_key("EdDSA")


def refreshed() -> tuple[History, Call, Held]:
    made = machine()
    held = logged_in(made)
    made.world.clock.advance(6)
    made.world.fresh(held, 0, refused=held.handed)
    history, call = made.world.history, last(made.world)
    assert (judged(history, call), len(call.sent)) == (None, 1)
    return history, call, held


def renamed(call: Call) -> None:
    answer = call.sent[0]
    claims = {**taken_apart(str(answer.members["id_token"])).claims, "sub": "bob"}
    answer.members = {**answer.members, "id_token": forged(claims, KEY, "own")}


def lost(history: History, call: Call, held: Held) -> None:
    call.token, call.code, call.retryable = "", "invalid_grant", "restart"


def sent_again(history: History, call: Call, held: Held) -> None:
    history.refreshes[call.sent[0].form["refresh_token"]].append(call.sent[0])


def often(history: History, call: Call, held: Held) -> None:
    known = history.refreshes[call.sent[0].form["refresh_token"]]
    known[0].lost = "maybe"
    known.extend(known * 2)


def caused_another(history: History, call: Call, held: Held) -> None:
    earlier = Call(kind="fresh", browser="", process=0, given=call.given, at=call.at)
    earlier.sent, earlier.token = [call.sent[0]], "the token that it got"
    history.calls.insert(0, earlier)


def revoked(history: History, call: Call, held: Held) -> None:
    call.sent[0].purpose = "revocation"
    call.sent[0].form = {"token": next(iter(held.refresh_tokens))}


FLAWS: dict[str, tuple[str, Callable[[History, Call, Held], object]]] = {
    "of a session that has ended": (
        "ended grant",
        lambda history, call, held: setattr(held, "ended", "its user left"),
    ),
    "the refused one": (
        "refused token",
        lambda history, call, held: setattr(call, "token", call.given["access_token"]),
    ),
    "another session's": (
        "identity",
        lambda history, call, held: setattr(call, "token", "another session's"),
    ),
    "an old one": ("expiry", lambda history, call, held: setattr(call, "at", call.at + 301)),
    "of another user": ("refreshed ID token", lambda history, call, held: renamed(call)),
    "lost for nothing": ("kept grant", lost),
    "sent again": ("refresh sends", sent_again),
    "sent often": ("refresh sends", often),
    "a storm": ("no storm", caused_another),
    "many in one call": (
        "no storm",
        lambda history, call, held: call.sent.extend(call.sent * 4),
    ),
    "revoked": ("refresh revocation", revoked),
    "sent to another": (
        "code confinement",
        lambda history, call, held: setattr(call.sent[0], "issuer", "https://hostile.example"),
    ),
}


@pytest.mark.parametrize("what", FLAWS)
def test_each_flaw_of_a_refresh_has_its_name(what: str) -> None:
    history, call, held = refreshed()
    name, change = FLAWS[what]

    change(history, call, held)

    flaw = judged(history, call)
    assert flaw is not None
    assert flaw.invariant == name


@pytest.mark.parametrize("why", ["disturbed", "ended"])
def test_a_session_may_be_lost_for_a_reason(why: str) -> None:
    history, call, held = refreshed()
    lost(history, call, held)
    setattr(held, why, "its user left")

    assert judged(history, call) is None


def test_a_session_of_nobody_is_not_judged() -> None:
    history, call, _ = refreshed()
    history.sessions.clear()

    assert judged(history, call) is None
