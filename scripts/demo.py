"""`./demo`: a whole login, printed exchange by exchange. Arguments go to `oidc demo`."""

from __future__ import annotations

import os
import sys

import environment

python = environment.prepare()
os.execv(python, [str(python), "-m", "oidc_adapters.cli", "demo", *sys.argv[1:]])
