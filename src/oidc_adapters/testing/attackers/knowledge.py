"""The knowledge of the attacker: what it saw, and what it makes of that.

It knows the URLs of its own browser, of requests to its own provider, and those that leak; its own
tokens and codes; and what is public.  It never knows the application's code verifiers, sealing
secrets and client secrets, nor what passes between the application and the honest provider.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from attrs import define, field

from oidc_adapters.testing.attackers.observations import parameters_of
from oidc_adapters.testing.signing import b64url

_REMEMBERED: Final = 40
"""How many things of a kind it keeps; the oldest go."""

REQUEST: Final = "code_challenge"
"""Only authorization requests have this parameter."""

OWN_VERIFIER: Final = "a-code-verifier-of-the-attacker-itself-of-43-octets"
OWN_CHALLENGE: Final = b64url(sha256(OWN_VERIFIER.encode()).digest())


def with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """Return a URL with these parameters and no others."""
    return f"{url.partition('?')[0]}?{urlencode(parameters)}"


@define(eq=False)
class Knowledge:
    """Everything that the attacker knows.

    Attributes:
        leaked: every code and state that it has ever seen.
        requests: URLs of authorization endpoints, the newest last.
        responses: URLs that authorization responses go to.
        tokens: signed tokens: ID tokens and logout tokens.
        codes: codes for the attacker's own application.
        sids: the names of sessions at the honest provider.
    """

    leaked: set[str] = field(factory=set[str], repr=False)
    requests: list[str] = field(factory=list[str], repr=False)
    responses: list[str] = field(factory=list[str], repr=False)
    tokens: list[str] = field(factory=list[str], repr=False)
    codes: list[str] = field(factory=list[str], repr=False)
    sids: list[str] = field(factory=list[str], repr=False)

    def see(self, url: str) -> None:
        """Learn a URL, and what is in it."""
        parameters = parameters_of(url)
        self.leaked.update([parameters[each] for each in ("code", "state") if each in parameters])
        if REQUEST in parameters:
            _remember(self.requests, url)
        elif "state" in parameters and ("code" in parameters or "error" in parameters):
            _remember(self.responses, url)
        if parameters.get("id_token_hint"):
            self.see_token(parameters["id_token_hint"])

    def see_token(self, token: str) -> None:
        """Learn a signed token."""
        _remember(self.tokens, token)

    def see_code(self, code: str) -> None:
        """Learn a code for the attacker's own application."""
        _remember(self.codes, code)

    def see_sid(self, sid: str) -> None:
        """Learn the name of a session at the honest provider."""
        _remember(self.sids, sid)


def _remember(known: list[str], value: str) -> None:
    if value in known:
        known.remove(value)
    known.append(value)
    del known[:-_REMEMBERED]


def recent(known: list[str], back: int) -> str:
    """Return what was learned so many things ago, or the oldest; empty if there is nothing."""
    return known[max(-len(known), -1 - back)] if known else ""
