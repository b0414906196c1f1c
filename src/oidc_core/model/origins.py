"""The origins that a policy names: what may resolve anywhere, lack TLS, or stand for another.

An origin is scheme, host and port, and nothing else: ``https://op.example`` is
``https://op.example:443``, and no other host, port or subdomain.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias, cast

from oidc_core.wire.addresses import is_public_host
from oidc_core.wire.errors import UsageError
from oidc_core.wire.urls import parse_origin

AddressRule: TypeAlias = Literal["named", "public_only"]

BackChannel: TypeAlias = tuple[tuple[str, str], ...]
"""Pairs of origins, sorted: what would be sent to the first goes to the second."""

PUBLIC_ONLY: Final = "public_only"
"""Requests go to public addresses only, no matter who named the host."""


def frozen_named_origins(given: Iterable[str]) -> frozenset[str]:
    """Convert the setting ``named_origins``."""
    return _origins(given, "named_origins")


def frozen_http_origins(given: Iterable[str]) -> frozenset[str]:
    """Convert the setting ``insecure_http_origins``."""
    return _origins(given, "insecure_http_origins")


def frozen_back_channel(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> BackChannel:
    """Convert the setting ``back_channel``."""
    raw = cast("object", given)
    pairs = cast("Mapping[object, object]", raw).items() if isinstance(raw, Mapping) else raw
    found: list[tuple[str, str]] = []
    for pair in _collected(pairs, "back_channel"):
        if not isinstance(pair, tuple) or len(cast("tuple[object, ...]", pair)) != 2:
            raise UsageError("config_invalid", about="back_channel", expected="pairs of origins")
        published, sent_to = cast("tuple[object, object]", pair)
        found.append((_origin(published, "back_channel"), _origin(sent_to, "back_channel")))
    if len({published for published, _ in found}) != len(found):
        raise UsageError("config_invalid", about="back_channel", expected="each origin once")
    return tuple(sorted(found))


def _origins(given: object, about: str) -> frozenset[str]:
    return frozenset([_origin(text, about) for text in _collected(given, about)])


def _collected(given: object, about: str) -> tuple[object, ...]:
    """Return the members of a collection; one string is not a collection."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        expected = "a collection of origins"
        raise UsageError(
            "config_invalid", about=about, found=type(given).__name__, expected=expected
        )
    try:
        return tuple(cast("Iterable[object]", given))
    except Exception as error:  # its own iterator's
        found, expected = type(error).__name__, "a collection of origins"
        raise UsageError("config_invalid", about=about, found=found, expected=expected) from error


def _origin(text: object, about: str) -> str:
    if not isinstance(text, str):
        raise UsageError(
            "config_invalid", about=about, found=type(text).__name__, expected="a string"
        )
    return parse_origin(text, about=about).origin


class Origins(NamedTuple):
    """The origins that a policy names, as its settings ``named_origins`` and so on."""

    named: frozenset[str]
    http: frozenset[str]
    back_channel: BackChannel


def check_origins(origins: Origins, addresses: AddressRule, *, loopback: bool) -> None:
    """Refuse settings of origins that contradict each other.

    Args:
        origins: the origins that the policy names.
        addresses: its rule for addresses.
        loopback: whether it lets http pass on loopback.

    Raises:
        UsageError: ``config_invalid``, naming the setting.
    """
    named, http, back_channel = origins
    if addresses == PUBLIC_ONLY and (named or http):
        about = "named_origins" if named else "insecure_http_origins"
        raise UsageError("config_invalid", about=about, expected="none under PUBLIC_ONLY")
    for origin in sorted(named):
        if not origin.startswith("https:"):
            raise UsageError("config_invalid", about="named_origins", found=origin)
    for origin in sorted(http):
        url = parse_origin(origin)
        if url.scheme != "http" or is_public_host(url.host):
            expected = "http, and no public address"
            raise UsageError(
                "config_invalid", about="insecure_http_origins", found=origin, expected=expected
            )
    for _, origin in back_channel:
        url = parse_origin(origin)
        if url.scheme == "http" and origin not in http and not (loopback and url.is_loopback):
            expected = "https, or one of insecure_http_origins"
            raise UsageError(
                "config_invalid", about="back_channel", found=origin, expected=expected
            )


def named_in_evidence(origins: Origins) -> tuple[str, ...]:
    """Return the names of a policy's origins for the evidence."""
    named, http, back_channel = origins
    return (
        *[f"named_origins {origin}" for origin in sorted(named)],
        *[f"insecure_http_origins {origin}" for origin in sorted(http)],
        *[f"back_channel {published} {sent_to}" for published, sent_to in back_channel],
    )
