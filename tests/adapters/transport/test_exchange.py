import threading
from contextvars import copy_context
from http.client import HTTPException
from time import monotonic

import pytest

from oidc_adapters.transport.exchange import CURRENT, FRAMING, HEADER_OCTETS, Exchange


def exchange(seconds: float = 60, *, max_body: int = 1_000) -> Exchange:
    return Exchange(monotonic() + seconds, max_body=max_body, reach="any")


def test_a_new_exchange_has_used_up_nothing() -> None:
    deadline = monotonic() + 60
    new = Exchange(deadline, max_body=10, reach="any")

    assert (new.deadline, new.quota) == (deadline, HEADER_OCTETS)
    assert (new.sent, new.dialling, new.is_over) == (False, False, False)
    assert (new.fault, new.held) == (None, None)
    new.discard()  # there is no connection to close yet


def test_what_is_left_of_the_time_is_more_than_nothing() -> None:
    assert 59 < exchange(60).remaining() <= 60


@pytest.mark.parametrize("seconds", [0, -1])
def test_at_the_deadline_no_time_is_left(seconds: int) -> None:
    late = exchange(seconds)

    assert late.is_over
    with pytest.raises(TimeoutError):
        late.remaining()


def test_headers_have_their_own_limit_which_has_no_code() -> None:
    reading = exchange()

    reading.take(HEADER_OCTETS)
    with pytest.raises(HTTPException):
        reading.take(1)
    assert (reading.fault, reading.quota) == (None, -1)


def test_a_body_may_travel_with_its_framing_but_not_with_more() -> None:
    reading = exchange(max_body=1_000)
    reading.take(HEADER_OCTETS - 1)

    reading.expect_body()
    reading.take(FRAMING * 1_000 + HEADER_OCTETS)
    assert (reading.quota, reading.fault) == (0, None)
    with pytest.raises(HTTPException):
        reading.take(1)
    assert reading.fault == "http_too_large"


def test_a_refusal_keeps_its_code() -> None:
    refusing = exchange()

    with pytest.raises(HTTPException):
        refusing.refuse("content_encoding_unexpected")
    assert refusing.fault == "content_encoding_unexpected"


def test_each_task_has_its_own_current_exchange() -> None:
    """Also where the tasks of one thread take turns, as greenlets do."""
    CURRENT.exchange = mine = exchange()
    try:
        elsewhere = copy_context()
        elsewhere.run(setattr, CURRENT, "exchange", None)
        assert CURRENT.exchange is mine
        assert elsewhere.run(lambda: CURRENT.exchange) is None
    finally:
        CURRENT.exchange = None


def test_each_thread_has_its_own_current_exchange() -> None:
    seen: list[Exchange | None] = []
    CURRENT.exchange = mine = exchange()
    try:
        other = threading.Thread(target=lambda: seen.append(CURRENT.exchange))
        other.start()
        other.join(10)
        assert (seen, CURRENT.exchange) == ([None], mine)
    finally:
        CURRENT.exchange = None
