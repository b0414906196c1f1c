"""The rule by which a provider's issuer is recognised.

The issuer is an identity and is compared as an exact string, never normalised.
"""

import re
from collections.abc import Set as AbstractSet
from typing import Final

from attrs import field, frozen

from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.settings import check_fields, check_kind, fields_of, text_set
from oidc_core.wire.urls import origin_of

_PATTERN: Final = re.compile(r"[^{}]+\{[A-Za-z_]+\}[^{}]*")
_PLACEHOLDER: Final = re.compile(r"\{[A-Za-z_]+\}")
_TENANT: Final = re.compile(r"[A-Za-z0-9._~-]+")


class _AnyTenant(frozenset[str]):
    """Every tenant: must be named, since it lets every customer of the provider in."""

    def __contains__(self, tenant: object) -> bool:
        return isinstance(tenant, str) and tenant != ""

    def __eq__(self, other: object) -> bool:
        return self is other  # it has no members, and is not the empty set

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return "ANY_TENANT"

    def __reduce__(self) -> str:
        return "ANY_TENANT"


ANY_TENANT: Final = _AnyTenant()
"""Lets the users of every tenant in; each tenant is a separate issuer."""


@frozen(kw_only=True)
class IssuerRule:
    """How the issuer of one provider is recognised in metadata, responses and tokens.

    Use :meth:`exact`, :meth:`one_of` or :meth:`template`.

    Attributes:
        canonical: the issuer in the form for identities; of a template, the pattern.
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
        """Accept exactly one string, which is the rule of the specifications.

        Raises:
            UsageError: ``config_invalid`` for a value that is not a string.
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

        ``pattern`` is the issuer with one ``{…}`` in place of the tenant, exactly as in the
        provider's metadata: ``https://login.example/{tenantid}/v2.0``. An ID token must name the
        same tenant in its ``iss`` and in ``claim``.

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

        Only a provider with many tenants says so of its keys, and only a template heeds it: at
        every other provider the member of that name is anybody's guess.  A key of no issuers is
        for every tenant; the tenants are never one another.
        """
        return not self.pattern or not issuers or iss in issuers or self.pattern in issuers

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

        It is that issuer, which is one of those configured. A pattern is not an identity: the one
        tenant that is let in replaces it, and ``None`` if there are several.
        """
        if issuer != self.pattern:
            return issuer
        return min(self.accepted) if len(self.accepted) == 1 else None

    def identity(self, issuer: str) -> str:
        """Return the issuer of an identity: each tenant of a template is a separate issuer."""
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
