"""Redirect URIs that several clients share: which may, and whose a callback can be.

An honest provider's code must not be sent to another one (RFC 9700 §4.4).  The redirect URI tells
providers apart where each has its own; where two share one, only ``iss`` in the response does.  It
is decided from configuration alone, for metadata may be hostile, or not be fetched yet.
"""

from collections.abc import Sequence
from itertools import combinations
from types import MappingProxyType
from typing import Final, TypeAlias
from urllib.parse import unquote

from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import CallbackError, UsageError, fingerprint
from oidc_core.wire.jsontypes import render
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import parse_url

_CLIENTS: Final = tuple[RelyingParty, ...]
_Way: TypeAlias = tuple[str, ...]
_HTTP: Final = ("https://", "http://")


def route_of(url: str) -> str:
    """Return what a framework may take for the same route: a URL without query and spelling.

    Two URLs that differ in the case of their host, a default port, a final or a double slash or an
    escape count as one; no redirect URI has dot segments. Two URLs that this joins by mistake are
    refused when configured.

    Raises:
        UsageError: like :func:`~oidc_core.wire.urls.parse_url`.
    """
    base = url.partition("?")[0]
    if base.lower().startswith(_HTTP):
        parsed = parse_url(base, http=True)
        origin, rest = parsed.origin, parsed.path
    else:  # a private-use scheme: an operating system takes it in either case
        scheme, _, rest = base.partition(":")
        origin = f"{scheme.lower()}:"
    return "/".join([origin, *filter(None, unquote(rest).split("/"))])


def _harmless(url: str) -> str:
    """Return a URL for a message: no code, no state and no password shows."""
    base = url.partition("#")[0].partition("?")[0]
    return fingerprint(base) if "@" in base else base


def routes_of(rp: RelyingParty) -> frozenset[str]:
    """Return the routes of a client's redirect URIs."""
    return frozenset(map(route_of, rp.client.redirect_uris))


def check_routes(rps: Sequence[RelyingParty]) -> None:
    """Refuse clients that share a redirect URI where a response could be taken for another's.

    Clients whose provider is reached in one way, by the same discovery or the same endpoints, may
    share it. Clients of several issuers may if each is declared ``response_iss="required"``. One
    issuer that is reached at other endpoints must never: its ``iss`` would speak for both.

    Raises:
        UsageError: ``redirect_uri_shared``.
    """
    sharing: dict[str, list[RelyingParty]] = {}
    for rp in rps:
        for route in routes_of(rp):
            sharing.setdefault(route, []).append(rp)
    for route, group in sharing.items():
        ways = set(map(_way, group))
        if len(ways) > 1:
            for rp in group:
                if rp.client.response_iss != "required":
                    raise UsageError("redirect_uri_shared", found=route, about=rp.issuer)
            ambiguous = _ambiguous(group)
            if ambiguous:
                expected = f"one way to the endpoints of {ambiguous}"
                raise UsageError("redirect_uri_shared", found=route, expected=expected)


def _ambiguous(rps: Sequence[RelyingParty]) -> str:
    """Return an issuer that is reached in several ways, so that ``iss`` speaks for all of them."""
    rules = dict.fromkeys([(_way(rp), rp.issuer_rule) for rp in rps])
    for (way, rule), (other_way, other) in combinations(rules, 2):
        if way != other_way and _overlap(rule, other):
            return rule.canonical
    return ""


def _overlap(one: IssuerRule, other: IssuerRule) -> bool:
    """Return whether an issuer may be one of both rules; in doubt it may."""
    if one.pattern and other.pattern:
        before, other_before = one.pattern.partition("{")[0], other.pattern.partition("{")[0]
        if before.startswith(other_before) or other_before.startswith(before):
            return True
    return any(map(one.in_response, other.accepted)) or any(map(other.in_response, one.accepted))


def _way(rp: RelyingParty) -> _Way:
    """Return how a provider's endpoints are known, by discovery or by hand, and reached."""
    sent_to = [f"{published} {origin}" for published, origin in sorted(rp.policy.back_channel)]
    if rp.discovered or not rp.provider.endpoints:
        at = rp.discovery_url or f"issuer {rp.issuer}"
        return ("discovered", at, render(rp.metadata_overrides), *sent_to)
    return ("by hand", *[f"{name} {url}" for name, url in rp.provider.endpoints], *sent_to)


class Routes:
    """The redirect URIs of the clients that one object takes callbacks for.

    Args:
        rps: the clients; later results name their places in this sequence.

    Raises:
        UsageError: ``redirect_uri_shared``, like :func:`check_routes`.
    """

    __slots__ = ("_by_url", "_count", "_iss_decides")

    def __init__(self, rps: Sequence[RelyingParty]) -> None:
        rps = tuple(rps) if isinstance(rps, list) else rps
        check_kind(rps, _CLIENTS, about="rps", code="config_invalid")
        check_routes(rps)
        by_url: dict[str, dict[int, None]] = {}
        for place, rp in enumerate(rps):
            for uri in rp.client.redirect_uris:
                by_url.setdefault(uri.partition("?")[0], {})[place] = None
        self._by_url = MappingProxyType({url: tuple(places) for url, places in by_url.items()})
        declared = all(rp.client.response_iss == "required" for rp in rps)
        self._iss_decides = declared and not _ambiguous(rps)
        self._count = len(rps)

    def among(self, url: str | None) -> tuple[int, ...]:
        """Return whose callback may have come to a URL, by configuration alone.

        Args:
            url: the configured URL of the route that was called, in the same spelling without its
                query; ``None`` if that is not known.

        Raises:
            UsageError: ``redirect_uri_unknown`` without a URL where it is what tells providers
                apart: everywhere but among clients that are all declared
                ``response_iss="required"``, each issuer of which is reached in one way.
            CallbackError: ``redirect_uri_mismatch`` for a URL that is not the redirect URI of a
                client.
        """
        if url is None:
            if not self._iss_decides:
                raise UsageError("redirect_uri_unknown", about="url", expected="an absolute URL")
            return tuple(range(self._count))
        found = self._by_url.get(url.partition("?")[0], ())
        if not found:
            expected = tuple(sorted(self._by_url))
            raise CallbackError("redirect_uri_mismatch", found=_harmless(url), expected=expected)
        return found
