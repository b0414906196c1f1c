"""``python -m benchmarks``: the table of counts and ratios."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks.decryption_rows import decryption_rows
from benchmarks.fresh_rows import fresh_rows
from benchmarks.import_rows import import_rows
from benchmarks.login_rows import login_rows
from benchmarks.pending_rows import pending_rows
from benchmarks.rounds import FULL, Effort
from benchmarks.rows import Row, rendered_json, table
from benchmarks.signing_rows import signing_rows
from benchmarks.transport_rows import transport_row
from benchmarks.validation_rows import key_set_row, refusal_rows, validate_rows

Suite: TypeAlias = Callable[[Effort], tuple[Row, ...]]

SUITES: Final[tuple[Suite, ...]] = (
    validate_rows,
    login_rows,
    lambda effort: (key_set_row(effort),),
    refusal_rows,
    signing_rows,
    decryption_rows,
    import_rows,
    lambda effort: (transport_row(effort),),
    pending_rows,
    fresh_rows,
)


def all_rows(effort: Effort) -> tuple[Row, ...]:
    """Run everything that needs nobody else."""
    return tuple([row for suite in SUITES for row in suite(effort)])


def passes(rows: Sequence[Row]) -> bool:
    """Return whether every exact row meets its target; noise must never fail a gate."""
    return all(row.ok for row in rows if row.exact)


def main(arguments: Sequence[str], effort: Effort = FULL) -> int:
    """Measure, print, write the requested files; return the exit status."""
    options = _parser().parse_args(arguments)
    if options.stores:
        from benchmarks.session_stores import session_figures
        from benchmarks.stores import SIZES, figures
        from benchmarks.stores import table as of_stores

        sizes = options.sizes or SIZES
        print(of_stores([*figures(sizes), *session_figures(sizes)], sizes))
        return 0
    effort = effort._replace(rounds=options.rounds or effort.rounds)
    rows = _of_the_web(effort) if options.web else all_rows(effort)
    print(table(rows))
    if options.peers or options.picture:
        rows = (*rows, *_with_peers(effort, options.picture))
    if options.json:
        Path(options.json).write_text(rendered_json(rows), "utf-8")
    return 0 if passes(rows) or not options.gate else 1


def _of_the_web(effort: Effort) -> tuple[Row, ...]:
    from benchmarks.web_rows import versions, web_rows

    print(f"{versions()}\n")
    return web_rows(effort)


def _with_peers(effort: Effort, file: str | None) -> tuple[Row, ...]:
    from benchmarks.peers import peer_rows, versions
    from benchmarks.picture import picture

    rows, ratios = peer_rows(effort)
    print(f"\n{table(rows)}\n\n{versions()}")
    if file:
        Path(file).write_text(picture(ratios, versions()), "utf-8")
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench", description="What a login costs: exact counts, and ratios within one run."
    )
    parser.add_argument("--json", metavar="FILE", help="write the rows as JSON, too")
    parser.add_argument("--peers", action="store_true", help="put other libraries beside us")
    parser.add_argument("--picture", metavar="FILE", help="draw the peers as SVG")
    parser.add_argument(
        "--web", action="store_true", help="measure logins through web frameworks alone"
    )
    parser.add_argument("--stores", action="store_true", help="measure the stores of records alone")
    parser.add_argument(
        "--sizes", type=int, nargs="+", metavar="N", help="how many records the stores hold"
    )
    parser.add_argument("--gate", action="store_true", help="fail if an exact count is too high")
    parser.add_argument("--rounds", type=int, metavar="N", help="interleaved rounds of each row")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
