"""The functions under fuzzing hold on their seeds, on inputs kept, and on some hundreds of others.

The engine is not needed here; `./scripts/fuzz` is the long run, with it.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import pytest
from attrs import evolve, frozen

import fuzzing
from oidc_adapters.testing.signing import b64url, b64url_octets, rendered
from oidc_core.errors import ProtocolViolation
from tests.fuzz import jwe, jwk_set, jws
from tests.fuzz.judging import Judge, TooSlow, bound, refused
from tests.fuzz.mutation import mutated, plain_mutation
from tests.fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fuzz.judging import Target

KEPT: Final = Path(__file__).parent.parent / "fuzz" / "kept"
TIMES: Final = 300

each_target: Final = pytest.mark.parametrize("target", TARGETS.values(), ids=str)


def others(target: Target, seed: int = 1) -> Iterator[bytes]:
    """Inputs like those of the long run, the same each time."""
    rng = Random(seed)
    mutate = plain_mutation(rng)
    for _ in range(TIMES):
        octets = rng.choice(target.seeds)
        for _ in range(rng.randint(1, 3)):
            octets = mutated(octets, target.longest, rng, mutate, target.words)
        yield octets


# --- the targets ---------------------------------------------------------------------------------


@each_target
def test_only_errors_of_the_library_leave_it_and_none_late(target: Target) -> None:
    judge = Judge(target=target)
    kept = [file.read_bytes() for file in (KEPT / target.name).glob("*")]
    for octets in target.seeds:  # nothing is measured before it is warm
        target.judge(octets)

    for octets in (*target.seeds, *kept, *others(target)):
        judge(octets)

    assert judge.judged == len(target.seeds) + len(kept) + TIMES
    assert 0 < judge.nearest <= 1


def test_the_runner_knows_every_target() -> None:
    assert tuple(TARGETS) == fuzzing.TARGETS


@pytest.mark.parametrize("alg", jws.RPS)
def test_honest_tokens_are_accepted_and_those_signed_anew(alg: str) -> None:
    rp, key = jws.RPS[alg], jws.KEYS[alg]
    honest = {token for token in jws.HONEST if jws.accepted(rp, token) is not None}

    assert len(honest) == (1 if alg == "HS256" else len(jws.HONEST) - 1)
    assert {jws.signed_anew(token, key) for token in honest} & honest


def test_honest_tokens_are_decrypted_and_those_encrypted_anew() -> None:
    accepted = {
        token
        for token in jwe.HONEST
        for rp in jwe.RPS.values()
        if jws.accepted(rp, token) is not None
    }
    protected, *_ = jwe.unencrypted(jwe.INNER).split(".")
    anew = jwe.encrypted_anew(protected, jwe.INNER.encode())

    assert accepted == jwe.HONEST
    assert jws.accepted(jwe.RPS[jwe.DIRECT], anew) is not None


@pytest.mark.parametrize(
    ("target", "codes"),
    [
        (jws.TARGET, {"alg_not_allowed", "json_depth", "jws_crit", "nonce_mismatch", "aud_invalid"}),
        (jwe.TARGET, {"jwe_failed", "jwe_zip", "jwe_inner_not_signed", "jwe_alg", "aud_invalid"}),
        (jwk_set.TARGET, {"jwks_invalid", "jwk_invalid", "key_weak", "jwks_private_key"}),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_lies_deep_is_reached(
    target: Target, codes: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refusals of every stage, and not of the encoding alone."""
    seen: set[str] = set()
    make = ProtocolViolation.__init__

    def noted(self: ProtocolViolation, code: str, **rest: object) -> None:
        seen.add(code)
        make(self, code, **rest)  # type: ignore
