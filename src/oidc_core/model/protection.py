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
"""Kinds that are not signed unless that was registered."""


class Protection(NamedTuple):
    """The protection of one kind of JWT: its signature algorithms, and its encryption.

    Without algorithms it is not signed.
    """

    algorithms: frozenset[str]
    encryption: Encryption | None


def protection_of(
    provider: ProviderMetadata, client: ClientRegistration, policy: Policy
) -> Mapping[str, Protection]:
    """Return the protection of each kind of JWT, by the prefix of the registration's members.

    An ID token is signed with the registered algorithm. Without one, the algorithms count that both
    the policy and the provider name, and RS256 if the provider names no algorithm.
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
