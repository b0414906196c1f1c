"""The memory of the fake provider: codes, tokens, identifiers seen.

Everything random in it comes from the seed, so that the same calls give the same octets.
"""

from collections import deque
from collections.abc import MutableMapping
from hashlib import sha256
from typing import Final, TypeVar

from attrs import define, field, frozen

from oidc_adapters.testing.claims_request import ClaimsRequest
from oidc_adapters.testing.failures import Failure
from oidc_adapters.testing.signing import b64url

V = TypeVar("V")

CAP: Final = 100_000
"""How many things of a kind are remembered, and how many exchanges are recorded."""


def keep(kept: MutableMapping[str, V], name: str, value: V) -> V | None:
    """Remember something; at the cap the oldest goes, which is refused from then on: return it."""
    gone = kept.pop(next(iter(kept))) if len(kept) >= CAP else None
    kept[name] = value
    return gone


@frozen(kw_only=True)
class Grant:
    """The permission that an end-user gave a client, and the login that it came from."""

    client_id: str
    redirect_uri: str
    scope: tuple[str, ...]
    sub: str
    sid: str
    auth_time: int
    acr: str
    nonce: str | None = field(repr=False)
    code_challenge: str = field(repr=False)
    claims: ClaimsRequest


@define(kw_only=True)
class Family:
    """All tokens that came from one code: they are revoked together (RFC 9700 §4.14.2)."""

    grant: Grant
    revoked: bool = False


@define(kw_only=True)
class IssuedCode:
    """A code, until it is used or over."""

    family: Family
    expires_at: int
    used: bool = False


@frozen(kw_only=True)
class AccessToken:
    """An access token: opaque to the client, known here."""

    family: Family
    scope: tuple[str, ...]
    expires_at: int


@define(kw_only=True)
class RefreshToken:
    """A refresh token; it is spent when used, and its second use revokes the family.

    Attributes:
        family: the tokens that are revoked with it.
        spent: whether it was used.
        spent_at: when it was used first.
    """

    family: Family
    spent: bool = False
    spent_at: int = 0


@frozen(kw_only=True)
class IssuedIdToken:
    """Client, user and session of an ID token, so that it can come back as a hint.

    ``kid`` names the key that signed it, ``None`` for the client's secret.
    """

    client_id: str
    sub: str
    sid: str = ""
    kid: str | None = None


@define(kw_only=True)
class Ledger:
    """The provider's memory.

    Codes and refresh tokens that are used again revoke all their tokens. Where the memory of that
    is full, the oldest family is revoked at once: nothing that was forgotten stays valid.
    """

    seed: int
    codes: dict[str, IssuedCode] = field(factory=dict[str, IssuedCode], repr=False)
    access_tokens: dict[str, AccessToken] = field(factory=dict[str, AccessToken], repr=False)
    refresh_tokens: dict[str, RefreshToken] = field(factory=dict[str, RefreshToken], repr=False)
    id_tokens: dict[str, IssuedIdToken] = field(factory=dict[str, IssuedIdToken], repr=False)
    assertions: dict[tuple[str, str], int] = field(factory=dict[tuple[str, str], int], repr=False)
    drawn: dict[str, int] = field(factory=dict[str, int])
    failures: dict[str, deque[Failure]] = field(factory=dict[str, "deque[Failure]"])

    def fresh(self, kind: str) -> str:
        """Return the next value of a kind: 43 base64url characters that follow from the seed."""
        number = self.drawn.get(kind, 0) + 1
        self.drawn[kind] = number
        return b64url(sha256(f"{self.seed}:{kind}:{number}".encode()).digest())

    def next_failure(self, name: str) -> Failure | None:
        """Return how the next request at an endpoint fails, if it has to."""
        failures = self.failures.get(name)
        return failures.popleft() if failures else None

    def keep_code(self, code: str, issued: IssuedCode) -> None:
        """Remember a code."""
        gone = keep(self.codes, code, issued)
        if gone is not None:
            gone.family.revoked = True

    def keep_refresh_token(self, text: str, token: RefreshToken) -> None:
        """Remember a refresh token."""
        gone = keep(self.refresh_tokens, text, token)
        if gone is not None:
            gone.family.revoked = True

    def seen_once(self, client_id: str, jti: str, until: int, now: int) -> bool:
        """Remember a client assertion's ``jti``; ``False`` if it was seen before (RFC 7523 §3).

        At the cap no entry is forgotten early: a further one is refused.
        """
        self.assertions = {key: end for key, end in self.assertions.items() if end > now}
        if (client_id, jti) in self.assertions or len(self.assertions) >= CAP:
            return False
        self.assertions[client_id, jti] = until
        return True
