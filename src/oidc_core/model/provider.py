"""The provider: its metadata, typed, and the rule by which its issuer is recognised.

The issuer is an identity and is compared as an exact string; nothing is normalised away.  Where
the metadata lies is another matter: see :mod:`oidc_core.operations.discovery`.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from hashlib import sha256
from typing import Final

from attrs import evolve, field, fields, frozen

from oidc_core.model.network import HTTPS_ONLY, Network, way_of
from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.settings import (
    check_fields,
    check_kind,
    fields_of,
    json_object,
    names,
    text_set,
    texts,
)
from oidc_core.wire.urls import origin_of, query_names

_EMPTY: Final = JsonObject({})
_PATTERN: Final = re.compile(r"[^{}]+\{[A-Za-z_]+\}[^{}]*")
_PLACEHOLDER: Final = re.compile(r"\{[A-Za-z_]+\}")
_TENANT: Final = re.compile(r"[A-Za-z0-9._~-]+")


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


class _AnyTenant(frozenset[str]):
    """Every tenant: has to be named, since it lets every customer of the provider in."""

    def __contains__(self, tenant: object) -> bool:
        return isinstance(tenant, str) and tenant != ""

    def __eq__(self, other: object) -> bool:
        return self is other  # it has no members of its own, and is not the empty set

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return "ANY_TENANT"

    def __reduce__(self) -> str:
        return "ANY_TENANT"


ANY_TENANT: Final = _AnyTenant()
"""Lets the users of every tenant in; each tenant is an issuer of its own."""


@frozen(kw_only=True)
class IssuerRule:
    """How the issuer of one provider is recognised in metadata, responses and tokens.

    Use :meth:`exact`, :meth:`one_of` or :meth:`template`.

    Attributes:
        canonical: the issuer as it stands in identities; of a template, the pattern.
        accepted: the exact strings that are this issuer.
        pattern: an issuer with ``{…}`` in place of the tenant, or an empty string.
        claim: the claim of an ID token that names the tenant.
        tenants: the tenants let in, or :data:`ANY_TENANT`.
    """

    canonical: str
    accepted: frozenset[str] = field(converter=text_set)
    pattern: str = ""
    claim: str = ""
    tenants: frozenset[str] = field(default=frozenset(), converter=text_set)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _RULE)
        if self.pattern:
            _check_template(self.pattern, self.tenants)

    @classmethod
    def exact(cls, issuer: str) -> "IssuerRule":
        """Accept one string, as the specifications have it.

        Raises:
            UsageError: ``config_invalid`` for what is no string.
        """
        return cls.one_of(issuer)

    @classmethod
    def one_of(cls, canonical: str, *others: str) -> "IssuerRule":
        """Accept several strings for one and the same provider; raises as :meth:`exact`."""
        for issuer in (canonical, *others):
            check_kind(issuer, str, about="issuer", code="config_invalid")
        return cls(canonical=canonical, accepted=(canonical, *others))

    @classmethod
    def template(
        cls,
        pattern: str,
        *,
        claim: str = "tid",
        tenants: list[str] | tuple[str, ...] | AbstractSet[str],
    ) -> "IssuerRule":
        """Accept the issuers of the named tenants of a provider with many.

        ``pattern`` is the issuer with one ``{…}`` in place of the tenant, just as the provider's
        metadata has it: ``https://login.example/{tenantid}/v2.0``.  An ID token must name the same
        tenant in its ``iss`` and in ``claim``.

        Raises:
            UsageError: ``config_invalid`` for a pattern without exactly one ``{…}``, without
                tenants, and for tenants that are not made of unreserved characters.
        """
        check_kind(pattern, str, about="issuer template", code="config_invalid")
        named = text_set(tenants)
        if named is not ANY_TENANT:
            check_kind(named, frozenset[str], about="tenants", code="config_invalid")
        _check_template(pattern, named)
        accepted = [_PLACEHOLDER.sub(tenant, pattern) for tenant in named]
        return cls(
            canonical=pattern, accepted=accepted, pattern=pattern, claim=claim, tenants=named
        )

    @property
    def example(self) -> str:
        """An issuer as this rule would accept it, for its syntax to be checked."""
        return _PLACEHOLDER.sub("tenant", self.pattern) if self.pattern else self.canonical

    @property
    def origins(self) -> frozenset[str]:
        """The origins that the developer named with it; no tenant of any name is one."""
        origins = {origin_of(issuer) for issuer in self.accepted}
        if not _PLACEHOLDER.search(self.pattern.partition("://")[2].partition("/")[0]):
            origins.add(origin_of(self.example))
        return frozenset(origins - {""})

    def in_metadata(self, issuer: str) -> bool:
        """Return whether metadata may name this issuer."""
        return issuer in self.accepted or (self.pattern != "" and issuer == self.pattern)

    def in_key(self, issuers: frozenset[str], iss: str) -> bool:
        """Return whether a key that is for these issuers only may sign for ``iss``.

        A key of no issuers is for every one that the provider has.  Several strings for one
        provider mean the same issuer here too; the tenants of a template are never one another.
        """
        if not issuers or iss in issuers:
            return True
        if self.pattern:
            return self.pattern in issuers
        return iss in self.accepted and not self.accepted.isdisjoint(issuers)

    def in_response(self, issuer: str) -> bool:
        """Return whether an authorization response may come from this issuer."""
        return issuer in self.accepted or self._tenant(issuer) is not None

    def in_token(self, issuer: str, claims: JsonObject) -> bool:
        """Return whether an ID token with these claims may name this issuer."""
        if not self.pattern:
            return issuer in self.accepted
        tenant = claims.members.get(self.claim)
        return tenant is not None and tenant == self._tenant(issuer)

    def audience(self, issuer: str) -> str | None:
        """Return the audience of client assertions, by the issuer that the metadata names.

        It is that issuer, which is one of those configured.  Nobody is a pattern: the one tenant
        that is let in stands for it, and ``None`` if there are several.
        """
        if issuer != self.pattern:
            return issuer
        return min(self.accepted) if len(self.accepted) == 1 else None

    def identity(self, issuer: str) -> str:
        """Return the issuer of an identity: each tenant of a template is an issuer of its own."""
        return issuer if self.pattern else self.canonical

    def _tenant(self, issuer: str) -> str | None:
        """Return the tenant an issuer names, if it is one of those let in."""
        if not self.pattern:
            return None
        before, after = _PLACEHOLDER.split(self.pattern)
        if not (issuer.startswith(before) and issuer.endswith(after)):
            return None
        tenant = issuer[len(before) : len(issuer) - len(after)]
        return tenant if _TENANT.fullmatch(tenant) and tenant in self.tenants else None


def _check_template(pattern: str, tenants: frozenset[str]) -> None:
    if not _PATTERN.fullmatch(pattern) or not (tenants or tenants is ANY_TENANT):
        raise UsageError("config_invalid", about="issuer template", found=pattern)
    odd = tuple(sorted([tenant for tenant in tenants if not _TENANT.fullmatch(tenant)]))
    if odd:
        raise UsageError("config_invalid", about="tenants", found=odd)


_RULE: Final = fields_of(IssuerRule, tenants=frozenset[str] | _AnyTenant)


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
    extra = {name: value for name, value in members.items() if name not in _KNOWN}
    known = {name: value for name, value in members.items() if name in _KNOWN}
    metadata, dropped = structured(
        JsonObject({**known, "extra": JsonObject(extra)}),
        ProviderMetadata,
        ProtocolViolation,
        "metadata_invalid",
        droppable=_KNOWN - _READ,
    )
    if dropped:
        metadata = evolve(metadata, notes=tuple([f"malformed: {name}" for name in dropped]))
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
