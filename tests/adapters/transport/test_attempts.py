"""What is the same over every library: what is sent, how often, and how a failure is called."""

import ssl
from http.client import HTTPException
from time import monotonic
from typing import Any

import pytest

from oidc_adapters.transport.attempts import (
    after_both,
    check_coding,
    checked_headers,
    endpoint_of,
    may_resend,
    named_fields,
    no_answer,
    target_of,
)
from oidc_adapters.transport.exchange import Exchange
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer
from tests.adapters.transport.exchanges import CLOCK, request

ANSWER = HttpResponse(200, (), b"", 1)


def exchange(seconds: float = 5, **facts: Any) -> Exchange:
    made = Exchange(monotonic() + seconds, max_body=9, reach="any")
    for name, value in facts.items():
        setattr(made, name, value)
    return made


def test_the_headers_are_those_of_the_request_and_two_more() -> None:
    wire = request("http://127.0.0.1/", headers=(("accept", "x"), ("user-agent", "mine")))

    assert checked_headers(wire) == {
        "user-agent": "mine",
        "accept": "x",
        "accept-encoding": "identity",
    }


@pytest.mark.parametrize(
    "odd",
    [
        {"method": "GET /"},
        {"method": "get"},
        {"headers": (("a b", "c"),)},
        {"headers": (("a", "b\n"),)},
        {"headers": (("a", "\u20ac"),)},
    ],
)
def test_text_that_would_leave_its_line_is_refused(odd: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refused:
        checked_headers(request("http://127.0.0.1/", **odd))
    assert refused.value.code == "parameter_invalid"


def test_http_is_for_loopback_or_for_what_is_near() -> None:
    assert endpoint_of("http://127.0.0.1:9/", "any").port == 9
    assert endpoint_of("http://op.internal/", "private").host == "op.internal"
    with pytest.raises(UsageError) as refused:
        endpoint_of("http://op.internal/", "public")
    assert refused.value.code == "url_scheme_not_allowed"


@pytest.mark.parametrize("target", ["/", "/?", "/a%7e?b=%c3#"])
def test_a_target_stays_as_it_was_written(target: str) -> None:
    written = target.removesuffix("#")
    assert target_of(endpoint_of(f"https://op.example{written}", "public")) == written
    assert target_of(endpoint_of("https://op.example", "public")) == "/"


def test_headers_are_read_as_a_library_brings_them() -> None:
    raw = [(b"X-One", b" a\t"), (b"x-one", b"\xe9")]
    assert named_fields(raw) == (("x-one", "a"), ("x-one", "é"))


@pytest.mark.parametrize(
    "field",
    [(b"content-length ", b"2"), (b"", b"2"), (b"a b", b"2"), (b"\xe9", b"2"), (b"a", b"b\x00")],
)
def test_a_header_beyond_the_grammar_is_refused(field: tuple[bytes, bytes]) -> None:
    with pytest.raises(HTTPException):
        named_fields([field])


@pytest.mark.parametrize("coding", [None, "", " Identity "])
def test_no_coding_is_taken(coding: str | None) -> None:
    check_coding(coding, exchange())


@pytest.mark.parametrize("coding", ["gzip", "identity, gzip", "br"])
def test_a_coding_is_refused(coding: str) -> None:
    busy = exchange()
    with pytest.raises(HTTPException):
        check_coding(coding, busy)
    assert busy.fault == "content_encoding_unexpected"


@pytest.mark.parametrize(
    ("code", "resend", "again"),
    [
        ("http_connect_failed", "never", False),
        ("http_connect_failed", "if_unsent", True),
        ("http_connect_failed", "safe", True),
        ("http_malformed", "if_unsent", False),
        ("http_malformed", "safe", True),
        ("http_timeout", "safe", False),
        ("tls_failed", "safe", False),
    ],
)
def test_a_second_attempt_is_made_where_it_may_help(code: str, resend: Any, *, again: bool) -> None:
    wire = request("http://127.0.0.1/", resend=resend)
    assert may_resend(wire, NoAnswer("no", code, 1)) is again
    assert not may_resend(wire, ANSWER)


def test_what_the_first_attempt_sent_may_have_arrived() -> None:
    lost, unsent = NoAnswer("maybe", "http_malformed", 1), NoAnswer("no", "http_timeout", 2)

    assert after_both(lost, unsent) == NoAnswer("maybe", "http_timeout", 2)
    assert after_both(unsent, lost) == lost
    assert after_both(lost, ANSWER) == ANSWER


@pytest.mark.parametrize(
    ("facts", "error", "told"),
    [
        ({"seconds": 0}, ValueError(), ("no", "http_timeout", "timeout")),
        ({"sent": True}, TimeoutError(), ("maybe", "http_timeout", "timeout")),
        ({"fault": "http_too_large"}, HTTPException(), ("no", "http_too_large", "")),
        ({}, ssl.SSLError(1, ""), ("no", "tls_failed", "tls_handshake")),
        ({}, ConnectionRefusedError(111, ""), ("no", "http_connect_failed", "refused")),
        ({"sent": True}, HTTPException("x"), ("maybe", "http_malformed", "not_http")),
    ],
)
def test_a_failure_has_a_code_and_a_cause(
    facts: dict[str, Any], error: Exception, told: tuple[str, str, str]
) -> None:
    found = no_answer(exchange(**facts), error, CLOCK)
    assert (found.sent, found.code, found.cause) == told
    assert found.at == CLOCK.now()


def test_the_words_of_a_library_around_an_error_do_not_count() -> None:
    wrapped = OSError("some words")
    found = no_answer(exchange(sent=True), wrapped, CLOCK, as_if=ssl.SSLError(1, ""))
    assert found.code == "tls_failed"
