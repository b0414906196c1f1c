"""An application with Authlib and the same one with oidc-core show users the same."""

from __future__ import annotations

from typing import Any, Final

import pytest

from oidc_adapters.testing.parties import ALICE
from tests.migration.scenarios import SCENARIOS
from tests.migration.stages import stage

REPORT: Final = {"sub": "alice", **ALICE.claims}
EXPECTED: Final[dict[str, Any]] = {
    "login": [200, "Alice Adams (alice), page 1"],
    "way back": [200, "Bob Brown (bob), page 2"],
    "refused": [403, [], True],
    "logout": ["client", True, 200, True, True],
    "API call": [REPORT, [("authorization_code", 200)]],
    "refresh": [REPORT, True, [("refresh_token", 200)]],
}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_a_user_sees_the_same(framework: str, side: str, scenario: str) -> None:
    pytest.importorskip(framework, reason="a framework is needed")
    pytest.importorskip("authlib", reason="the group of peers is needed")

    with stage(side, framework) as made:
        found = SCENARIOS[scenario](made)

    assert found == EXPECTED[scenario]
