"""The page of settings: what each public field makes of each kind of value, found by trying.

Fields and arguments are found by themselves: those of every public class, except the classes that
only the library makes. A class is tried with a good value in every field except one.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

import attrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from oidc_adapters import (
    AsyncOidcClient,
    ClientKey,
    ClientSetup,
    Credentials,
    CryptographyVerifier,
    FrozenClock,
    Identity,
    MemoryPendingLogins,
    MemoryRecords,
    OidcClient,
)
from oidc_adapters.testing import (
    AsyncInMemoryTransport,
    Changes,
    FakeProvider,
    InMemoryTransport,
)
from oidc_adapters.testing.samples import SampleClock
from oidc_adapters.web import AsyncRecordSessions, RecordSessions
from oidc_core import (
    ClientRegistration,
    Connection,
    Demands,
    KeySet,
    OidcError,
    PendingLogin,
    ProviderMetadata,
    RelyingParty,
    UsageError,
)
from reference_text import table

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES: Final = (
    "oidc_core",
    "oidc_adapters",
    "oidc_adapters.testing",
    "oidc_adapters.testing.samples",
    "oidc_adapters.web",
)

_RESULT: Final = "a result of an operation: the library makes it and hands it out"
_STEP: Final = "a step: only an operation makes it"
_REQUEST: Final = "the library makes it for a transport to send"
_KEYS: Final = "made of what a provider published, and judged there"
_EVENT: Final = "the library makes it and tells it"
_EVIDENCE: Final = "says what the library checked"
_PAGE: Final = "the web routes make it for a function to draw"

_LAW: Final = "what a check of the law found"

LIBRARY_MADE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AsyncRecordsDuty": "a row of the table of duties",
        "AsyncSessionTokens": _RESULT,
        "AsyncTransportDuty": "a row of the table of duties",
        "AuthorizationResponse": "the fake provider makes it",
        "BackchannelLogout": "the fake provider makes it",
        "Done": _STEP,
        "EndedSession": _RESULT,
        "Event": _EVENT,
        "Evidence": _EVIDENCE,
        "Exchange": _STEP,
        "FrontchannelNotice": _RESULT,
        "Failure": _PAGE,
        "Fetch": "the policy of key fetching makes it",
        "HttpRequest": _REQUEST,
        "IdToken": _RESULT,
        "Identity": _RESULT,
        "Jwk": _KEYS,
        "KeyRecord": "the policy of key fetching makes it",
        "KeysFetched": _EVENT,
        "KeysRefused": _EVENT,
        "KeysWanted": "the library makes it for a store of keys to answer",
        "LawReport": _LAW,
        "LoggedIn": _RESULT,
        "LoggedOut": _RESULT,
        "LoginBegan": _EVENT,
        "LoginEvidence": _EVIDENCE,
        "LoginFinished": _EVENT,
        "LoginRefused": _EVENT,
        "LoginResult": _RESULT,
        "LoginStarted": _RESULT,
        "LogoutBegan": _EVENT,
        "LogoutFinished": _EVENT,
        "LogoutNotice": _RESULT,
        "LogoutRefused": _EVENT,
        "LogoutResult": _RESULT,
        "LogoutStarted": _RESULT,
        "LogoutToken": "read from a provider's token, and judged there",
        "MetadataRead": _EVENT,
        "MetadataRefused": _EVENT,
        "MetadataReplaced": _EVENT,
        "NeedKeys": _STEP,
        "Outcome": _LAW,
        "Page": _PAGE,
        "RecordsDuty": "a row of the table of duties",
        "Redirect": _RESULT,
        "RefreshRefused": _EVENT,
        "Refreshed": _RESULT,
        "Refusal": _EVENT,
        "RequestSent": _EVENT,
        "Revoked": _RESULT,
        "RuleTable": "a table of the library's own rules",
        "SessionTokens": _RESULT,
        "SessionsEnded": _EVENT,
        "TokenResponse": "read from a provider's answer, and judged there",
        "TokensRefreshed": _EVENT,
        "TokensRenewed": _RESULT,
        "UserInfo": _RESULT,
        "UserInfoRead": _EVENT,
        "UserInfoRefused": _EVENT,
        "Verification": _STEP,
        "WayOn": _PAGE,
        "WireRequest": _REQUEST,
        "SharedClientDuty": "a row of the table of duties",
        "TransportDuty": "a row of the table of duties",
        "TransportSetup": "a duty makes it for a transport",
    }
)
"""Classes whose fields need neither converter nor check, each with the reason."""

_URL: Final = "https://op.example"
_NOW: Final = 1_800_000_000
_DATABASE: Final = "postgresql+psycopg://nobody@127.0.0.1/nothing"


class _EmptyKeyring:
    """A keyring that has nothing and keeps nothing."""

    def get_password(self, _service: str, _username: str, /) -> None:
        """Return nothing."""

    def set_password(self, _service: str, _username: str, _password: str, /) -> None:
        """Keep nothing."""

    def delete_password(self, _service: str, _username: str, /) -> None:
        """Remove nothing."""


class _Cluster:
    """Passes for a client of Redis."""

    def execute_command(self, *_args: object, **_options: object) -> object:
        """Answer nothing."""
        return None

    def get_node_from_key(self, _key: object) -> object:
        """Know no server."""
        return None


class _AwaitedCluster(_Cluster):
    """The same for one that awaits."""

    async def execute_command(self, *_args: object, **_options: object) -> object:
        """Answer nothing."""
        return None


@cache
def given() -> Mapping[str, Mapping[str, object]]:
    """Return the other arguments that each class needs in addition to the field that is tried."""
    provider = FakeProvider(id_token_alg="EdDSA")
    connection = Connection(_URL, "client", "", "endpoints", "policy")
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    shell: dict[str, Any] = {
        "transport": InMemoryTransport(provider),
        "credentials": Credentials(),
    }
    party: dict[str, Any] = {
        "provider": ProviderMetadata(issuer=_URL),
        "client": ClientRegistration(client_id="client"),
        "verifier": CryptographyVerifier(),
    }
    pending: dict[str, Any] = {
        "id": "id",
        "connection": connection,
        "state": "state",
        "code_verifier": "verifier",
        "binding_digest": "digest",
        "redirect_uri": "https://rp.example/callback",
        "demands": Demands(nonce="n", started_at=_NOW),
    }
    rp = RelyingParty(**party)
    setup = ClientSetup(
        issuer=_URL,
        client_id="client",
        client_secret="a secret",
        redirect_uri="https://rp.example/callback",
    )
    stored: dict[str, Any] = {"records": MemoryRecords(), "secrets": (bytes(32),)}
    client: dict[str, Any] = {"setup": setup, "pending": MemoryPendingLogins()}
    waiting: dict[str, Any] = {**client, "transport": InMemoryTransport(provider)}
    awaiting: dict[str, Any] = {**client, "transport": AsyncInMemoryTransport(provider)}
    browsers = {"records": MemoryRecords(), "secrets": ("a sealing secret of 32 octets or so",)}
    return MappingProxyType(
        {
            "AsyncInMemoryTransport": {"provider": provider},
            "AsyncOidcClient": awaiting,
            "AsyncRecordSessions": browsers,
            "AsyncRedisRecords": {"client": _AwaitedCluster()},
            "AsyncShell": {**shell, "transport": AsyncInMemoryTransport(provider)},
            "AsyncWebLogin": {
                "client": AsyncOidcClient(**awaiting),
                "sessions": AsyncRecordSessions(MemoryRecords(), bytes(32)),
            },
            "AsyncSqlRecords": {"engine": create_async_engine(_DATABASE)},
            "Callback": {"parameters": ()},
            "ClientCredentials": {"issuer": _URL, "client_id": "client", "endpoints": ()},
            "ClientKey": {"key": key, "alg": "EdDSA"},
            "ClientRegistration": {"client_id": "client"},
            "ClientSetup": {
                "issuer": _URL,
                "client_id": "client",
                "client_secret": "a secret",
                "redirect_uri": "https://rp.example/callback",
            },
            "DecryptionKey": {"key": X25519PrivateKey.from_private_bytes(bytes(32))},
            "Demands": {"nonce": "n", "started_at": _NOW},
            "Deviation": {
                "name": "own",
                "endpoint": "token",
                "during": "login",
                "summary": "does something",
                "changes": Changes(),
            },
            "FakeUser": {"sub": "alice"},
            "Misbehaviour": {
                "name": "own",
                "endpoint": "token",
                "during": "login",
                "summary": "does something",
                "changes": Changes(),
                "code": "aud_mismatch",
            },
            "FileRecords": {"folder": "records"},
            "FixedEntropy": {"seed": 1},
            "FakeBrowser": {"provider": provider, "clock": FrozenClock(_NOW)},
            "FrozenClock": {"now": _NOW},
            "HttpResponse": {"status": 200, "headers": (), "body": b"", "received_at": _NOW},
            "InMemoryTransport": {"provider": provider},
            "InThreads": {"transport": InMemoryTransport(provider)},
            "Incoming": {"method": "GET", "url": None},
            "Grants": browsers,
            "IssuerRule": {"canonical": _URL, "accepted": {_URL}},
            "IndexedSession": {
                "session_id": "session",
                "issuer": _URL,
                "subject": "alice",
                "issued_at": _NOW,
                "began_at": _NOW,
                "until": _NOW,
            },
            "JsonObject": {"members": {}},
            "KeyringRecords": {
                "service": "program",
                "folder": "records",
                "keyring": _EmptyKeyring(),
            },
            "KeysFound": {
                "issuer": _URL,
                "jwks_uri": f"{_URL}/jwks",
                "key_set": KeySet(),
                "fetched_at": _NOW,
                "now": _NOW,
            },
            "KeysWithheld": {"reason": "throttled"},
            "LoginSecrets": {
                name: 43 * letter
                for name, letter in zip(
                    ("state", "nonce", "code_verifier", "binding"), "abcd", strict=True
                )
            },
            "NoAnswer": {"sent": "no", "code": "http_timeout", "at": _NOW},
            "OidcClient": waiting,
            "PendingLogin": pending,
            "PendingLogout": {
                "issuer": _URL,
                "client_id": "client",
                "state": "state",
                "post_logout_redirect_uri": "",
                "created_at": _NOW,
            },
            "ProviderMetadata": {"issuer": _URL},
            "RecordMetadata": stored,
            "RecordPendingLogins": stored,
            "RecordProviderKeys": stored,
            "RecordSessions": browsers,
            "RecordSpent": {"records": MemoryRecords()},
            "RedisRecords": {"client": _Cluster()},
            "RelyingParty": party,
            "ServedProvider": {
                "provider": provider,
                "clock": FrozenClock(_NOW),
                "interactive": False,
            },
            "Reply": {"status": 200},
            "Routes": {"rps": (rp,)},
            "SessionIndex": stored,
            "SharedStore": stored,
            "SignedSecret": {
                "key": ClientKey(key, alg="EdDSA", kid="key"),
                "iss": "team",
                "sub": "client",
                "aud": _URL,
            },
            "Shell": shell,
            "SqliteRecords": {"path": "records.db"},
            "SqlRecords": {"engine": create_engine(_DATABASE)},
            "StaticProviderKeys": {"key_set": KeySet()},
            "Taken": {
                "pending": PendingLogin(**pending),
                "binding": "binding",
                "cookies": (),
                "single_use": "process",
            },
            "Tokens": {
                "issuer": _URL,
                "client_id": "client",
                "access_token": "access",
                "id_token": "id",
                "scope": "openid",
                "subject": "alice",
            },
            "WebLogin": {
                "client": OidcClient(**waiting),
                "sessions": RecordSessions(MemoryRecords(), bytes(32)),
            },
            "WebRequest": {"method": "GET", "path": "/"},
            "WebSession": {
                "session_id": "session",
                "identity": Identity(_URL, "alice"),
                "connection": connection,
                "began_at": _NOW,
            },
            "JumpingClock": {"sample": SampleClock()},
            "oidc_adapters.testing.Session": {"sub": "alice", "auth_time": _NOW, "sid": "sid"},
        }
    )


VALUES: Final[tuple[tuple[str, object], ...]] = (
    ("None", None),
    ("str", "text"),
    ("bytes", b"text"),
    ("int", 5),
    ("bool", True),
    ("list", ["a"]),
    ("dict", {"a": "b"}),
    ("set", {"a"}),
    ("list with a wrong element", ["a", None]),
)
"""The values that are tried, by the head of their column."""


def public_classes(packages: Sequence[str] = PACKAGES) -> dict[str, type]:
    """Return every public class by name; one whose name another package has too, with its own."""
    found: dict[str, type] = {}
    for package in packages:
        module = importlib.import_module(package)
        names: list[str] = module.__all__
        for name in names:
            value: object = getattr(module, name)
            if isinstance(value, type):
                label = name if found.get(name, value) is value else f"{package}.{name}"
                found[label] = value
    return dict(sorted(found.items()))


def takes_settings(label: str, kind: type) -> bool:
    """Return whether somebody else than the library makes values of a class."""
    return not (
        label in LIBRARY_MADE
        or getattr(kind, "_is_protocol", False)
        or not {BaseException, tuple}.isdisjoint(kind.__mro__)
        or hasattr(kind, "__members__")
    )


def arguments_of(kind: type) -> list[str]:
    """Return the fields of an attrs class, or the arguments of another, in order."""
    if attrs.has(kind):
        return [field.name for field in attrs.fields(kind) if field.init]
    return list(inspect.signature(cast("type[object]", kind)).parameters)


def made(label: str, kind: type, name: str, value: object) -> object:
    """Return a value of a class with this in one field and good values in the others.

    Raises:
        UsageError: the field does not take it.
    """
    call = cast("type[Any]", kind)
    named = {**given().get(label, {}), name: value}
    if attrs.has(kind):
        return call(**named)
    parameters = inspect.signature(kind).parameters.values()
    several = [each.name for each in parameters if each.kind is inspect.Parameter.VAR_POSITIONAL]
    if name in several:
        named[name] = (value,)
    return made_of(kind, named)


def made_of(kind: type, named: Mapping[str, object]) -> object:
    """Call a class with its arguments by name, also where it takes any number of one."""
    call, left = cast("type[Any]", kind), {**named}
    parameters = inspect.signature(kind).parameters
    several = [
        name
        for name, each in parameters.items()
        if each.kind is inspect.Parameter.VAR_POSITIONAL and name in left
    ]
    if not several:
        return call(**left)
    before = [*parameters][: [*parameters].index(several[0])]
    first = [left.pop(name) for name in before]
    rest = cast("tuple[object, ...]", left.pop(several[0]))
    return call(*first, *rest, **left)


def cell(label: str, kind: type, name: str, value: object) -> str:
    """Tell what a field makes of a value: how it is kept, or the code it is refused with."""
    try:
        result = made(label, kind, name, value)
    except OidcError as refusal:
        return f"`{refusal.code}`"
    if not attrs.has(kind):
        return "accepted"
    return f"accepted as `{shown(getattr(result, name))}`"


def shown(value: object) -> str:
    """Show a value alike in every process and on every Python."""
    if isinstance(value, frozenset):
        parts = sorted(map(shown, cast("frozenset[object]", value)))
        return f"frozenset({{{', '.join(parts)}}})" if parts else "frozenset()"
    if isinstance(value, tuple):
        items = [shown(item) for item in cast("tuple[object, ...]", value)]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if isinstance(value, Mapping):
        mapping = cast("Mapping[object, object]", value)
        inside = ", ".join([f"{shown(name)}: {shown(held)}" for name, held in mapping.items()])
        return f"{type(mapping).__name__}({{{inside}}})"
    return repr(value)


def unjudged(classes: Mapping[str, type]) -> list[str]:
    """Name each field that takes every value, or fails without a UsageError."""
    offences: list[str] = []
    for label, kind in classes.items():
        for name in arguments_of(kind) if takes_settings(label, kind) else ():
            try:
                made(label, kind, name, object())
            except UsageError:
                continue
            except (TypeError, ValueError, AttributeError, LookupError) as fault:
                offences.append(f"{label}.{name}: {type(fault).__name__}")
            else:
                offences.append(f"{label}.{name} takes anything")
    return offences


def page() -> str:
    """Return the page."""
    heads = ("field", *[f"`{head}`" if " " not in head else head for head, _ in VALUES])
    parts = ["# Settings\n", _ABOUT]
    for label, kind in public_classes().items():
        names = arguments_of(kind) if takes_settings(label, kind) else []
        if names:
            rows = [
                (f"`{name}`", *[cell(label, kind, name, value) for _, value in VALUES])
                for name in names
            ]
            parts += [f"## {label}\n", table(heads, rows)]
    return "\n".join(parts)


_ABOUT: Final = """\
What each field that a caller sets makes of a value of each type: it is kept as it is shown, or \
refused with a `UsageError` of that code, which names the field.
The values are `None`, `'text'`, `b'text'`, `5`, `True`, `['a']`, `{'a': 'b'}`, `{'a'}` and \
`['a', None]`.
Where a refusal has another code than `config_invalid` or `parameter_invalid`, the type is right \
and the value is not.
"""
