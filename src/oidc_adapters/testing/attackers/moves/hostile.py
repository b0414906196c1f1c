"""The moves of the attacker as a provider, and as the owner of another application."""

from base64 import b64encode
from typing import Final
from urllib.parse import quote, urlencode

from hypothesis import strategies as st
from hypothesis.stateful import rule

from oidc_adapters.testing.attackers.forging import taken_apart
from oidc_adapters.testing.attackers.hostile import Lies
from oidc_adapters.testing.attackers.knowledge import OWN_VERIFIER, recent
from oidc_adapters.testing.attackers.moves.base import BACK, WHICH, Moves
from oidc_adapters.testing.attackers.observations import parameters_of
from oidc_adapters.testing.attackers.world import EVIL, EVIL_CLIENT, HONEST
from oidc_adapters.testing.signing import half_hash, is_object, parsed
from oidc_core.wire.http import HttpResponse, WireRequest

ALSO: Final = st.sampled_from((False, False, True))
SUBS: Final = st.sampled_from(("alice", "bob", "mallory"))


class HostileMoves(Moves):
    """The attacker's own provider lies, and its own application gets tokens."""

    @rule(which=WHICH, back=BACK, sub=SUBS, also=ALSO)
    def lie(self, *, which: int, back: int, sub: str, also: bool) -> None:
        """Prepare something that is wrong in ID tokens, in place of earlier lies or besides."""
        what = self.bent.lies[which]
        lies, now = self._lies(also=also), self.world.clock.now()
        changes: dict[str, dict[str, object]] = {
            "issuer": {"iss": HONEST},
            "audience": {"aud": EVIL_CLIENT, "azp": EVIL_CLIENT},
            "expired": {"iat": now - 7_200, "exp": now - 3_600},
            "nonce": {"nonce": self._known_nonce(back)},
            "without nonce": {"nonce": None},
            "at_hash": {"at_hash": half_hash("EdDSA", "another access token")},
            "subject": {"sub": sub},
        }
        if what == "replayed":
            lies.replayed = recent(self.world.knowledge.tokens, back)
        elif what == "without ID token":
            lies.without_id_token = True
        else:
            lies.claims.update(changes[what])
        self.reached(f"a lie: {what}")

    def _lies(self, *, also: bool) -> Lies:
        if not also:
            self.world.hostile.behave()
        return self.world.hostile.lies

    @rule(which=WHICH, also=ALSO)
    def sign(self, *, which: int, also: bool) -> None:
        """Choose how the hostile provider signs ID tokens."""
        how = self.bent.keys[which]
        self._lies(also=also).key = how
        self.reached(f"signed: {how}")

    @rule(sub=SUBS, also=ALSO)
    def lie_in_userinfo(self, *, sub: str, also: bool) -> None:
        """Prepare UserInfo about somebody else."""
        self._lies(also=also).userinfo_sub = sub
        self.reached("a lie in UserInfo")

    @rule()
    def behave(self) -> None:
        """Have the hostile provider say everything as it is."""
        self.world.hostile.behave()

    @rule(back=BACK)
    def redeem(self, *, back: int) -> None:
        """Redeem a code of the attacker's own application, to learn about its users."""
        code = recent(self.world.knowledge.codes, back)
        if not code:
            self.go_on_instead(back)
            return
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": EVIL,
            "code_verifier": OWN_VERIFIER,
        }
        answer = self.world.honest.answer(self._asked(form), self.world.clock.now())
        if not isinstance(answer, HttpResponse) or answer.status != 200:
            return
        members = parsed(answer.body)
        if is_object(members) and "id_token" in members:
            token = str(members["id_token"])
            self.world.knowledge.see_token(token)
            self.world.knowledge.see_sid(str(taken_apart(token).claims.get("sid", "")))
            self.reached("an ID token for another client")

    def _asked(self, form: dict[str, str]) -> WireRequest:
        client = self.world.honest.client(EVIL_CLIENT)
        secret = "" if client is None else client.client_secret
        basic = b64encode(f"{EVIL_CLIENT}:{quote(secret)}".encode()).decode()
        return WireRequest(
            method="POST",
            url=f"{HONEST}/token",
            headers=(
                ("authorization", f"Basic {basic}"),
                ("content-type", "application/x-www-form-urlencoded"),
            ),
            body=urlencode(form).encode("ascii"),
            resend="never",
            max_body=65_536,
            deadline=10.0,
        )

    def _known_nonce(self, back: int) -> str:
        url = recent(self.world.knowledge.requests, back) if back else ""
        return parameters_of(url).get("nonce", "a nonce of nobody")
