"""``./bench --web``: whole logins through the doors of web frameworks, ours beside Authlib's.

Real servers run the same application both ways, beside the same provider, for the same browser.
The applications take turns within each round, and each row compares within a round.  The CPU time
is that of the application's process alone.
"""

import asyncio
from collections.abc import Callable, Mapping
from importlib.metadata import version
from random import Random
from time import perf_counter
from typing import Final

from benchmarks.import_rows import in_turns
from benchmarks.rounds import Effort, Samples
from benchmarks.rows import TARGETS, Row, ratio_row
from benchmarks.web_apps import APPS
from benchmarks.web_browser import log_in_all
from benchmarks.web_servers import cpu_time, lateness, serving

PACKAGES: Final = (
    "flask",
    "fastapi",
    "django",
    "gunicorn",
    "uvicorn",
    "Authlib",
    "requests",
    "httpx",
)
_BATCH: Final = 5
_AT_ONCE: Final = 64
_MANY: Final = 1_000

FRAMEWORKS: Final = {
    "flask": "import flask",
    "fastapi": "import fastapi",
    "django": "import django.conf, django.http, django.shortcuts, django.urls",
}
AUTHLIB: Final = {
    "flask": "import authlib.integrations.flask_client",
    "fastapi": "import authlib.integrations.starlette_client",
    "django": "import authlib.integrations.django_client",
}


def web_rows(effort: Effort) -> tuple[Row, ...]:
    """Measure logins one by one, many at once, and the imports of the doors."""
    with serving([*APPS]) as bases:
        rows = (*_cost_rows(bases, effort), *_pace_rows(bases, effort), *_lag_rows(bases, effort))
    return (*rows, *_import_rows(effort))


def versions() -> str:
    """Name the packages with their versions."""
    return ", ".join([f"{name} {version(name)}" for name in PACKAGES])


def _cost_rows(bases: Mapping[str, str], effort: Effort) -> list[Row]:
    """CPU of the application per login, over Authlib's."""

    def cost(base: str) -> float:
        before = cpu_time(base)
        assert asyncio.run(log_in_all(base, _BATCH, 1)) == _BATCH
        return (cpu_time(base) - before) / _BATCH / 1_000

    samples = _rounds(bases, cost, effort.rounds)
    rows: list[Row] = []
    for name in bases:
        kind, _, whose = name.partition("_")
        ratio = samples.ratio(name, f"{kind}_authlib")
        rows.append(ratio_row(_row_name(f"web_{kind}_login", whose), samples.cost(name), ratio))
    return rows


def _pace_rows(bases: Mapping[str, str], effort: Effort) -> list[Row]:
    """Logins a second with many in flight, over Authlib's; more is better."""
    times = min(2 * _AT_ONCE, max(2, effort.held // 500))

    def pace(base: str) -> float:
        began = perf_counter()
        ended = asyncio.run(log_in_all(base, times, _AT_ONCE))
        return max(ended, 1) / (perf_counter() - began)

    compared = {name: base for name, base in bases.items() if not name.endswith("_floor")}
    samples = _rounds(compared, pace, max(1, effort.rounds // 10))
    rows: list[Row] = []
    for name in compared:
        kind, _, whose = name.partition("_")
        ratio = samples.ratio(name, f"{kind}_authlib")
        row = ratio_row(_row_name(f"web_{kind}_at_64", whose), samples.cost(name), ratio)
        rows.append(row._replace(unit="logins/s"))
    return rows


def _lag_rows(bases: Mapping[str, str], effort: Effort) -> list[Row]:
    """How late the ticks of the event loop come with very many logins in flight."""
    many = min(_MANY, max(2, effort.held // 100))
    late: dict[str, list[float]] = {}
    ended: dict[str, int] = {}
    for whose in ("ours", "authlib"):
        base = bases[f"fastapi_{whose}"]
        lateness(base)
        ended[whose] = asyncio.run(log_in_all(base, many, many))
        late[whose] = [max(seconds * 1_000, 0.001) for seconds in lateness(base)]
    rows: list[Row] = []
    for name, part in (("web_fastapi_lag_p99", 0.99), ("web_fastapi_lag_max", 1.0)):
        at = {whose: ticks[int((len(ticks) - 1) * part)] for whose, ticks in late.items()}
        rows.append(Row(name, at["ours"], "ms", ratio=at["ours"] / at["authlib"]))
        rows.append(Row(f"{name}_authlib", at["authlib"], "ms"))
    return rows + [
        Row(_row_name("web_fastapi_ended", whose), count, f"of {many:,} logins")
        for whose, count in ended.items()
    ]


def _import_rows(effort: Effort) -> list[Row]:
    """The least CPU that a door costs over its framework, over that of Authlib's client."""
    rows: list[Row] = []
    for kind, framework in FRAMEWORKS.items():
        door = f"import oidc_adapters.web.{kind}"
        costs = in_turns(
            {
                "bare": framework,
                "ours": f"{framework}\n{door}",
                "authlib": f"{framework}\n{AUTHLIB[kind]}",
            },
            effort._replace(processes=2 * effort.processes),
        )
        least = {name: min(found) for name, found in costs.items()}
        ours, authlib = [max(least[name] - least["bare"], 0.001) for name in ("ours", "authlib")]
        name = f"web_import_{kind}"
        rows.append(Row(name, ours, "ms", ratio=ours / authlib, target=TARGETS[name]))
        rows.append(Row(f"{name}_authlib", authlib, "ms"))
    return rows


def _rounds(bases: Mapping[str, str], measure: Callable[[str], float], rounds: int) -> Samples:
    """Measure each application once a round, in shuffled order."""
    found: dict[str, list[float]] = {name: [] for name in bases}
    order, shuffle = [*bases], Random(1).shuffle
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            found[name].append(measure(bases[name]))
    return Samples({name: tuple(values) for name, values in found.items()})


def _row_name(name: str, whose: str) -> str:
    return name if whose == "ours" else f"{name}_{whose}"
