"""`./test`: the fast profile of the suite, or with `--full` everything that must hold.

    ./test [pytest arguments]
    ./test --full [--no-skip] [--vectors DIR]

Without a path it leaves out what is marked slow or interop, and uses two processes.
`--no-skip` turns every skipped test into a failure; `--vectors` names a folder of test vectors.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import environment
import legs

FAST = ("-m", "not slow and not interop")


def main() -> int:
    """Run what was asked for and return its exit status."""
    parser = argparse.ArgumentParser(prog="./test", description=__doc__, add_help=False)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--no-skip", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    options, rest = parser.parse_known_args()
    if options.help:
        sys.stdout.write(__doc__ or "")
        return 0
    common = ["--no-skip"] if options.no_skip else []
    if options.vectors:
        common.append(f"--vectors={options.vectors.resolve()}")
    if options.full:
        if rest:
            parser.error(f"--full runs everything and takes no {' '.join(rest)}")
        return legs.run_all(common)
    python = environment.prepare(["dev"])
    command = [str(python), "-m", "pytest", *common, *_defaults(rest), *rest]
    return subprocess.run(command, cwd=environment.ROOT, check=False).returncode


def _defaults(arguments: list[str]) -> list[str]:
    """Choose tests and processes, unless the caller named a test or chose."""
    named = any((environment.ROOT / item.split("::")[0]).exists() for item in arguments if item)
    chosen = {item[:2] for item in arguments}
    marks = [] if named or "-m" in chosen else [*FAST]
    processes = [] if named or chosen & {"-n", "-p", "-s"} else ["-n", str(_processes())]
    return marks + processes


def _processes() -> int:
    return min(4, os.cpu_count() or 1)


if __name__ == "__main__":
    sys.exit(main())
