"""Which addresses are public: every block of the registries, at both of its edges."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oidc_core.wire.addresses import admits, is_local_host, is_public, is_public_host
from tests.strategies import special_addresses

# (block, whether its neighbour before, whether its neighbour behind is public)
BLOCKS: list[tuple[str, bool, bool]] = [
    ("0.0.0.0/8", False, True),
    ("10.0.0.0/8", True, True),
    ("100.64.0.0/10", True, True),
    ("127.0.0.0/8", True, True),
    ("169.254.0.0/16", True, True),
    ("172.16.0.0/12", True, True),
    ("192.0.0.0/24", True, True),
    ("192.0.2.0/24", True, True),
    ("192.31.196.0/24", True, True),
    ("192.52.193.0/24", True, True),
    ("192.88.99.0/24", True, True),
    ("192.168.0.0/16", True, True),
    ("192.175.48.0/24", True, True),
    ("198.18.0.0/15", True, True),
    ("198.51.100.0/24", True, True),
    ("203.0.113.0/24", True, True),
    ("224.0.0.0/4", True, False),
    ("240.0.0.0/4", False, False),
    ("255.255.255.255/32", False, False),
    ("::/128", False, False),
    ("::1/128", False, False),
    ("64:ff9b:1::/48", False, False),
    ("100::/64", False, False),
    ("100:0:0:1::/64", False, False),
    ("2001::/23", True, True),
    ("2001::/32", True, False),
    ("2001:2::/48", False, False),
    ("2001:10::/28", False, False),
    ("2001:20::/28", False, False),
    ("2001:30::/28", False, False),
    ("2001:db8::/32", True, True),
    ("2002::/16", True, True),
    ("2620:4f:8000::/48", True, True),
    ("3fff::/20", True, True),
    ("5f00::/16", False, False),
    ("fc00::/7", False, False),
    ("fe80::/10", False, False),
    ("fec0::/10", False, False),
    ("ff00::/8", False, False),
]


@pytest.mark.parametrize(("block", "before", "behind"), BLOCKS, ids=[row[0] for row in BLOCKS])
def test_no_address_of_a_special_block_is_public(block: str, before: bool, behind: bool) -> None:
    network = ip_network(block)
    first, last = network.network_address, network.broadcast_address
    assert not is_public(str(first))
    assert not is_public(str(last))
    assert not is_public(str(first + (int(last) - int(first)) // 2))
    if int(first) > 0:
        assert is_public(str(first - 1)) is before
    if last != type(last)(2**last.max_prefixlen - 1):
        assert is_public(str(last + 1)) is behind


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "93.184.215.14", "223.255.255.255", "2606:4700:4700::1111", "2a00::1"],
)
def test_what_anybody_may_reach_is_public(address: str) -> None:
    assert is_public(address)
    assert admits("public", address)
    assert not admits("private", address)
    assert admits("any", address)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("::ffff:8.8.8.8", True),
        ("::ffff:127.0.0.1", False),
        ("::ffff:a00:1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b:1::808:808", False),
        ("2002:808:808::1", False),
        ("2002:7f00:1::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        ("::8.8.8.8", False),
        ("fe80::1%eth0", False),
        ("2606:4700::1%1", True),
    ],
)
def test_an_embedded_address_is_judged_where_it_leads_and_no_tunnel_is_public(
    address: str, public: bool
) -> None:
    assert is_public(address) is public
    assert admits("public", address) is public
    assert admits("private", address) is not public


@pytest.mark.parametrize("odd", ["", "op.example", "1.2.3", "0x7f.1", "1.2.3.4.5", ":::", "%"])
def test_what_is_no_address_is_not_public(odd: str) -> None:
    assert not is_public(odd)


@pytest.mark.parametrize("odd", [1, None, b"\x01\x01\x01\x01"])
def test_what_is_not_even_text_is_reached_only_where_anything_is(odd: object) -> None:
    assert not admits("public", odd)
    assert not admits("private", odd)
    assert admits("any", odd)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "0.0.0.1",
        "[::1]",
        "[fd00::1]",
        "[FE80::1]",
        "[64:ff9b::a00:1]",
        "localhost",
        "LocalHost",
        "app.localhost",
        "printer.local",
        "metadata.google.internal",
        "internal",
        "nas.home.arpa",
    ],
)
def test_a_host_may_be_near_beyond_doubt(host: str) -> None:
    assert is_local_host(host)
    assert not is_public_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "8.8.8.8",
        "[2606:4700::1]",
        "op.example",
        "keycloak",
        "keycloak1",
        "idp.corp2",
        "10.0.0.1.example",
        "localhost.example",
        "notlocalhost",
        "mylocal",
        "internal.example",
        "arpa",
    ],
)
def test_of_any_other_name_only_a_lookup_can_tell(host: str) -> None:
    assert not is_local_host(host)


def test_a_literal_public_address_is_known_as_such() -> None:
    assert is_public_host("8.8.8.8")
    assert is_public_host("[2606:4700::1]")
    assert not is_public_host("op.example")


@given(special_addresses())
def test_no_special_address_is_ever_public(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(str(address))
    assert not admits("public", str(address))
    assert admits("private", str(address))


@given(st.ip_addresses())
@example(ip_address("8.8.8.8"))
def test_public_and_private_are_each_others_opposite(address: IPv4Address | IPv6Address) -> None:
    text = str(address)
    assert admits("public", text) is not admits("private", text)
    if is_public(text) and isinstance(address, IPv6Address):
        embedding = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
        assert address in IPv6Network("2000::/3") or any(address in block for block in embedding)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_means_the_same_in_every_guise(address: IPv4Address) -> None:
    public = is_public(str(address))
    assert is_public(f"::ffff:{address}") is public
    assert is_public(str(IPv6Address(int(IPv6Address("64:ff9b::")) + int(address)))) is public
    assert address not in IPv4Network("10.0.0.0/8") or not public
