"""The way between the application and its providers; the attacker may cut it, and reads nothing."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias
from urllib.parse import parse_qsl, quote, urlencode

from attrs import define, evolve, field

from oidc_adapters.testing.attackers.observations import Call, History, Purpose, Sent
from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.signing import is_array, is_object, parsed
from oidc_adapters.testing.transports import TellsTime, admitted
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer, WireRequest

Loss: TypeAlias = Literal["no", "maybe"]

PLACES: Final[Mapping[str, Purpose]] = {
    "/token": "token",
    "/jwks": "keys",
    "/userinfo": "userinfo",
    "/revoke": "revocation",
    "/.well-known/openid-configuration": "discovery",
}
LOSSES: Final[tuple[Purpose, ...]] = ("token", "refresh", "keys", "userinfo", "revocation")
"""The requests that the attacker can cut off."""


@define(kw_only=True)
class LaxProvider(FakeProvider):
    """A provider that redeems a code for any client: the token is for the client of the code."""

    def answer(self, request: WireRequest, now: int) -> Answer:
        """Answer a request as if the client of its code had sent it."""
        form = posted(request)
        issued = self.ledger.codes.get(form.get("code", ""))
        if issued is None or "redirect_uri" not in form:
            return super().answer(request, now)
        grant = issued.family.grant
        client = self.client(grant.client_id)
        if client is None:
            return super().answer(request, now)
        plain = f"{quote(client.client_id)}:{quote(client.client_secret)}"
        basic = f"Basic {b64encode(plain.encode()).decode()}"
        headers = [pair for pair in request.headers if pair[0].lower() != "authorization"]
        body = urlencode({**form, "redirect_uri": grant.redirect_uri}).encode("ascii")
        asked = evolve(request, headers=(*headers, ("authorization", basic)), body=body)
        return super().answer(asked, now)


def posted(request: WireRequest) -> dict[str, str]:
    """Return the parameters of a posted form."""
    return dict(parse_qsl((request.body or b"").decode("ascii"), keep_blank_values=True))


@define(eq=False)
class Network:
    """A transport to several providers, which writes down what went where.

    Attributes:
        providers: by issuer.
        history: where it is written down.
        calls: the calls at the application that have not ended, the innermost last.
        cut: what is lost next, by purpose: ``no`` if it does not arrive, ``maybe`` if the answer
            does not.
        meanwhile: called during the next refresh.
    """

    providers: Mapping[str, FakeProvider]
    history: History
    calls: list[Call] = field(factory=list[Call])
    cut: dict[str, Loss] = field(factory=dict[str, Loss])
    meanwhile: Callable[[], None] | None = None
    judges_addresses: bool = field(init=False, default=True)

    def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        """Send a request and return its answer or its failure."""
        now = clock.now()
        issuer = next((each for each in self.providers if request.url.startswith(each + "/")), "")
        form = posted(request)
        purpose: Purpose = PLACES.get(request.url.removeprefix(issuer), "other")
        if purpose == "token" and form.get("grant_type") == "refresh_token":
            purpose = "refresh"
        sent = Sent(issuer=issuer, url=request.url, purpose=purpose, form=form, at=now)
        if self.calls:
            self.calls[-1].sent.append(sent)
        answer = self._answered(request, sent)
        self._written(sent)
        if purpose == "refresh" and self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return answer

    def _answered(self, request: WireRequest, sent: Sent) -> Answer:
        loss = self.cut.pop(sent.purpose, None)
        if not sent.issuer or loss == "no":
            sent.lost = "no"
            return NoAnswer("no", "http_connect_failed", sent.at, "refused")
        answer = self.providers[sent.issuer].answer(request, sent.at)
        if not isinstance(answer, HttpResponse):
            sent.lost = answer.sent
            return answer
        sent.status, sent.members = answer.status, _members(answer)
        if loss == "maybe":
            sent.lost = "maybe"
            return NoAnswer("maybe", "http_timeout", sent.at)
        return admitted(answer, request)

    def _written(self, sent: Sent) -> None:
        if sent.purpose == "refresh":
            token = sent.form.get("refresh_token", "")
            self.history.refreshes.setdefault(token, []).append(sent)
        if sent.purpose == "keys" and not sent.lost:
            known = self.history.keys.setdefault(sent.issuer, [])
            keys = sent.members.get("keys")
            served = [key for key in keys if is_object(key)] if is_array(keys) else []
            known.extend([key for key in served if key not in known])
        facts = {name: value for name, value in sent.form.items() if name in _SHOWN}
        told = {**facts, "answer": str(sent.status) if not sent.lost else f"lost ({sent.lost})"}
        self.history.tell("application", f"sends {sent.purpose} to {sent.issuer}", told)


_SHOWN: Final = ("code", "code_verifier", "redirect_uri", "refresh_token", "token")


def _members(answer: HttpResponse) -> Members:
    try:
        found = parsed(answer.body)
    except ValueError:
        return {}
    return found if is_object(found) else {}
