"""The transport over an application's session; test_tried.py tries its duties."""

import subprocess
import sys
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import Retry

from oidc_adapters.testing import SHARED_CLIENT, TRANSPORT_DUTIES, lacking
from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import FaultServer, Read, Send, Wait, ok
from oidc_adapters.transport import judges_addresses
from oidc_adapters.transport.in_threads import InThreads
from oidc_adapters.transport.over_requests import RequestsTransport
from oidc_core.wire.errors import UsageError
from tests.adapters.transport.exchanges import CLOCK, answered, failed, request

IMPORT = """
import sys
import oidc_adapters, oidc_adapters.transport, oidc_adapters.testing
print("requests" in sys.modules)
"""


def test_it_is_imported_only_by_its_own_module() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == "False"


def test_the_session_serves_the_application_too() -> None:
    with requests.Session() as session:

        def fetch(url: str) -> int:
            return session.get(url, timeout=5).status_code

        SHARED_CLIENT(lambda: (RequestsTransport(session), fetch))


def test_what_it_lacks_is_told_by_threads_around_it_too() -> None:
    transport = RequestsTransport(requests.Session())

    assert {*InThreads(transport).lacks} == {"addresses", "channel", "environment"}
    assert lacking(InThreads(transport), TRANSPORT_DUTIES[0]) == ""
    assert not judges_addresses(InThreads(transport))


def test_nothing_but_connections_is_taken_from_the_session() -> None:
    told: list[object] = []
    with requests.Session() as session:
        session.headers["x-own"] = "1"
        session.auth = ("user", "password")
        session.cookies.set("a", "b")
        session.params = {"c": "d"}

        def hook(*_: Any, **__: Any) -> None:
            told.append(None)

        session.hooks["response"].append(hook)
        script = (Read(), Send(ok(b"{}", b"Set-Cookie: e=f")), Wait())
        with FaultServer(script) as server:
            answered(RequestsTransport(session).send(request(server.url("/t")), CLOCK))
            head = server.requests[0].lower()
        assert head.startswith(b"post /t http/1.1\r\n")
        assert not {name for name in (b"x-own", b"authorization", b"cookie") if name in head}
        assert (told, session.cookies.get_dict()) == ([], {"a": "b"})


def test_a_session_that_is_changed_later_is_noticed(authority: Authority) -> None:
    with (
        requests.Session() as session,
        FaultServer((Read(), Send(ok()), Wait()), tls=authority.server()) as server,
    ):
        transport = RequestsTransport(session)
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        session.verify = str(authority.path)
        answered(transport.send(request(server.url()), CLOCK))
        session.verify = False
        with pytest.raises(UsageError) as refused:
            transport.send(request(server.url()), CLOCK)
        assert (refused.value.about, refused.value.found) == ("session", "verify")


class Own(HTTPAdapter):
    def send(self, *arguments: Any, **options: Any) -> Any:
        return super().send(*arguments, **options)


class Other(BaseAdapter):
    def send(self, *arguments: Any, **options: Any) -> Any:
        raise AssertionError(self)  # it is refused before anything is sent

    def close(self) -> None: ...


@pytest.mark.parametrize("adapter", [Own, Other])
def test_an_adapter_that_sends_in_its_own_way_is_refused(adapter: Any) -> None:
    session = requests.Session()
    session.mount("https://op.example/", adapter())
    with pytest.raises(UsageError) as refused:
        RequestsTransport(session)
    assert (refused.value.code, refused.value.found) == ("config_invalid", adapter.__name__)


def test_an_adapter_that_repeats_does_not_repeat_here() -> None:
    session = requests.Session()
    retries = Retry(total=5, status_forcelist=[503], allowed_methods=None)
    session.mount("http://", HTTPAdapter(max_retries=retries))
    busy = b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"
    with FaultServer((Read(), Send(busy), Wait())) as server:
        answer = answered(RequestsTransport(session).send(request(server.url()), CLOCK))
        assert (answer.status, len(server.requests)) == (503, 1)


@pytest.mark.parametrize("session", [None, object(), requests])
def test_only_a_session_is_taken(session: Any) -> None:
    with pytest.raises(UsageError) as refused:
        RequestsTransport(session)
    assert (refused.value.code, refused.value.about) == ("config_invalid", "session")


def test_a_session_with_a_file_that_is_not_there_is_told() -> None:
    session = requests.Session()
    session.verify = "/nowhere.pem"
    with pytest.raises(UsageError) as refused:
        RequestsTransport(session).send(request("https://127.0.0.1:9/"), CLOCK)
    assert (refused.value.code, refused.value.about) == ("config_invalid", "session")
