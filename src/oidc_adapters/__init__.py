"""Everything of oidc_core that touches the world: clients, transports, clocks, keys, stores.

Its public API are the names here, with the names of the core that an application meets; an
application imports from here and needs no other module. There are two more doors:
``oidc_adapters.testing`` for tests, and ``oidc_adapters.context`` for the original system's calls.
Each name is imported when it is first used, so importing this package alone loads nothing.
"""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
    from oidc_adapters.clients.client_setup import ClientSetup
    from oidc_adapters.clients.connections import AsyncConnections, Connections
    from oidc_adapters.clients.oidc_client import OidcClient
    from oidc_adapters.clients.results import EndedSession, LoginResult, LogoutResult, Redirect
    from oidc_adapters.clients.session_tokens import AsyncSessionTokens, SessionTokens
    from oidc_adapters.clients.shell import AsyncShell, Shell
    from oidc_adapters.credentials.client_credentials import (
        ClientCredentials,
        Credentials,
        credentials_for,
    )
    from oidc_adapters.credentials.client_keys import (
        AsyncSigner,
        ClientKey,
        ClientKeys,
        DecryptionKey,
        Signer,
    )
    from oidc_adapters.credentials.dpop import DpopKeys, DpopNonces
    from oidc_adapters.credentials.signed_secret import SignedSecret
    from oidc_adapters.crypto import ClientDecrypter, CryptographyVerifier
    from oidc_adapters.native.loopback import loopback_login
    from oidc_adapters.runtime.clock import Clock, FrozenClock, SystemClock
    from oidc_adapters.runtime.entropy import Entropy, FixedEntropy, SystemEntropy
    from oidc_adapters.runtime.event_log import log_events
    from oidc_adapters.runtime.events import (
        Event,
        KeysFetched,
        KeysRefused,
        LoginBegan,
        LoginFinished,
        LoginRefused,
        LogoutBegan,
        LogoutFinished,
        LogoutRefused,
        MetadataRead,
        MetadataRefused,
        MetadataReplaced,
        RefreshRefused,
        Refusal,
        RequestSent,
        SessionsEnded,
        TokensRefreshed,
        UserInfoRead,
        UserInfoRefused,
    )
    from oidc_adapters.stores.grants import Grants
    from oidc_adapters.stores.metadata_in_records import RecordMetadata
    from oidc_adapters.stores.pending import (
        AsyncSpent,
        CookiePendingLogins,
        CookieProfile,
        LogoutSecrets,
        MemoryPendingLogins,
        MemorySpent,
        PendingLogins,
        RecordPendingLogins,
        RecordSpent,
        Spent,
        Taken,
        TakenLogout,
    )
    from oidc_adapters.stores.provider_keys import (
        MemoryProviderKeys,
        ProviderKeys,
        StaticProviderKeys,
    )
    from oidc_adapters.stores.provider_keys_in_records import RecordProviderKeys
    from oidc_adapters.stores.records import AsyncRecords, Found, MemoryRecords, Records, Times
    from oidc_adapters.stores.records.files import FileRecords
    from oidc_adapters.stores.records.keyring import Keyring, KeyringRecords
    from oidc_adapters.stores.records.redis import AsyncRedisRecords, RedisRecords
    from oidc_adapters.stores.records.sql import AsyncSqlRecords, SqlRecords
    from oidc_adapters.stores.records.sql_table import records_table
    from oidc_adapters.stores.records.sqlite import SqliteRecords
    from oidc_adapters.stores.sealed_box import SealedBox
    from oidc_adapters.stores.session_values import IndexedSession
    from oidc_adapters.stores.sessions import SessionIndex
    from oidc_adapters.stores.shared import SharedStore
    from oidc_adapters.transport import AsyncTransport, Transport
    from oidc_adapters.transport.in_threads import InThreads
    from oidc_adapters.transport.over_urllib3 import Urllib3Transport
    from oidc_core.codec import dump_tokens, load_tokens
    from oidc_core.endpoints.authorization import LOOPBACK_LISTENER, AuthenticationRequest
    from oidc_core.endpoints.end_session import LogoutRequest
    from oidc_core.endpoints.userinfo import CheckedUserInfo
    from oidc_core.model.claims import Identity, IdToken, UserInfo, verified_email
    from oidc_core.model.client import ClientRegistration
    from oidc_core.model.evidence import Check, Evidence, evidence_json
    from oidc_core.model.issuer_rule import ANY_TENANT, IssuerRule
    from oidc_core.model.origins import PUBLIC_ONLY
    from oidc_core.model.policy import DEFAULT_POLICY, QUIRKS, Policy
    from oidc_core.model.provider import ProviderMetadata
    from oidc_core.model.records import Tokens
    from oidc_core.model.resends import Grace
    from oidc_core.model.standard_claims import Email, PhoneNumber
    from oidc_core.operations.logged_in import LoggedIn, LoginEvidence
    from oidc_core.operations.logout import LoggedOut
    from oidc_core.operations.refresh import Refreshed
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
    )
    from oidc_core.wire.incoming import Incoming
    from oidc_core.wire.jsontypes import JsonObject, frozen_json
    from oidc_core.wire.limits import Limits
    from oidc_core.wire.replies import Reply
    from oidc_core.wire.urls import path_only

_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "oidc_adapters.clients.async_oidc_client": "AsyncOidcClient",
        "oidc_adapters.clients.client_setup": "ClientSetup",
        "oidc_adapters.clients.connections": "AsyncConnections Connections",
        "oidc_adapters.clients.oidc_client": "OidcClient",
        "oidc_adapters.clients.results": "EndedSession LoginResult LogoutResult Redirect",
        "oidc_adapters.clients.session_tokens": "AsyncSessionTokens SessionTokens",
        "oidc_adapters.clients.shell": "AsyncShell Shell",
        "oidc_adapters.credentials.client_credentials": (
            "ClientCredentials Credentials credentials_for"
        ),
        "oidc_adapters.credentials.client_keys": (
            "AsyncSigner ClientKey ClientKeys DecryptionKey Signer"
        ),
        "oidc_adapters.credentials.dpop": "DpopKeys DpopNonces",
        "oidc_adapters.credentials.signed_secret": "SignedSecret",
        "oidc_adapters.crypto": "ClientDecrypter CryptographyVerifier",
        "oidc_adapters.native.loopback": "loopback_login",
        "oidc_adapters.runtime.clock": "Clock FrozenClock SystemClock",
        "oidc_adapters.runtime.entropy": "Entropy FixedEntropy SystemEntropy",
        "oidc_adapters.runtime.event_log": "log_events",
        "oidc_adapters.runtime.events": (
            "Event KeysFetched KeysRefused LoginBegan LoginFinished LoginRefused LogoutBegan "
            "LogoutFinished LogoutRefused MetadataRead MetadataRefused MetadataReplaced "
            "RefreshRefused Refusal RequestSent SessionsEnded TokensRefreshed UserInfoRead "
            "UserInfoRefused"
        ),
        "oidc_adapters.stores.grants": "Grants",
        "oidc_adapters.stores.metadata_in_records": "RecordMetadata",
        "oidc_adapters.stores.pending": (
            "AsyncSpent CookiePendingLogins CookieProfile LogoutSecrets MemoryPendingLogins "
            "MemorySpent PendingLogins RecordPendingLogins RecordSpent Spent Taken TakenLogout"
        ),
        "oidc_adapters.stores.provider_keys": "MemoryProviderKeys ProviderKeys StaticProviderKeys",
        "oidc_adapters.stores.provider_keys_in_records": "RecordProviderKeys",
        "oidc_adapters.stores.records": "AsyncRecords Found MemoryRecords Records Times",
        "oidc_adapters.stores.records.files": "FileRecords",
        "oidc_adapters.stores.records.keyring": "Keyring KeyringRecords",
        "oidc_adapters.stores.records.redis": "AsyncRedisRecords RedisRecords",
        "oidc_adapters.stores.records.sqlite": "SqliteRecords",
        "oidc_adapters.stores.records.sql": "AsyncSqlRecords SqlRecords",
        "oidc_adapters.stores.records.sql_table": "records_table",
        "oidc_adapters.stores.sealed_box": "SealedBox",
        "oidc_adapters.stores.session_values": "IndexedSession",
        "oidc_adapters.stores.sessions": "SessionIndex",
        "oidc_adapters.stores.shared": "SharedStore",
        "oidc_adapters.transport": "AsyncTransport Transport",
        "oidc_adapters.transport.in_threads": "InThreads",
        "oidc_adapters.transport.over_urllib3": "Urllib3Transport",
        "oidc_core.codec": "dump_tokens load_tokens",
        "oidc_core.endpoints.authorization": "AuthenticationRequest LOOPBACK_LISTENER",
        "oidc_core.endpoints.end_session": "LogoutRequest",
        "oidc_core.endpoints.userinfo": "CheckedUserInfo",
        "oidc_core.model.claims": "IdToken Identity UserInfo verified_email",
        "oidc_core.model.client": "ClientRegistration",
        "oidc_core.model.evidence": "Check Evidence evidence_json",
        "oidc_core.model.origins": "PUBLIC_ONLY",
        "oidc_core.model.policy": "DEFAULT_POLICY Policy QUIRKS",
        "oidc_core.model.issuer_rule": "ANY_TENANT IssuerRule",
        "oidc_core.model.provider": "ProviderMetadata",
        "oidc_core.model.records": "Tokens",
        "oidc_core.model.resends": "Grace",
        "oidc_core.model.standard_claims": "Email PhoneNumber",
        "oidc_core.operations.logged_in": "LoggedIn LoginEvidence",
        "oidc_core.operations.logout": "LoggedOut",
        "oidc_core.operations.refresh": "Refreshed",
        "oidc_core.wire.cookies": "SetCookie",
        "oidc_core.wire.errors": (
            "CallbackError OidcError Place ProtocolViolation ProviderError StoreFailure "
            "TransportFailure UsageError"
        ),
        "oidc_core.wire.incoming": "Incoming",
        "oidc_core.wire.jsontypes": "JsonObject frozen_json",
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
    "DEFAULT_POLICY",
    "LOOPBACK_LISTENER",
    "PUBLIC_ONLY",
    "QUIRKS",
    "AsyncConnections",
    "AsyncOidcClient",
    "AsyncRecords",
    "AsyncRedisRecords",
    "AsyncSessionTokens",
    "AsyncShell",
    "AsyncSigner",
    "AsyncSpent",
    "AsyncSqlRecords",
    "AsyncTransport",
    "AuthenticationRequest",
    "CallbackError",
    "Check",
    "CheckedUserInfo",
    "ClientCredentials",
    "ClientDecrypter",
    "ClientKey",
    "ClientKeys",
    "ClientRegistration",
    "ClientSetup",
    "Clock",
    "Connections",
    "CookiePendingLogins",
    "CookieProfile",
    "Credentials",
    "CryptographyVerifier",
    "DecryptionKey",
    "DpopKeys",
    "DpopNonces",
    "Email",
    "EndedSession",
    "Entropy",
    "Event",
    "Evidence",
    "FileRecords",
    "FixedEntropy",
    "Found",
    "FrozenClock",
    "Grace",
    "Grants",
    "IdToken",
    "Identity",
    "InThreads",
    "Incoming",
    "IndexedSession",
    "IssuerRule",
    "JsonObject",
    "Keyring",
    "KeyringRecords",
    "KeysFetched",
    "KeysRefused",
    "Limits",
    "LoggedIn",
    "LoggedOut",
    "LoginBegan",
    "LoginEvidence",
    "LoginFinished",
    "LoginRefused",
    "LoginResult",
    "LogoutBegan",
    "LogoutFinished",
    "LogoutRefused",
    "LogoutRequest",
    "LogoutResult",
    "LogoutSecrets",
    "MemoryPendingLogins",
    "MemoryProviderKeys",
    "MemoryRecords",
    "MemorySpent",
    "MetadataRead",
    "MetadataRefused",
    "MetadataReplaced",
    "OidcClient",
    "OidcError",
    "PendingLogins",
    "PhoneNumber",
    "Place",
    "Policy",
    "ProtocolViolation",
    "ProviderError",
    "ProviderKeys",
    "ProviderMetadata",
    "RecordMetadata",
    "RecordPendingLogins",
    "RecordProviderKeys",
    "RecordSpent",
    "Records",
    "Redirect",
    "RedisRecords",
    "RefreshRefused",
    "Refreshed",
    "Refusal",
    "Reply",
    "RequestSent",
    "SealedBox",
    "SessionIndex",
    "SessionTokens",
    "SessionsEnded",
    "SetCookie",
    "SharedStore",
    "Shell",
    "SignedSecret",
    "Signer",
    "Spent",
    "SqlRecords",
    "SqliteRecords",
    "StaticProviderKeys",
    "StoreFailure",
    "SystemClock",
    "SystemEntropy",
    "Taken",
    "TakenLogout",
    "Times",
    "Tokens",
    "TokensRefreshed",
    "Transport",
    "TransportFailure",
    "Urllib3Transport",
    "UsageError",
    "UserInfo",
    "UserInfoRead",
    "UserInfoRefused",
    "credentials_for",
    "dump_tokens",
    "evidence_json",
    "frozen_json",
    "load_tokens",
    "log_events",
    "loopback_login",
    "path_only",
    "records_table",
    "verified_email",
]


def __getattr__(name: str) -> object:
    """Import a public name's module when the name is first used (PEP 562)."""
    home = _HOME.get(name)
    if home is None:
        message = f"module 'oidc_adapters' has no attribute {name!r}"
        raise AttributeError(message)
    found: object = getattr(import_module(home), name)
    return found


def __dir__() -> list[str]:
    return sorted(_HOME)
