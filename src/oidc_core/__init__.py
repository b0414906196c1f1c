"""OpenID Connect, the relying party's side, as a pure state machine.

Nothing in this package does I/O, reads a clock or draws a random number. Its public API are the
names here; each name is imported when it is first used.
"""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from oidc_core.codec import (
        dump_key_set,
        dump_metadata,
        dump_pending_login,
        dump_pending_logout,
        dump_tokens,
        load_key_set,
        load_metadata,
        load_pending_login,
        load_pending_logout,
        load_tokens,
    )
    from oidc_core.endpoints.authorization import (
        CALLBACK_RULES,
        DEFAULT_REQUEST,
        LOOPBACK_LISTENER,
        AuthenticationRequest,
        Binding,
        Callback,
        CodeResponse,
        Unbound,
        authentication_parameters,
        authorization_url,
        check_authorization_response,
        demands_of,
        optional_parameters,
        pending_id,
        pending_login,
    )
    from oidc_core.endpoints.end_session import (
        LogoutRequest,
        check_return,
        end_session_url,
        pending_logout,
        returned_state,
    )
    from oidc_core.endpoints.id_token import ID_TOKEN_RULES, REFRESH_RULES, CheckedIdToken
    from oidc_core.endpoints.logout_token import LOGOUT_TOKEN_RULES, LogoutToken
    from oidc_core.endpoints.tokens import (
        Session,
        TokenResponse,
        authorization_code_request,
        parse_token_response,
        refresh_request,
        tokens_of,
    )
    from oidc_core.endpoints.userinfo import (
        USERINFO_RULES,
        CheckedUserInfo,
        check_userinfo,
        parse_userinfo,
        userinfo_request,
    )
    from oidc_core.jose.jwe import Decrypter
    from oidc_core.jose.jwk import Jwk
    from oidc_core.jose.jws import SignatureVerifier, VerifiedJws
    from oidc_core.jose.key_set import KeySet, parse_key_set
    from oidc_core.jose.profiles import PROFILES, JwtProfile
    from oidc_core.machine.credentials import client_request
    from oidc_core.machine.key_fetching import Fetch, KeyRecord, decide, failed, fetched
    from oidc_core.machine.steps import (
        Done,
        Exchange,
        KeysFound,
        KeysWithheld,
        NeedKeys,
        Step,
        resume,
    )
    from oidc_core.machine.verification import Verification, verify_jwt
    from oidc_core.model.claims import Identity, IdToken, UserInfo, verified_email
    from oidc_core.model.client import ClientRegistration
    from oidc_core.model.connection import Connection
    from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
    from oidc_core.model.evidence import Check, Evidence, Rule, RuleTable, evidence_json
    from oidc_core.model.issuer_rule import ANY_TENANT, IssuerRule
    from oidc_core.model.origins import PUBLIC_ONLY
    from oidc_core.model.pending import LoginSecrets, PendingLogin
    from oidc_core.model.policy import DEFAULT_POLICY, QUIRKS, Policy
    from oidc_core.model.provider import ProviderMetadata
    from oidc_core.model.records import PendingLogout, Tokens
    from oidc_core.model.relying_party import RelyingParty
    from oidc_core.model.resends import Grace
    from oidc_core.model.routes import Routes
    from oidc_core.model.standard_claims import Email, PhoneNumber
    from oidc_core.operations import (
        backchannel_logout,
        discovery,
        frontchannel_logout,
        login,
        logout,
        refresh,
        revocation,
        session_management,
        userinfo,
        validation,
    )
    from oidc_core.operations.backchannel_logout import LogoutNotice
    from oidc_core.operations.frontchannel_logout import FrontchannelNotice
    from oidc_core.operations.logged_in import LoggedIn, LoginEvidence
    from oidc_core.operations.login import LoginStarted
    from oidc_core.operations.logout import LoggedOut, LogoutStarted
    from oidc_core.operations.refresh import Refreshed, TokensRenewed
    from oidc_core.operations.revocation import Revocable, Revoked
    from oidc_core.wire.addresses import admits
    from oidc_core.wire.codes import CODES, CodeRow, Kind, Retryable
    from oidc_core.wire.cookies import SetCookie
    from oidc_core.wire.errors import (
        CallbackError,
        OidcError,
        Place,
        ProtocolViolation,
        ProviderError,
        StoreFailure,
        TransportFailure,
        UsageError,
        fingerprint,
    )
    from oidc_core.wire.http import (
        AnswerTo,
        HttpRequest,
        HttpResponse,
        KeysWanted,
        NoAnswer,
        WireRequest,
    )
    from oidc_core.wire.incoming import Incoming
    from oidc_core.wire.jsontypes import JsonObject, frozen_json, parse_object, render
    from oidc_core.wire.limits import Limits
    from oidc_core.wire.replies import Reply
    from oidc_core.wire.urls import path_only
    from oidc_core.wire.way import Channel, Way

_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "oidc_core.codec": (
            "dump_key_set dump_metadata dump_pending_login dump_pending_logout dump_tokens "
            "load_key_set load_metadata load_pending_login load_pending_logout load_tokens"
        ),
        "oidc_core.endpoints.authorization": (
            "AuthenticationRequest Binding CALLBACK_RULES Callback CodeResponse DEFAULT_REQUEST "
            "LOOPBACK_LISTENER Unbound authentication_parameters authorization_url "
            "check_authorization_response demands_of optional_parameters pending_id pending_login"
        ),
        "oidc_core.endpoints.end_session": (
            "LogoutRequest check_return end_session_url pending_logout returned_state"
        ),
        "oidc_core.endpoints.id_token": "CheckedIdToken ID_TOKEN_RULES REFRESH_RULES",
        "oidc_core.endpoints.logout_token": "LOGOUT_TOKEN_RULES LogoutToken",
        "oidc_core.endpoints.tokens": (
            "Session TokenResponse authorization_code_request parse_token_response "
            "refresh_request tokens_of"
        ),
        "oidc_core.endpoints.userinfo": (
            "CheckedUserInfo USERINFO_RULES check_userinfo parse_userinfo userinfo_request"
        ),
        "oidc_core.jose.jwe": "Decrypter",
        "oidc_core.jose.jwk": "Jwk",
        "oidc_core.jose.key_set": "KeySet parse_key_set",
        "oidc_core.jose.jws": "SignatureVerifier VerifiedJws",
        "oidc_core.jose.profiles": "JwtProfile PROFILES",
        "oidc_core.machine.credentials": "client_request",
        "oidc_core.machine.key_fetching": "Fetch KeyRecord decide failed fetched",
        "oidc_core.machine.steps": "Done Exchange KeysFound KeysWithheld NeedKeys Step resume",
        "oidc_core.machine.verification": "Verification verify_jwt",
        "oidc_core.model.claims": "IdToken Identity UserInfo verified_email",
        "oidc_core.model.client": "ClientRegistration",
        "oidc_core.model.connection": "Connection",
        "oidc_core.model.demands": "Demands EXPECT_NO_NONCE",
        "oidc_core.model.evidence": "Check Evidence Rule RuleTable evidence_json",
        "oidc_core.model.origins": "PUBLIC_ONLY",
        "oidc_core.model.pending": "LoginSecrets PendingLogin",
        "oidc_core.model.policy": "DEFAULT_POLICY Policy QUIRKS",
        "oidc_core.model.issuer_rule": "ANY_TENANT IssuerRule",
        "oidc_core.model.provider": "ProviderMetadata",
        "oidc_core.model.records": "PendingLogout Tokens",
        "oidc_core.model.relying_party": "RelyingParty",
        "oidc_core.model.resends": "Grace",
        "oidc_core.model.routes": "Routes",
        "oidc_core.model.standard_claims": "Email PhoneNumber",
        "oidc_core.operations.backchannel_logout": "LogoutNotice backchannel_logout",
        "oidc_core.operations.discovery": "discovery",
        "oidc_core.operations.frontchannel_logout": "FrontchannelNotice frontchannel_logout",
        "oidc_core.operations.logged_in": "LoggedIn LoginEvidence",
        "oidc_core.operations.login": "LoginStarted login",
        "oidc_core.operations.logout": "LoggedOut LogoutStarted logout",
        "oidc_core.operations.refresh": "Refreshed TokensRenewed refresh",
        "oidc_core.operations.revocation": "Revocable Revoked revocation",
        "oidc_core.operations.session_management": "session_management",
        "oidc_core.operations.userinfo": "userinfo",
        "oidc_core.operations.validation": "validation",
        "oidc_core.wire.addresses": "admits",
        "oidc_core.wire.codes": "CODES CodeRow Kind Retryable",
        "oidc_core.wire.cookies": "SetCookie",
        "oidc_core.wire.errors": (
            "CallbackError OidcError Place ProtocolViolation ProviderError StoreFailure "
            "TransportFailure UsageError fingerprint"
        ),
        "oidc_core.wire.http": "AnswerTo HttpRequest HttpResponse KeysWanted NoAnswer WireRequest",
        "oidc_core.wire.way": "Channel Way",
        "oidc_core.wire.incoming": "Incoming",
        "oidc_core.wire.jsontypes": "JsonObject frozen_json parse_object render",
        "oidc_core.wire.limits": "Limits",
        "oidc_core.wire.replies": "Reply",
        "oidc_core.wire.urls": "path_only",
    }
)
"""The names of each module that are promised here."""

_HOME: Final = MappingProxyType(
    {name: home for home, names in _NAMES.items() for name in names.split()}
)

__all__ = [
    "ANY_TENANT",
    "CALLBACK_RULES",
    "CODES",
    "DEFAULT_POLICY",
    "DEFAULT_REQUEST",
    "EXPECT_NO_NONCE",
    "ID_TOKEN_RULES",
    "LOGOUT_TOKEN_RULES",
    "LOOPBACK_LISTENER",
    "PROFILES",
    "PUBLIC_ONLY",
    "QUIRKS",
    "REFRESH_RULES",
    "USERINFO_RULES",
    "AnswerTo",
    "AuthenticationRequest",
    "Binding",
    "Callback",
    "CallbackError",
    "Channel",
    "Check",
    "CheckedIdToken",
    "CheckedUserInfo",
    "ClientRegistration",
    "CodeResponse",
    "CodeRow",
    "Connection",
    "Decrypter",
    "Demands",
    "Done",
    "Email",
    "Evidence",
    "Exchange",
    "Fetch",
    "FrontchannelNotice",
    "Grace",
    "HttpRequest",
    "HttpResponse",
    "IdToken",
    "Identity",
    "Incoming",
    "IssuerRule",
    "JsonObject",
    "Jwk",
    "JwtProfile",
    "KeyRecord",
    "KeySet",
    "KeysFound",
    "KeysWanted",
    "KeysWithheld",
    "Kind",
    "Limits",
    "LoggedIn",
    "LoggedOut",
    "LoginEvidence",
    "LoginSecrets",
    "LoginStarted",
    "LogoutNotice",
    "LogoutRequest",
    "LogoutStarted",
    "LogoutToken",
    "NeedKeys",
    "NoAnswer",
    "OidcError",
    "PendingLogin",
    "PendingLogout",
    "PhoneNumber",
    "Place",
    "Policy",
    "ProtocolViolation",
    "ProviderError",
    "ProviderMetadata",
    "Refreshed",
    "RelyingParty",
    "Reply",
    "Retryable",
    "Revocable",
    "Revoked",
    "Routes",
    "Rule",
    "RuleTable",
    "Session",
    "SetCookie",
    "SignatureVerifier",
    "Step",
    "StoreFailure",
    "TokenResponse",
    "Tokens",
    "TokensRenewed",
    "TransportFailure",
    "Unbound",
    "UsageError",
    "UserInfo",
    "Verification",
    "VerifiedJws",
    "Way",
    "WireRequest",
    "admits",
    "authentication_parameters",
    "authorization_code_request",
    "authorization_url",
    "backchannel_logout",
    "check_authorization_response",
    "check_return",
    "check_userinfo",
    "client_request",
    "decide",
    "demands_of",
    "discovery",
    "dump_key_set",
    "dump_metadata",
    "dump_pending_login",
    "dump_pending_logout",
    "dump_tokens",
    "end_session_url",
    "evidence_json",
    "failed",
    "fetched",
    "fingerprint",
    "frontchannel_logout",
    "frozen_json",
    "load_key_set",
    "load_metadata",
    "load_pending_login",
    "load_pending_logout",
    "load_tokens",
    "login",
    "logout",
    "optional_parameters",
    "parse_key_set",
    "parse_object",
    "parse_token_response",
    "parse_userinfo",
    "path_only",
    "pending_id",
    "pending_login",
    "pending_logout",
    "refresh",
    "refresh_request",
    "render",
    "resume",
    "returned_state",
    "revocation",
    "session_management",
    "tokens_of",
    "userinfo",
    "userinfo_request",
    "validation",
    "verified_email",
    "verify_jwt",
]


def __getattr__(name: str) -> object:
    """Import a public name's module when the name is first used (PEP 562)."""
    home = _HOME.get(name)
    if home is None:
        message = f"module 'oidc_core' has no attribute {name!r}"
        raise AttributeError(message)
    module = import_module(home)
    return module if home.endswith(f".{name}") else getattr(module, name)


def __dir__() -> list[str]:
    return sorted(_HOME)
