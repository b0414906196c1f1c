"""The fixtures of pytest, as a user's test suite has them."""

from __future__ import annotations

from typing import Final

import pytest

from tests.adapters.testing.user_suites import DOORS
from tests.docs.pages import Page

pytest_plugins = ["pytester"]

WHY: Final = (
    "the login failed: 502 ",
    "Code: iat_in_future",
    "/favicon.ico does not lead to a login: 404",
    "the login failed: 50",
    "config_invalid",
    "parameter_invalid",
)
GOOD: Final = """
    from oidc_adapters.testing import MISBEHAVIOURS

    def test_a_user(client, logged_in_client):
        logged_in_client(client, sub="alice", page="/orders")
        assert "Hello Alice Adams" in client.get("/orders").text

    def test_claims(client, logged_in_client):
        logged_in_client(client, sub="zoe", claims={"name": "Zoe", "groups": ["staff"]})
        assert "Hello Zoe" in client.get("/orders").text

    def test_nobody(client):
        assert client.get("/orders", headers={"Accept": "application/json"}).status_code == 401

    def test_a_session_ends(client, logged_in_client, oidc_clock):
        logged_in_client(client)
        oidc_clock.advance(30 * 86_400)
        assert client.get("/orders", headers={"Accept": "application/json"}).status_code == 401

    def test_keys_rotate(client, logged_in_client, oidc_provider):
        logged_in_client(client)
        oidc_provider.rotate_keys(keep_previous=False)
        oidc_provider.skew = 2
        logged_in_client(client, sub="bob", login_path="/login")

    def test_a_refusal(client, oidc_browser):
        answer = oidc_browser.log_in(client, page="/orders", approve=False)
        assert "cancelled" in answer.text

    def test_a_misbehaviour(client, oidc_provider, oidc_browser):
        oidc_provider.misbehave = "wrong_nonce"
        answer = oidc_browser.log_in(client)
        assert answer.status_code == 400
        assert MISBEHAVIOURS["wrong_nonce"].code in answer.text
"""
FAILING: Final = """
    def test_a_clock_that_is_wrong(client, logged_in_client, oidc_provider):
        oidc_provider.skew = 3_600
        logged_in_client(client)

    def test_a_page_for_everybody(client, logged_in_client):
        logged_in_client(client, page="/favicon.ico")

    def test_a_provider_that_is_down(client, logged_in_client, oidc_provider):
        oidc_provider.misbehave = "metadata_500"
        logged_in_client(client, page="/orders")

    def test_an_unknown_misbehaviour(oidc_provider):
        oidc_provider.misbehave = "wrong_nonse"

    def test_no_client(logged_in_client):
        logged_in_client(object())
"""


@pytest.mark.parametrize(
    "door",
    [
        "flask",
        pytest.param("fastapi", marks=pytest.mark.slow),
        pytest.param("django", marks=pytest.mark.slow),
    ],
)
def test_a_users_tests_pass_and_the_failing_ones_say_why(
    pytester: pytest.Pytester, door: str
) -> None:
    pytest.importorskip(f"oidc_adapters.web.{door}", reason="a framework is needed")
    pytester.makeconftest(DOORS[door])
    pytester.makepyfile(test_good=GOOD, test_failing=FAILING)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest")

    said = result.stdout.str()
    result.assert_outcomes(passed=7, failed=5)
    assert "FAILED test_good.py" not in said
    for each in WHY:
        assert each in said


@pytest.mark.slow
def test_a_test_session_without_the_line_loads_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_of_ours_is_loaded():
            assert not [name for name in sys.modules if name.startswith("oidc_")]
        """
    )

    assert pytester.runpytest_subprocess().parseoutcomes() == {"passed": 1}


def test_the_tests_of_the_page_about_testing_pass(pytester: pytest.Pytester) -> None:
    pytest.importorskip("flask")
    blocks = [block.text for block in Page("docs/how-to/test-your-integration.md").blocks]
    pytester.makeconftest(next(each for each in blocks if "pytest_plugins" in each))
    pytester.makepyfile(next(each for each in blocks if "def test_" in each))

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    assert result.parseoutcomes() == {"passed": 5}, result.stdout.str()
