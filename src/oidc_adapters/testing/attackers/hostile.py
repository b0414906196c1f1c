"""The hostile provider: a provider of the application whose owner is the attacker."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from attrs import define, evolve, field

from oidc_adapters.testing.attackers.forging import (
    ALG,
    encryption_key,
    forged,
    second_key,
    taken_apart,
)
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.signing import is_array, is_object, parsed, rendered
from oidc_core.wire.http import Answer, HttpResponse, WireRequest

LIES: Final = (
    "issuer",
    "audience",
    "expired",
    "nonce",
    "without nonce",
    "at_hash",
    "subject",
    "replayed",
    "without ID token",
)
"""The members of an ID token that it can state wrongly."""


Change: TypeAlias = Callable[[Mapping[str, object]], Mapping[str, object]]


@define
class Lies:
    """The lies of the hostile provider in its answers from now on.

    Attributes:
        claims: that replace those of the ID token; ``None`` leaves one out.
        key: how the ID token is signed, out of ``KEYS``.
        replayed: a token that is sent in its place.
        without_id_token: whether the answer has no ID token.
        userinfo_sub: the user of UserInfo, empty for the same one.
    """

    claims: dict[str, object] = field(factory=dict[str, object])
    key: str = "own"
    replayed: str = field(default="", repr=False)
    without_id_token: bool = False
    userinfo_sub: str = ""


@define(kw_only=True)
class HostileProvider(FakeProvider):
    """A provider that says what the attacker wants.

    Attributes:
        lies: what it says wrongly next, until :meth:`behave`.
    """

    lies: Lies = field(init=False, factory=Lies)

    def behave(self) -> None:
        """Say everything as it is, from now on."""
        self.lies = Lies()

    def answer(self, request: WireRequest, now: int) -> Answer:
        """Answer a request, with the lies that were prepared."""
        answer = super().answer(request, now)
        if not isinstance(answer, HttpResponse) or answer.status != 200:
            return answer
        place = request.url.removeprefix(self.base)
        if place == "/jwks":
            return _changed(answer, self._with_more_keys)
        if place == "/token":
            return _changed(answer, self._with_lies)
        if place == "/userinfo" and self.lies.userinfo_sub:
            sub = self.lies.userinfo_sub
            return _changed(answer, lambda members: {**members, "sub": sub})
        return answer

    def _with_more_keys(self, members: Mapping[str, object]) -> dict[str, object]:
        """Publish two more keys, one of them for encryption, as many providers do."""
        keys = members["keys"]
        second, encrypts = second_key("hostile"), encryption_key("hostile")
        more = [second.public_jwk(), {**encrypts.public_jwk(), "use": "enc"}]
        return {**members, "keys": [*(keys if is_array(keys) else []), *more]}

    def _with_lies(self, members: Mapping[str, object]) -> dict[str, object]:
        lies = self.lies
        if lies == Lies():
            return dict(members)
        changed = dict(members)
        if lies.without_id_token:
            changed.pop("id_token", None)
        elif lies.replayed:
            changed["id_token"] = lies.replayed
        elif "id_token" in changed:
            changed["id_token"] = self._lying(str(changed["id_token"]))
        return changed

    def _lying(self, honest: str) -> str:
        """Sign the ID token again, with the lies in it."""
        claims = {**taken_apart(honest).claims, **self.lies.claims}
        stated = {name: value for name, value in claims.items() if value is not None}
        key = self.keys.signing_key(ALG)
        return forged(stated, key, self.lies.key)


def _changed(answer: HttpResponse, change: Change) -> HttpResponse:
    members = parsed(answer.body)
    return evolve(answer, body=rendered(change(members))) if is_object(members) else answer
