"""Where requests may go: which URLs are taken, and the way of each request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from oidc_core.model.network import HTTPS_ONLY, Network, admitted_url, network_of, way_of
from oidc_core.model.origins import PUBLIC_ONLY
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import UsageError
from oidc_core.wire.way import CHANNELS, Channel, Way

if TYPE_CHECKING:
    from oidc_core.wire.addresses import Reach

OP = "https://op.example"
NAMED = OP + ":443"
KEYCLOAK = "http://keycloak:8080"
LOOPBACK = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))
LOCAL = [
    "https://127.0.0.1/token",
    "https://10.0.0.1/token",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://192.168.1.1:8443/",
    "https://[::1]/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[64:ff9b::a00:1]/",
    "https://localhost/",
    "https://db.localhost:5432/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://224.0.0.1/",
]


def refusal(network: Network, url: str) -> str:
    with pytest.raises(UsageError) as caught:
        admitted_url(network, url, about="token_endpoint")
    assert caught.value.about == "token_endpoint"
    return caught.value.code


def way(policy: Policy, url: str, *named: str) -> Way:
    return way_of(network_of(policy, named), url, about="token_endpoint")


@pytest.mark.parametrize("url", LOCAL)
def test_a_host_that_nobody_named_is_not_near(url: str) -> None:
    assert refusal(network_of(Policy(), {NAMED}), url) == "url_address_not_allowed"
    assert refusal(HTTPS_ONLY, url) == "url_address_not_allowed"


@pytest.mark.parametrize("url", LOCAL)
def test_the_developer_may_name_what_is_near(url: str) -> None:
    policy = Policy(named_origins=["/".join(url.split("/", 3)[:3])])
    for network in (network_of(policy), network_of(Policy(), policy.named_origins)):
        assert admitted_url(network, url, about="").text == url
        assert way_of(network, url, about="").reach == "any"


@pytest.mark.parametrize("url", LOCAL)
def test_public_only_exempts_nobody(url: str) -> None:
    origin = "/".join(url.split("/", 3)[:3])
    assert refusal(network_of(Policy(addresses=PUBLIC_ONLY), {origin, NAMED}), url) == (
        "url_address_not_allowed"
    )


@pytest.mark.parametrize("url", ["https://op.example:444/", "https://a.op.example/"])
def test_another_port_or_subdomain_is_another_origin(url: str) -> None:
    assert way(Policy(), url, NAMED).reach == "public"


@pytest.mark.parametrize(
    ("policy", "named", "reach"),
    [
        (Policy(), (), "public"),
        (Policy(), (NAMED,), "any"),
        (Policy(named_origins=[OP]), (), "any"),
        (Policy(addresses=PUBLIC_ONLY), (NAMED,), "public"),
        (Policy(back_channel={OP: "https://inner.example"}), (), "any"),
        (Policy(addresses=PUBLIC_ONLY, back_channel={OP: "https://inner.example"}), (), "public"),
    ],
)
def test_a_request_reaches_what_is_public_or_named(
    policy: Policy, named: tuple[str, ...], reach: Reach
) -> None:
    assert way(policy, f"{OP}/token", *named).reach == reach


def test_without_tls_only_what_is_near_is_reached_no_matter_who_named_it() -> None:
    policy = Policy(insecure_http_origins=[KEYCLOAK])
    assert way(policy, f"{KEYCLOAK}/token").reach == "private"
    assert way(policy, f"{KEYCLOAK}/token", KEYCLOAK).reach == "private"
    assert way(LOOPBACK, "http://localhost:1/", "http://localhost:1").reach == "private"
    for url in ("http://keycloak/", "http://keycloak:8081/", "http://other:8080/"):
        assert refusal(network_of(policy), url) == "url_scheme_not_allowed"


def test_who_is_on_loopback_has_named_it_for_http() -> None:
    near = network_of(LOOPBACK, {"http://localhost:8080"})
    assert admitted_url(near, "http://127.0.0.1:9000/token", about="").port == 9_000
    assert refusal(near, "https://127.0.0.1:9000/token") == "url_address_not_allowed"
    far = network_of(LOOPBACK, {NAMED})
    assert refusal(far, "http://127.0.0.1:6379/") == "url_address_not_allowed"
    strict = network_of(
        Policy(addresses=PUBLIC_ONLY, quirks=LOOPBACK.quirks), {"http://localhost:8080"}
    )
    assert refusal(strict, "http://localhost:8080/") == "url_address_not_allowed"


def test_a_request_is_sent_along_the_back_channel_with_path_and_query() -> None:
    policy = Policy(back_channel={OP: KEYCLOAK}, insecure_http_origins=[KEYCLOAK])
    sent = way(policy, "https://OP.example/realms/a/token?tenant=1&x")
    assert sent.url == f"{KEYCLOAK}/realms/a/token?tenant=1&x"
    assert sent.reach == "private"
    assert way(policy, OP).url == KEYCLOAK
    assert way(policy, "https://op.example:8443/token").url is None
    assert way(policy, f"{KEYCLOAK}/token").url is None


def test_a_back_channel_leads_one_step_and_to_public_addresses_where_nobody_is_exempt() -> None:
    chain = Policy(back_channel={OP: "https://b.example", "https://b.example": "https://c.example"})
    assert way(chain, f"{OP}/t").url == "https://b.example:443/t"
    strict = Policy(addresses=PUBLIC_ONLY, back_channel={OP: "https://10.0.0.1"})
    with pytest.raises(UsageError) as caught:
        way(strict, f"{OP}/t")
    assert (caught.value.code, caught.value.about) == ("url_address_not_allowed", "back_channel")


@pytest.mark.parametrize(
    ("settings", "url", "servers"),
    [
        ({}, OP, {"verified", "not_told"}),
        ({"require_verified_channel": True}, OP, {"verified"}),
        (
            {"quirks": {"insecure_skip_tls_verification"}},
            OP,
            {"verified", "not_told", "unverified"},
        ),
        (
            {"quirks": {"insecure_skip_tls_verification"}, "require_verified_channel": True},
            OP,
            {"verified"},
        ),
    ],
)
def test_an_answer_comes_by_a_way_that_the_policy_lets_pass(
    settings: dict[str, Any], url: str, servers: set[str]
) -> None:
    quirks = frozenset(settings.pop("quirks", ()))
    found = way(Policy(**settings, quirks=quirks), url)
    assert found.channels == {each for each in CHANNELS if each.server in servers}
    assert not found.judged


@pytest.mark.parametrize("back_channel", [{}, {OP: KEYCLOAK}])
def test_without_tls_beyond_this_machine_only_the_address_tells_that_it_is_near(
    back_channel: dict[str, str],
) -> None:
    settings: dict[str, Any] = {"insecure_http_origins": [KEYCLOAK], "back_channel": back_channel}
    url = OP if back_channel else KEYCLOAK
    found = way(Policy(**settings), url)
    assert found.channels == {each for each in CHANNELS if each.addresses_judged}
    left = way(Policy(**settings, quirks={"proxy_enforces_addresses"}), url)
    assert left.channels == {*CHANNELS}
    assert left.reach == found.reach == "private"


@pytest.mark.parametrize("url", ["http://localhost:1/", "http://127.0.0.1/", "http://[::1]/"])
def test_on_loopback_that_is_certain(url: str) -> None:
    assert way(LOOPBACK, url, "http://localhost:1").channels == {*CHANNELS}


@pytest.mark.parametrize(
    ("about", "settings", "url"),
    [
        ("insecure_http_origins", {"insecure_http_origins": [KEYCLOAK]}, OP),
        (
            "insecure_http_origins",
            {"insecure_http_origins": [KEYCLOAK], "back_channel": {OP: KEYCLOAK}},
            OP,
        ),
        (
            "back_channel",
            {"quirks": LOOPBACK.quirks, "back_channel": {OP: "http://localhost:1"}},
            "https://other.example/",
        ),
        ("token_endpoint", {"quirks": LOOPBACK.quirks}, "http://localhost:1/token"),
        ("token_endpoint", {"quirks": LOOPBACK.quirks}, "http://127.0.0.1:2/token"),
    ],
)
def test_what_lacks_tls_contradicts_a_server_that_has_to_be_verified(
    about: str, settings: dict[str, Any], url: str
) -> None:
    policy = Policy(**settings, require_verified_channel=True)
    with pytest.raises(UsageError) as caught:
        way_of(network_of(policy, {"http://localhost:1"}), url, about="token_endpoint")
    assert (caught.value.code, caught.value.about) == ("config_invalid", about)


def test_a_back_channel_that_leads_nowhere_is_refused_before_it_is_used() -> None:
    strict = Policy(addresses=PUBLIC_ONLY, back_channel={OP: "https://10.0.0.1"})
    with pytest.raises(UsageError) as caught:
        network_of(strict)
    assert (caught.value.code, caught.value.about) == ("url_address_not_allowed", "back_channel")


def test_where_nobody_is_exempt_addresses_are_judged_unless_a_proxy_does() -> None:
    strict = way(Policy(addresses=PUBLIC_ONLY), OP)
    assert strict.judged
    assert strict.channels == {
        Channel("verified", addresses_judged=True),
        Channel("not_told", addresses_judged=True),
    }
    quirk = frozenset({"proxy_enforces_addresses"})
    left = way(Policy(addresses=PUBLIC_ONLY, quirks=quirk), OP)
    assert not left.judged
    assert left.reach == "public"
    assert Channel("verified") in left.channels
