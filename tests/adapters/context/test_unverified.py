"""The transport that verifies nobody, and says so."""

from pathlib import Path

import pytest

from oidc_adapters.context.unverified import UnverifiedTransport
from oidc_adapters.transport import judges_addresses
from oidc_core.wire.http import Channel
from tests.adapters.transport.exchanges import CLOCK, answered, request
from tests.adapters.transport.fault_server import Authority, FaultServer, Read, Send, ok

UNVERIFIED = Channel("unverified", addresses_judged=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_an_answer_is_unverified_where_verification_was_skipped(authority: Authority) -> None:
    with pytest.warns(UserWarning, match="not verified"):
        transport = UnverifiedTransport()
    with FaultServer((Read(), Send(ok())), tls=authority.server()) as server, transport:
        assert answered(transport.send(request(server.url()), CLOCK)).channel == UNVERIFIED


def test_the_context_of_the_original_system_may_skip_verification(
    authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger").server("strange", host="other.example")
    with pytest.warns(UserWarning, match="not verified"):
        transport = UnverifiedTransport()
    with FaultServer((Read(), Send(ok(b"1")), Read(), Send(ok(b"2"))), tls=stranger) as server:
        with transport:
            bodies = [answered(transport.send(request(server.url()), CLOCK)).body for _ in "ab"]
        assert (bodies, server.connections) == ([b"1", b"2"], 1)


def test_it_judges_addresses_all_the_same() -> None:
    with pytest.warns(UserWarning, match="not verified"), UnverifiedTransport() as transport:
        assert judges_addresses(transport)
