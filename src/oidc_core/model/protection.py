"""How each kind of JWT is protected, by registration, metadata and policy together."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from oidc_core.jose.jws import Encryption
from oidc_core.model.client import REGISTERED, ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.model.provider import ProviderMetadata

_DEFAULT_ALGORITHMS: Final = frozenset({"RS256"})
_UNSIGNED: Final = frozenset({"userinfo"})
"""What is not signed unless that was registered."""


class Protection(NamedTuple):
    """How one kind of JWT is protected: what it may be signed with, and how it is encrypted.

    Without algorithms it is not signed.
    """

    algorithms: frozenset[str]
    encryption: Encryption | None


def protection_of(
    provider: ProviderMetadata, client: ClientRegistration, policy: Policy
) -> Mapping[str, Protection]:
    """Return how each kind of JWT is protected, by what the registration's members start with.

    An ID token is signed with the registered algorithm; else with what both the policy and the
    provider name; with RS256 if the provider names nothing.
    """
    return MappingProxyType(
        {
            name: Protection(
                _algorithms(provider, client, policy, name), client.encrypted_with(name)
            )
            for name in REGISTERED
        }
    )


def _algorithms(
    provider: ProviderMetadata, client: ClientRegistration, policy: Policy, registered_as: str
) -> frozenset[str]:
    registered = client.signed_with(registered_as)
    if registered is not None:
        return frozenset({registered})
    if registered_as in _UNSIGNED:
        return frozenset()
    member = f"{registered_as}_signing_alg_values_supported"
    advertised: tuple[str, ...] = getattr(provider, member)
    if not advertised:
        return _DEFAULT_ALGORITHMS & policy.algorithms
    return policy.algorithms & frozenset(advertised)
