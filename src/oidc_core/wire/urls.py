r"""URLs by our own grammar: issuer identifiers, origins, queries, exact comparison.

Two URL parsers that disagree are an attack (``https://good\@evil/``), so there is one, and it
takes only what is beyond doubt: ASCII, a host that is a name or a canonical address, no
credentials, no fragment.  A URL is never rebuilt: it is kept and sent as it was configured.
"""

import re
from binascii import a2b_qp
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import unquote_plus, unquote_to_bytes

from oidc_core.wire.encoding import percent_encode
from oidc_core.wire.errors import CallbackError, UsageError, fingerprint
from oidc_core.wire.messages import shown
from oidc_core.wire.settings import check_text

_SPLIT: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<authority>[^/?#]*)"
    r"(?P<path>(?:/[^?#]*)?)"
    r"(?:\?(?P<query>[^#]*))?"
)
_ALLOWED: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})+")
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*"
    r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4: Final = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_IPV6: Final = re.compile(r"\[[0-9A-Fa-f:]{2,39}\]")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_TAIL: Final = re.compile(r"[?#]")
_PATH: Final = re.compile(r"/[^ \\]{0,1023}")
_LOOPBACK: Final = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]")
_MAX_PORT: Final = 65_535
_MAX_URL: Final = 8_192
_DEFAULT_PORTS: Final = MappingProxyType({"https": 443, "http": 80})

_WELL_KNOWN: Final = re.compile(
    r"/\.well-known/(?:openid-configuration|oauth-authorization-server)"
)


NO_ORIGINS: Final[AbstractSet[str]] = frozenset()
"""Nowhere: ``http`` must not be used beyond loopback."""

_AN_ORIGIN: Final = "an origin, as in https://op.example"


class Url(NamedTuple):
    """The parts of an absolute http or https URL, as they were written."""

    text: str
    scheme: str
    host: str
    port: int
    path: str
    query: str | None

    @property
    def origin(self) -> str:
        """Scheme, host in lower case and port, as in ``https://op.example:443``."""
        return f"{self.scheme}://{self.host.lower()}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine by its literal name."""
        return _LOOPBACK.fullmatch(self.host) is not None


def parse_url(
    text: str,
    *,
    about: str = "",
    http: bool = False,
    http_origins: AbstractSet[str] = NO_ORIGINS,
) -> Url:
    """Take an absolute URL apart.

    Args:
        text: the URL.
        about: the setting or member it comes from, for the message.
        http: whether ``http`` may be used on loopback.
        http_origins: the origins where it may be used beyond.

    Raises:
        UsageError: ``parameter_invalid`` for a value that is not text; ``url_invalid``,
            ``url_scheme_not_allowed``, ``url_userinfo_not_allowed``, ``url_host_invalid`` or
            ``url_port_invalid``.
    """
    check_text(text, about or "URL")
    url = _split(text, about)
    if url.scheme == "http" and not (http and url.is_loopback) and url.origin not in http_origins:
        raise UsageError("url_scheme_not_allowed", found=text, expected="https", about=about)
    return url


def parse_origin(text: str, *, about: str = "") -> Url:
    """Take an origin apart: scheme, host and port, ``http`` anywhere, and nothing behind.

    Raises:
        UsageError: ``config_invalid``.
    """
    try:
        url = _split(text, about)
    except UsageError as fault:
        raise UsageError(
            "config_invalid", about=about, found=fault.code, expected=_AN_ORIGIN
        ) from None
    if url.path or url.query is not None:
        raise UsageError("config_invalid", about=about, found=text, expected=_AN_ORIGIN)
    return url


def origin_of(text: str) -> str:
    """Return the origin of a URL, or an empty string for other text."""
    try:
        return _split(text, "").origin
    except UsageError:
        return ""


def _split(text: str, about: str) -> Url:
    match = _SPLIT.fullmatch(text) if len(text) <= _MAX_URL else None
    if match is None or not _ALLOWED.fullmatch(text) or "%" in match["authority"]:
        # A name in another script is not converted: two converters may disagree, as two eyes may.
        foreign = match is not None and not match["authority"].isascii()
        code = "url_host_invalid" if foreign else "url_invalid"
        raise UsageError(code, found=_harmless(text), about=about)
    scheme = match["scheme"]
    if scheme not in _DEFAULT_PORTS:
        raise UsageError("url_scheme_not_allowed", found=scheme, expected="https", about=about)
    host, port = _host_and_port(match["authority"], scheme, about)
    return Url(text, scheme, host, port, match["path"], match["query"])


def _host_and_port(authority: str, scheme: str, about: str) -> tuple[str, int]:
    if "@" in authority:
        raise UsageError("url_userinfo_not_allowed", about=about)
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, colon, port = authority, "", ""
    if not (_NAME.fullmatch(host) or _IPV4.fullmatch(host) or _is_ipv6(host)):
        raise UsageError("url_host_invalid", found=host, about=about)
    if not colon:
        return host, _DEFAULT_PORTS[scheme]
    if not _PORT.fullmatch(port) or int(port) > _MAX_PORT:
        raise UsageError("url_port_invalid", found=port, about=about)
    return host, int(port)


def _is_ipv6(host: str) -> bool:
    """Tell whether a host is an IPv6 address in the one spelling of RFC 5952.

    IPv4 in disguise does not count: it has its own spelling.
    """
    if not _IPV6.fullmatch(host):
        return False
    from ipaddress import IPv6Address

    try:
        address = IPv6Address(host[1:-1])
    except ValueError:
        return False
    return address.ipv4_mapped is None and address.compressed == host[1:-1].lower()


def _harmless(text: str) -> str:
    """Return a URL for a message; what may hold a password shows as a fingerprint."""
    return fingerprint(text) if "@" in text else text


def parse_issuer(
    text: str, *, http: bool = False, http_origins: AbstractSet[str] = NO_ORIGINS
) -> str:
    """Return an issuer identifier as it is, if it can be one (OIDC Discovery §3).

    Raises:
        UsageError: ``issuer_invalid`` with a query or fragment, otherwise like :func:`parse_url`.
    """
    check_text(text, "issuer")
    if "?" in text or "#" in text:
        raise UsageError("issuer_invalid", found=_harmless(text), about="issuer")
    parse_url(text, about="issuer", http=http, http_origins=http_origins)
    return text


def explain_difference(configured: str, published: str) -> str:
    """Say in words how two issuer identifiers differ, and which one to configure."""
    if "{" in published:
        kind = "it has an issuer for each tenant"
        return f"{kind}; if that provider is meant, configure IssuerRule.template"
    if _WELL_KNOWN.search(configured):
        kind = "the address of the metadata is configured, not the issuer"
    elif configured.rstrip("/") == published.rstrip("/"):
        kind = "they differ in the final slash"
    elif configured.lower() == published.lower():
        kind = "they differ in upper and lower case"
    else:
        kind = _first_difference(configured, published)
    return f"{kind}; if that provider is meant, configure {shown(published)}"


def _first_difference(configured: str, published: str) -> str:
    try:
        ours, theirs = parse_url(configured, http=True), parse_url(published, http=True)
    except UsageError:
        schemes = [text.partition("://")[0] for text in (configured, published) if "://" in text]
        if len(set(schemes)) > 1:
            return f"they differ in the scheme: {shown(schemes[0])} and {shown(schemes[1])}"
        return "one of them is not a URL"
    for part in ("scheme", "host", "port", "path"):
        mine, other = getattr(ours, part), getattr(theirs, part)
        if mine != other:
            return f"they differ in the {part}: {shown(mine)} and {shown(other)}"
    return "they differ"


def query_names(url: str) -> frozenset[str]:
    """Return the names of the parameters that a URL has in its query."""
    query = url.partition("?")[2]
    return frozenset([unquote_plus(part.partition("=")[0]) for part in query.split("&") if part])


def path_only(text: str | None, default: str = "/") -> str:
    """Return a text if it is a path of this application, otherwise ``default``.

    For ``return_to`` and the like, which a stranger may have written: the result leads nowhere
    else, in every browser. A path starts with one ``/``. It has no control character, no space and
    no backslash, because browsers drop the ones and turn the other into ``/``. It has no ``//``
    before its query, because that may move to the front when dot segments are taken out. Up to
    1,024 characters. ``None`` is not there.
    """
    if not isinstance(text, str) or not _PATH.fullmatch(text) or not text.isprintable():
        return default
    return default if "//" in _TAIL.split(text, maxsplit=1)[0] else text


def with_query(endpoint: str, encoded: str) -> str:
    """Append an encoded query to an endpoint, which keeps the query it has (RFC 6749 §3.1)."""
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{encoded}"


def encode_form(pairs: tuple[tuple[str, str], ...]) -> str:
    """Encode names and values; a space becomes ``%20``, which every server reads."""
    return "&".join([f"{percent_encode(name)}={percent_encode(value)}" for name, value in pairs])


def parse_form(text: str) -> tuple[tuple[str, str], ...]:
    """Take an ``application/x-www-form-urlencoded`` string apart, as a browser brings it.

    Octets that are not UTF-8 become U+FFFD, which is forbidden in a parameter that a decision
    depends on.
    """
    parts = [part.partition("=") for part in text.split("&") if part]
    if "%" in text or "+" in text or not text.isascii():
        return tuple(
            [
                (
                    name if _literal(name) else _decoded(name),
                    value if _literal(value) else _decoded(value),
                )
                for name, _, value in parts
            ]
        )
    return tuple([(name, value) for name, _, value in parts])


def refuse_doubles(parameters: tuple[tuple[str, str], ...], known: AbstractSet[str]) -> None:
    """Refuse a parameter of the protocol that is there twice; others may be (RFC 6749 §3.1).

    Raises:
        CallbackError: ``parameter_duplicated``.
    """
    names = [name for name, _ in parameters if name in known]
    for name in names:
        if names.count(name) > 1:
            raise CallbackError("parameter_duplicated", about=name)


def _decoded(text: str) -> str:
    # Quoted-printable has another escape character and is decoded in C.
    if _escaped(text):
        return a2b_qp(text.replace("+", " ").replace("%", "=")).decode("utf-8", "replace")
    octets = text.replace("+", " ").encode("utf-8", "surrogatepass")
    return unquote_to_bytes(octets).decode("utf-8", "replace")


_literal: Final = re.compile(r"[A-Za-z0-9._~-]*").fullmatch
_escaped: Final = re.compile(r"(?:[A-Za-z0-9._~:/+-]|%[0-9A-Fa-f]{2})*").fullmatch
