"""The judge: it accepts an honest call, and names each flaw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from oidc_adapters.testing.attackers.forging import forged, taken_apart
from oidc_adapters.testing.attackers.judge import INVARIANTS, JUDGES, judged
from oidc_adapters.testing.attackers.observations import Call, Entry, History, IssuedTo, Sent
from oidc_adapters.testing.attackers.world import HONEST, HOSTILE, NOW
from oidc_adapters.testing.signing_keys import KeyRing
from tests.adapters.testing.attackers.scene import last, logged_in, machine

KEY = KeyRing(seed=1).signing_key("EdDSA")


def finished() -> tuple[History, Call]:
    """Return an honest login as it was before it was settled, to be changed."""
    made = machine()
    logged_in(made)
    history, call = made.world.history, last(made.world)
    history.returned.clear()
    history.exchanged.clear()
    history.sessions.clear()
    assert judged(history, call) is None
    return history, call


def token_answer(call: Call) -> Sent:
    return next(each for each in call.sent if each.purpose == "token")


def with_id_token(call: Call, how: str = "own", **claims: object) -> None:
    """Have the answer hold another ID token, well signed unless said otherwise."""
    answer = token_answer(call)
    stated = {**taken_apart(str(answer.members["id_token"])).claims, **claims}
    answer.members = {**answer.members, "id_token": forged(stated, KEY, how)}


def entry(call: Call, **changed: Any) -> None:
    assert isinstance(call.entry, Entry)
    call.entry = evolve(call.entry, **changed)


def issued(history: History, **changed: Any) -> None:
    (code,) = history.codes
    assert isinstance(history.codes[code], IssuedTo)
    history.codes[code] = evolve(history.codes[code], **changed)


def asked(history: History, **changed: str) -> None:
    """Have the code be issued for another request."""
    (code,) = history.codes
    issued(history, parameters={**history.codes[code].parameters, **changed})


def state_of(call: Call) -> str:
    return call.given["state"]


FLAWS: dict[str, tuple[str, Callable[[History, Call], object]]] = {
    "no login has the state": ("state", lambda history, call: history.logins.clear()),
    "another browser": ("browser binding", lambda history, call: setattr(call, "browser", "bob")),
    "another address": (
        "redirect_uri",
        lambda history, call: setattr(call, "url", "https://rp.example/callback/hostile"),
    ),
    "redeemed with another redirect_uri": (
        "redirect_uri",
        lambda history, call: setattr(token_answer(call), "form", {"redirect_uri": "another"}),
    ),
    "iss of another": (
        "issuer",
        lambda history, call: setattr(call, "given", {**call.given, "iss": HOSTILE}),
    ),
    "a second time": ("single use", lambda history, call: history.exchanged.add(state_of(call))),
    "two token requests": (
        "single use",
        lambda history, call: call.sent.append(token_answer(call)),
    ),
    "after a failure": ("failed login", lambda history, call: history.returned.add(state_of(call))),
    "too late": ("expiry", lambda history, call: setattr(call, "at", NOW + 601)),
    "sent to another": (
        "code confinement",
        lambda history, call: setattr(token_answer(call), "issuer", HOSTILE),
    ),
    "many requests": (
        "bounded work",
        lambda history, call: call.sent.extend([call.sent[-1]] * 4),
    ),
    "no token answer": ("signature", lambda history, call: call.sent.clear()),
    "unsigned": ("signature", lambda history, call: with_id_token(call, "none")),
    "a key of nobody": ("signature", lambda history, call: with_id_token(call, "unpublished")),
    "a token of another": ("issuer", lambda history, call: with_id_token(call, iss=HOSTILE)),
    "a token for another": ("audience", lambda history, call: with_id_token(call, aud="evil")),
    "azp of another": ("audience", lambda history, call: with_id_token(call, azp="evil")),
    "expired": ("expiry", lambda history, call: with_id_token(call, exp=NOW - 121)),
    "another nonce": ("nonce", lambda history, call: with_id_token(call, nonce="another")),
    "no nonce": ("nonce", lambda history, call: with_id_token(call, nonce=None)),
    "another at_hash": ("at_hash", lambda history, call: with_id_token(call, at_hash="another")),
    "another user": ("identity", lambda history, call: with_id_token(call, sub="bob")),
    "taken for another": ("identity", lambda history, call: entry(call, sub="bob")),
    "a code of another browser": (
        "session integrity",
        lambda history, call: issued(history, browser="bob"),
    ),
    "a code of another user": ("identity", lambda history, call: issued(history, sub="bob")),
    "a code of another client": (
        "audience",
        lambda history, call: asked(history, client_id="evil"),
    ),
    "a code for another challenge": (
        "PKCE",
        lambda history, call: asked(history, code_challenge="another"),
    ),
    "another verifier": (
        "PKCE",
        lambda history, call: setattr(
            token_answer(call), "form", {**token_answer(call).form, "code_verifier": "another"}
        ),
    ),
    "UserInfo of another": (
        "UserInfo sub",
        lambda history, call: setattr(call.sent[-1], "members", {"sub": "bob"}),
    ),
    "of a session that has ended": (
        "ended session",
        lambda history, call: history.logouts.append(
            (NOW, {"iss": HONEST, "sub": "alice", "iat": NOW + 1})
        ),
    ),
}


@pytest.mark.parametrize("what", FLAWS)
def test_each_flaw_of_a_login_has_its_name(what: str) -> None:
    history, call = finished()
    name, change = FLAWS[what]

    change(history, call)

    flaw = judged(history, call)
    assert flaw is not None
    assert flaw.invariant == name


def test_a_key_for_encryption_is_seen() -> None:
    history, call = finished()
    history.keys[HONEST][:] = [{**key, "use": "enc"} for key in history.keys[HONEST]]

    flaw = judged(history, call)

    assert flaw is not None
    assert flaw.invariant == "key selection"


def test_a_request_that_was_read_and_answered_by_the_attacker_is_no_flaw() -> None:
    """Nothing tells its code from the browser's own: that is a limit of every client."""
    history, call = finished()
    issued(history, browser="mallory", sub="alice")
    flaw = judged(history, call)
    assert flaw is not None
    assert flaw.invariant == "session integrity"

    history.leaked.add(state_of(call))

    assert judged(history, call) is None


def test_a_login_that_was_refused_without_a_request_is_no_flaw() -> None:
    history, call = finished()
    history.logins.clear()
    call.entry = None
    call.sent.clear()

    assert judged(history, call) is None


def test_secrets_that_come_again_are_seen() -> None:
    made = machine()
    browser = made.world.browsers["alice"]
    made.world.start(browser, browser.tabs[0], HONEST, 0)
    call = last(made.world)

    flaw = judged(made.world.history, call)

    assert flaw is not None
    assert flaw.invariant == "fresh secrets"


def test_each_kind_of_call_is_judged_by_named_invariants() -> None:
    assert {*JUDGES} == {
        "start", "finish", "fresh", "leave", "return", "backchannel", "frontchannel",
    }  # fmt: skip
    assert {name for name, _ in FLAWS.values()} <= {*INVARIANTS}
