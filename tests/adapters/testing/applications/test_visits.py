"""A request and an answer, as values."""

from __future__ import annotations

from oidc_adapters.testing.applications.visits import PageAnswer, SentRequest

COOKIES = (("set-cookie", "a=1"), ("location", "/there"), ("set-cookie", "b=2"))


def test_a_header_is_found_by_its_name() -> None:
    request = SentRequest(method="GET", url="https://a.example/", headers=(("cookie", "a=1"),))

    assert (request.header("cookie"), request.header("origin")) == ("a=1", "")


def test_an_answer_has_headers_more_than_once() -> None:
    answer = PageAnswer(status=200, headers=COOKIES)

    assert answer.every("set-cookie") == ("a=1", "b=2")
    assert (answer.header("set-cookie"), answer.header("etag")) == ("a=1", "")


def test_only_a_redirect_leads_somewhere() -> None:
    assert PageAnswer(status=303, headers=COOKIES).location == "/there"
    assert PageAnswer(status=200, headers=COOKIES).location == ""
    assert PageAnswer(status=303).location == ""


def test_a_body_is_text_whatever_its_octets() -> None:
    assert PageAnswer(status=200, body=b"a\xff").text == "a\ufffd"
