"""Policies choose among safe things only; quirks are named."""

import pickle
from hashlib import sha256
from typing import Any

import pytest
from attrs import evolve, fields

from oidc_core.jose.algorithms import ASYMMETRIC, HMAC, OPTIONAL
from oidc_core.model.policy import DEFAULT_POLICY, MAX_LEEWAY, QUIRKS, Policy
from oidc_core.wire.errors import UsageError
from oidc_core.wire.limits import LIMITS, Limits

STRICT = evolve(DEFAULT_POLICY, name="strict", leeway=5)


def refusal(**changes: Any) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        evolve(DEFAULT_POLICY, **changes)
    return caught.value.code, caught.value.about


def test_the_default_accepts_every_signature_and_no_mac() -> None:
    assert DEFAULT_POLICY.algorithms == ASYMMETRIC
    assert DEFAULT_POLICY.algorithms.isdisjoint(OPTIONAL)
    assert DEFAULT_POLICY.quirks == frozenset()
    assert (DEFAULT_POLICY.leeway, DEFAULT_POLICY.login_lifetime) == (60, 600)
    assert DEFAULT_POLICY.userinfo == "optional"


@pytest.mark.parametrize("alg", sorted(OPTIONAL))
def test_a_policy_may_name_what_is_not_accepted_by_itself(alg: str) -> None:
    named = frozenset({"RS256", alg})
    assert evolve(DEFAULT_POLICY, algorithms=named).algorithms == named


@pytest.mark.parametrize("leeway", [0, 1, MAX_LEEWAY])
def test_a_leeway_is_bounded(leeway: int) -> None:
    assert Policy(leeway=leeway).leeway == leeway


@pytest.mark.parametrize("leeway", [-1, MAX_LEEWAY + 1, 10**9])
def test_a_leeway_beyond_is_refused(leeway: int) -> None:
    assert refusal(leeway=leeway) == ("config_invalid", "leeway")


LIFETIMES = (
    "login_lifetime", "id_token_age", "logout_token_age", "key_set_max_age", "assertion_lifetime",
)  # fmt: skip


@pytest.mark.parametrize("name", LIFETIMES)
def test_a_lifetime_is_not_negative(name: str) -> None:
    assert refusal(**{name: -1}) == ("config_invalid", name)
    zero: dict[str, Any] = {name: 0}
    assert getattr(evolve(DEFAULT_POLICY, **zero), name) == 0


@pytest.mark.req("RFC8725-3.2-01", "OIDCC-2-15")
@pytest.mark.parametrize("alg", ["none", "None", "", "rs256", "RSA1_5", *sorted(HMAC)])
def test_no_policy_accepts_anything_but_signatures(alg: str) -> None:
    assert refusal(algorithms=frozenset({"RS256", alg})) == ("config_invalid", "algorithms")


@pytest.mark.parametrize("rule", ["", "sometimes", "Never"])
def test_a_rule_for_userinfo_is_one_of_three(rule: str) -> None:
    assert refusal(userinfo=rule) == ("config_invalid", "userinfo")


def test_a_quirk_has_a_name_that_is_known() -> None:
    assert refusal(quirks=frozenset({"skip_everything"})) == ("config_invalid", "quirks")
    for name, quirk in QUIRKS.items():
        assert quirk.name == name
        assert quirk.relaxes
        assert quirk.spec
        assert Policy(quirks=frozenset({name})).quirks == {name}


@pytest.mark.parametrize(
    "what", ["signature", "issuer", "expiry", "state", "exp", "aud", "iss", "alg", "sub"]
)
def test_what_is_never_off_has_no_quirk(what: str) -> None:
    assert not [name for name in QUIRKS if what in name.split("_")]


def test_pkce_and_nonce_are_not_given_up_together() -> None:
    both = frozenset({"omit_pkce", "nonce_not_echoed"})
    assert refusal(quirks=both) == ("config_invalid", "quirks")
    assert refusal(quirks=both | {"basic_raw_credentials"}) == ("config_invalid", "quirks")


# --- what tells policies apart -------------------------------------------------------------------


DIFFERENCES: list[dict[str, Any]] = [
    {"algorithms": frozenset({"RS256"})},
    {"leeway": 5},
    {"login_lifetime": 5},
    {"id_token_age": 5},
    {"logout_token_age": 5},
    {"key_set_max_age": 5},
    {"assertion_lifetime": 5},
    {"userinfo": "never"},
    {"require_at_hash": True},
    {"require_logout_typ": True},
    {"require_essential_claims": True},
    {"forbid_extra_scope": True},
    {"require_verified_channel": True},
    {"addresses": "public_only"},
    {"named_origins": frozenset({"https://keys.example"})},
    {"insecure_http_origins": frozenset({"http://keycloak:8080"})},
    {"back_channel": (("https://op.example", "https://inner.example"),)},
    {"quirks": frozenset({"omit_pkce"})},
    {"resend_in_doubt": "never"},
    {"revoke_at_logout": True},
    {"limits": Limits(id_token=2**18)},
]


@pytest.mark.parametrize("changes", DIFFERENCES, ids=lambda changes: next(iter(changes)))
def test_a_policy_that_accepts_something_else_has_another_digest(changes: dict[str, Any]) -> None:
    other = evolve(DEFAULT_POLICY, **changes)
    assert other.digest != DEFAULT_POLICY.digest
    assert other.digest == evolve(DEFAULT_POLICY, name="other", **changes).digest
    assert other != DEFAULT_POLICY


def test_every_field_of_a_policy_but_its_name_is_in_its_digest() -> None:
    told = {next(iter(row)) for row in DIFFERENCES}
    assert told == {a.name for a in fields(Policy)} - {"name", "digest"}


def test_a_digest_is_the_same_in_every_process_and_after_a_release_adds_a_field() -> None:
    """Only what differs from the default is in it, and sets are sorted."""
    assert DEFAULT_POLICY.digest == sha256(b"").hexdigest()[:16]
    written = "leeway 5\nquirks nonce_not_echoed unbound_browser"
    policy = Policy(leeway=5, quirks=frozenset({"unbound_browser", "nonce_not_echoed"}))
    assert policy.digest == sha256(written.encode()).hexdigest()[:16]


def test_the_limits_of_a_policy_are_a_value_of_their_own() -> None:
    assert DEFAULT_POLICY.limits == LIMITS
    assert Policy(limits=Limits()).digest == DEFAULT_POLICY.digest
    assert refusal(limits={"id_token": 5}) == ("config_invalid", "limits")


def test_a_policy_can_be_compared_copied_and_kept() -> None:
    assert evolve(DEFAULT_POLICY) == DEFAULT_POLICY == Policy()
    assert pickle.loads(pickle.dumps(STRICT)) == STRICT
    assert pickle.loads(pickle.dumps(STRICT)).digest == STRICT.digest


@pytest.mark.parametrize("name", ["leeway", *LIFETIMES])
@pytest.mark.parametrize(
    "number", [2**53, 10**5000, -(10**5000)], ids=["2**53", "long", "negative"]
)
def test_a_time_that_nothing_could_take_is_refused_in_words(name: str, number: int) -> None:
    given: dict[str, Any] = {name: number}
    with pytest.raises(UsageError) as caught:
        Policy(**given)
    assert (caught.value.code, caught.value.about) == ("config_invalid", name)
    assert name in str(caught.value)


def test_the_longest_time_can_be_shown() -> None:
    longest = Policy(login_lifetime=2**53 - 1)
    assert str(2**53 - 1) in repr(longest)
    assert longest.digest != DEFAULT_POLICY.digest
