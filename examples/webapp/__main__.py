"""`python examples/webapp [CONFIG]`: start the example; arguments go to `serving.py`.

It makes the environment `.venv` first, with only the standard library.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Make the environment, and run the example in it."""
    sys.path.insert(0, str(ROOT / "scripts"))
    import environment

    python = environment.prepare(["examples"])
    paths = (str(ROOT), os.environ.get("PYTHONPATH", ""))
    os.environ["PYTHONPATH"] = os.pathsep.join([path for path in paths if path])
    os.execv(python, [str(python), "-m", "examples.webapp.serving", *sys.argv[1:]])


if __name__ == "__main__":
    main()
