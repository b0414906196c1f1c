"""Change the code in thousands of small ways, and see whether a test notices each.

    .venv/bin/python scripts/mutants.py [--tables | --functions] [MODULE …]

`tool.mutmut` in pyproject.toml names the modules and the tests.  Functions are mutated by mutmut;
what it leaves alone, tables and decorated functions, by `mutation_operators`. A mutant that no test
notices must be listed in tests/mutation/survivors.csv with the reason why it behaves the same; any
other makes the exit status 1. One processor needs about half an hour for everything.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import environment
from mutation_operators import Mutant, mutants

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

ROOT: Final = environment.ROOT
SETTINGS: Final = environment.project_table()["tool"]["mutmut"]
TESTS: Final[list[str]] = SETTINGS["pytest_add_cli_args_test_selection"]
SOURCE: Final = "src/oidc_core/"
KNOWN: Final = ROOT / "tests/mutation/survivors.csv"
SLOWEST: Final = 60
"""Seconds after which a mutant that hangs counts as noticed."""

RUN_ON_IMPORT: Final = frozenset({"_hashed", "_ml_dsa", "_scanner"})
"""Plain functions that only make tables: when mutmut changes them, they have run already."""

HEAVY: Final = ("pytest", "hypothesis", "cattrs", "cryptography.x509")
"""Imported once, as each mutant's process is a fork of this one."""

KILLED, SURVIVED, UNCOVERED = "killed", "survived", "not covered"


def modules() -> list[str]:
    """Return the modules to mutate, as in `endpoints/id_token/rules`."""
    patterns: list[str] = SETTINGS["only_mutate"]
    return [pattern.removeprefix(SOURCE).removesuffix(".py") for pattern in patterns]


def in_functions(chosen: list[str]) -> Iterator[tuple[Mutant, str]]:
    """Let mutmut run in a copy of the project; yield each of its mutants with its outcome."""
    with _copy() as copy:
        # mutmut's own choice of names hands tests over one by one, and some have no plain name.
        settings = (copy / "pyproject.toml").read_text("utf-8")
        only = json.dumps([f"{SOURCE}{module}.py" for module in chosen])
        settings = re.sub(r"(?m)^only_mutate = \[[^]]*\]", f"only_mutate = {only}", settings)
        (copy / "pyproject.toml").write_text(settings, "utf-8")
        _mutmut(copy, "run", "--max-children", "1")
        for module in chosen:
            recorded = json.loads((copy / f"mutants/{SOURCE}{module}.py.meta").read_text("utf-8"))
            for name, status in recorded["exit_code_by_key"].items():
                function = _function(name)
                if function in RUN_ON_IMPORT:
                    continue
                if status in {0, 33}:
                    diff = _mutmut(copy, "show", name)
                    changed = Mutant(module, function, _lines(diff, "-"), _lines(diff, "+"))
                    yield changed, UNCOVERED if status else SURVIVED
                else:
                    yield Mutant(module, function, "", ""), KILLED


@contextmanager
def _copy() -> Generator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("src", "tests", "scripts"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        yield copy


def _mutmut(copy: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(command, cwd=copy, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout[-2000:]}{done.stderr[-2000:]}\nmutmut failed, as told above")
    return done.stdout


def _function(name: str) -> str:
    """Return the function of `oidc_core.jose.key_set.xǁKeySetǁselect__mutmut_5`."""
    mangled = name.rpartition("__mutmut_")[0].rpartition(".")[2]
    return re.sub("^xǁ|^x_", "", mangled).replace("ǁ", ".")


def _lines(diff: str, sign: str) -> str:
    lines = [line[1:] for line in diff.splitlines() if line[:1] == sign and line[:3] != sign * 3]
    return " ".join(" ".join(lines).split())


def in_tables(chosen: list[str]) -> Iterator[tuple[Mutant, str]]:
    """Mutate what mutmut leaves alone, in a copy of the project; yield as :func:`in_functions`."""
    for name in HEAVY:
        importlib.import_module(name)
    with _copy() as copy:
        for module in chosen:
            path = copy / f"{SOURCE}{module}.py"
            original = path.read_text("utf-8")
            if not _passes(copy, module):
                sys.exit(f"the tests of {module} fail without any mutant")
            for mutant in mutants(module, original, RUN_ON_IMPORT):
                path.write_text(mutant.source, "utf-8")
                yield mutant, SURVIVED if _passes(copy, module) else KILLED
            path.write_text(original, "utf-8")


def _passes(copy: Path, module: str) -> bool:
    """Run the module's own tests and, if they pass, all others; tell whether those pass too."""
    own = own_tests(module)
    return all(_fork(copy, tests) for tests in ([own], [test for test in TESTS if test != own]))


def own_tests(module: str) -> str:
    """Return the test module of `a/b/c`: it is `a/b/test_c.py`, or `a/test_b_c.py`."""
    parts = module.split("/")
    mirrors = {
        "/".join(["tests/unit", *parts[:depth], f"test_{'_'.join(parts[depth:])}.py"])
        for depth in range(len(parts))
    }
    (own,) = mirrors.intersection(TESTS)
    return own


def _fork(copy: Path, tests: list[str]) -> bool:
    child = os.fork()
    if not child:
        signal.alarm(SLOWEST)
        status = 1
        try:
            status = _tested(copy, tests)
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _tested(copy: Path, tests: list[str]) -> int:
    import pytest

    sys.dont_write_bytecode = True
    os.chdir(copy)
    sys.path.insert(0, str(copy / "src"))
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        early = "ignore::pytest.PytestAssertRewriteWarning"  # about HEAVY
        return int(pytest.main(["-W", early, *SETTINGS["pytest_add_cli_args"], *tests]))


def known() -> set[Mutant]:
    """Return the mutants that are known to behave the same."""
    with KNOWN.open(encoding="utf-8", newline="") as rows:
        return {
            Mutant(row["module"], row["function"], row["before"], row["after"])
            for row in csv.DictReader(rows)
        }


def main() -> int:
    """Run the chosen mutants, print the table, and name the survivors that nobody explained."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--tables", action="store_true")
    parser.add_argument("--functions", action="store_true")
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    options = parser.parse_args()
    chosen: list[str] = options.modules or modules()
    environment.prepare(["dev", "mutation"])
    counts: Counter[tuple[str, str]] = Counter()
    explained, alive = known(), 0
    kinds = [in_tables] * (not options.functions) + [in_functions] * (not options.tables)
    for kind in kinds:
        for mutant, verdict in kind(chosen):
            counts[mutant.module, verdict] += 1
            if verdict != KILLED and mutant not in explained:
                alive += 1
                print(f"{mutant.module} {mutant.function}: {verdict}")
                print(f"- {mutant.before}\n+ {mutant.after}\n", flush=True)
    _print_table(chosen, counts)
    print(f"\nsurvivors without a reason in {KNOWN.relative_to(ROOT)}: {alive}")
    return 1 if alive else 0


def _print_table(chosen: list[str], counts: Counter[tuple[str, str]]) -> None:
    verdicts = (KILLED, SURVIVED, UNCOVERED)
    print(f"{'module':30}{'mutants':>12}{''.join(f'{verdict:>12}' for verdict in verdicts)}")
    for name, members in [*[(module, [module]) for module in chosen], ("all", chosen)]:
        row = [sum(counts[member, verdict] for member in members) for verdict in verdicts]
        total = sum(row)
        share = 100 * row[0] / total if total else 100
        print(f"{name:30}{total:12}{''.join(f'{count:12}' for count in row)}{share:8.1f} % killed")


if __name__ == "__main__":
    sys.exit(main())
