"""One target under atheris, in a separate process; `./scripts/fuzz` runs all of them.

    python -m tests.fuzz TARGET SECONDS FOLDER
    python -m tests.fuzz TARGET FILE

The first fuzzes and leaves in the folder what it found; the second judges one input, without
atheris, and shows what it raises.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz.judging import Judge, Target

TIMEOUT = 20
"""Seconds after which an input that never ends is a finding."""
MEGABYTES = 2_048


def fuzz(name: str, seconds: int, folder: Path) -> None:
    """Fuzz a target for so long; the process ends with it."""
    from tests.fuzz import engine as engines

    engine = engines.loaded()
    with engine.instrument_imports(["oidc_core", "oidc_adapters"]):
        from tests.fuzz.judging import INSTRUMENTED, Judge
        from tests.fuzz.mutation import mutated
        from tests.fuzz.targets import TARGETS

        target = TARGETS[name]
        for seed in target.seeds:  # modules that are imported on first use are instrumented too
            target.judge(seed)
    judge = Judge(target=target, slack=INSTRUMENTED)

    def one(octets: bytes) -> None:
        if judge(octets):  # the process ends without notice, so what is news is written at once
            _report(judge, folder)

    def mutator(octets: bytes, limit: int, seed: int) -> bytes:
        return mutated(octets, limit, Random(seed), engine.Mutate, target.words)

    engine.Setup(_arguments(target, seconds, folder), one, custom_mutator=mutator)
    engine.Fuzz()


def _report(judge: Judge, folder: Path) -> None:
    seconds, slowest = judge.slowest
    report = {
        "seconds": seconds,
        "octets": len(slowest),
        "share": judge.nearest,
        "codes": sorted(judge.codes),
    }
    (folder / "slowest").write_bytes(slowest)
    (folder / "report.json").write_text(json.dumps(report), "utf-8")


def _arguments(target: Target, seconds: int, folder: Path) -> list[str]:
    """Lay out the folder and return libFuzzer's arguments."""
    corpus, seeds, found = folder / "corpus", folder / "seeds", folder / "found"
    for made in (corpus, seeds, found):
        made.mkdir(parents=True, exist_ok=True)
    for old in seeds.iterdir():
        old.unlink()
    for number, seed in enumerate(target.seeds):
        (seeds / f"{number:03}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join([f"{_quoted(word)}\n" for word in target.words]), "utf-8")
    options = {
        "max_total_time": seconds,
        "max_len": target.longest,
        "timeout": TIMEOUT,
        "rss_limit_mb": MEGABYTES,
        "artifact_prefix": f"{found}{os.sep}",
        "dict": words,
        "print_final_stats": 1,
    }
    named = [f"-{name}={value}" for name, value in options.items()]
    return [target.name, *named, str(corpus), str(seeds)]


def _quoted(word: str) -> str:
    """Write a word in the format of libFuzzer's dictionaries."""
    octets = word.encode()
    return '"' + "".join([f"\\x{octet:02x}" for octet in octets]) + '"'


def replay(name: str, file: Path) -> None:
    """Judge one input."""
    from tests.fuzz.judging import Judge
    from tests.fuzz.targets import TARGETS

    judge, octets = Judge(target=TARGETS[name]), file.read_bytes()
    for seed in judge.target.seeds:  # warm up before anything is measured
        judge.target.judge(seed)
    judge(octets)
    how = ", ".join(sorted(judge.codes)) or "taken"
    print(f"{name}: {how}; {1_000 * judge.slowest[0]:.1f} ms for {len(octets)} octets")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        fuzz(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    else:
        replay(sys.argv[1], Path(sys.argv[2]))
