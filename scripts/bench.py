"""`./bench`: the table of counts and ratios. Arguments go to `python -m benchmarks`."""

from __future__ import annotations

import os
import sys

import environment

python = environment.prepare(["peers", "suite"])
os.chdir(environment.ROOT)
os.execv(python, [str(python), "-m", "benchmarks", *sys.argv[1:]])
