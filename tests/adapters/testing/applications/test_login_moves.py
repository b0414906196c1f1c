"""The moves of people do to an application what their names say."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from oidc_adapters.testing.applications.login_moves import HOSTILE, MANY_TABS, STRANGE
from tests.adapters.testing.applications.planted import FlaskMachine

ALICE = ("https://op.example", "alice")
BOB = ("https://op.example", "bob")


@pytest.fixture
def machine() -> Generator[FlaskMachine]:
    made = FlaskMachine()
    yield made
    for law in LAWS:
        assert made.offence(law) == ""
    made.teardown()


LAWS = (
    "nobody_is_signed_in_without_an_honest_login",
    "no_answer_is_a_server_fault",
    "no_redirect_leaves_the_site",
    "secrets_stay_in_their_messages",
    "every_refusal_has_a_way_on",
    "no_browser_goes_round_in_circles",
)


def who(machine: FlaskMachine) -> list[tuple[str, str] | None]:
    return [machine.who(browser) for browser in machine.browsers]


def test_a_login_from_start_to_end(machine: FlaskMachine) -> None:
    machine.log_in(browser=0, tab=0, user="alice")
    assert machine.honest == (0, ALICE)
    assert machine.offence("an_honest_login_signs_in") == ""
    machine.log_in_for_a_page(browser=1, tab=0, user="bob", page=1)

    assert who(machine) == [ALICE, BOB]
    assert machine.browsers[1].tab(0).url == "https://app.example/tokens"


def test_a_login_that_waits(machine: FlaskMachine) -> None:
    machine.start_login(browser=1, tab=1)
    assert len(machine.waiting()) == 1
    machine.answer_at_provider(waiting=3, user="bob")

    assert (who(machine), machine.waiting()) == ([None, BOB], [])


def test_a_login_that_is_cancelled(machine: FlaskMachine) -> None:
    machine.start_login(browser=0, tab=0)
    machine.cancel(waiting=0)

    assert who(machine) == [None, None]
    assert machine.book.visits[-3].answer.status == 403


def test_the_last_of_many_tabs_logs_in(machine: FlaskMachine) -> None:
    machine.open_many_tabs(browser=0)
    assert len(machine.waiting()) == MANY_TABS
    machine.answer_at_provider(waiting=MANY_TABS - 1, user="alice")

    assert who(machine) == [ALICE, None]


def test_a_caught_callback_logs_nobody_else_in(machine: FlaskMachine) -> None:
    machine.keep_the_callback(browser=0, tab=0, user="alice")
    machine.open_link(browser=1, tab=0, link=0)
    assert (who(machine), machine.caught) == ([None, None], [])
    machine.open_link(browser=0, tab=0, link=2)  # the same; a stranger has made a newer one
    assert (who(machine), len(machine.caught)) == ([ALICE, None], 1)
    machine.open_link(browser=1, tab=1, link=2)
    assert who(machine) == [ALICE, None]


def test_a_stranger_makes_the_first_link(machine: FlaskMachine) -> None:
    machine.open_link(browser=0, tab=0, link=0)

    assert who(machine) == [None, None]
    assert machine.book.visits[-3].request.url.startswith("https://app.example/callback?code=")


def test_a_caught_authorization_request_logs_nobody_else_in(machine: FlaskMachine) -> None:
    machine.start_login(browser=0, tab=1)
    machine.open_link(browser=1, tab=0, link=2)
    assert len(machine.waiting()) == 2
    machine.answer_at_provider(waiting=1, user="bob")

    assert who(machine) == [None, None]


def test_mixed_links_log_nobody_else_in(machine: FlaskMachine) -> None:
    machine.keep_the_callback(browser=0, tab=0, user="alice")
    machine.keep_the_callback(browser=1, tab=0, user="bob")
    before = len(machine.book.visits)
    machine.mix_links(browser=0, tab=0, link=0, other=0)
    assert len(machine.book.visits) == before
    machine.mix_links(browser=0, tab=0, link=0, other=1)
    assert BOB not in who(machine)


def test_strange_callbacks_are_refused_with_a_way_on(machine: FlaskMachine) -> None:
    for query in STRANGE:
        machine.open_strange_callback(browser=0, tab=0, query=query)

    assert {visit.answer.status for visit in machine.book.visits} == {400}


def test_no_hostile_link_leads_away(machine: FlaskMachine) -> None:
    for place in range(3):
        for name in range(2):
            for to in HOSTILE[:3]:
                machine.open_hostile_link(browser=0, tab=0, to=to, page=place, name=name)

    assert who(machine)[0] == ALICE


def test_going_back_to_the_callback_keeps_the_user_signed_in(machine: FlaskMachine) -> None:
    machine.log_in(browser=0, tab=0, user="alice")
    machine.visit(browser=0, tab=0, page=0)
    machine.go_back(browser=0, tab=0)
    machine.open_link(browser=0, tab=0, link=0)

    assert who(machine) == [ALICE, None]


def test_another_user_takes_the_place_of_the_first(machine: FlaskMachine) -> None:
    machine.log_in(browser=0, tab=0, user="alice")
    machine.browsers[0].sessions.clear()
    machine.start_login(browser=0, tab=1)
    machine.press_button(browser=0, tab=0)

    machine.keep_the_callback(browser=0, tab=2, user="bob")
    assert who(machine) == [ALICE, None]


def test_a_logout_signs_out(machine: FlaskMachine) -> None:
    machine.log_in(browser=0, tab=0, user="alice")
    machine.log_out(browser=0, tab=0)
    assert (who(machine), machine.browsers[0].identities) == ([None, None], {})
    machine.log_in(browser=0, tab=0, user="bob")
    assert machine.offence("an_honest_login_signs_in") == ""
    machine.browsers[0].open(machine.browsers[0].tab(1), "/logout")
    machine.press_button(browser=0, tab=1)
    assert (who(machine), machine.browsers[0].identities) == ([None, None], {})


def test_tokens_are_refreshed_in_two_tabs(machine: FlaskMachine) -> None:
    machine.log_in(browser=0, tab=0, user="alice")
    machine.refresh_in_two_tabs(browser=0, seconds=0)
    assert [visit.answer.status for visit in machine.book.visits[-2:]] == [200, 200]
    machine.refresh_in_two_tabs(browser=0, seconds=301)
    assert machine.browsers[0].tab(1).content is not None
