"""Discovery: the provider's metadata, fetched and believed only if it names the right issuer.

OpenID Connect appends the well-known path to the issuer (OIDC Discovery §4), OAuth inserts it
before the issuer's path (RFC 8414 §3).  Which one applies is chosen, never tried.
"""

from typing import Final, Literal, TypeAlias

from attrs import evolve, frozen

from oidc_core.machine.steps import Done, Exchange, Step
from oidc_core.model.provider import IssuerRule, ProviderMetadata, metadata_of
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.answers import answered, document
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.http import LIMITS, Answer, HttpRequest, HttpResponse
from oidc_core.wire.jsontypes import parse_object
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import explain_difference, parse_issuer, parse_url

WellKnown: TypeAlias = Literal["openid", "oauth"]

_REQUIRED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_OPENID: Final = "/.well-known/openid-configuration"
_OAUTH: Final = "/.well-known/oauth-authorization-server"


def metadata_url(issuer: str, *, well_known: WellKnown = "openid", http: bool = False) -> str:
    """Return where an issuer's metadata lies.

    ``openid`` appends: ``https://op.example/a/.well-known/openid-configuration``.
    ``oauth`` inserts: ``https://op.example/.well-known/oauth-authorization-server/a``.

    Raises:
        UsageError: ``issuer_invalid``, or as :func:`~oidc_core.wire.urls.parse_url`.
    """
    check_kind(well_known, WellKnown, about="well_known")
    parse_issuer(issuer, http=http)
    if well_known == "openid":
        return issuer.removesuffix("/") + _OPENID
    url = parse_url(issuer, http=http)
    root = issuer[: len(issuer) - len(url.path)]
    return root + _OAUTH + ("" if url.path == "/" else url.path.removesuffix("/"))


def discover(
    rp: RelyingParty, *, well_known: WellKnown = "openid", discovery_url: str | None = None
) -> Step[RelyingParty]:
    """Fetch the provider's metadata; the result is the relying party with it.

    Args:
        rp: the relying party as far as it is known; of its metadata only ``issuer`` counts.
        well_known: where the metadata lies.
        discovery_url: its address where it lies elsewhere.  That changes the location only: the
            issuer in the document must still be the one configured.

    Raises:
        UsageError: ``config_invalid`` for an issuer template without a ``discovery_url``.
    """
    if discovery_url is None:
        if rp.issuer_rule.pattern:
            raise UsageError("config_invalid", about="discovery_url", expected="with a template")
        http = rp.insecure_http
        discovery_url = metadata_url(rp.provider.issuer, well_known=well_known, http=http)
    else:
        parse_url(discovery_url, about="discovery_url", http=rp.insecure_http)
    request = HttpRequest(
        purpose="discovery",
        method="GET",
        url=discovery_url,
        headers=(("accept", "application/json"),),
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        resend="safe",
        max_body=LIMITS.metadata,
    )
    return AwaitingMetadata(made_for=rp.digest, request=request)


@frozen(kw_only=True)
class AwaitingMetadata(Exchange[RelyingParty]):
    """Waits for the provider's metadata."""

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[RelyingParty]:
        """Take the metadata into a new relying party."""
        metadata = parse_metadata(answered(answer), rule=rp.issuer_rule, http=rp.insecure_http)
        return Done(evolve(rp, provider=metadata))


def parse_metadata(
    response: HttpResponse, *, rule: IssuerRule, http: bool = False
) -> ProviderMetadata:
    """Read a metadata document (OIDC Discovery §4.2, §4.3).

    Raises:
        ProtocolViolation: ``http_status_unexpected``, ``content_type_unexpected``,
            ``metadata_invalid``, ``metadata_endpoint_invalid``, ``metadata_issuer_mismatch`` with
            the difference explained, or what the JSON is refused with.
    """
    metadata = metadata_of(parse_object(document(response)), http=http)
    if not rule.in_metadata(metadata.issuer):
        raise ProtocolViolation(
            "metadata_issuer_mismatch",
            found=metadata.issuer,
            expected=rule.canonical,
            about=explain_difference(rule.canonical, metadata.issuer),
        )
    for name in _REQUIRED:
        if getattr(metadata, name) is None:
            raise ProtocolViolation("metadata_invalid", about=name, expected="a URL")
    return metadata
