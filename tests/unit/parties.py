"""A provider, a client and a verifier as plain values, for tests of the core's single modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import evolve, frozen

from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import DEFAULT_POLICY, Policy
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.messages import Fact

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_core.jose.jwk import Jwk
    from oidc_core.jose.jws import Recognised
    from oidc_core.jose.key_set import KeySet

ISSUER: Final = "https://op.example"
CLIENT_ID: Final = "client-1"
CALLBACK: Final = "https://app.example/callback"
NOW: Final = 1_800_000_000


@frozen
class Believer:
    """A verifier that finds every signature of one kind of octets good, and remembers nothing."""

    good: bytes = b"good"

    def check_mac(self, issuer: str, client_id: str, alg: str) -> None:
        return None

    def recall(self, protected: bytes, keys: KeySet) -> Recognised | None:
        return None

    def remember(self, protected: bytes, keys: KeySet, recognised: Recognised) -> None:
        return None

    def verifies(self, key: Jwk, alg: str, signing_input: bytes, signature: bytes) -> bool:
        return signature.startswith(self.good)

    def verifies_mac(
        self, issuer: str, client_id: str, alg: str, signing_input: bytes, signature: bytes
    ) -> bool:
        return (issuer, client_id) == (ISSUER, CLIENT_ID) and signature == self.good


PROVIDER: Final = ProviderMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    jwks_uri=f"{ISSUER}/jwks",
)
CLIENT: Final = ClientRegistration(client_id=CLIENT_ID, redirect_uris=(CALLBACK,))


def relying_party(
    provider: ProviderMetadata = PROVIDER,
    client: ClientRegistration = CLIENT,
    policy: Policy = DEFAULT_POLICY,
) -> RelyingParty:
    return RelyingParty(provider=provider, client=client, policy=policy, verifier=Believer())


def with_quirks(*names: str) -> RelyingParty:
    return relying_party(policy=evolve(DEFAULT_POLICY, quirks=frozenset(names)))


def told(operation: Callable[[], object]) -> tuple[str, str, Fact, Fact]:
    """Run a call that must be refused; return the refusal: code, about, found, expected.

    A code says which rule was broken; that the rest of the message is true needs telling too.
    """
    with pytest.raises(ProtocolViolation) as caught:
        operation()
    error = caught.value
    return error.code, error.about, error.found, error.expected


class Unreadable(Mapping[str, Any]):
    """A mapping whose entries cannot be read, as one of a store that is down."""

    def __iter__(self) -> Iterator[str]:
        raise ConnectionError

    def __len__(self) -> int:
        return 1

    def __getitem__(self, name: str) -> Any:
        raise KeyError(name)


class Fickle(Mapping[Any, Any]):
    """A mapping that answers otherwise from the second time on."""

    def __init__(self, first: dict[Any, Any], later: dict[Any, Any]) -> None:
        self._first, self._later = first, later
        self._times = 0

    def __iter__(self) -> Iterator[Any]:
        self._times += 1
        return iter(self._first if self._times == 1 else self._later)

    def __len__(self) -> int:
        return len(self._first)

    def __getitem__(self, name: Any) -> Any:
        return {**self._later, **self._first}[name]
