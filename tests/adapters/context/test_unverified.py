"""The transport of ``verify=False``: it takes every server, and relaxes no other check."""

import inspect
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import oidc_adapters
from oidc_adapters.context.unverified import UnverifiedTransport
from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import FaultServer, Read, Send, Wait, ok
from oidc_adapters.transport import judges_addresses
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_adapters.transport.tls import tls_context
from oidc_core.wire.errors import UsageError
from oidc_core.wire.way import Channel
from tests.adapters.transport.exchanges import CLOCK, answered, bad_contexts, failed, request

UNVERIFIED = Channel("unverified", addresses_judged=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="transport")
def _transport() -> Iterator[UnverifiedTransport]:
    with pytest.warns(UserWarning, match="not verified"):
        made = UnverifiedTransport(None)
    with made:
        yield made


@pytest.mark.parametrize("kind", ["another-host", "expired", "another-authority"])
def test_any_server_is_asked_without_another_warning(
    transport: UnverifiedTransport, authority: Authority, tmp_path: Path, kind: str
) -> None:
    tls = bad_contexts(authority, tmp_path)[kind]
    script = (Read(), Send(ok(b"1")), Read(), Send(ok(b"2")), Wait())
    with FaultServer(script, tls=tls) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        answers = [answered(transport.send(request(server.url()), CLOCK)) for _ in range(2)]
        assert [answer.body for answer in answers] == [b"1", b"2"]
        assert {answer.channel for answer in answers} == {UNVERIFIED}
        assert server.connections == 1


def test_a_kept_connection_is_judged_again(
    transport: UnverifiedTransport, authority: Authority
) -> None:
    with FaultServer((Read(), Send(ok()), Wait()), tls=authority.server()) as server:
        answered(transport.send(request(server.url()), CLOCK))
        answer = transport.send(request(server.url(), reach="public"), CLOCK)
        assert failed(answer) == ("address_not_allowed", "no")
        assert (server.connections, len(server.requests)) == (1, 1)


def test_an_old_version_is_told_nothing(
    transport: UnverifiedTransport, authority: Authority, tmp_path: Path
) -> None:
    tls = bad_contexts(authority, tmp_path)["old-protocol"]
    with FaultServer((Read(),), tls=tls) as server:
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert server.requests == []


def test_http_is_unverified_as_ever(transport: UnverifiedTransport) -> None:
    with FaultServer((Read(), Send(ok()))) as server:
        assert answered(transport.send(request(server.url()), CLOCK)).channel == UNVERIFIED


def test_what_cannot_be_loaded_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        UnverifiedTransport("/nowhere.pem")
    assert (refused.value.code, refused.value.about) == ("config_invalid", "ca")


def test_a_forked_process_does_not_verify_either(
    transport: UnverifiedTransport, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer((Read(), Send(ok())), tls=authority.server()) as server:
        monkeypatch.setattr("os.getpid", lambda: -1)  # as it is in the child
        assert answered(transport.send(request(server.url()), CLOCK)).channel == UNVERIFIED
        transport.close()
        monkeypatch.undo()


def test_nothing_public_can_be_told_not_to_verify() -> None:
    for made in (Urllib3Transport, tls_context):
        names = inspect.signature(made).parameters
        assert not [name for name in names if "insecure" in name or "verif" in name]
    assert "UnverifiedTransport" not in oidc_adapters.__all__


def test_its_settings_are_nobody_elses(transport: UnverifiedTransport) -> None:
    assert transport is not None
    assert tls_context(ca=None, client_certificate=None).verify_mode == ssl.CERT_REQUIRED


def test_it_judges_addresses_all_the_same(transport: UnverifiedTransport) -> None:
    assert judges_addresses(transport)
