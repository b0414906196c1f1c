"""Discovery: the provider's metadata, fetched and believed only if it names the right issuer.

OpenID Connect appends the well-known path to the issuer (OIDC Discovery §4), OAuth inserts it
before the issuer's path (RFC 8414 §3).  Which one applies is chosen, never tried.
"""

from collections.abc import Set as AbstractSet
from typing import Final, Literal, TypeAlias

from attrs import frozen

from oidc_core.machine.steps import Done, Exchange, Step
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.network import HTTPS_ONLY, Network, way_of
from oidc_core.model.provider import ProviderMetadata, metadata_of
from oidc_core.model.relying_party import RelyingParty
from oidc_core.model.supported import unused_endpoints
from oidc_core.wire.answers import answered, document
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.http import NO_CACHE, Answer, HttpRequest, HttpResponse
from oidc_core.wire.jsontypes import JsonObject, parse_object
from oidc_core.wire.limits import LIMITS, Limits
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import NO_ORIGINS, explain_difference, parse_issuer, parse_url

WellKnown: TypeAlias = Literal["openid", "oauth"]

NOTHING: Final = JsonObject({})
"""Corrects nothing."""

_ACCEPT: Final = ("accept", "application/json")
_OPENID: Final = "/.well-known/openid-configuration"
_OAUTH: Final = "/.well-known/oauth-authorization-server"


def metadata_url(
    issuer: str,
    *,
    well_known: WellKnown = "openid",
    http: bool = False,
    http_origins: AbstractSet[str] = NO_ORIGINS,
) -> str:
    """Return where an issuer's metadata lies.

    ``openid`` appends: ``https://op.example/a/.well-known/openid-configuration``.
    ``oauth`` inserts: ``https://op.example/.well-known/oauth-authorization-server/a``.

    Raises:
        UsageError: ``issuer_invalid``, or as :func:`~oidc_core.wire.urls.parse_url`.
    """
    check_kind(well_known, WellKnown, about="well_known")
    parse_issuer(issuer, http=http, http_origins=http_origins)
    if well_known == "openid":
        return issuer.removesuffix("/") + _OPENID
    url = parse_url(issuer, http=http, http_origins=http_origins)
    root = issuer[: len(issuer) - len(url.path)]
    return root + _OAUTH + ("" if url.path == "/" else url.path.removesuffix("/"))


def discover(
    rp: RelyingParty, *, well_known: WellKnown = "openid", again: bool = False
) -> Exchange[RelyingParty]:
    """Fetch the provider's metadata; the result is the relying party with it.

    Args:
        rp: the relying party as far as it is known; what metadata it has does not count.  Its
            ``discovery_url`` changes the location only: the issuer in the document must still be
            the one configured.  Its ``metadata_overrides`` correct the document.
        well_known: where the metadata lies below the issuer.
        again: whether older metadata is there: no cache between may answer then.

    Raises:
        UsageError: ``config_invalid`` for an issuer template without a ``discovery_url``.
    """
    url = rp.discovery_url or _metadata_url(rp, well_known)
    request = HttpRequest(
        purpose="discovery",
        method="GET",
        url=url,
        way=way_of(rp.network, url, about="discovery_url"),
        headers=(_ACCEPT, NO_CACHE) if again else (_ACCEPT,),
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        resend="safe",
        max_body=rp.policy.limits.metadata,
    )
    return AwaitingMetadata(made_for=rp.digest, request=request)


def _metadata_url(rp: RelyingParty, well_known: WellKnown) -> str:
    if rp.issuer_rule.pattern:
        raise UsageError("config_invalid", about="discovery_url", expected="with a template")
    network = rp.network
    return metadata_url(
        rp.issuer,
        well_known=well_known,
        http=network.loopback_http,
        http_origins=network.http_origins,
    )


@frozen(kw_only=True)
class AwaitingMetadata(Exchange[RelyingParty]):
    """Waits for the provider's metadata."""

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[RelyingParty]:
        """Take the metadata into a new relying party."""
        response = answered(answer)
        metadata = parse_metadata(
            response,
            rule=rp.issuer_rule,
            overrides=rp.metadata_overrides,
            network=rp.network,
            unused=unused_endpoints(rp.client, rp.policy),
            limits=rp.policy.limits,
        )
        return Done(rp.with_metadata(metadata, response.channel))


def parse_metadata(
    response: HttpResponse,
    *,
    rule: IssuerRule,
    overrides: JsonObject = NOTHING,
    network: Network = HTTPS_ONLY,
    unused: AbstractSet[str] = frozenset(),
    limits: Limits = LIMITS,
) -> ProviderMetadata:
    """Read a metadata document (OIDC Discovery §4.2, §4.3), corrected by ``overrides``.

    If the document lacks a member that an operation needs, that is an error of the operation.

    ``network``: where endpoints may be; ``unused``: those that this client has no use for, by name.
    ``limits``: the policy's.

    Raises:
        ProtocolViolation: ``http_status_unexpected``, ``content_type_unexpected``,
            ``metadata_invalid``, ``metadata_endpoint_invalid``, ``metadata_issuer_mismatch`` with
            the difference explained, or a code of the JSON's refusal.
    """
    published = parse_object(document(response), members=limits.members, tolerant=True)
    corrected = JsonObject({**published.members, **overrides.members})
    metadata = metadata_of(corrected, network=network, unused=unused)
    if not rule.in_metadata(metadata.issuer):
        raise ProtocolViolation(
            "metadata_issuer_mismatch",
            found=metadata.issuer,
            expected=rule.canonical,
            about=explain_difference(rule.canonical, metadata.issuer),
        )
    return metadata
