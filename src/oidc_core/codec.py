"""What crosses a process: logins in flight, tokens, metadata and key sets, as versioned JSON.

Each kind has an integer version ``v``.  A reader takes its own version and the one before, and
ignores members it does not know, so that processes of two releases can share a store.
What is loaded was kept by the application; a value that does not fit is the store's failure.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

from attrs import AttrsInstance, fields

from oidc_core.end_session import PendingLogout
from oidc_core.errors import OidcError, StoreFailure
from oidc_core.jsontypes import JsonObject, JsonValue, parse_object, render
from oidc_core.jwk import KeySet, parse_key_set
from oidc_core.pending import PendingLogin, pending_id_of
from oidc_core.provider import ProviderMetadata
from oidc_core.tokens import Tokens

PENDING_LOGIN: Final = 1
PENDING_LOGOUT: Final = 1
TOKENS: Final = 1
METADATA: Final = 1
KEY_SET: Final = 1

T = TypeVar("T", bound=AttrsInstance)


def dump_pending_login(pending: PendingLogin) -> str:
    """Return a login in flight as compact JSON.  It holds secrets: seal it."""
    members: dict[str, JsonValue] = {"v": PENDING_LOGIN}
    for attribute in _PENDING_LOGIN:
        value: JsonValue = getattr(pending, attribute.name)
        if value != attribute.default and attribute.name != "id":
            members[attribute.name] = value
    return render(JsonObject(members))


def load_pending_login(text: str) -> PendingLogin:
    """Read a login in flight.

    Raises:
        StoreFailure: ``record_invalid`` or ``record_version``.
    """
    members = _members(text, PENDING_LOGIN).members
    found: dict[str, JsonValue] = {}
    for attribute in _PENDING_LOGIN:
        value = members.get(attribute.name)
        if value is None:
            continue
        if type(value) not in _KINDS.get(attribute.name, _TEXT):
            raise StoreFailure("record_invalid", about=attribute.name)
        found[attribute.name] = value
    state = members.get("state")
    if not isinstance(state, str):
        raise StoreFailure("record_invalid", about="state")
    found["id"] = pending_id_of(state)
    try:
        return PendingLogin(**found)  # type: ignore[arg-type]
    except TypeError:
        raise StoreFailure("record_invalid") from None


_PENDING_LOGIN: Final = fields(PendingLogin)
_TEXT: Final = frozenset({str})
_NUMBER: Final = frozenset({int})
_TEXTS: Final = frozenset({tuple})
_KINDS: Final[Mapping[str, frozenset[type]]] = {
    "max_age": _NUMBER,
    "created_at": _NUMBER,
    "expects_iss": frozenset({bool}),
    "required_acr": _TEXTS,
    "essential_claims": _TEXTS,
    "resource": _TEXTS,
}


def dump_pending_logout(pending: PendingLogout) -> str:
    """Return a logout in flight as compact JSON."""
    return _dump(pending, PENDING_LOGOUT)


def load_pending_logout(text: str) -> PendingLogout:
    """Read a logout in flight; raises as :func:`load_tokens`."""
    return _load(text, PendingLogout, PENDING_LOGOUT)


def dump_tokens(tokens: Tokens) -> str:
    """Return tokens as compact JSON.  They are secrets: seal or protect the store."""
    return _dump(tokens, TOKENS)


def load_tokens(text: str) -> Tokens:
    """Read tokens.

    Raises:
        StoreFailure: ``record_invalid`` or ``record_version``.
    """
    return _load(text, Tokens, TOKENS)


def dump_metadata(metadata: ProviderMetadata) -> str:
    """Return a provider's metadata as compact JSON."""
    return _dump(metadata, METADATA)


def load_metadata(text: str) -> ProviderMetadata:
    """Read a provider's metadata; raises as :func:`load_tokens`."""
    return _load(text, ProviderMetadata, METADATA)


def dump_key_set(key_set: KeySet, fetched_at: int) -> str:
    """Return a key set and the time it was fetched as compact JSON."""
    return render(JsonObject({"v": KEY_SET, "keys": key_set.published, "fetched_at": fetched_at}))


def load_key_set(text: str) -> tuple[KeySet, int]:
    """Read a key set and the time it was fetched; raises as :func:`load_tokens`."""
    members = _members(text, KEY_SET)
    fetched_at = members.members.get("fetched_at")
    if not isinstance(fetched_at, int) or isinstance(fetched_at, bool):
        raise StoreFailure("record_invalid", about="fetched_at")
    try:
        return parse_key_set(members), fetched_at
    except OidcError:
        raise StoreFailure("record_invalid", about="keys") from None


def _dump(value: AttrsInstance, version: int) -> str:
    from oidc_core.structuring import unstructured

    return render(JsonObject({"v": version, **unstructured(value)}))


def _load(text: str, kind: type[T], version: int) -> T:
    from oidc_core.structuring import structured

    return structured(_members(text, version), kind, StoreFailure, "record_invalid")


def _members(text: str, version: int) -> JsonObject:
    """Parse a record and check its version: this one or the one before."""
    try:
        members = parse_object(text.encode("utf-8", "surrogatepass"))
    except OidcError:
        raise StoreFailure("record_invalid") from None
    found = members.members.get("v")
    if not isinstance(found, int) or found not in (version, version - 1):
        shown = found if isinstance(found, int) else type(found).__name__
        raise StoreFailure("record_version", found=shown, expected=version)
    return members
