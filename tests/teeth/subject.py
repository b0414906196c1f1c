"""The subprocess: it empties checks, and only then loads the library and the attacker."""

import json
import sys

from tests.teeth.defences import NAMED
from tests.teeth.emptied import install


def main() -> None:
    """Read a job from the arguments; write a line for each seed."""
    job = json.loads(sys.argv[1])
    install(job["emptied"])
    from tests.teeth.hunting import hunt

    weaker = [(name, value) for name, value in job["weaker"]]
    for number in job["seeds"]:
        found = hunt(NAMED[job["defence"]], weaker, number=number, examples=job["examples"])
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
