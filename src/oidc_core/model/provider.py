"""The provider's metadata, typed.

Where it lies is another matter: see :mod:`oidc_core.operations.discovery`.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from attrs import evolve, field, fields, frozen

from oidc_core.model.digests import short_digest
from oidc_core.model.network import HTTPS_ONLY, Network, way_of
from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError
from oidc_core.wire.facts import shown_names
from oidc_core.wire.jsontypes import JsonObject, JsonValue, unreadable
from oidc_core.wire.settings import (
    check_fields,
    fields_of,
    json_object,
    names,
    texts,
)
from oidc_core.wire.urls import query_names

_EMPTY: Final = JsonObject({})

RESERVED_PARAMETERS: Final = frozenset(
    {
        "scope", "response_type", "client_id", "redirect_uri", "state", "nonce", "response_mode",
        "display", "prompt", "max_age", "ui_locales", "claims_locales", "id_token_hint",
        "login_hint", "acr_values", "claims", "code_challenge", "code_challenge_method", "request",
        "request_uri", "registration", "resource", "dpop_jkt", "client_secret", "client_assertion",
        "client_assertion_type",
    }
)  # fmt: skip
"""Parameters of an authorization request that only the library sets."""


@frozen(kw_only=True)
class ProviderMetadata:
    """The provider's metadata (OIDC Discovery §3, RFC 8414 §2, RFC 9126 §5, RFC 9207 §3).

    The members about logout come from OIDC Back-Channel Logout §2.1, Front-Channel Logout §3 and
    Session Management §3.3.

    A list that is empty and a flag that is ``None`` were absent or null: they rule nothing out,
    even if their specification has a default. Members not known here are kept in ``extra``.
    ``notes`` name the malformed members that no decision depends on: they count as absent, and a
    text in place of a list counts as a list of one.
    """

    issuer: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    jwks_uri: str | None = None
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    registration_endpoint: str | None = None
    revocation_endpoint: str | None = None
    introspection_endpoint: str | None = None
    check_session_iframe: str | None = None
    scopes_supported: tuple[str, ...] = field(default=(), converter=names)
    response_types_supported: tuple[str, ...] = field(default=(), converter=names)
    response_modes_supported: tuple[str, ...] = field(default=(), converter=names)
    grant_types_supported: tuple[str, ...] = field(default=(), converter=names)
    acr_values_supported: tuple[str, ...] = field(default=(), converter=names)
    subject_types_supported: tuple[str, ...] = field(default=(), converter=names)
    id_token_signing_alg_values_supported: tuple[str, ...] = field(default=(), converter=names)
    id_token_encryption_alg_values_supported: tuple[str, ...] = field(default=(), converter=names)
    id_token_encryption_enc_values_supported: tuple[str, ...] = field(default=(), converter=names)
    userinfo_signing_alg_values_supported: tuple[str, ...] = field(default=(), converter=names)
    userinfo_encryption_alg_values_supported: tuple[str, ...] = field(default=(), converter=names)
    userinfo_encryption_enc_values_supported: tuple[str, ...] = field(default=(), converter=names)
    token_endpoint_auth_methods_supported: tuple[str, ...] = field(default=(), converter=names)
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] = field(
        default=(), converter=names
    )
    revocation_endpoint_auth_methods_supported: tuple[str, ...] = field(default=(), converter=names)
    revocation_endpoint_auth_signing_alg_values_supported: tuple[str, ...] = field(
        default=(), converter=names
    )
    code_challenge_methods_supported: tuple[str, ...] = field(default=(), converter=names)
    prompt_values_supported: tuple[str, ...] = field(default=(), converter=names)
    claims_supported: tuple[str, ...] = field(default=(), converter=names)
    claims_parameter_supported: bool | None = None
    request_parameter_supported: bool | None = None
    request_uri_parameter_supported: bool | None = None
    backchannel_logout_supported: bool | None = None
    backchannel_logout_session_supported: bool | None = None
    frontchannel_logout_supported: bool | None = None
    frontchannel_logout_session_supported: bool | None = None
    require_request_uri_registration: bool = False
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    authorization_response_iss_parameter_supported: bool = False
    tls_client_certificate_bound_access_tokens: bool = False
    extra: JsonObject = field(default=_EMPTY, converter=json_object)
    notes: tuple[str, ...] = field(default=(), converter=texts)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _METADATA)

    @property
    def endpoints(self) -> tuple[tuple[str, str], ...]:
        """The URLs that are used, by member name."""
        return tuple(
            [(name, url) for name in ENDPOINTS if (url := getattr(self, name)) is not None]
        )

    @property
    def endpoints_digest(self) -> str:
        """A short digest of the issuer and of the endpoints that get a login's code and tokens."""
        return short_digest(map(str, (self.issuer, self.token_endpoint, self.userinfo_endpoint)))


_METADATA: Final = fields_of(ProviderMetadata)

ENDPOINTS: Final = (
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "end_session_endpoint",
    "registration_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "check_session_iframe",
)
_KNOWN: Final = frozenset([attribute.name for attribute in fields(ProviderMetadata)]) - {
    "extra",
    "notes",
}
_LISTS: Final = _KNOWN & {
    attribute.name for attribute in fields(ProviderMetadata) if attribute.type == tuple[str, ...]
}
_IN_USE: Final = frozenset(
    {"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"}
)
"""The endpoints that a login uses, unless its client says that it does not use one."""

_READ: Final = _IN_USE | {
    "issuer",
    "require_request_uri_registration",
    "require_signed_request_object",
    "require_pushed_authorization_requests",
    "authorization_response_iss_parameter_supported",
    "tls_client_certificate_bound_access_tokens",
}
"""Members whose malformed values are errors, never absent: endpoints in use, security flags."""


def metadata_of(
    members: Mapping[str, object],
    *,
    network: Network = HTTPS_ONLY,
    unused: AbstractSet[str] = frozenset(),
) -> ProviderMetadata:
    """Type a metadata document.

    Args:
        members: the document, as JSON or as a mapping that could be.
        network: where endpoints may be.
        unused: endpoints of a login that this client has no use for, by name.

    Raises:
        UsageError: ``parameter_invalid`` for a value that is not a JSON object.
        ProtocolViolation: ``metadata_invalid`` or ``metadata_endpoint_invalid``, naming the member,
            for an issuer, an endpoint in use or a security flag that is malformed.
    """
    held, notes = _lists_of_one(JsonObject(members))
    read = _READ - unused
    metadata = _typed(held, read)
    refused = _refused_endpoints(metadata, network, _IN_USE - unused)
    if refused:
        rest = {name: value for name, value in held.items() if name not in refused}
        metadata = _typed(rest, read)
        notes += [f"refused: {name} ({code})" for name, code in refused.items()]
    check_authorization_endpoint(metadata)
    return evolve(metadata, notes=(*metadata.notes, *notes)) if notes else metadata


def _lists_of_one(members: JsonObject) -> tuple[dict[str, JsonValue], list[str]]:
    """Put each text in place of a list into a list, and note that."""
    held, notes = dict(members.members), list[str]()
    for name in _LISTS & held.keys():
        value = held[name]
        if isinstance(value, str) and value:
            held[name] = (value,)
            notes.append(f"taken as a list of one: {name}")
    return held, sorted(notes)


def _typed(members: Mapping[str, JsonValue], read: AbstractSet[str]) -> ProviderMetadata:
    """Type the members; one that is malformed counts as absent, unless it is read, with a note."""
    from oidc_core.wire.structuring import structured

    unread = [name for name in unreadable(JsonObject(members)) if name not in _KNOWN]
    other = members.keys() - _KNOWN - {*unread}
    extra = {name: value for name, value in members.items() if name in other}
    known = {name: value for name, value in members.items() if name in _KNOWN}
    metadata, dropped = structured(
        JsonObject({**known, "extra": JsonObject(extra)}),
        ProviderMetadata,
        ProtocolViolation,
        "metadata_invalid",
        droppable=_KNOWN - read,
    )
    notes = tuple([f"malformed: {name}" for name in (*dropped, *shown_names(unread))])
    return evolve(metadata, notes=notes) if notes else metadata


def _refused_endpoints(
    metadata: ProviderMetadata, network: Network, in_use: AbstractSet[str]
) -> dict[str, str]:
    """Return the endpoints that are not in use and that the policy forbids, with the reason's code.

    Raises:
        ProtocolViolation: ``metadata_endpoint_invalid`` for one that is in use.
    """
    refused: dict[str, str] = {}
    for name, url in metadata.endpoints:
        try:
            way_of(network, url, about=name)
        except OidcError as fault:
            if name in in_use:
                raise ProtocolViolation(
                    "metadata_endpoint_invalid", about=name, found=fault.code
                ) from None
            refused[name] = fault.code
    return refused


def check_overrides(overrides: JsonObject, *, network: Network = HTTPS_ONLY) -> None:
    """Check the members that correct a metadata document, so that no fault of theirs looks its own.

    Raises:
        UsageError: ``config_invalid`` for ``issuer``, for a name that is not a member of the
            metadata, and for a value that the member cannot have.
    """
    for name, value in overrides.items():
        if name == "issuer" or name not in _KNOWN:
            raise UsageError("config_invalid", about="metadata_overrides", found=name)
        try:
            document = JsonObject({"issuer": "https://op.example", name: value})
            malformed = metadata_of(document, network=network).notes != ()
        except ProtocolViolation:
            malformed = True
        if malformed:
            raise UsageError("config_invalid", about=f"metadata_overrides: {name}")


def check_authorization_endpoint(metadata: ProviderMetadata) -> None:
    """Refuse an authorization endpoint whose query has a parameter of the protocol.

    The request would carry it twice, and the provider might heed the one that is not ours.

    Raises:
        ProtocolViolation: ``metadata_endpoint_invalid``.
    """
    if RESERVED_PARAMETERS & query_names(metadata.authorization_endpoint or ""):
        raise ProtocolViolation(
            "metadata_endpoint_invalid", about="authorization_endpoint", found="parameter_reserved"
        )
