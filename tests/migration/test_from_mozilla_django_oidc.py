"""A project with mozilla-django-oidc and the same one with oidc-core; users keep their accounts."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from typing import Any, Final

import pytest

from oidc_adapters.testing.parties import ALICE
from tests.docs.pages import ROOT
from tests.migration.mistakes import rows
from tests.migration.scenarios import SCENARIOS

GUIDE: Final = "from-mozilla-django-oidc"
REPORT: Final = {"sub": "alice", **ALICE.claims}
SAME: Final[dict[str, Any]] = {
    "login": [200, "Alice Adams, alice@op.example, page 1"],
    "way back": [200, "Alice Adams, alice@op.example, page 2"],
    "refused": [403, [], True],
    "logout": ["client", True, 200, True, True],
    "API call": [REPORT, [["authorization_code", 200]]],
}
SWITCH: Final = {
    "during: session of before": True,
    "during: bob, old door": "bob",
    "during: bob, new door": "bob",
    "during: dave, old door": "dave",
    "during: dave, new door": "dave",
    "during: erin, new door": "erin, new",
    "during: grace, new door": "403 account_refused",
    "during: logout, old session": True,
    "during: logout, new session": True,
    "after: session of before": True,
    "after: session of during": True,
    "after: alice": "alice",
    "after: bob": "bob",
    "after: grace": "403 account_refused",
    "after: alice, another address": "alice",
    "after: mallory, alice's address": "403 account_refused",
    "after: carol, address not verified": "403 account_refused",
    "after: carol": "carol",
    "undone: session of after": True,
    "undone: alice": "alice",
    "undone: erin": "erin, new",
    "undone: further accounts": 0,
}


@cache
def seen() -> Any:
    for package in ("django", "mozilla_django_oidc", "requests"):
        pytest.importorskip(package, reason="Django and the group of peers are needed")
    command = (sys.executable, "-W", "ignore", "-m", "tests.migration")
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("scenario", SAME)
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_user_sees_the_same(side: str, scenario: str) -> None:
    assert seen()[side][scenario] == SAME[scenario]


def test_other_tokens_come_by_a_login_before_and_by_a_refresh_afterwards() -> None:
    assert seen()["before"]["refresh"] == [REPORT, True, [["authorization_code", 200]]]
    assert seen()["after"]["refresh"] == [REPORT, True, [["refresh_token", 200]]]


def test_a_session_that_the_provider_has_ended_ends_here() -> None:
    """Before, when the next request asks; afterwards, when the provider says so."""
    assert seen()["before"]["ended"] == [403, True]
    assert seen()["after"]["ended"] == [200, True]


def test_a_link_to_the_callback_logs_nobody_out_any_more() -> None:
    assert (seen()["before"]["link"], seen()["after"]["link"]) == (False, True)


def test_each_scenario_is_played() -> None:
    assert {*SAME, "refresh"} == {*SCENARIOS}


@pytest.mark.parametrize("side", ["before", "after"])
def test_mistakes_of_a_provider_are_refused_as_the_guide_says(side: str) -> None:
    found = {name: row[side == "after"] for name, row in rows(GUIDE).items()}

    assert seen()[f"mistakes {side}"] == found


@pytest.mark.parametrize("moment", SWITCH)
def test_users_keep_their_accounts(moment: str) -> None:
    assert seen()["switch"][moment] == SWITCH[moment]


def test_each_moment_of_the_switch_is_judged() -> None:
    assert [*seen()["switch"]] == [*SWITCH]
