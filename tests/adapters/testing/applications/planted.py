"""Prints which planted faults a machine finds, after how many examples, and by which program.

    python -m tests.adapters.testing.applications.planted [flask|fastapi|django] [--seeds N]

A further search, of short examples, gives the program, which Hypothesis has shrunk.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from oidc_adapters.testing.applications import ApplicationMachine, LawBrokenError, Routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_adapters.testing.applications import World

UNBOUND: Final = "state not bound to the browser"
RESTART: Final = "endless restart"
FAULTS: Final = (
    UNBOUND,
    "open redirect by next",
    "session kept across users",
    "error page that leaks",
    RESTART,
)
LAWS: Final = {
    UNBOUND: "nobody_is_signed_in_without_an_honest_login",
    "open redirect by next": "no_redirect_leaves_the_site",
    "session kept across users": "nobody_is_signed_in_without_an_honest_login",
    "error page that leaks": "secrets_stay_in_their_messages",
    RESTART: "no_browser_goes_round_in_circles",
}
MOST: Final = 200
"""After how many examples a search gives up."""

STEPS: Final = 15
"""How many moves an example has at most."""

FEW_STEPS: Final = 6
"""The same for the search whose result is shrunk: a short program takes a short time."""


class Planted(ApplicationMachine):
    """A machine for an application with a fault, which counts its examples."""

    routes: ClassVar[Routes] = Routes(pages=("/", "/tokens"), uses_tokens="/tokens")
    fault: ClassVar[str] = ""
    made: ClassVar[int] = 0
    found_after: ClassVar[int] = 0

    def __init__(self) -> None:
        kind = type(self)
        kind.made += 1
        super().__init__()

    def settings_of(self, world: World, *, awaits: bool = False) -> dict[str, Any]:
        by_get = {"OIDC_LOGIN_BY_GET": True} if self.fault == RESTART else {}
        return {**world.settings(awaits=awaits), **by_get}

    def broken(self, law: str) -> None:
        kind = type(self)
        kind.found_after = kind.found_after or kind.made
        super().broken(law)


class FlaskMachine(Planted):
    """Fuzzes the Flask application."""

    def application(self, world: World) -> Any:
        from examples.fuzz.flask_app import create_app
        from examples.fuzz.flask_faults import plant

        app = create_app(self.settings_of(world))
        return plant(app, self.fault) if self.fault else app


class FastapiMachine(Planted):
    """Fuzzes the FastAPI application."""

    def application(self, world: World) -> Any:
        from examples.fuzz.fastapi_app import create_app
        from examples.fuzz.fastapi_faults import plant

        app = create_app(self.settings_of(world, awaits=True))
        return plant(app, self.fault) if self.fault else app


class DjangoMachine(Planted):
    """Fuzzes the Django project, of which there is one in a process."""

    _project: ClassVar[list[Any]] = []

    def application(self, world: World) -> Any:
        from examples.fuzz.django_project import create_app

        if not self._project:
            self._project.append(create_app("examples.fuzz.django_faults.Planted"))
        return self._project[0]

    def reset(self, world: World) -> None:
        from examples.fuzz.django_faults import Planted as Middleware
        from examples.fuzz.django_project import enter

        by_get = {"LOGIN_BY_GET": True} if self.fault == RESTART else {}
        enter({**world.django_settings(), **by_get})
        Middleware.plant(self.fault)


MACHINES: Final[dict[str, type[Planted]]] = {
    "flask": FlaskMachine,
    "fastapi": FastapiMachine,
    "django": DjangoMachine,
}


class Found(NamedTuple):
    """The result of a search: the broken law, the number of examples, and the moves."""

    law: str
    after: int
    program: tuple[str, ...]
    text: str


_CALL: Final = re.compile(r"state\.(\w+\([^\n]*\))")


def search(
    framework: str,
    fault: str,
    number: int,
    *,
    most: int = MOST,
    shrinks: bool = True,
    steps: int = STEPS,
) -> Found | None:
    """Search for a fault with a seed; return ``None`` without a result."""
    known: dict[str, Any] = {"fault": fault}
    machine: Any = type(f"{framework.title()}Application", (MACHINES[framework],), known)
    phases = (Phase.generate, Phase.shrink) if shrinks else (Phase.generate,)
    try:
        run_state_machine_as_test(
            seed(number)(machine),
            settings=settings(
                max_examples=most,
                stateful_step_count=steps,
                phases=phases,
                database=None,
                deadline=None,
                print_blob=False,
                report_multiple_bugs=False,
                suppress_health_check=(
                    HealthCheck.too_slow,
                    HealthCheck.data_too_large,
                    HealthCheck.filter_too_much,
                ),
            ),
        )
    except LawBrokenError as broken:
        notes = "\n".join(getattr(broken, "__notes__", ()))
        calls = [call for call in _CALL.findall(notes) if not call.startswith("teardown")]
        return Found(broken.law, machine.found_after, tuple(calls), str(broken))
    return None


def rows(frameworks: list[str], seeds: int, say: Callable[[str], object]) -> None:
    """Print the table."""
    say("| application | planted fault | found after, per seed | shrunk program |")
    say("|---|---|---|---|")
    for framework in frameworks:
        for fault in FAULTS:
            found = [search(framework, fault, number, shrinks=False) for number in range(seeds)]
            after = ", ".join([str(each.after) if each else "-" for each in found])
            short = search(framework, fault, 0, steps=FEW_STEPS, most=2 * MOST)
            program = "; ".join(short.program) if short else ""
            say(f"| {framework} | {fault} | {after} | `{program}` |")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("framework", nargs="?", choices=[*MACHINES])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    chosen = [options.framework] if options.framework else [*MACHINES]
    rows(chosen, options.seeds, lambda line: print(line, flush=True))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
