"""Which origins a policy may name, and how evidence names them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve

from oidc_core.model.origins import PUBLIC_ONLY, Origins, named_in_evidence
from oidc_core.model.policy import DEFAULT_POLICY, Policy
from oidc_core.wire.errors import UsageError

KEYCLOAK = "http://keycloak:8080"
QUIRK = frozenset({"insecure_allow_http_loopback"})


def refusal(**settings: Any) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        Policy(**settings)
    return caught.value.code, caught.value.about


def test_an_origin_is_scheme_host_and_port() -> None:
    policy = Policy(named_origins={"https://Keys.example", "https://[fd00::1]:8443"})
    assert policy.named_origins == {"https://keys.example:443", "https://[fd00::1]:8443"}
    assert Policy(named_origins=["https://keys.example:443"]) == Policy(
        named_origins=("https://keys.example",)
    )


@pytest.mark.parametrize("setting", ["named_origins", "insecure_http_origins", "back_channel"])
@pytest.mark.parametrize("given", ["https://op.example", b"https://op.example", 5, None, 1.5])
def test_what_is_no_collection_is_refused_by_name(setting: str, given: object) -> None:
    assert refusal(**{setting: given}) == ("config_invalid", setting)


@pytest.mark.parametrize("setting", ["named_origins", "insecure_http_origins"])
@pytest.mark.parametrize(
    "member",
    [
        "op.example",
        "https://op.example/",
        "https://op.example/a",
        "https://op.example?a=b",
        "https://u@op.example",
        "https://op.example#f",
        "https://*.op.example",
        "https://op.example:0",
        "ftp://op.example",
        "",
        5,
        None,
        b"https://op.example",
    ],
)
def test_what_is_no_origin_is_refused_by_name(setting: str, member: object) -> None:
    assert refusal(**{setting: [member]}) == ("config_invalid", setting)


def test_without_tls_an_origin_has_to_be_named_as_insecure() -> None:
    assert refusal(named_origins=[KEYCLOAK]) == ("config_invalid", "named_origins")


@pytest.mark.parametrize(
    "origin",
    ["https://keycloak:8443", "http://8.8.8.8", "http://[2606:4700::1]:8080", "http://1.1.1.1:80"],
)
def test_only_what_is_near_is_spoken_to_without_tls(origin: str) -> None:
    assert refusal(insecure_http_origins=[origin]) == ("config_invalid", "insecure_http_origins")


@pytest.mark.parametrize(
    "origin", [KEYCLOAK, "http://localhost:8080", "http://10.0.0.5", "http://[fd00::5]:81"]
)
def test_an_origin_is_spoken_to_without_tls_by_name(origin: str) -> None:
    assert len(Policy(insecure_http_origins=[origin]).insecure_http_origins) == 1


def test_where_nobody_is_exempt_nobody_can_be_named() -> None:
    assert refusal(addresses=PUBLIC_ONLY, named_origins=["https://keys.example"]) == (
        "config_invalid",
        "named_origins",
    )
    assert refusal(addresses=PUBLIC_ONLY, insecure_http_origins=[KEYCLOAK]) == (
        "config_invalid",
        "insecure_http_origins",
    )
    assert Policy(addresses=PUBLIC_ONLY).addresses == "public_only"


@pytest.mark.parametrize("rule", ["any", "", None, 1])
def test_there_are_two_rules_for_addresses(rule: object) -> None:
    assert refusal(addresses=rule) == ("config_invalid", "addresses")


def test_a_back_channel_is_a_mapping_or_pairs() -> None:
    given = {"https://id.example": "https://inner.example", "https://a.example": "https://b:8443"}
    policy = Policy(back_channel=given)
    assert policy.back_channel == (
        ("https://a.example:443", "https://b:8443"),
        ("https://id.example:443", "https://inner.example:443"),
    )
    assert policy == Policy(back_channel=[*reversed(policy.back_channel)])
    assert policy.digest == Policy(back_channel=policy.back_channel).digest
    assert policy.digest != DEFAULT_POLICY.digest
    assert hash(policy) == hash(evolve(policy))
    assert evolve(policy, leeway=5).back_channel == policy.back_channel


@pytest.mark.parametrize(
    "given",
    [
        [("https://a.example",)],
        [("https://a.example", "https://b.example", "https://c.example")],
        ["ab"],
        [["https://a.example", "https://b.example"]],
        [("https://a.example", 5)],
        {"https://a.example": None},
        {5: "https://b.example"},
        {"https://a.example/path": "https://b.example"},
        {"https://a.example": "https://b.example/path"},
        [
            ("https://a.example", "https://b.example"),
            ("https://A.example:443", "https://c.example"),
        ],
        {"https://a.example": KEYCLOAK},
        {"https://a.example": "http://localhost:8080"},
    ],
)
def test_what_is_no_back_channel_is_refused(given: object) -> None:
    assert refusal(back_channel=given) == ("config_invalid", "back_channel")


def test_a_back_channel_lacks_tls_only_where_that_has_a_name_of_its_own() -> None:
    inner = {"https://id.example": KEYCLOAK}
    assert Policy(back_channel=inner, insecure_http_origins=[KEYCLOAK]).back_channel
    near = {"https://id.example": "http://localhost:8080"}
    assert Policy(back_channel=near, quirks=QUIRK).back_channel
    assert refusal(back_channel=inner, quirks=QUIRK) == ("config_invalid", "back_channel")


def test_evidence_names_every_origin() -> None:
    origins = Origins(
        frozenset({"https://b.example:443", "https://a.example:443"}),
        frozenset({KEYCLOAK}),
        (("https://id.example:443", KEYCLOAK),),
    )
    assert named_in_evidence(origins) == (
        "named_origins https://a.example:443",
        "named_origins https://b.example:443",
        f"insecure_http_origins {KEYCLOAK}",
        f"back_channel https://id.example:443 {KEYCLOAK}",
    )
    assert named_in_evidence(DEFAULT_POLICY.origins) == ()


class Raising:
    """A collection whose members cannot be read."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __iter__(self) -> Iterator[str]:
        yield "https://op.example"
        raise self.error


@pytest.mark.parametrize("setting", ["named_origins", "insecure_http_origins", "back_channel"])
@pytest.mark.parametrize("error", [RuntimeError("x"), TypeError("x"), KeyError("x"), OSError("x")])
def test_a_collection_whose_members_cannot_be_had_is_refused(
    setting: str, error: Exception
) -> None:
    given: dict[str, Any] = {setting: Raising(error)}
    with pytest.raises(UsageError) as caught:
        Policy(**given)
    found = type(error).__name__
    assert (caught.value.code, caught.value.about, caught.value.found) == (
        "config_invalid",
        setting,
        found,
    )
    assert caught.value.__cause__ is error
