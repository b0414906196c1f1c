"""OpenID Connect, the relying party's side, as a pure state machine.

Nothing in this package does I/O, reads a clock or draws a random number.  Public names are
imported when they are first used.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from oidc_core import discovery, login, logout, refresh, validation
    from oidc_core.authorization import LOOPBACK_LISTENER, AuthenticationRequest, Callback
    from oidc_core.claims import Identity, IdToken, UserInfo, verified_email
    from oidc_core.client import ClientRegistration
    from oidc_core.end_session import LogoutRequest, PendingLogout
    from oidc_core.errors import (
        CallbackError,
        OidcError,
        ProtocolViolation,
        ProviderError,
        StoreFailure,
        TransportFailure,
        UsageError,
    )
    from oidc_core.evidence import Check, Evidence, evidence_json
    from oidc_core.http import HttpRequest, HttpResponse, KeysWanted, NoAnswer, WireRequest
    from oidc_core.jsontypes import JsonObject
    from oidc_core.jwk import Jwk, KeySet
    from oidc_core.login import LoggedIn, LoginStarted
    from oidc_core.logout import LoggedOut, LogoutStarted
    from oidc_core.pending import LoginSecrets, PendingLogin
    from oidc_core.policy import DEFAULT_POLICY, QUIRKS, Policy
    from oidc_core.provider import ANY_TENANT, IssuerRule, ProviderMetadata
    from oidc_core.refresh import Refreshed, TokensRenewed
    from oidc_core.relying_party import RelyingParty
    from oidc_core.steps import (
        Done,
        Exchange,
        KeysFound,
        KeysWithheld,
        NeedKeys,
        Step,
        resume,
    )
    from oidc_core.tokens import Tokens

_HOME: Final[Mapping[str, str]] = {
    "ANY_TENANT": "provider",
    "AuthenticationRequest": "authorization",
    "Callback": "authorization",
    "CallbackError": "errors",
    "Check": "evidence",
    "ClientRegistration": "client",
    "DEFAULT_POLICY": "policy",
    "Done": "steps",
    "Evidence": "evidence",
    "Exchange": "steps",
    "HttpRequest": "http",
    "HttpResponse": "http",
    "IdToken": "claims",
    "Identity": "claims",
    "IssuerRule": "provider",
    "JsonObject": "jsontypes",
    "Jwk": "jwk",
    "KeySet": "jwk",
    "KeysFound": "steps",
    "KeysWanted": "http",
    "KeysWithheld": "steps",
    "LOOPBACK_LISTENER": "authorization",
    "LoggedIn": "login",
    "LoggedOut": "logout",
    "LoginSecrets": "pending",
    "LoginStarted": "login",
    "LogoutRequest": "end_session",
    "LogoutStarted": "logout",
    "NeedKeys": "steps",
    "NoAnswer": "http",
    "OidcError": "errors",
    "PendingLogin": "pending",
    "PendingLogout": "end_session",
    "Policy": "policy",
    "ProtocolViolation": "errors",
    "ProviderError": "errors",
    "ProviderMetadata": "provider",
    "QUIRKS": "policy",
    "Refreshed": "refresh",
    "RelyingParty": "relying_party",
    "Step": "steps",
    "StoreFailure": "errors",
    "Tokens": "tokens",
    "TokensRenewed": "refresh",
    "TransportFailure": "errors",
    "UsageError": "errors",
    "UserInfo": "claims",
    "WireRequest": "http",
    "discovery": "",
    "evidence_json": "evidence",
    "login": "",
    "logout": "",
    "refresh": "",
    "resume": "steps",
    "validation": "",
    "verified_email": "claims",
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
    if home == "":
        return import_module(f"oidc_core.{name}")
    return getattr(import_module(f"oidc_core.{home}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
