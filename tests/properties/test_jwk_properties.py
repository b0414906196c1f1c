"""Every published JSON gives a key, a set, or a violation of the protocol; nothing else."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from oidc_core.jose.algorithms import HMAC, SIGNATURES
from oidc_core.jose.jwk import Jwk, parse_jwk
from oidc_core.jose.key_set import KeySet, parse_key_set
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, render
from tests.strategies import json_objects, jwks, mixed_key_sets

ALGS = st.sampled_from([*sorted(SIGNATURES), "none", ""])

T = TypeVar("T")


def outcome(parse: Callable[[], T]) -> T | ProtocolViolation:
    try:
        return parse()
    except ProtocolViolation as violation:
        return violation


def merged(jwk: JsonObject, odd: JsonObject) -> JsonObject:
    return JsonObject({**jwk, **odd})


@given(json_objects() | st.builds(merged, jwks(), json_objects()))
def test_any_object_is_a_key_or_a_violation(members: JsonObject) -> None:
    key = outcome(partial(parse_jwk, members))
    if isinstance(key, ProtocolViolation):
        assert key.row.stage == "jose"
    else:
        assert len(key.thumbprint) == 43
        assert (key.kty, len(key.material)) in {("RSA", 2), ("EC", 2), ("OKP", 1), ("AKP", 1)}


@given(jwks())
def test_a_good_key_is_taken_and_reads_back_the_same(members: JsonObject) -> None:
    key = parse_jwk(members)
    again = parse_key_set(render(JsonObject({"keys": (members,)})).encode())
    assert again.keys == (key,)
    assert again.skipped == ()
    assert key.verifies
    assert any(key.fits(alg) for alg in SIGNATURES - HMAC)


@given(st.binary() | (json_objects() | mixed_key_sets()).map(lambda value: render(value).encode()))
def test_any_octets_are_a_set_or_a_violation(octets: bytes) -> None:
    keys = outcome(partial(parse_key_set, octets))
    if isinstance(keys, ProtocolViolation):
        assert keys.row.stage in {"json", "jose"}
    else:
        assert len(keys.keys) + len(keys.skipped) == len(keys.published)


@given(mixed_key_sets(), st.none() | st.text(max_size=8), ALGS)
def test_any_set_gives_keys_that_fit_or_a_violation(
    document: JsonObject, kid: str | None, alg: str
) -> None:
    keys = parse_key_set(document)
    for wanted in (kid, *[key.kid for key in keys.keys]):
        found = outcome(partial(keys.select, wanted, alg))
        if isinstance(found, ProtocolViolation):
            assert found.row.stage == "jose"
        else:
            assert 1 <= len(found) <= 4
            assert all(key in keys.keys and key.fits(alg) and key.verifies for key in found)
            assert alg in SIGNATURES - HMAC
            assert wanted is None or {key.kid for key in found} == {wanted}


@given(mixed_key_sets())
def test_a_set_answers_the_same_when_it_is_asked_again(document: JsonObject) -> None:
    octets = render(document).encode()
    first, second = parse_key_set(octets), parse_key_set(octets)
    assert first.skipped == second.skipped
    for kid in [key.kid for key in first.keys]:
        answers = [selected(keys, kid) for keys in (first, first, second)]
        assert answers[0] == answers[1] == answers[2]


def selected(keys: KeySet, kid: str | None) -> tuple[Jwk, ...] | str:
    found = outcome(partial(keys.select, kid, "RS256"))
    return found.code if isinstance(found, ProtocolViolation) else found
