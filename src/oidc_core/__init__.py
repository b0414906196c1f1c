"""OpenID Connect, the relying party's side, as a pure state machine.

Nothing in this package does I/O, reads a clock or draws a random number.  Public names are
imported when they are first used.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from oidc_core.endpoints.authorization import LOOPBACK_LISTENER, AuthenticationRequest, Callback
    from oidc_core.endpoints.end_session import LogoutRequest, PendingLogout
    from oidc_core.endpoints.tokens import Tokens
    from oidc_core.jose.jwk import Jwk, KeySet
    from oidc_core.machine.steps import (
        Done,
        Exchange,
        KeysFound,
        KeysWithheld,
        NeedKeys,
        Step,
        resume,
    )
    from oidc_core.model.claims import Identity, IdToken, UserInfo, verified_email
    from oidc_core.model.client import ClientRegistration
    from oidc_core.model.evidence import Check, Evidence, evidence_json
    from oidc_core.model.pending import LoginSecrets, PendingLogin
    from oidc_core.model.policy import DEFAULT_POLICY, QUIRKS, Policy
    from oidc_core.model.provider import ANY_TENANT, IssuerRule, ProviderMetadata
    from oidc_core.model.relying_party import RelyingParty
    from oidc_core.operations import discovery, login, logout, refresh, validation
    from oidc_core.operations.login import LoggedIn, LoginStarted
    from oidc_core.operations.logout import LoggedOut, LogoutStarted
    from oidc_core.operations.refresh import Refreshed, TokensRenewed
    from oidc_core.wire.errors import (
        CallbackError,
        OidcError,
        ProtocolViolation,
        ProviderError,
        StoreFailure,
        TransportFailure,
        UsageError,
    )
    from oidc_core.wire.http import HttpRequest, HttpResponse, KeysWanted, NoAnswer, WireRequest
    from oidc_core.wire.jsontypes import JsonObject

_HOME: Final[Mapping[str, str]] = {
    "ANY_TENANT": "model.provider",
    "AuthenticationRequest": "endpoints.authorization",
    "Callback": "endpoints.authorization",
    "CallbackError": "wire.errors",
    "Check": "model.evidence",
    "ClientRegistration": "model.client",
    "DEFAULT_POLICY": "model.policy",
    "Done": "machine.steps",
    "Evidence": "model.evidence",
    "Exchange": "machine.steps",
    "HttpRequest": "wire.http",
    "HttpResponse": "wire.http",
    "IdToken": "model.claims",
    "Identity": "model.claims",
    "IssuerRule": "model.provider",
    "JsonObject": "wire.jsontypes",
    "Jwk": "jose.jwk",
    "KeySet": "jose.jwk",
    "KeysFound": "machine.steps",
    "KeysWanted": "wire.http",
    "KeysWithheld": "machine.steps",
    "LOOPBACK_LISTENER": "endpoints.authorization",
    "LoggedIn": "operations.login",
    "LoggedOut": "operations.logout",
    "LoginSecrets": "model.pending",
    "LoginStarted": "operations.login",
    "LogoutRequest": "endpoints.end_session",
    "LogoutStarted": "operations.logout",
    "NeedKeys": "machine.steps",
    "NoAnswer": "wire.http",
    "OidcError": "wire.errors",
    "PendingLogin": "model.pending",
    "PendingLogout": "endpoints.end_session",
    "Policy": "model.policy",
    "ProtocolViolation": "wire.errors",
    "ProviderError": "wire.errors",
    "ProviderMetadata": "model.provider",
    "QUIRKS": "model.policy",
    "Refreshed": "operations.refresh",
    "RelyingParty": "model.relying_party",
    "Step": "machine.steps",
    "StoreFailure": "wire.errors",
    "Tokens": "endpoints.tokens",
    "TokensRenewed": "operations.refresh",
    "TransportFailure": "wire.errors",
    "UsageError": "wire.errors",
    "UserInfo": "model.claims",
    "WireRequest": "wire.http",
    "discovery": "operations.discovery",
    "evidence_json": "model.evidence",
    "login": "operations.login",
    "logout": "operations.logout",
    "refresh": "operations.refresh",
    "resume": "machine.steps",
    "validation": "operations.validation",
    "verified_email": "model.claims",
}

__all__ = [
    "ANY_TENANT",
    "DEFAULT_POLICY",
    "LOOPBACK_LISTENER",
    "QUIRKS",
    "AuthenticationRequest",
    "Callback",
    "CallbackError",
    "Check",
    "ClientRegistration",
    "Done",
    "Evidence",
    "Exchange",
    "HttpRequest",
    "HttpResponse",
    "IdToken",
    "Identity",
    "IssuerRule",
    "JsonObject",
    "Jwk",
    "KeySet",
    "KeysFound",
    "KeysWanted",
    "KeysWithheld",
    "LoggedIn",
    "LoggedOut",
    "LoginSecrets",
    "LoginStarted",
    "LogoutRequest",
    "LogoutStarted",
    "NeedKeys",
    "NoAnswer",
    "OidcError",
    "PendingLogin",
    "PendingLogout",
    "Policy",
    "ProtocolViolation",
    "ProviderError",
    "ProviderMetadata",
    "Refreshed",
    "RelyingParty",
    "Step",
    "StoreFailure",
    "Tokens",
    "TokensRenewed",
    "TransportFailure",
    "UsageError",
    "UserInfo",
    "WireRequest",
    "discovery",
    "evidence_json",
    "login",
    "logout",
    "refresh",
    "resume",
    "validation",
    "verified_email",
]


def __getattr__(name: str) -> object:
    """Import a public name's module when the name is first used (PEP 562)."""
    home = _HOME.get(name)
    if home is None:
        message = f"module 'oidc_core' has no attribute {name!r}"
        raise AttributeError(message)
    module = import_module(f"oidc_core.{home}")
    return module if home.endswith(f".{name}") else getattr(module, name)


def __dir__() -> list[str]:
    return sorted(_HOME)
