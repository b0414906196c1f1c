"""A provider in a process of its own: it counts what it is asked, and a test may operate it.

It rotates refresh tokens, and revokes all tokens of a grant whose refresh token comes again.
"""

import json
import os
from collections import Counter, defaultdict
from multiprocessing.connection import Connection

from attrs import define, field

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.testing import FakeClient, FakeProvider, serve
from oidc_adapters.testing.ledger import Family, RefreshToken
from oidc_adapters.testing.metadata import endpoint
from oidc_adapters.testing.oauth_messages import JSON_HEADERS, form_parameters
from oidc_core.wire.http import Answer, HttpResponse, WireRequest
from tests.processes.messages import Hello, ProviderPlan, Serving
from tests.processes.worker import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI

OPERATOR = "/operator/"
"""Below the issuer; what follows is the name of a method."""


@define(kw_only=True)
class OperatedProvider(FakeProvider):
    """A provider that counts how often each grant's refresh tokens were sent."""

    families: dict[str, Family] = field(init=False, factory=dict[str, Family])
    sent: Counter[int] = field(init=False, factory=Counter[int])
    reused: Counter[int] = field(init=False, factory=Counter[int])
    keys_down: bool = field(init=False, default=False)

    def answer(self, request: WireRequest, now: int) -> Answer:
        """Answer a client, or the test."""
        if request.url.startswith(self.issuer + OPERATOR):
            asked = json.loads(request.body or b"{}")
            operation = getattr(self, request.url.rpartition("/")[2])
            body = json.dumps(operation(**asked)).encode()
            return HttpResponse(200, JSON_HEADERS, body, now)
        if self.keys_down and request.url == endpoint(self.issuer, "jwks"):
            return HttpResponse(503, (), b"", now)
        if request.url == endpoint(self.issuer, "token"):
            self._count(request)
        return super().answer(request, now)

    def _count(self, request: WireRequest) -> None:
        token = self.ledger.refresh_tokens.get(form_parameters(request).get("refresh_token", ""))
        if token is not None:
            self.sent[id(token.family)] += 1
            self.reused[id(token.family)] += token.spent

    def grant(self, names: list[str], like: str) -> list[str]:
        """Give one more grant for each name, like that of a refresh token: return their tokens."""
        grant = self.ledger.refresh_tokens[like].family.grant
        tokens = list[str]()
        for name in names:
            family = self.families[name] = Family(grant=grant)
            tokens.append(self.ledger.fresh("refresh_token"))
            self.ledger.keep_refresh_token(tokens[-1], RefreshToken(family=family))
        return tokens

    def report(self) -> dict[str, dict[str, object]]:
        """Say what became of each grant: what was sent, and which of its tokens are still good."""
        access, refresh = defaultdict[int, list[str]](list), defaultdict[int, list[str]](list)
        for text, token in self.ledger.access_tokens.items():
            access[id(token.family)].append(text)
        for text, kept in self.ledger.refresh_tokens.items():
            if not kept.spent:
                refresh[id(kept.family)].append(text)
        return {
            name: {
                "sent": self.sent[id(family)],
                "reused": self.reused[id(family)],
                "revoked": family.revoked,
                "access": [] if family.revoked else access[id(family)],
                "refresh": [] if family.revoked else refresh[id(family)],
            }
            for name, family in self.families.items()
        }

    def key_endpoint(self, down: bool, rotate: bool) -> None:
        """Take the key endpoint down, or bring it back; sign with new keys from now on."""
        self.keys_down = down
        if rotate:
            self.rotate_keys()


def run(connection: Connection, plan: ProviderPlan) -> None:
    """Serve until the test closes the connection."""
    client = FakeClient(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, redirect_uris=(REDIRECT_URI,)
    )
    provider = OperatedProvider(
        clients=(client,),
        id_token_alg="EdDSA",
        token_lifetime=plan.token_lifetime,
        refresh_id_token=plan.refresh_id_token,
        refresh_grace=plan.refresh_grace,
    )
    with serve(provider, SystemClock()) as served:
        connection.send(Hello(os.getpid()))
        connection.send(Serving(served.issuer))
        try:
            connection.recv()
        except EOFError:
            return
