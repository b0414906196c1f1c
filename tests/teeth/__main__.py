"""``python -m tests.teeth --seeds 10`` prints which checks have teeth, as a table in Markdown."""

import argparse
from statistics import median
from typing import Final

from tests.teeth.attacking import Outcome, alone, attacked, with_one_back, without
from tests.teeth.defences import DEFENCES, Defence

HEAD: Final = (
    "| defence | emptied besides | attack | invariant broken | found | examples |\n"
    "|---|---|---|---|---|---|"
)


def row(defence: Defence, found: list[Outcome | None]) -> str:
    """Return a line of the table."""
    hits = [each for each in found if each is not None]
    needed = [each.examples for each in hits]
    often = f"{min(needed)}, {median(needed):g}, {max(needed)}" if needed else ""
    others = [*defence.others, *[f"{name} {value}" for name, value in defence.weaker]]
    broken = ", ".join(sorted({each.invariant for each in hits}))
    cells = (
        defence.name,
        ", ".join(others) or "nothing",
        defence.attack,
        broken,
        f"{len(hits)} of {len(found)}",
        often,
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Run every search, and print as it goes."""
    parser = argparse.ArgumentParser(prog="python -m tests.teeth", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many searches for each")
    parser.add_argument("--examples", type=int, default=2_000, help="the bound of each")
    parser.add_argument("--bound", type=int, default=500, help="the bound where nothing breaks")
    parser.add_argument("names", nargs="*", help="of defences; all by default")
    given = parser.parse_args()
    print(HEAD, flush=True)
    held: list[str] = []
    for defence in [one for one in DEFENCES if one.name in given.names or not given.names]:
        seeds = range(given.seeds)
        found = attacked(defence, without(defence), seeds=seeds, examples=given.examples)
        print(row(defence, found), flush=True)
        stands = [("alone", alone(defence)), *with_one_back(defence)]
        for name, stand in stands:
            (outcome,) = attacked(defence, stand, seeds=[0], examples=given.bound)
            if outcome is not None:
                held.append(f"{defence.name}, {name}: {outcome.invariant}: {outcome.why}")
    print(f"\nWith the defence alone, and with each other check back, {given.bound} examples:")
    print("\n".join(held) or "nothing breaks", flush=True)


if __name__ == "__main__":
    main()
