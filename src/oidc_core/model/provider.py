"""The provider's metadata, typed.

Where it lies is another matter: see :mod:`oidc_core.operations.discovery`.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from attrs import evolve, field, fields, frozen

from oidc_core.model.network import HTTPS_ONLY, Network, way_of
from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError, shown_name
from oidc_core.wire.jsontypes import JsonObject, unreadable
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
"""Parameters of an authorization request that nobody but the library sets."""


@frozen(kw_only=True)
class ProviderMetadata:
    """The provider's metadata (OIDC Discovery §3, RFC 8414 §2, RFC 9207 §3).

    A member that is absent or null has the default of its specification.  Members not known here
    are kept in ``extra``.  ``notes`` name those that count as absent too: what no rule reads and
    was malformed, an endpoint that is not used and that could not be, and an
    ``end_session_endpoint`` that is an empty string.
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
    scopes_supported: tuple[str, ...] = field(default=(), converter=names)
    response_types_supported: tuple[str, ...] = field(default=(), converter=names)
    response_modes_supported: tuple[str, ...] = field(
        default=("query", "fragment"), converter=names
    )
    grant_types_supported: tuple[str, ...] = field(
        default=("authorization_code", "implicit"), converter=names
    )
    acr_values_supported: tuple[str, ...] = field(default=(), converter=names)
    subject_types_supported: tuple[str, ...] = field(default=(), converter=names)
    id_token_signing_alg_values_supported: tuple[str, ...] = field(default=(), converter=names)
    userinfo_signing_alg_values_supported: tuple[str, ...] = field(default=(), converter=names)
    token_endpoint_auth_methods_supported: tuple[str, ...] = field(
        default=("client_secret_basic",), converter=names
    )
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] = field(
        default=(), converter=names
    )
    code_challenge_methods_supported: tuple[str, ...] = field(default=(), converter=names)
    prompt_values_supported: tuple[str, ...] = field(default=(), converter=names)
    claims_supported: tuple[str, ...] = field(default=(), converter=names)
    claims_parameter_supported: bool = False
    request_parameter_supported: bool = False
    request_uri_parameter_supported: bool = True
    authorization_response_iss_parameter_supported: bool = False
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
        """A short digest of the issuer and of what a login sends its code and tokens to."""
        text = "\n".join(map(str, (self.issuer, self.token_endpoint, self.userinfo_endpoint)))
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


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
)
_KNOWN: Final = frozenset([attribute.name for attribute in fields(ProviderMetadata)]) - {
    "extra",
    "notes",
}
_READ: Final = frozenset(
    {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint",
     "end_session_endpoint", "id_token_signing_alg_values_supported",
     "authorization_response_iss_parameter_supported"}
)  # fmt: skip
"""What a rule or an operation reads: malformed, it is an error."""

_NO_LOGOUT: Final = ("end_session_endpoint", "")
"""How some providers say that they have none."""


def metadata_of(
    members: Mapping[str, object], *, network: Network = HTTPS_ONLY
) -> ProviderMetadata:
    """Type a metadata document.

    Args:
        members: the document, as JSON or as a mapping that could be.
        network: where endpoints may be.

    Raises:
        UsageError: ``parameter_invalid`` for what is no JSON object.
        ProtocolViolation: ``metadata_invalid`` or ``metadata_endpoint_invalid``, naming the member.
    """
    from oidc_core.wire.structuring import structured

    members = JsonObject(members)
    unread = [name for name in unreadable(members) if name not in _KNOWN]
    other = members.keys() - _KNOWN - {*unread}
    extra = {name: value for name, value in members.items() if name in other}
    known = {name: value for name, value in members.items() if name in _KNOWN}
    metadata, dropped = structured(
        JsonObject({**known, "extra": JsonObject(extra)}),
        ProviderMetadata,
        ProtocolViolation,
        "metadata_invalid",
        droppable=_KNOWN - _READ,
    )
    odd = [*dropped, *unread]
    if odd:
        notes = tuple([f"malformed: {shown_name(name)}" for name in odd])
        metadata = evolve(metadata, notes=notes)
    refused = _refused_endpoints(metadata, network)
    if refused:
        rest = {name: value for name, value in members.items() if name not in refused}
        told = [f"refused: {name} ({code})" for name, code in refused.items()]
        metadata = metadata_of(rest, network=network)
        return evolve(metadata, notes=(*metadata.notes, *told))
    check_authorization_endpoint(metadata)
    return metadata


def _refused_endpoints(metadata: ProviderMetadata, network: Network) -> dict[str, str]:
    """Return the endpoints that nothing needs and that may not be used, with the reason's code.

    Raises:
        ProtocolViolation: ``metadata_endpoint_invalid`` for one that is needed.
    """
    refused: dict[str, str] = {}
    for name, url in metadata.endpoints:
        try:
            way_of(network, url, about=name)
        except OidcError as fault:
            if name in _READ and (name, url) != _NO_LOGOUT:
                raise ProtocolViolation(
                    "metadata_endpoint_invalid", about=name, found=fault.code
                ) from None
            refused[name] = fault.code
    return refused


def check_overrides(overrides: JsonObject, *, network: Network = HTTPS_ONLY) -> None:
    """Check the members that correct a metadata document, so that no fault of theirs looks its own.

    Raises:
        UsageError: ``config_invalid`` for ``issuer``, for a name that is no member of the metadata,
            and for a value that the member cannot have.
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
