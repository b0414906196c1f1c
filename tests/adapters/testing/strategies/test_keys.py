from __future__ import annotations

from hypothesis import given, settings

from oidc_adapters.testing.samples import SampleKey, SampleKeySet
from oidc_adapters.testing.strategies import SIGNING_ALGS, key_sets, keys
from oidc_adapters.testing.strategies.keys import key_seeds, prepared

FEW = settings(max_examples=10)


@FEW
@given(keys(valid=True), keys(valid=False), keys(algs=("EdDSA", "RS256")))
def test_a_key_is_as_it_was_asked_for(good: SampleKey, faulty: SampleKey, other: SampleKey) -> None:
    assert good.fault == good.code == ""
    assert faulty.fault
    assert faulty.code
    assert other.alg in {"EdDSA", "RS256"}
    assert {good.alg, faulty.alg} <= {*SIGNING_ALGS}


@FEW
@given(key_sets(valid=True, most=9), key_sets(valid=False), key_sets(algs=("ES512",), most=1))
def test_a_key_set_is_as_it_was_asked_for(
    good: SampleKeySet, faulty: SampleKeySet, other: SampleKeySet
) -> None:
    assert good.code == ""
    assert 1 <= len(good.keys) <= 4
    assert faulty.code
    assert [key.alg for key in other.keys] == ["ES512"]


@FEW
@given(key_sets(valid=True))
def test_no_two_keys_of_a_set_are_the_same(key_set: SampleKeySet) -> None:
    material = [str(key.jwk.get("n", key.jwk.get("x"))) for key in key_set.keys]

    assert len({*material}) == len(material)


@FEW
@given(key_seeds("RS256"))
def test_there_are_few_rsa_keys(seed: int) -> None:
    assert seed in {0, 1}


def test_a_strategy_without_rsa_makes_no_rsa_key() -> None:
    made: list[SampleKey] = []
    strategy = prepared(keys(algs=("ES256",)), ("ES256",))

    @FEW
    @given(strategy)
    def drawing(key: SampleKey) -> None:
        made.append(key)

    drawing()
    assert {key.alg for key in made} == {"ES256"}
