"""The clients that must refuse a misbehaviour: by their policy, registration and request.

A :data:`Condition` tells whether the rule that a misbehaviour breaks is a rule of this client.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.urls import origin_of

During: TypeAlias = Literal["discovery", "login", "userinfo", "refresh", "logout"]
Needs: TypeAlias = Literal[
    "",
    "max_age",
    "acr",
    "signed_userinfo",
    "encrypted_id_token",
    "encrypted_userinfo",
    "EdDSA",
    "strict",
]
Condition: TypeAlias = Callable[[Policy, ClientRegistration, AuthenticationRequest], bool]


def always(_policy: Policy, _client: ClientRegistration, _request: AuthenticationRequest) -> bool:
    """Return that every client must refuse it."""
    return True


def both(*conditions: Condition) -> Condition:
    """Return the condition that all of these hold."""

    def hold(policy: Policy, client: ClientRegistration, request: AuthenticationRequest) -> bool:
        return all(condition(policy, client, request) for condition in conditions)

    return hold


def of_policy(rule: Callable[[Policy], bool]) -> Condition:
    """Return a condition on the policy alone."""
    return lambda policy, _client, _request: rule(policy)


def of_client(rule: Callable[[ClientRegistration], bool]) -> Condition:
    """Return a condition on the registration alone."""
    return lambda _policy, client, _request: rule(client)


def without_quirk(name: str) -> Condition:
    """Return that a quirk, which would excuse the provider, is not in the policy."""
    return of_policy(lambda policy: name not in policy.quirks)


def takes(*algs: str) -> Condition:
    """Return that the client takes ID tokens of one of these algorithms."""

    def hold(policy: Policy, client: ClientRegistration, _request: AuthenticationRequest) -> bool:
        registered = client.id_token_signed_response_alg
        return bool(set(algs) & ({registered} if registered else policy.algorithms))

    return hold


def younger_than(seconds: int) -> Condition:
    """Return that ID tokens must be younger than that."""
    return of_policy(lambda policy: policy.id_token_age + policy.leeway < seconds)


def logout_younger_than(seconds: int) -> Condition:
    """Return that logout tokens must be younger than that."""
    return of_policy(lambda policy: policy.logout_token_age + policy.leeway < seconds)


def within(limit: str, size: int) -> Condition:
    """Return that something of that size is beyond a limit of the policy."""

    def hold(policy: Policy) -> bool:
        most: int = getattr(policy.limits, limit)
        return most < size

    return of_policy(hold)


def authenticated_within(seconds: int) -> Condition:
    """Return that a login demands an authentication that is not as old as that."""

    def hold(policy: Policy, _client: ClientRegistration, request: AuthenticationRequest) -> bool:
        again = "login" in request.prompt.split() and request.reauthentication == "proven"
        asked = request.max_age if request.max_age is not None else 0 if again else None
        return asked is not None and asked + policy.leeway < seconds

    return hold


def demands_acr(*given: str) -> Condition:
    """Return that a login demands another authentication context class than these."""
    return lambda _policy, _client, request: (
        bool(request.required_acr) and not (set(given) & set(request.required_acr))
    )


def essential(claim: str) -> Condition:
    """Return that a login ends without a claim of the ID token."""

    def hold(policy: Policy, _client: ClientRegistration, request: AuthenticationRequest) -> bool:
        asked = None if request.claims is None else request.claims.get("id_token")
        wanted = asked.get(claim) if isinstance(asked, JsonObject) else None
        named = isinstance(wanted, JsonObject) and wanted.get("essential") is True
        return policy.require_essential_claims and named

    return hold


def distrusts(audience: str) -> Condition:
    """Return that the client accepts no token that names this audience besides itself."""
    return of_client(
        lambda client: (
            audience not in client.trusted_audiences and client.further_audiences == "trusted"
        )
    )


def speaks_tls_to(origin: str) -> Condition:
    """Return that the policy allows no plain http to an origin."""
    return of_policy(lambda policy: origin_of(origin) not in policy.insecure_http_origins)


def _refreshes(_policy: Policy, client: ClientRegistration, request: AuthenticationRequest) -> bool:
    return "offline_access" in (request.scope or client.scope).split()


_FOREVER: Final = 2**53
SIGNATURES: Final = of_client(
    lambda client: not (client.id_token_signed_response_alg or "").startswith("HS")
)
"""ID tokens are signed by the provider's own keys, and not with the client's secret."""

PLAIN_ID_TOKEN: Final = of_client(lambda client: client.id_token_encrypted_response_alg is None)
"""ID tokens are not encrypted: their form is seen as it is."""

JSON_USERINFO: Final = of_client(lambda client: client.userinfo_signed_response_alg is None)
"""UserInfo is not signed."""

PLAIN_USERINFO: Final = both(
    JSON_USERINFO, of_client(lambda client: client.userinfo_encrypted_response_alg is None)
)
"""UserInfo is JSON, neither signed nor encrypted."""

UNENCRYPTED_USERINFO: Final = of_client(
    lambda client: client.userinfo_encrypted_response_alg is None
)
"""UserInfo is not encrypted."""

BY_NEED: Final = MappingProxyType[Needs, Condition](
    {
        "": always,
        "max_age": authenticated_within(_FOREVER),
        "acr": demands_acr(),
        "signed_userinfo": of_client(
            lambda client: client.userinfo_signed_response_alg is not None
        ),
        "encrypted_id_token": of_client(
            lambda client: client.id_token_encrypted_response_alg is not None
        ),
        "encrypted_userinfo": of_client(
            lambda client: (
                client.userinfo_encrypted_response_alg is not None
                and client.userinfo_signed_response_alg is not None
            )
        ),
        "EdDSA": takes("EdDSA", "Ed25519"),
        "strict": always,  # each row names its setting
    }
)
"""What a need asks for."""

BY_OPERATION: Final = MappingProxyType[During, Condition](
    {
        "discovery": always,
        "login": always,
        "userinfo": of_policy(lambda policy: policy.userinfo == "required"),
        "refresh": _refreshes,
        "logout": always,
    }
)
"""What a client does for which the operation, and what it brings, counts."""
