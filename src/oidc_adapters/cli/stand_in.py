"""A relying party in the place of the one that is not here, for the rules to run against."""

from typing import Any, Final

from oidc_adapters.cli.verdicts import Verdict
from oidc_adapters.crypto import CryptographyVerifier
from oidc_core.model.client import ClientRegistration
from oidc_core.model.evidence import Rule
from oidc_core.model.policy import Policy
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.messages import Fact

_POLICY: Final = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))
_NOBODY: Final = "https://issuer.invalid"


def stand_in(*, issuer: str = "", client_id: str = "") -> RelyingParty:
    """Return a relying party that accepts every algorithm of the default policy.

    Args:
        issuer: the issuer to compare with; without one, that rule must not be run.
        client_id: the client to compare with.

    Raises:
        UsageError: for a text that cannot be an issuer.
    """
    provider = ProviderMetadata(
        issuer=issuer or _NOBODY,
        id_token_signing_alg_values_supported=tuple(sorted(_POLICY.algorithms)),
    )
    return RelyingParty(
        provider=provider,
        client=ClientRegistration(client_id=client_id or "-", token_endpoint_auth_method="none"),
        verifier=CryptographyVerifier({}),
        policy=_POLICY,
    )


def unjudged(rule: Rule[Any], reason: str, found: Fact = None) -> Verdict:
    """Return the verdict of a rule that lacks something to be run."""
    return Verdict(
        name=rule.name,
        says=rule.says,
        outcome="unjudged",
        spec=rule.spec,
        reason=reason,
        found=found,
    )
