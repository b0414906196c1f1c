"""The names of everything that has to happen in long runs."""

from __future__ import annotations

from typing import Final

from oidc_adapters.testing.attackers.forging import KEYS
from oidc_adapters.testing.attackers.hostile import LIES
from oidc_adapters.testing.attackers.moves.base import FLAWS, REQUEST_PARTS, RESPONSE_PARTS
from oidc_adapters.testing.attackers.moves.refreshes import MEANWHILE
from oidc_adapters.testing.attackers.network import LOSSES

HONEST_LOGIN: Final = "an honest login"

REACHED: Final = {
    HONEST_LOGIN,
    "a page opened again",
    "a login cancelled",
    "a request read",
    "a response read",
    "a request injected",
    "a response injected",
    "a URL sent elsewhere",
    "a request of the attacker's own application",
    "a code of the attacker's own",
    "an ID token for another client",
    "a lie in UserInfo",
    "a refresh",
    "a grant taken back",
    "a user left",
    "a session ended at its provider",
    "a logout token taken",
    "a known token posted",
    "a logout token for another client",
    "a frame",
    "a clock set back",
    "time passed",
    "keys rotated",
    *(f"another {part}" for part in (*REQUEST_PARTS, *RESPONSE_PARTS)),
    *(f"a lie: {what}" for what in LIES),
    *(f"signed: {how}" for how in KEYS),
    *(f"a forged logout token: {flaw}" for flaw in FLAWS),
    *(f"cut: {purpose}" for purpose in LOSSES),
    *(f"during a refresh: {what}" for what in MEANWHILE if what != "nothing"),
}
"""Each move of the attacker, and each feature: refresh, rotation and logout."""
