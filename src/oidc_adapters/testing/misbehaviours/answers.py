"""Whole answers with one fault, at any endpoint: not HTTP, not JSON, not bounded."""

import json
from collections.abc import Callable
from typing import TypeAlias

from attrs import evolve

from oidc_core.wire.http import Answer, HttpResponse, NoAnswer

AnswerChange: TypeAlias = Callable[[HttpResponse], Answer]


def html(answer: HttpResponse) -> HttpResponse:
    """Answer 200 with a page instead of JSON."""
    headers = (("content-type", "text/html; charset=utf-8"),)
    page = b"<!doctype html><title>Welcome</title><p>Please log in to the hotel's network."
    return HttpResponse(200, headers, page, answer.received_at)


def redirect(answer: HttpResponse) -> HttpResponse:
    """Answer with a redirect to another host."""
    headers = (("location", "https://elsewhere.example/"),)
    return HttpResponse(302, headers, b"", answer.received_at)


def dropped(answer: HttpResponse) -> NoAnswer:
    """Close the connection without an answer."""
    return NoAnswer("maybe", "http_malformed", answer.received_at)


def with_status(status: int) -> AnswerChange:
    """Keep headers and body but answer with another status."""

    def change(answer: HttpResponse) -> HttpResponse:
        return evolve(answer, status=status)

    return change


def with_body(body: bytes) -> AnswerChange:
    """Keep status and headers but answer with other octets."""

    def change(answer: HttpResponse) -> HttpResponse:
        return evolve(answer, body=body)

    return change


def oauth_error(error: str, *, status: int) -> AnswerChange:
    """Answer with an OAuth error."""

    def change(answer: HttpResponse) -> HttpResponse:
        body = json.dumps({"error": error, "error_description": "<b>no</b>"}).encode("ascii")
        return evolve(answer, status=status, body=body)

    return change


def html_with_status(status: int) -> AnswerChange:
    """Answer with a page and an error's status."""

    def change(answer: HttpResponse) -> HttpResponse:
        return evolve(html(answer), status=status)

    return change


def twice(name: str, value: str) -> AnswerChange:
    """Put a member in front that the object has already."""

    def change(answer: HttpResponse) -> HttpResponse:
        return evolve(answer, body=doubled(answer.body, name, value))

    return change


def doubled(json_object: bytes, name: str, value: str) -> bytes:
    """Put one more member at the front of a rendered JSON object."""
    member = f"{json.dumps(name)}:{json.dumps(value)},"
    return b"{" + member.encode("ascii") + json_object[1:]


def utf16(answer: HttpResponse) -> HttpResponse:
    """Send the same JSON in UTF-16."""
    return evolve(answer, body=answer.body.decode("ascii").encode("utf-16"))


def marked(answer: HttpResponse) -> HttpResponse:
    """Put a byte order mark in front."""
    return evolve(answer, body=b"\xef\xbb\xbf" + answer.body)


def gzipped(answer: HttpResponse) -> HttpResponse:
    """Claim a Content-Encoding that nobody offered."""
    return evolve(answer, headers=(*answer.headers, ("content-encoding", "gzip")))


def padded(octets: int) -> AnswerChange:
    """Put white space behind the JSON until it is as large as that."""

    def change(answer: HttpResponse) -> HttpResponse:
        return evolve(answer, body=answer.body.ljust(octets))

    return change


def with_rendered_member(name: str, rendered: str) -> AnswerChange:
    """Put a member in front whose value no honest renderer would write."""

    def change(answer: HttpResponse) -> HttpResponse:
        front = f"{{{json.dumps(name)}:{rendered},".encode("ascii")
        return evolve(answer, body=front + answer.body[1:])

    return change
