"""The moves that end sessions: users leave, providers tell, and the attacker forges and replays."""

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from oidc_adapters.testing.attackers.forging import forged
from oidc_adapters.testing.attackers.judge_ends import EVENT
from oidc_adapters.testing.attackers.knowledge import recent
from oidc_adapters.testing.attackers.moves.base import BACK, NAMES, PROCESSES, TABS, WHICH, Moves
from oidc_adapters.testing.attackers.world import EVIL_CLIENT, HONEST, HOSTILE, Mail
from oidc_adapters.testing.signing import SigningKey

NAMING: Final = st.sampled_from(("sub", "sid", "both"))


class LogoutMoves(Moves):
    """Users and providers end sessions, and the attacker tries to."""

    @rule(name=NAMES, back=BACK, number=TABS, process=PROCESSES)
    def leave(self, *, name: str, back: int, number: int, process: int) -> None:
        """Let a user log out at the application; the tab is sent to the provider."""
        held = self.held(back, of=name)
        if held is None:
            self.go_on_instead(back, number)
            return
        self.tab(name, number).following = self.world.leave(held, process)
        if self.browser(name).controlled:
            self.world.knowledge.see(self.tab(name, number).following)
        self.reached("a user left")

    @rule(back=BACK, naming=NAMING)
    def end_at_provider(self, *, back: int, naming: str) -> None:
        """Let the honest provider end a session; its logout token arrives later."""
        held = self.held(back)
        if held is None or held.issuer != HONEST:
            self.go_on_instead(back)
            return
        sub = held.sub if naming != "sid" else None
        sid = held.sid if naming != "sub" else None
        sent = self.world.honest.backchannel_logout(self.world.clock.now(), sub=sub, sid=sid)
        self.world.mail.append(Mail(sent.logout_token, sent))
        for browser in self.world.browsers.values():
            session = browser.at.get(HONEST)
            if session is not None and session.sid == held.sid:
                del browser.at[HONEST]
        self.reached("a session ended at its provider")

    @rule(back=BACK, process=PROCESSES)
    def deliver(self, *, back: int, process: int) -> None:
        """Let a logout token of the honest provider arrive; it is in a log from then on."""
        mail = self.world.mail
        if not mail:
            self.go_on_instead(back)
            return
        letter = mail.pop(max(-len(mail), -1 - back))
        call = self.world.post(letter.token, process)
        self.world.knowledge.see_token(letter.token)
        if call.status == 200:
            self.reached("a logout token taken")

    @rule(back=BACK, process=PROCESSES)
    def post(self, *, back: int, process: int) -> None:
        """Post a token that the attacker knows as a logout token."""
        token = recent(self.world.knowledge.tokens, back)
        if token:
            self.world.post(token, process)
            self.reached("a known token posted")
        else:
            self.go_on_instead(back)

    @rule(sub=NAMES)
    def end_at_own_application(self, *, sub: str) -> None:
        """Get a logout token of the honest provider for the attacker's own application."""
        now = self.world.clock.now()
        sent = self.world.honest.backchannel_logout(now, sub=sub, client_id=EVIL_CLIENT)
        self.world.knowledge.see_token(sent.logout_token)
        self.reached("a logout token for another client")

    @rule(sub=NAMES, key=WHICH, which=WHICH, own=st.booleans())
    def forge(self, *, sub: str, key: int, which: int, own: bool) -> None:
        """Make a logout token with the attacker's keys, of either provider."""
        how, flaw = self.bent.keys[key], self.bent.flaws[which]
        issuer, now = (HOSTILE if own else HONEST), self.world.clock.now()
        claims: dict[str, object] = {
            "iss": issuer,
            "aud": self.world.history.client_ids[issuer],
            "iat": now,
            "exp": now + 120,
            "jti": f"forged-{len(self.world.history.lines)}",
            "events": {EVENT: {}},
            "sub": sub,
        }
        typ = "at+jwt" if flaw == "another type" else "logout+jwt"
        token = forged(_flawed(claims, flaw, now), self._key(issuer), how, typ=typ)
        self.world.knowledge.see_token(token)
        self.reached(f"a forged logout token: {flaw}")

    def _key(self, issuer: str) -> SigningKey:
        """Return the attacker's key, under the name of the issuer's own."""
        known = self.world.hostile.keys.signing_key("EdDSA")
        if issuer == HOSTILE:
            return known
        kid = self.world.honest.keys.signing_key("EdDSA").kid
        return SigningKey(alg="EdDSA", kid=kid, private=known.private)

    @rule(name=NAMES, back=BACK, issuer=st.sampled_from((HONEST, HOSTILE)), process=PROCESSES)
    def frame(self, *, name: str, back: int, issuer: str, process: int) -> None:
        """Load a frame of a logout, with a name of a session that the attacker knows."""
        self.world.frame(issuer, recent(self.world.knowledge.sids, back) or name, process)
        self.reached("a frame")

    @rule(back=BACK)
    def look_up_own_sid(self, *, back: int) -> None:
        """Learn the names of the sessions of the attacker's own browser."""
        held = self.held(back, of="mallory")
        if held is not None:
            self.world.knowledge.see_sid(held.sid)
        else:
            self.go_on_instead(back)


def _flawed(claims: dict[str, object], flaw: str, now: int) -> dict[str, object]:
    changes: dict[str, dict[str, object]] = {
        "audience": {"aud": EVIL_CLIENT},
        "issuer": {"iss": HOSTILE if claims["iss"] == HONEST else HONEST},
        "expired": {"iat": now - 7_200, "exp": now - 3_600},
        "with nonce": {"nonce": "a nonce"},
    }
    left_out = {"without events": "events", "names nobody": "sub"}.get(flaw, "")
    changed = {**claims, **changes.get(flaw, {})}
    return {name: value for name, value in changed.items() if name != left_out}
