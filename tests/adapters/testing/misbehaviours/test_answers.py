"""Whole answers with one fault each."""

import json
from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import answers
from oidc_core.wire.http import HttpResponse, NoAnswer
from tests.adapters.testing.raw_client import NOW

ANSWER: Final = HttpResponse(200, (("content-type", "application/json"),), b'{"a":1}', NOW)


@pytest.mark.parametrize(
    ("change", "status", "body"),
    [
        (answers.with_status(503), 503, ANSWER.body),
        (answers.with_body(b"x"), 200, b"x"),
        (answers.utf16, 200, '{"a":1}'.encode("utf-16")),
        (answers.marked, 200, b'\xef\xbb\xbf{"a":1}'),
        (answers.gzipped, 200, ANSWER.body),
        (answers.padded(9), 200, b'{"a":1}  '),
        (answers.twice("a", "2"), 200, b'{"a":"2","a":1}'),
        (answers.with_rendered_member("b", "NaN"), 200, b'{"b":NaN,"a":1}'),
        (answers.redirect, 302, b""),
    ],
)
def test_an_answer_is_changed_where_it_says(
    change: answers.AnswerChange, status: int, body: bytes
) -> None:
    changed = change(ANSWER)

    assert isinstance(changed, HttpResponse)
    assert (status, body, NOW) == (changed.status, changed.body, changed.received_at)


def test_a_dropped_answer_may_have_been_sent() -> None:
    assert answers.dropped(ANSWER) == NoAnswer("maybe", "http_malformed", NOW)


@pytest.mark.parametrize(
    ("change", "status"), [(answers.html, 200), (answers.html_with_status(400), 400)]
)
def test_a_page_stands_in_for_json(change: answers.AnswerChange, status: int) -> None:
    changed = change(ANSWER)

    assert isinstance(changed, HttpResponse)
    assert (status, "text/html") == (changed.status, changed.media_type)


def test_an_oauth_error_is_well_formed() -> None:
    changed = answers.oauth_error("invalid_grant", status=400)(ANSWER)

    assert isinstance(changed, HttpResponse)
    assert json.loads(changed.body)["error"] == "invalid_grant"
