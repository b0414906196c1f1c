"""The transport of the standard library; test_tried.py tries its duties."""

import ssl
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import FaultServer, Read, Send, Wait, ok
from oidc_adapters.transport.over_standard_library import StandardTransport
from oidc_core.wire.errors import UsageError
from tests.adapters.transport.exchanges import CLOCK, answered, failed, request

IMPORT = """
import sys
import oidc_adapters.transport.over_standard_library
print(sorted({"urllib3", "requests", "httpx"} & {*sys.modules}))
"""


@pytest.fixture
def standard() -> Iterator[StandardTransport]:
    with StandardTransport() as made:
        yield made


def test_it_needs_no_package() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_a_request_without_a_body_has_no_length_unless_it_posts(
    standard: StandardTransport,
) -> None:
    with FaultServer((Read(), Send(ok()))) as server:
        for method in ("GET", "POST"):
            answered(standard.send(request(server.url(), method=method, body=None), CLOCK))
        get, post = server.requests
        assert b"content-length" not in get.lower()
        assert b"\r\nContent-Length: 0\r\n" in post


def test_what_is_loopback_goes_through_a_proxy_on_this_machine() -> None:
    with (
        FaultServer((Read(), Send(ok()), Wait())) as server,
        StandardTransport(proxy=f"http://a:b@127.0.0.1:{server.port}") as standard,
    ):
        answered(standard.send(request("http://localhost:9/path?a"), CLOCK))
        head = server.requests[0]
    assert head.startswith(b"POST http://localhost:9/path?a HTTP/1.1\r\nHost: localhost:9\r\n")
    assert b"proxy-authorization: Basic YTpi" in head


def test_a_proxy_that_says_more_than_it_may_carries_nothing(authority: Authority) -> None:
    with FaultServer((Read(), Send(b"HTTP/1.1 200 x\r\n\r\nmore"), Wait())) as server:
        proxy = f"http://127.0.0.1:{server.port}"
        with StandardTransport(ca=authority.path, proxy=proxy) as standard:
            answer = standard.send(request("https://127.0.0.1:9/"), CLOCK)
    assert failed(answer) == ("http_connect_failed", "no")


def test_the_port_of_the_scheme_is_not_written_into_host() -> None:
    with FaultServer((Read(), Send(ok()), Wait())) as server:
        proxy = f"http://127.0.0.1:{server.port}"
        with StandardTransport(proxy=proxy) as standard:
            answered(standard.send(request("http://localhost/path"), CLOCK))
        assert b"\r\nHost: localhost\r\n" in server.requests[0]


def test_a_closed_transport_sends_nothing() -> None:
    standard = StandardTransport()
    standard.close()
    with pytest.raises(UsageError) as refused:
        standard.send(request("http://127.0.0.1:9/"), CLOCK)
    assert (refused.value.code, refused.value.about) == ("config_invalid", "transport")


def test_a_context_that_was_changed_since_is_noticed(authority: Authority) -> None:
    context = authority_context(authority)
    standard = StandardTransport(ssl_context=context)
    context.check_hostname = False
    with FaultServer((Read(), Send(ok())), tls=authority.server()) as server:
        assert failed(standard.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert not server.requests


def authority_context(authority: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.path)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@pytest.mark.parametrize("setting", ["ca", "client_certificate", "ssl_context", "proxy"])
def test_a_setting_of_another_type_is_refused(setting: str) -> None:
    odd: dict[str, Any] = {setting: 1}
    with pytest.raises(UsageError) as refused:
        StandardTransport(**odd)
    assert (refused.value.code, refused.value.about) == ("config_invalid", setting)
