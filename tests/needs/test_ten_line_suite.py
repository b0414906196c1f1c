"""The test suite of a user: ten lines, no socket, any claims, any fault by its name."""

from __future__ import annotations

from typing import Final

import pytest

from oidc_adapters.testing import MISBEHAVIOURS
from tests.adapters.testing.user_suites import FLASK

pytest_plugins = ["pytester"]

GUARD: Final = """
    import socket

    def refuse(*_, **__):
        raise AssertionError("the test opens a socket")

    socket.socket.connect = socket.socket.bind = socket.create_connection = refuse
    socket.getaddrinfo = refuse
"""
SUITE: Final = """
    def test_claims(client, logged_in_client):
        logged_in_client(client, sub="zoe", claims={"name": "Zoe", "groups": ["staff"]})
        assert client.get("/orders").text == "Hello Zoe"

    def test_a_fault(client, oidc_provider, oidc_browser):
        oidc_provider.misbehave = "alg_none"
        assert "alg_not_allowed" in oidc_browser.log_in(client).text
"""
SOCKET: Final = """
    import socket

    def test_the_guard():
        socket.create_connection(("127.0.0.1", 1))
"""


@pytest.mark.slow
def test_a_suite_of_ten_lines_logs_in_and_opens_no_socket(pytester: pytest.Pytester) -> None:
    pytest.importorskip("flask", reason="a framework is needed")
    pytester.makeconftest(FLASK + GUARD)
    pytester.makepyfile(test_suite=SUITE, test_guard=SOCKET)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest")

    assert len(SUITE.split("\n\n")[0].strip().splitlines()) <= 10
    result.assert_outcomes(passed=2, failed=1)
    assert "FAILED test_guard.py::test_the_guard" in result.stdout.str()


def test_there_are_thirty_faults_to_choose_from() -> None:
    assert len(MISBEHAVIOURS) >= 30
    assert {row.code for row in MISBEHAVIOURS.values()} >= {"nonce_mismatch", "exp_expired"}
