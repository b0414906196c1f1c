"""Records that cross a process: logins in flight, tokens, metadata and key sets, as versioned JSON.

Each kind has an integer version ``v``.  A reader takes its own version and the one before, and
ignores members it does not know, so that processes of two releases can share a store.
A loaded record was kept by the application; a value that does not fit is the store's failure.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias, TypeVar

from attrs import AttrsInstance, fields

from oidc_core.jose.key_set import KeySet, parse_key_set
from oidc_core.model.claim_values import texts
from oidc_core.model.connection import Connection
from oidc_core.model.demands import EXPECT_NO_NONCE, PROMPT_LOGIN, Demands, NoNonce
from oidc_core.model.grants import GrantRecord
from oidc_core.model.pending import DELIVERIES, PendingLogin, pending_id_of
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.records import PendingLogout, Tokens
from oidc_core.wire.errors import OidcError, StoreFailure
from oidc_core.wire.jsontypes import MAX_DEPTH, JsonObject, JsonValue, parse_object, render
from oidc_core.wire.limits import UPPER_BOUNDS
from oidc_core.wire.settings import check_kind, octets_of

_DEPTH: Final = MAX_DEPTH + 2
"""A key may be as deep as a whole document; in the record of its set it is an item of a list."""

PENDING_LOGIN: Final = 1
PENDING_LOGOUT: Final = 1
TOKENS: Final = 1
GRANT: Final = 1
METADATA: Final = 1
KEY_SET: Final = 1

_WHOLE: Final = ("connection", "state", "code_verifier", "binding_digest")
Record: TypeAlias = str | bytes
"""A record, as :mod:`oidc_core.codec` dumps it or as a store gives it back."""

T = TypeVar("T", bound=AttrsInstance)
L = TypeVar("L", bound=str)


def dump_pending_login(pending: PendingLogin) -> str:
    """Return a login in flight as compact JSON.  It holds secrets: seal it."""
    check_kind(pending, PendingLogin, about="record")
    members = {name: value for name, value in _changed(pending).items() if name != "id"}
    return render(JsonObject({"v": PENDING_LOGIN, **members}))


def _changed(value: PendingLogin | Demands) -> dict[str, JsonValue]:
    """Return the fields that differ from their default; ``null`` for a nonce that was not sent."""
    members: dict[str, JsonValue] = {}
    for attribute in fields(type(value)):
        member = getattr(value, attribute.name)
        if isinstance(member, Demands):
            members[attribute.name] = JsonObject(_changed(member))
        elif isinstance(member, Connection):
            members[attribute.name] = JsonObject(member._asdict())
        elif member is EXPECT_NO_NONCE:
            members[attribute.name] = None
        elif member != attribute.default:
            members[attribute.name] = member
    return members


def load_pending_login(text: Record) -> PendingLogin:
    """Read a login in flight.

    Raises:
        StoreFailure: ``record_invalid`` or ``record_version_unknown``.
        UsageError: ``parameter_invalid`` for a value that is neither text nor octets.
    """
    return _pending_login(_members(text, PENDING_LOGIN).members)


def dump_deviations(pending: PendingLogin, plain: PendingLogin) -> str:
    """Return the deviations of a login from one that asks for nothing in particular.

    Compact JSON, or an empty text if it does not; ``return_to`` does not count.
    """
    found, expected = _flat(pending), _flat(plain)
    members = {n: found.get(n) for n in {**expected, **found} if found.get(n) != expected.get(n)}
    return render(JsonObject(members)) if members else ""


def load_deviations(text: str, plain: PendingLogin) -> PendingLogin:
    """Read what :func:`dump_deviations` wrote.

    Raises:
        StoreFailure: ``record_invalid``.
    """
    try:
        deviating = parse_object(text.encode("utf-8", "surrogatepass"))
    except OidcError:
        raise StoreFailure("record_invalid") from None
    members = {**_flat(plain), **deviating.members}
    kept = {n: value for n, value in members.items() if value is not None or n == "nonce"}
    return _pending_login({**kept, "demands": JsonObject(kept), **_whole(plain)})


def _flat(pending: PendingLogin) -> dict[str, JsonValue]:
    """Return what may deviate, login and demands side by side: no two names are the same."""
    members = _changed(pending)
    for name in (*_WHOLE, "id", "demands", "return_to"):
        members.pop(name, None)
    return {**members, **_changed(pending.demands)}


def _whole(pending: PendingLogin) -> dict[str, JsonValue]:
    members = _changed(pending)
    return {name: members[name] for name in _WHOLE}


def _pending_login(members: Mapping[str, JsonValue]) -> PendingLogin:
    state = _text(members, "state")
    return PendingLogin(
        id=pending_id_of(state),
        connection=_connection(_object(members, "connection")),
        state=state,
        code_verifier=_text(members, "code_verifier"),
        binding_digest=_text(members, "binding_digest"),
        redirect_uri=_text(members, "redirect_uri"),
        response_mode=_choice(members, "response_mode", *DELIVERIES),
        expects_iss=_truth(members, "expects_iss"),
        demands=_demands(_object(members, "demands")),
        account=_text(members, "account", ""),
        return_to=_text(members, "return_to", ""),
    )


def _object(members: Mapping[str, JsonValue], name: str) -> Mapping[str, JsonValue]:
    value = members.get(name)
    if not isinstance(value, JsonObject):
        raise StoreFailure("record_invalid", about=name)
    return value.members


def _connection(members: Mapping[str, JsonValue]) -> Connection:
    return Connection(
        issuer=_text(members, "issuer"),
        client_id=_text(members, "client_id"),
        connection_id=_text(members, "connection_id"),
        endpoints_digest=_text(members, "endpoints_digest"),
        policy_digest=_text(members, "policy_digest"),
    )


def _demands(members: Mapping[str, JsonValue]) -> Demands:
    return Demands(
        nonce=_nonce(members),
        started_at=_number(members, "started_at"),
        max_age=_number(members, "max_age") if "max_age" in members else None,
        required_acr=_texts(members, "required_acr"),
        essential_claims=_texts(members, "essential_claims"),
        sub=_text(members, "sub") if "sub" in members else None,
        sub_iss=_text(members, "sub_iss") if "sub_iss" in members else None,
        scope=_text(members, "scope", ""),
        resource=_texts(members, "resource"),
        prompt_login=_choice(members, "prompt_login", *PROMPT_LOGIN),
    )


def _nonce(members: Mapping[str, JsonValue]) -> str | NoNonce:
    """Return the nonce; a record must say that no nonce was sent, because a member can get lost."""
    return EXPECT_NO_NONCE if members.get("nonce", "") is None else _text(members, "nonce")


def _text(members: Mapping[str, JsonValue], name: str, default: str | None = None) -> str:
    value = members.get(name, default)
    if not isinstance(value, str):
        raise StoreFailure("record_invalid", about=name)
    return value


def _texts(members: Mapping[str, JsonValue], name: str) -> tuple[str, ...]:
    value = texts(members.get(name, ()))
    if value is None:
        raise StoreFailure("record_invalid", about=name)
    return value


def _number(members: Mapping[str, JsonValue], name: str) -> int:
    value = members.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise StoreFailure("record_invalid", about=name)
    return value


def _truth(members: Mapping[str, JsonValue], name: str) -> bool:
    value = members.get(name, False)
    if not isinstance(value, bool):
        raise StoreFailure("record_invalid", about=name)
    return value


def _choice(members: Mapping[str, JsonValue], name: str, *choices: L) -> L:
    """Return which of the choices a member names; the first is its default."""
    value = members.get(name, choices[0])
    for choice in choices:
        if choice == value:
            return choice
    raise StoreFailure("record_invalid", about=name)


def dump_pending_logout(pending: PendingLogout) -> str:
    """Return a logout in flight as compact JSON."""
    check_kind(pending, PendingLogout, about="record")
    return _dump(pending, PENDING_LOGOUT)


def load_pending_logout(text: Record) -> PendingLogout:
    """Read a logout in flight; raises as :func:`load_tokens`."""
    return _load(text, PendingLogout, PENDING_LOGOUT)


def dump_tokens(tokens: Tokens) -> str:
    """Return tokens as compact JSON.  They are secrets: seal or protect the store."""
    check_kind(tokens, Tokens, about="record")
    return _dump(tokens, TOKENS)


def load_tokens(text: Record) -> Tokens:
    """Read tokens.

    Raises:
        StoreFailure: ``record_invalid`` or ``record_version_unknown``.
        UsageError: ``parameter_invalid`` for a value that is neither text nor octets.
    """
    return _load(text, Tokens, TOKENS)


def dump_grant(record: GrantRecord) -> str:
    """Return the record of a shared grant as compact JSON.  It holds secrets: seal it."""
    check_kind(record, GrantRecord, about="record")
    return _dump(record, GRANT)


def load_grant(text: Record) -> GrantRecord:
    """Read the record of a shared grant; raises as :func:`load_tokens`."""
    return _load(text, GrantRecord, GRANT)


def dump_metadata(metadata: ProviderMetadata) -> str:
    """Return a provider's metadata as compact JSON."""
    check_kind(metadata, ProviderMetadata, about="record")
    return _dump(metadata, METADATA)


def load_metadata(text: Record) -> ProviderMetadata:
    """Read a provider's metadata; raises as :func:`load_tokens`."""
    return _load(text, ProviderMetadata, METADATA)


def dump_key_set(key_set: KeySet, fetched_at: int) -> str:
    """Return a key set and the time it was fetched as compact JSON."""
    check_kind(key_set, KeySet, about="record")
    check_kind(fetched_at, int, about="fetched_at")
    return render(JsonObject({"v": KEY_SET, "keys": key_set.published, "fetched_at": fetched_at}))


def load_key_set(text: Record) -> tuple[KeySet, int]:
    """Read a key set and the time it was fetched; raises as :func:`load_tokens`."""
    members = _members(text, KEY_SET)
    fetched_at = members.members.get("fetched_at")
    if not isinstance(fetched_at, int) or isinstance(fetched_at, bool):
        raise StoreFailure("record_invalid", about="fetched_at")
    try:
        return parse_key_set(members, limits=UPPER_BOUNDS), fetched_at
    except OidcError:
        raise StoreFailure("record_invalid", about="keys") from None


def _dump(value: AttrsInstance, version: int) -> str:
    from oidc_core.wire.structuring import unstructured

    return render(JsonObject({"v": version, **unstructured(value)}))


def _load(text: Record, kind: type[T], version: int) -> T:
    from oidc_core.wire.structuring import structured

    return structured(_members(text, version), kind, StoreFailure, "record_invalid").value


def _members(text: Record, version: int) -> JsonObject:
    """Parse a record and check its version: this one or the one before.

    It may hold what was parsed before, one level down, and tokens of any size allowed.
    """
    octets = octets_of(text, "record")
    try:
        members = parse_object(
            octets,
            members=UPPER_BOUNDS.members,
            depth=_DEPTH,
        )
    except OidcError:
        raise StoreFailure("record_invalid") from None
    found = members.members.get("v")
    odd = isinstance(found, bool) or not isinstance(found, int)
    if odd or found not in (version, version - 1):
        shown = found if isinstance(found, int) else type(found).__name__
        raise StoreFailure("record_version_unknown", found=shown, expected=version)
    return members
