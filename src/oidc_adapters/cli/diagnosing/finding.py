"""Where the metadata is: at the issuer that was named, or at one near it on the same host."""

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

from attrs import evolve, frozen

from oidc_adapters.cli.stand_in import stand_in
from oidc_adapters.cli.verdicts import Verdict, failure
from oidc_adapters.clients.shell import Shell
from oidc_core.machine.steps import Done, resume
from oidc_core.model.provider import ProviderMetadata
from oidc_core.operations.discovery import WellKnown, discover, parse_metadata
from oidc_core.wire.answers import answered
from oidc_core.wire.causes import LOST
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.http import HttpResponse
from oidc_core.wire.urls import explain_difference

_SAYS: Final = "its metadata is where the issuer says, and names exactly that issuer"
_SPEC: Final = "OIDC Discovery §4"
_MOST_TRIES: Final = 8
_PARENTS: Final = 4
_BELOW: Final = ("/oauth2/default", "/v2.0")
"""Paths below the host where widespread providers have their issuers."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_NEAR_MISSES: Final = LOST | {"metadata_issuer_mismatch"}
"""Codes after which another issuer of the same host may be meant."""


@frozen(kw_only=True)
class Found:
    """Metadata that was found, and is believed.

    Attributes:
        issuer: the issuer that it names, which is the one that was asked for.
        metadata: the metadata.
        response: the answer that it was in.
        discovery_url: where it lies, if that is not below the issuer.
    """

    issuer: str
    metadata: ProviderMetadata
    response: HttpResponse
    discovery_url: str | None = None


def fetch(shell: Shell, issuer: str, well_known: WellKnown = "openid") -> Found:
    """Fetch the metadata of an issuer as a login does.

    Raises:
        OidcError: the refusal.
    """
    rp = stand_in(issuer=issuer)
    step = discover(rp, well_known=well_known)
    sent = shell.send(step.request)
    try:
        following = resume(rp, step, sent)
        if isinstance(following, Done):
            rp = following.result
        metadata = rp.provider
    except UsageError:  # it is believed; whether it suits a client is judged one by one
        metadata = parse_metadata(answered(sent.answer), rule=rp.issuer_rule, network=rp.network)
    return Found(
        issuer=issuer,
        metadata=metadata,
        response=answered(sent.answer),
        discovery_url=step.request.url if well_known == "oauth" else None,
    )


def find(shell: Shell, issuer: str) -> tuple[Found | None, Verdict]:
    """Find the metadata that an issuer stands for, and say whether it is configured right.

    Where the issuer has no metadata, other issuers of the same host are tried. One of them is named
    only if its metadata is there and names it.

    Args:
        shell: sends the requests.
        issuer: as it is configured.
    """
    try:
        found = fetch(shell, issuer)
    except OidcError as refusal:
        verdict = failure("issuer", _SAYS, refusal, spec=_SPEC)
        if not _may_be_near(refusal):
            return None, verdict
        near = _near(shell, issuer, refusal)
        return near, verdict if near is None else _instead(verdict, issuer, near)
    return found, Verdict(
        name="issuer", says=_SAYS, outcome="passed", spec=_SPEC, found=found.issuer
    )


def _may_be_near(refusal: OidcError) -> bool:
    usage = isinstance(refusal, UsageError)
    return usage or (refusal.code in _NEAR_MISSES and refusal.retryable != "later")


def _instead(verdict: Verdict, issuer: str, near: Found) -> Verdict:
    """Add what to configure instead, which was found and names itself."""
    if near.discovery_url is not None:
        hint = f"its metadata is elsewhere: set discovery_url to {near.discovery_url}"
    else:
        kind = explain_difference(issuer, near.issuer).partition(";")[0]
        hint = f"configure {near.issuer}: its metadata is there and names it ({kind})"
    return evolve(verdict, hint=hint)


def _near(shell: Shell, issuer: str, refusal: OidcError) -> Found | None:
    published = refusal.found if refusal.code == "metadata_issuer_mismatch" else None
    tries = _tries(issuer, published if isinstance(published, str) else "")
    for attempt, _ in zip(tries, range(_MOST_TRIES), strict=False):
        found = attempt(shell)
        if found is not None:
            return found
    return None


def _tries(issuer: str, published: str) -> Iterator[Callable[[Shell], Found | None]]:
    """Return what to try, the likeliest first."""
    if published and _host(published) == _host(issuer):
        yield _trying(published)
    for candidate in dict.fromkeys(_candidates(issuer)):
        if candidate not in {issuer, published}:
            yield _trying(candidate)
    yield _trying(issuer, "oauth")


def _trying(issuer: str, well_known: WellKnown = "openid") -> Callable[[Shell], Found | None]:
    def attempt(shell: Shell) -> Found | None:
        try:
            return fetch(shell, issuer, well_known)
        except OidcError as refusal:
            names = refusal.found if refusal.code == "metadata_issuer_mismatch" else None
        if not isinstance(names, str) or names == issuer or _host(names) != _host(issuer):
            return None
        try:
            return fetch(shell, names, well_known)
        except OidcError:
            return None

    return attempt


def _candidates(issuer: str) -> Iterator[str]:
    """Return other issuers of the same host, by mistakes that people make."""
    plain = issuer.strip().partition("#")[0].partition("?")[0]
    scheme, mark, rest = plain.partition("://")
    if not mark:
        scheme, rest = "https", plain.lstrip("/")
        if _host(rest) in _LOOPBACK:
            scheme = "http"
    plain = f"{scheme.lower()}://{rest}"
    yield plain.partition("/.well-known/")[0]
    if scheme.lower() == "http" and _host(plain) not in _LOOPBACK:
        yield f"https://{rest.partition('/.well-known/')[0]}"
    yield plain.lower()
    yield from _parents(plain)
    for path in _BELOW:
        yield plain.rstrip("/") + path


def _parents(url: str) -> Iterator[str]:
    """Return the URL without its last segments, one by one."""
    scheme, _, rest = url.partition("://")
    segments = rest.rstrip("/").split("/")
    for number in range(1, min(len(segments), _PARENTS + 1)):
        yield f"{scheme}://{'/'.join(segments[:-number])}"


def _host(url: str) -> str:
    try:
        return (urlsplit(url if "://" in url else f"https://{url}").hostname or "").lower()
    except ValueError:
        return ""
