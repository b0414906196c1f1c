"""The functions under fuzzing hold on their seeds, on inputs kept, and on some hundreds of others.

The engine is not needed here; `./scripts/fuzz` is the long run, with it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import pytest
from attrs import define, evolve
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

import fuzzing
from oidc_adapters.testing.signing import b64url, b64url_octets, rendered
from oidc_core.wire.codes import CODES
from oidc_core.wire.errors import ProtocolViolation, UsageError
from tests.fuzz import jwe, jws
from tests.fuzz.judging import Judge, TooSlow, bound, outcome
from tests.fuzz.mutation import mutated, plain_mutation
from tests.fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fuzz.judging import Target

KEPT: Final = Path(__file__).parent.parent / "fuzz" / "kept"
TIMES: Final = 300

each_target: Final = pytest.mark.parametrize(
    "target", TARGETS.values(), ids=lambda target: target.name
)


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
def test_any_input_is_refused_or_harmless_and_none_is_late(target: Target) -> None:
    judge = Judge(target=target)
    kept = [file.read_bytes() for file in (KEPT / target.name).glob("*")]
    for octets in target.seeds:  # warm up before anything is measured
        target.judge(octets)

    for octets in (*target.seeds, *kept, *others(target)):
        judge(octets)

    assert judge.judged == len(target.seeds) + len(kept) + TIMES
    assert 0 < judge.nearest <= 1


def test_the_runner_knows_every_target() -> None:
    assert tuple(TARGETS) == fuzzing.TARGETS


@pytest.mark.parametrize("alg", jws.RPS)
def test_honest_tokens_are_accepted_and_so_is_one_signed_again(alg: str) -> None:
    rp, key = jws.RPS[alg], jws.KEYS[alg]
    honest = {token for token in jws.HONEST if not jws.refusal(rp, token, jws.holds)}

    assert len(honest) == (1 if alg == "HS256" else len(jws.HONEST) - 1)
    assert {jws.signed_again(token, key) for token in honest} & honest


def test_honest_tokens_are_decrypted_and_so_is_one_encrypted_again() -> None:
    refusals = [
        jws.refusal(rp, token, jws.holds) for token in jwe.HONEST for rp in jwe.RPS.values()
    ]
    protected, *_ = jwe.unencrypted(jwe.INNER).split(".")
    again = jwe.encrypted_again(protected, jwe.INNER.encode())

    assert refusals.count(frozenset()) == len(jwe.HONEST) == 2 * len(jwe.KINDS)
    assert jws.refusal(jwe.RPS[jwe.DIRECT], again, jws.holds) == frozenset()


def test_a_ciphertext_authenticated_again_is_decrypted() -> None:
    """Its header, MAC and padding are right: what is inside is then no token."""
    protected, *_ = jwe.unencrypted("", enc=jwe.AUTHENTICATED.enc).split(".")
    encryptor = Cipher(AES(jwe.SECRETS[jwe.AUTHENTICATED][16:]), CBC(bytes(16))).encryptor()
    padded = encryptor.update(16 * b"\x10") + encryptor.finalize()
    rp = jwe.RPS[jwe.AUTHENTICATED]
    codes = [
        jws.refusal(rp, jwe.authenticated_again(protected, bytes(16), ciphertext), jws.holds)
        for ciphertext in (padded, bytes(16))
    ]

    assert codes == [{"signature_missing"}, {"decryption_failed"}]


DEEP: Final = {
    "jws": {"json", "jose", "id_token"},
    "jwk_set": {"json", "jose"},
    "jwe": {"json", "jose", "id_token"},
}


@each_target
def test_what_lies_deep_is_reached(target: Target) -> None:
    """Refusals of each stage, not of the encoding alone: otherwise a long run finds nothing."""
    judge = Judge(target=target)
    for octets in (*target.seeds, *others(target, seed=2)):
        judge(octets)

    assert DEEP[target.name] <= {CODES[code].stage for code in judge.codes}
    assert len(judge.codes) > 12


# --- the judge -----------------------------------------------------------------------------------


def planted(error: Exception | None = None) -> Target:
    def judge(octets: bytes) -> frozenset[str]:
        if error is not None:
            raise error
        return frozenset({octets.decode()})

    return evolve(jws.TARGET, name="planted", judge=judge)


@define
class Ticks:
    """A clock on which each judgement takes its turn of these seconds."""

    turns: list[float]
    now: float = 0.0
    running: bool = False

    def __call__(self) -> float:
        if self.running:
            self.now += self.turns.pop(0)
        self.running = not self.running
        return self.now


@pytest.mark.parametrize("error", [KeyError("a"), AssertionError(), RecursionError()], ids=repr)
def test_what_is_no_refusal_is_seen(error: Exception) -> None:
    judge = Judge(target=planted(error))

    with pytest.raises(type(error)):
        judge(b"")


@pytest.mark.parametrize("error", [ValueError("a"), UsageError("config_invalid")], ids=repr)
def test_only_a_violation_of_the_protocol_is_a_refusal(error: Exception) -> None:
    def operation() -> None:
        raise error

    with pytest.raises(type(error)):
        outcome(operation)


def test_a_violation_is_a_refusal() -> None:
    def operation() -> None:
        raise ProtocolViolation("jws_malformed")

    found = outcome(operation)

    assert isinstance(found, ProtocolViolation)
    assert found.code == "jws_malformed"


def test_a_slow_input_is_seen() -> None:
    judge = Judge(target=planted(), clock=Ticks(3 * [bound(1) + 0.001]))

    with pytest.raises(TooSlow, match=r"1 octets took 0\.051 s, and may take 0\.050 s"):
        judge(b"a")


def test_slack_multiplies_the_bound() -> None:
    judge = Judge(target=planted(), clock=Ticks(3 * [bound(1) + 0.001]), slack=2)

    assert judge(b"a")
    assert judge.nearest == pytest.approx(0.51)


def test_an_input_that_was_slow_by_accident_is_none() -> None:
    judge = Judge(target=planted(), clock=Ticks([1.0, bound(1) / 2, 1.0]))

    assert judge(b"a")
    assert judge.slowest[1] == b"a"
    assert judge.nearest == pytest.approx(0.5)


def test_news_are_a_slower_input_and_another_code() -> None:
    judge = Judge(target=planted(), clock=Ticks([*3 * [0.02], 0.01, 0.01, *3 * [0.03]]))

    assert [judge(octets) for octets in (b"a", b"a", b"b", b"b")] == [True, False, True, True]
    assert judge.codes == {"a", "b"}
    assert judge.judged == 4


def test_a_longer_input_may_take_longer() -> None:
    assert bound(0) == 0.05
    assert bound(1_000_000) == pytest.approx(0.55)


# --- the mutations -------------------------------------------------------------------------------


@each_target
def test_mutations_keep_to_the_limit_and_change_something(target: Target) -> None:
    rng = Random(3)
    mutate = plain_mutation(rng)
    changed = 0
    for seed in target.seeds:
        for limit in (target.longest, 50):
            octets = mutated(seed, limit, rng, mutate, target.words)
            assert len(octets) <= limit
            changed += octets != seed[:limit]

    assert changed > len(target.seeds)


def test_mutations_get_beneath_the_encoding() -> None:
    """Most headers are still JSON, and most of these are other than before."""
    rng = Random(4)
    header = {"alg": "EdDSA", "kid": "k1"}
    token = b".".join([b64url(rendered(header)).encode(), b"e30", b"AA"])
    mutate = plain_mutation(rng)
    found: list[object] = []
    for _ in range(TIMES):
        first = mutated(token, 1_000, rng, mutate, jws.WORDS).split(b".")[0]
        with suppress(ValueError):
            found.append(json.loads(b64url_octets(first.decode("latin-1"))))

    assert len(found) > 0.6 * TIMES
    assert sum(value != header for value in found) > 0.15 * TIMES


# --- the runner ----------------------------------------------------------------------------------

SAID: Final = """
#2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 40Mb
#4096\tNEW    cov: 437 ft: 1607 corp: 218/632Kb lim: 40 exec/s: 3 rss: 82Mb L: 1/9 MS: 1 Custom-
stat::number_of_executed_units: 4711
"""


def test_a_run_is_read_out_of_what_the_engine_said(tmp_path: Path) -> None:
    report = {"seconds": 0.0021, "octets": 12, "share": 0.042, "codes": ["a", "b"]}
    (tmp_path / "report.json").write_text(json.dumps(report), "utf-8")

    done = fuzzing.outcome("jws", SAID, tmp_path, set(), 0)

    assert not done.failed
    assert " ".join(done.line().split()) == (
        "jws 4711 executions 437 edges 1607 features 2 codes 0 found "
        "slowest: 2.1 ms for 12 octets, 4 % of its bound"
    )


def test_a_crasher_is_a_failure_and_an_old_one_is_not_found_again(tmp_path: Path) -> None:
    old, new = tmp_path / "found" / "crash-1", tmp_path / "found" / "crash-2"
    new.parent.mkdir()
    old.write_bytes(b"1")
    new.write_bytes(b"2")

    done = fuzzing.outcome("jws", SAID, tmp_path, {old}, 77)

    assert (done.failed, done.found) == (True, (new,))


@pytest.mark.parametrize(("said", "status"), [("", 0), (SAID, 1)])
def test_an_engine_that_did_nothing_or_broke_is_a_failure(
    tmp_path: Path, said: str, status: int
) -> None:
    assert fuzzing.outcome("jws", said, tmp_path, set(), status).failed
