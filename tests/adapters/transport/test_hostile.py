import pytest

from oidc_adapters.testing.authority import Authority
from tests.adapters.transport.hostile import SERVERS, Hostile, outcome


def test_there_are_many_and_no_two_are_called_alike() -> None:
    assert len({server.name for server in SERVERS}) == len(SERVERS) >= 25


@pytest.mark.parametrize("server", SERVERS, ids=[server.name for server in SERVERS])
def test_an_exchange_with_a_hostile_server_ends_in_time(
    authority: Authority, server: Hostile
) -> None:
    """Other threads do not notice it; where the machine itself is late, it is tried again."""
    found = outcome(server, authority)
    for _ in range(2):
        if not found.in_time or (found.code == "http_timeout" != server.expected):
            found = outcome(server, authority)
    assert found.code == server.expected
    assert found.in_time, found
