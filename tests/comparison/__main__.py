"""The command that plays all scenarios with all applications: ``python -m tests.comparison``."""

from __future__ import annotations

import argparse
import json
import logging

from tests.comparison.columns import COLUMNS
from tests.comparison.table import PAGE, column_of, page, played, table


def main() -> None:
    """Print the table, or write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.comparison", description=__doc__)
    parser.add_argument("--column", choices=COLUMNS, help="play one column, and print it as JSON")
    parser.add_argument("--write", action="store_true", help="write the page of the documentation")
    chosen = parser.parse_args()
    logging.disable()
    if chosen.column:
        print(json.dumps(column_of(COLUMNS[chosen.column])))
        return
    found = {name: played(name) for name in COLUMNS}
    if chosen.write:
        PAGE.write_text(page(found), encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
