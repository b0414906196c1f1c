"""Which addresses are public: one answer, for URLs before a lookup and for sockets after it.

A stranger who chooses where a server connects to may choose what only that server can reach: the
cloud's metadata, a database, the machine itself.  A public address is one that is in no block of
IANA's registries of special-purpose addresses (RFC 6890), and in no multicast block.  The blocks
are written down here, since Python's own answer differs from version to version. They are text, so
that the import stays light; to judge an address takes some fifty microseconds.

Where an IPv6 address stands for an IPv4 address (RFC 4291 §2.5.5.2, RFC 6052 §2.1), the latter
decides: that is where it leads.  The tunnels of 6to4 and Teredo end nowhere that is public.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal, TypeAlias

Reach: TypeAlias = Literal["any", "public", "private"]
"""Which addresses a request may go to: any, public ones only, or only those that are not public."""

_SPECIAL_IPV4: Final = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private use
    "100.64.0.0/10",  # shared by a carrier's customers
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local; where clouds have their metadata
    "172.16.0.0/12",  # private use
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation
    "192.31.196.0/24",  # AS112
    "192.52.193.0/24",  # multicast tunnels
    "192.88.99.0/24",  # relays of 6to4, deprecated
    "192.168.0.0/16",  # private use
    "192.175.48.0/24",  # AS112
    "198.18.0.0/15",  # benchmarking
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and the limited broadcast
)
"""The IPv4 blocks that are not public."""

_SPECIAL_IPV6: Final = (
    "2001::/23",  # protocol assignments; Teredo, benchmarking and ORCHID among them
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4
    "2620:4f:8000::/48",  # AS112
    "3fff::/20",  # documentation
)
"""The blocks that are not public within those that are assigned to interfaces."""

_UNICAST: Final = "2000::/3"
"""All ranges assigned so far: every other address is loopback, local, multicast or nobody's."""

_TRANSLATED: Final = "64:ff9b::/96"
"""How IPv4 addresses look where only IPv6 is spoken (RFC 6052); its local twin is not public."""

_LOCAL_NAMES: Final = (".localhost", ".local", ".internal", ".home.arpa")
"""Reserved for nearby hosts: RFC 6761 §6.3, RFC 6762 §3, ICANN's private use, RFC 8375."""


def is_public(address: str) -> bool:
    """Return whether an IP address is public; other text is not."""
    try:
        judged = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return _is_public(judged)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in IPv4Network(block) for block in _SPECIAL_IPV4)
    embedded = address.ipv4_mapped
    if embedded is None and address in IPv6Network(_TRANSLATED):
        embedded = IPv4Address(int(address) & 0xFFFF_FFFF)
    if embedded is not None:
        return _is_public(embedded)
    special = any(address in IPv6Network(block) for block in _SPECIAL_IPV6)
    return address in IPv6Network(_UNICAST) and not special


def admits(reach: Reach, address: object) -> bool:
    """Return whether a request of this reach may go to an address."""
    if reach == "any":
        return True
    return isinstance(address, str) and is_public(address) is (reach == "public")


def is_local_host(host: str) -> bool:
    """Return whether a URL's host is beyond doubt not public, before any name is looked up.

    That is an address that is not public, or a name under one that is reserved for nearby hosts.
    """
    if host.startswith("[") or host.rpartition(".")[2].isdigit():  # a name's last label is not
        return not is_public(host.strip("[]"))
    return f".{host.lower()}".endswith(_LOCAL_NAMES)


def is_public_host(host: str) -> bool:
    """Return whether a URL's host is a public address; of a name only a lookup can tell."""
    return is_public(host.strip("[]"))
