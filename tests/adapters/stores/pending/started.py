"""Logins that have started, to be put into a store."""

from typing import Final

from oidc_adapters.crypto import CryptographyVerifier
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import SetCookie
from oidc_adapters.testing import FakeProvider
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest
from oidc_core.machine.steps import Done
from oidc_core.model.client import ClientRegistration
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import login
from oidc_core.operations.login import LoginStarted
from tests.flows.rig import NOW

ISSUER: Final = FakeProvider().issuer
SECRET: Final = b"the sealing secret of the tests!"


RP: Final = RelyingParty(
    provider=ProviderMetadata(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        jwks_uri=f"{ISSUER}/jwks",
    ),
    client=ClientRegistration(
        client_id="client",
        redirect_uris=("https://rp.example/callback",),
        scope="openid profile email",
    ),
    verifier=CryptographyVerifier(),
)


def started(
    seed: int = 1, request: AuthenticationRequest = DEFAULT_REQUEST, *, now: int = NOW
) -> LoginStarted:
    step = login.start(RP, FixedEntropy(seed).login_secrets(), request, now=now)
    assert isinstance(step, Done)
    return step.result


def jar(*cookies: SetCookie) -> dict[str, str]:
    """The cookies of a browser that received these in order."""
    kept: dict[str, str] = {}
    for cookie in cookies:
        kept.pop(cookie.name, None)
        if cookie.max_age > 0:
            kept[cookie.name] = cookie.value
    return kept


def size(cookies: dict[str, str]) -> int:
    """What these cookies take up in a ``Cookie`` header."""
    return len("; ".join(f"{name}={value}" for name, value in cookies.items()))
