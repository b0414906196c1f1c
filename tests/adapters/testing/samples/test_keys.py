from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from oidc_adapters.testing.samples import (
    KEY_ALGS,
    KEY_FAULTS,
    SET_FAULTS,
    SampleKey,
    SampleKeySet,
    judged,
    key_faults,
)
from oidc_core import UsageError, parse_key_set
from tests.parties import refused

if TYPE_CHECKING:
    from collections.abc import Callable

ODD: Any = "a"
CURVES = ("ES256", "ES384", "ES512", "EdDSA", "Ed25519")
FAULTY = [(alg, fault) for alg in (*CURVES, "RS256") for fault in key_faults(alg)]


def test_every_fault_belongs_to_an_algorithm() -> None:
    assert {fault for _, fault in FAULTY} == {*KEY_FAULTS}


@pytest.mark.parametrize("alg", CURVES)
def test_a_key_on_a_curve_follows_from_its_seed(alg: str) -> None:
    key = SampleKey(alg=alg, seed=3)

    assert key.jwk == SampleKey(alg=alg, seed=3).jwk
    assert key.jwk["x"] != SampleKey(alg=alg, seed=4).jwk["x"]
    assert key.jwk["kid"] == key.kid == f"{alg.lower()}-3"


def test_rsa_keys_of_one_seed_are_one_key() -> None:
    first, second, other = (
        SampleKey(alg="RS256"),
        SampleKey(alg="PS512"),
        SampleKey(alg="RS256", seed=1),
    )

    assert first.jwk["n"] == second.jwk["n"] != other.jwk["n"]


def test_members_are_changed_or_left_out() -> None:
    key = SampleKey(named=False, members={"use": None, "x5t": "abc"})

    assert {"use", "kid"}.isdisjoint(key.jwk)
    assert (key.kid, key.jwk["x5t"], key.code) == (None, "abc", "")


@pytest.mark.parametrize(("alg", "fault"), FAULTY)
def test_a_faulty_key_is_refused_with_its_code(alg: str, fault: str) -> None:
    key = SampleKey(alg=alg, fault=fault)

    assert key.code == KEY_FAULTS[fault].code
    assert judged(SampleKeySet(keys=(key,))) == key.code


@pytest.mark.parametrize("fault", SET_FAULTS)
def test_a_faulty_document_is_refused_with_its_code(fault: str) -> None:
    key_set = SampleKeySet(fault=fault)

    assert judged(key_set) == key_set.code == SET_FAULTS[fault][0]


def test_a_set_has_its_keys_and_those_of_others() -> None:
    key_set = SampleKeySet(keys=[SampleKey(), SampleKey(seed=1)], others=[{"kty": "vendor"}])

    assert json.loads(key_set.document) == key_set.members
    assert [key.kid for key in parse_key_set(key_set.document).keys] == ["es256-0", "es256-1"]
    assert (key_set.code, judged(key_set)) == ("", "")


def test_the_code_of_a_set_is_that_of_its_first_faulty_key() -> None:
    odd = SampleKey(seed=1, fault="cut")

    assert SampleKeySet(keys=(SampleKey(), odd)).code == "jwk_invalid"


@pytest.mark.parametrize(
    ("make", "about"),
    [
        (lambda: SampleKey(alg="HS256"), "alg"),
        (lambda: SampleKey(alg="ES256", fault="small"), "fault"),
        (lambda: SampleKey(fault="private", named=False), "named"),
        (lambda: SampleKey(seed=ODD), "seed"),
        (lambda: SampleKeySet(keys=(ODD,)), "keys"),
        (lambda: SampleKeySet(others=ODD), "others"),
        (lambda: SampleKeySet(others=(ODD,)), "others"),
        (lambda: SampleKeySet(fault="odd"), "fault"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(make: Callable[[], object], about: str) -> None:
    assert refused(UsageError, "config_invalid", make).about == about


def test_all_algorithms_of_published_keys_are_there() -> None:
    assert len(KEY_ALGS) == 11
