"""The table of duties, and how a transport says what it lacks."""

from __future__ import annotations

import urllib.request
from typing import Any, ClassVar

import pytest

from oidc_adapters.testing import (
    ASYNC_TRANSPORT_DUTIES,
    SHARED_CLIENT,
    TRANSPORT_DUTIES,
    lacking,
)
from oidc_adapters.testing.fault_server import FaultServer, Read, Send, ok
from oidc_adapters.testing.transport_place import TransportSetup
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from tests.adapters.testing.bent_transports import Raises, good


def test_a_duty_has_a_name_and_a_sentence() -> None:
    names = [str(duty) for duty in ASYNC_TRANSPORT_DUTIES]

    assert names[: len(TRANSPORT_DUTIES)] == [str(duty) for duty in TRANSPORT_DUTIES]
    assert len({*names}) == len(names) == len(TRANSPORT_DUTIES) + 4
    assert all(duty.sentence.endswith(".") for duty in ASYNC_TRANSPORT_DUTIES)


def test_a_transport_that_raises_fails_with_that() -> None:
    with pytest.raises(ConnectionError):
        {duty.name: duty for duty in TRANSPORT_DUTIES}["refused"](Raises)


def test_what_a_transport_lacks_has_a_reason() -> None:
    class Lacking:
        lacks: ClassVar = {TRANSPORT_DUTIES[0].name: "the reason"}

    assert lacking(Lacking, TRANSPORT_DUTIES[0]) == "the reason"
    assert lacking(Lacking(), TRANSPORT_DUTIES[1]) == ""
    assert lacking(Urllib3Transport, TRANSPORT_DUTIES[0]) == ""


def test_a_transport_that_closes_the_client_of_the_application_is_told() -> None:
    made = good(TransportSetup())
    is_open = True

    class Closing:
        send = staticmethod(made.send)

        def close(self) -> None:
            nonlocal is_open
            is_open = False
            made.close()

    def fetch(url: str) -> int:
        with urllib.request.urlopen(url) as answer:
            status: int = answer.status
        return status if is_open else 0

    with pytest.raises(AssertionError, match="was closed"):
        SHARED_CLIENT(lambda: (Closing(), fetch))


def test_the_settings_of_a_duty_do_not_show_the_credentials_of_a_proxy() -> None:
    assert "secret" not in repr(TransportSetup(proxy="http://user:secret@127.0.0.1:1"))


def test_what_is_not_an_answer_is_told() -> None:
    class Odd:
        def __init__(self, setup: TransportSetup) -> None: ...

        def send(self, *_: Any) -> Any:
            return "an answer"

    opened: Any = Odd
    with pytest.raises(AssertionError, match="send returned 'an answer'"):
        TRANSPORT_DUTIES[0](opened)


def test_a_server_of_faults_hears_and_answers() -> None:
    with FaultServer((Read(), Send(ok(b"{}")))) as server:
        with urllib.request.urlopen(server.url("/path")) as answer:
            assert answer.read() == b"{}"
        assert server.requests[0].startswith(b"GET /path HTTP/1.1\r\n")
