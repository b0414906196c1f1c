"""Where requests may go: which URLs are taken, and the way of each request over the network.

Metadata names hosts, and this machine reaches hosts that no stranger does. So an origin is either
*named* by the developer, and may resolve anywhere, or its addresses must be public. This is judged
on the URL here, before anything is sent. The transport judges exactly the address that it connects
to (:attr:`~oidc_core.wire.http.Way.reach`), which no answer of a name server can change in between.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Final, NamedTuple

from oidc_core.model.origins import PUBLIC_ONLY
from oidc_core.model.policy import DEFAULT_POLICY, Policy
from oidc_core.wire.addresses import is_local_host
from oidc_core.wire.errors import UsageError
from oidc_core.wire.urls import Url, parse_origin, parse_url
from oidc_core.wire.way import CHANNELS, Channel, ChannelState, Way


class Network(NamedTuple):
    """The requests that a policy allows, for one provider.

    Attributes:
        named: the origins that may resolve anywhere; empty under ``PUBLIC_ONLY``.
        loopback_http: whether http may be used on loopback.
        loopback_named: whether all of loopback is named for it, as one of its origins is.
        http_origins: where it may be used beyond.
        sent_to: where requests for an origin go instead.
        judged: whether requests need a transport that judges addresses.
        left_to_proxy: whether judging them is left to a proxy, by a quirk.
        verified: whether it counts only if the transport verified the server.
        unverified_tls: whether it counts even if the transport failed to.
    """

    named: frozenset[str]
    loopback_http: bool
    loopback_named: bool
    http_origins: frozenset[str]
    sent_to: Mapping[str, str]
    judged: bool
    left_to_proxy: bool
    verified: bool
    unverified_tls: bool


def network_of(policy: Policy, named: Iterable[str] = ()) -> Network:
    """Return what a policy lets requests do.

    Args:
        policy: the policy.
        named: the origins that the developer named in addition: of the issuer and the like.

    Raises:
        UsageError: ``config_invalid`` for origins without TLS where the server must be verified; as
            :func:`admitted_url` for a back channel that leads to a forbidden place.
    """
    public_only = policy.addresses == PUBLIC_ONLY
    sent_to = dict(policy.back_channel)
    exempt = {*named, *policy.named_origins, *policy.insecure_http_origins, *sent_to.values()}
    loopback_http = "insecure_allow_http_loopback" in policy.quirks
    origins = frozenset({*exempt, *sent_to} - {""}) if not public_only else frozenset[str]()
    left_to_proxy = "proxy_enforces_addresses" in policy.quirks
    network = Network(
        named=origins,
        loopback_http=loopback_http,
        loopback_named=loopback_http and any(map(_is_loopback_http, origins)),
        http_origins=policy.insecure_http_origins,
        sent_to=MappingProxyType(sent_to),
        judged=public_only and not left_to_proxy,
        left_to_proxy=left_to_proxy,
        verified=policy.require_verified_channel,
        unverified_tls="insecure_skip_tls_verification" in policy.quirks,
    )
    for origin in (*sorted(policy.insecure_http_origins), *sent_to.values()):
        about = "insecure_http_origins" if origin in policy.insecure_http_origins else _BACK
        admitted_url(network, origin, about=about)
    return network


_BACK: Final = "back_channel"
HTTPS_ONLY: Final = network_of(DEFAULT_POLICY)
"""The default policy's, where the developer named no origin."""


def admitted_url(network: Network, text: str, *, about: str) -> Url:
    """Take a URL apart that the library may use, or send the browser to.

    Raises:
        UsageError: ``url_address_not_allowed`` for a host that is beyond doubt not public and not
            named; ``config_invalid`` for http where the server must be verified; otherwise like
            :func:`~oidc_core.wire.urls.parse_url`.
    """
    url = parse_url(
        text, about=about, http=network.loopback_http, http_origins=network.http_origins
    )
    if network.verified and url.scheme == "http":  # no certificate says who the server is
        expected = "https with require_verified_channel"
        raise UsageError("config_invalid", found=text, expected=expected, about=about)
    if not _is_named(network, url) and is_local_host(url.host):
        raise UsageError(
            "url_address_not_allowed", found=text, expected="a public address", about=about
        )
    return url


def _is_loopback_http(origin: str) -> bool:
    return origin.startswith("http:") and parse_origin(origin).is_loopback


def _is_named(network: Network, url: Url) -> bool:
    loopback = network.loopback_named and url.scheme == "http" and url.is_loopback
    return loopback or url.origin in network.named


def way_of(network: Network, text: str, *, about: str) -> Way:
    """Return the way of a request to a URL.

    Without TLS it goes to addresses that are not public, no matter who named them.

    Raises:
        UsageError: like :func:`admitted_url`.
    """
    url = admitted_url(network, text, about=about)
    target = network.sent_to.get(url.origin)
    if target is not None:
        path = url.path if url.query is None else f"{url.path}?{url.query}"
        text = target + path
        url = admitted_url(network, text, about=_BACK)
    secure = url.scheme == "https"
    return Way(
        reach="private" if not secure else "any" if url.origin in network.named else "public",
        judged=network.judged,
        channels=_channels(network, url),
        url=None if target is None else text,
    )


def _channels(network: Network, url: Url) -> frozenset[Channel]:
    """Return the ways by which an answer may come.

    Without TLS no server is verified, and only the address tells that it is near; of a name for
    this machine that is certain.
    """
    secure = url.scheme == "https"
    judged = network.judged or not (secure or url.is_loopback or network.left_to_proxy)
    refused: set[ChannelState] = set()
    if secure and not network.unverified_tls:
        refused = {"unverified"}
    if network.verified:
        refused = {"unverified", "not_told"}
    told = [channel for channel in CHANNELS if channel.server not in refused]
    return frozenset([each for each in told if each.addresses_judged or not judged])


class Target(NamedTuple):
    """An endpoint, and the way there."""

    url: str
    way: Way


def targets_of(network: Network, endpoints: Iterable[tuple[str, str]]) -> Mapping[str, Target]:
    """Return endpoints by their names in the metadata, without those that the policy forbids."""
    found: dict[str, Target] = {}
    for name, url in endpoints:
        with suppress(UsageError):  # which comes up again where all is checked, in order
            found[name] = Target(url, way_of(network, url, about=name))
    return MappingProxyType(found)
