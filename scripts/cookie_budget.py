"""`./scripts/cookie-budget`: a real browser starts many logins at once, at a real server.

    ./scripts/cookie-budget [--starts 1,8,14,20] [--demands default,largest] [--screenshot FILE]

It needs Chromium with its ChromeDriver on PATH (Debian: `apt-get install chromium chromium-driver`)
and installs gunicorn into a separate environment. Everything listens on loopback only.

Each row begins with a browser without cookies, and opens tabs on the application's login page, all
by one script and before any of them is answered.  Each tab stays at the provider's page until all
are there; then somebody signs in on each.  There are three kinds of row:

- `at once`: that many tabs; all are completed.
- `one more`: that many tabs, then one more, whose start clears away what exceeds the budget; all
  are completed.
- `again`: that many tabs are left where they are, and as many are started again; these are
  completed.  After it a last login, alone, shows whether the site is still alive: `then`.

The columns: `octets` of the `Cookie` header that are the library's, as the server sees them when
all tabs are at the provider (or as the browser holds them, if the server refused to read them); how
many `cookies` that is, and the `largest`; how many starts were `blind`, that is, saw no cookie of
another tab of theirs; how many logins `finished` with the right `return_to`; cookies `evicted` by
starts; answers with status `431`, `400`, and `other` than 200; `left`, octets of cookies when all
is done.

It exits 1 if the server answered 431 anywhere, or if a login with default demands failed where up
to 14 were started together.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

import environment

DEMANDS = ("default", "form_post", "return_to_138", "return_to_3000", "largest")
_DRIVERS = ("chromedriver",)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def _first(names: tuple[str, ...]) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        sys.exit(
            f"cookie-budget: there is no {' or '.join(names)} on PATH.\n"
            "Debian: apt-get install chromium chromium-driver"
        )
    return found


def main(arguments: list[str]) -> None:
    """Prepare the environment, and become the run within it."""
    parser = argparse.ArgumentParser(
        prog="./scripts/cookie-budget",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--starts", default="1,8,14,20", metavar="N,N", help="how many at once")
    parser.add_argument("--demands", default=",".join(DEMANDS), metavar="NAME,NAME")
    parser.add_argument(
        "--hold", default="0.5", metavar="SECONDS", help="the time a start takes to be answered"
    )
    parser.add_argument("--screenshot", default="", metavar="FILE", help="of a finished login")
    parser.add_argument("--python", default="", help="of an environment that has it all already")
    options = parser.parse_args(arguments)
    unknown = {*options.demands.split(",")} - {*DEMANDS}
    if unknown:
        parser.error(f"there are no demands {', '.join(sorted(unknown))}")
    driver, browser = _first(_DRIVERS), _first(_BROWSERS)
    python = options.python or str(
        environment.prepare(
            directory=".venv-browser", install=("-e", str(environment.ROOT), "gunicorn>=23")
        )
    )
    run = [python, str(Path(__file__).with_name("cookie_budget_run.py")), driver, browser]
    chosen = [options.starts, options.demands, options.hold, options.screenshot]
    os.execv(python, [*run, *chosen])


if __name__ == "__main__":
    main(sys.argv[1:])
