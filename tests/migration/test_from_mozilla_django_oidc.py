"""A project with mozilla-django-oidc and the same one with oidc-core; users keep their accounts."""

from __future__ import annotations

import json
import subprocess
import sys
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
BEFORE: Final = {
    "refresh": [REPORT, True, [["authorization_code", 200]]],  # by a login with prompt=none
    "ended": [403, True],  # at the next request that asks the provider
    "link": False,  # a stranger's link to the callback logs users out
}
AFTER: Final = {
    "refresh": [REPORT, True, [["refresh_token", 200]]],
    "ended": [200, True],  # when the provider says so
    "link": True,
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


@pytest.mark.slow
def test_users_see_the_same_and_keep_their_accounts() -> None:
    for package in ("django", "mozilla_django_oidc", "requests"):
        pytest.importorskip(package, reason="Django and the group of peers are needed")
    command = (sys.executable, "-W", "ignore", "-m", "tests.migration")

    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )

    assert done.returncode == 0, done.stderr
    found = rows(GUIDE).items()
    assert json.loads(done.stdout) == {
        "before": {**SAME, **BEFORE},
        "after": {**SAME, **AFTER},
        "mistakes before": {name: before for name, (before, _) in found},
        "mistakes after": {name: here for name, (_, here) in found},
        "switch": SWITCH,
    }


def test_each_scenario_is_judged() -> None:
    assert {*SAME, "refresh"} == {*SCENARIOS}
