"""The machine finds each planted fault, nothing in honest applications, and repeats itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from oidc_adapters.testing.applications import ApplicationMachine, LawBrokenError, World
from tests.adapters.testing.applications.planted import (
    FAULTS,
    LAWS,
    MACHINES,
    FlaskMachine,
    Planted,
    search,
)
from tests.adapters.testing.applications.site import pages, shows
from tests.adapters.testing.applications.two_providers import TwoProviders

if TYPE_CHECKING:
    from collections.abc import Callable

HERE: Final = Path(__file__).resolve().parents[4]
IN_PROCESS: Final = ("flask", "fastapi")


def run(machine: type[ApplicationMachine], examples: int, steps: int = 30, number: int = 0) -> None:
    """Run a machine."""
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    )
    run_state_machine_as_test(seed(number)(machine), settings=chosen)


@pytest.mark.slow
def test_the_fault_of_a_page_is_found_and_shrunk() -> None:
    found = search("flask", "error page that leaks", 0, most=200)

    assert found is not None
    assert found.law == "secrets_stay_in_their_messages"
    assert found.program[-1] == "secrets_stay_in_their_messages()"
    assert len(found.program) <= 4
    assert "is in the page" in found.text.partition("\n")[0]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("framework", IN_PROCESS)
def test_each_planted_fault_is_found(framework: str, fault: str) -> None:
    found = search(framework, fault, 0, shrinks=False)

    assert found is not None
    assert found.law == LAWS[fault]


def kept_in(traces: list[str], machine: type[Planted]) -> type[Planted]:
    """Return a machine that keeps the trace of each example."""

    def teardown(self: Planted) -> None:
        traces.append("\n".join(self.book.trace))
        machine.teardown(self)

    members: dict[str, Any] = {"teardown": teardown}
    return type("Kept", (machine,), members)


@pytest.mark.slow
@pytest.mark.parametrize("framework", IN_PROCESS)
def test_nothing_is_found_in_an_honest_application(framework: str) -> None:
    counted: list[str] = []

    run(kept_in(counted, MACHINES[framework]), 80)

    logged_in = [text for text in counted if "signed in is alice" in text or "is bob" in text]
    assert len(logged_in) > 0.3 * len(counted)
    for move in MOVES:
        assert any(f"{move}(" in text for text in counted), move


MOVES: Final = (
    "all_is_well", "answer_at_provider", "cancel", "forget_at_provider", "go_back",
    "keep_the_callback", "log_in", "log_in_for_a_page", "log_out", "log_out_elsewhere",
    "lose_cookies", "misbehave", "mix_links", "open_hostile_link", "open_link", "open_many_tabs",
    "open_strange_callback", "outage", "press_button", "refresh_in_two_tabs", "rotate_keys",
    "start_login", "visit", "wait",
)  # fmt: skip


@pytest.mark.slow
def test_two_providers_are_never_mixed_up() -> None:
    run(TwoProviders, 60)


def test_a_mix_up_sends_no_code_to_the_wrong_provider() -> None:
    machine = TwoProviders()
    while not machine.browsers[0].tab(0).asked.startswith("https://second.example"):
        machine.start_login(browser=0, tab=0)
    machine.mix_up(browser=0, tab=0, user="alice")

    assert machine.book.visits[-1].answer.status in {400, 502}
    assert machine.offence("secrets_stay_in_their_messages") == ""
    assert machine.offence("nobody_is_signed_in_without_an_honest_login") == ""
    machine.teardown()


def script(text: str) -> str:
    """Run a script in a new process: a Django project is global to its process."""
    command = [sys.executable, "-W", "error::SyntaxWarning", "-c", text]
    done = subprocess.run(
        command, cwd=HERE, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout


DJANGO: Final = """
from tests.adapters.testing.applications.planted import FAULTS, LAWS, DjangoMachine, search
from tests.adapters.testing.applications.test_machine import run, traces_of
"""


@pytest.mark.slow
def test_a_django_project_is_fuzzed_in_the_same_way() -> None:
    text = (
        f"{DJANGO}\n"
        "run(DjangoMachine, 40)\n"
        "print(traces_of(DjangoMachine) == traces_of(DjangoMachine))\n"
        "print([search('django', fault, 0, shrinks=False).law == LAWS[fault] for fault in FAULTS])"
    )

    assert script(text).splitlines() == ["True", str([True] * len(FAULTS))]


def traces_of(machine: type[Planted], number: int = 3) -> list[str]:
    """Return the traces of some examples."""
    found: list[str] = []
    run(kept_in(found, machine), 12, 15, number)
    return found


def moved(framework: str) -> list[str]:
    """Return the trace of a fixed example."""
    machine = MACHINES[framework]()
    machine.log_in_for_a_page(browser=0, tab=0, user="alice", page=1)
    machine.open_hostile_link(browser=1, tab=0, to="//evil.example/", page=0, name=0)
    machine.misbehave(provider=0, name="bad_signature")
    machine.keep_the_callback(browser=0, tab=1, user="bob")
    machine.open_link(browser=1, tab=0, link=0)
    machine.open_link(browser=0, tab=0, link=0)
    machine.all_is_well()
    machine.refresh_in_two_tabs(browser=0, seconds=301)
    machine.log_out_elsewhere(browser=0, provider=0, user="alice", by_session=False)
    machine.offence("no_answer_is_a_server_fault")
    machine.teardown()
    return machine.book.trace


@pytest.mark.parametrize("framework", IN_PROCESS)
def test_the_same_moves_twice_give_the_same_trace(framework: str) -> None:
    first = moved(framework)

    assert moved(framework) == first
    assert len(first) > 25
    assert moved("flask") == first


@pytest.mark.slow
@pytest.mark.parametrize("framework", IN_PROCESS)
def test_the_same_example_twice_gives_the_same_trace(framework: str) -> None:
    first, second = traces_of(MACHINES[framework]), traces_of(MACHINES[framework])

    for one, other in zip(first, second, strict=True):
        assert one == other
    assert sum([text.count("\n") for text in first]) > 100


def test_a_broken_law_is_told_with_a_readable_trace() -> None:
    class Open(ApplicationMachine):
        """Says that everybody is Alice."""

        def application(self, world: World) -> Callable[..., list[bytes]]:
            return pages({"/who": shows('["https://op.example", "alice"]')})

    with pytest.raises(LawBrokenError) as broken:
        run(Open, 5)
    assert broken.value.law == "nobody_is_signed_in_without_an_honest_login"
    assert str(broken.value).splitlines()[1:] == [
        "  browser 0: signed in is alice of https://op.example",
        "  browser 1: signed in is alice of https://op.example",
    ]


def closed(machine: FlaskMachine) -> FlaskMachine:
    """Have an application sign nobody in: its route says nobody, as one of a wrong name does."""
    vars(machine)["who"] = nobody
    return machine


def is_alice(who: tuple[str, str]) -> bool:
    """Let Alice in alone."""
    return who[1] == "alice"


def nobody(_browser: object) -> None:
    """Say that nobody is signed in."""


def test_a_login_in_vain_is_seen() -> None:
    machine = closed(FlaskMachine())
    machine.log_in(browser=0, tab=0, user="alice")

    told = "browser 0 logged in as alice, and nobody is signed in"
    assert machine.offence("an_honest_login_signs_in") == told
    with pytest.raises(LawBrokenError) as broken:
        machine.an_honest_login_signs_in()
    assert broken.value.law == "an_honest_login_signs_in"
    assert machine.offence("an_honest_login_signs_in") == ""
    machine.teardown()


def test_a_login_is_in_vain_where_the_application_refuses_the_user_or_trouble_is_about() -> None:
    machine = closed(FlaskMachine())
    vars(machine)["admits"] = is_alice
    machine.log_in(browser=0, tab=0, user="bob")
    assert machine.offence("an_honest_login_signs_in") == ""
    machine.outage(what="store", provider=0)
    machine.log_in(browser=1, tab=0, user="alice")
    assert machine.offence("an_honest_login_signs_in") == ""
    machine.teardown()


def test_what_an_application_logs_is_judged() -> None:
    machine = FlaskMachine()
    machine.log_in(browser=0, tab=0, user="alice")
    code = next(iter(machine.book.granted))
    machine.book.logged.append(f"GET /callback?code={code}")

    assert machine.offence("secrets_stay_in_their_messages") == "a code is in the log"
    with pytest.raises(LawBrokenError):
        machine.secrets_stay_in_their_messages()
    machine.teardown()


class Own(FlaskMachine):
    """A machine of a user, who has added a rule and an invariant."""

    greeted: ClassVar[list[int]] = []

    @rule()
    def greet(self) -> None:
        self.greeted.append(self.browsers[0].fetch("/").status)

    @invariant()
    def greetings_are_answered(self) -> None:
        assert set(self.greeted) <= {200, 401, 502, 503}


def test_a_user_has_rules_and_settings_of_their_own() -> None:
    case: Any = Own.TestCase
    case.settings = settings(
        max_examples=4, stateful_step_count=8, database=None, deadline=None, derandomize=True
    )
    before = Own.made
    case("runTest").runTest()

    assert Own.greeted
    assert Own.made - before <= 8
