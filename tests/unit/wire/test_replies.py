"""An answer of the application, for any framework."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_core.wire.errors import UsageError
from oidc_core.wire.replies import NO_STORE, Reply, json_reply, oauth_error


def refusal(**changed: Any) -> tuple[str, str]:
    members: dict[str, Any] = {"status": 200, **changed}
    with pytest.raises(UsageError) as caught:
        Reply(**members)
    return caught.value.code, caught.value.about


def test_a_reply_is_a_value() -> None:
    reply = Reply(status=200, headers=[("a", "1"), ("b", "2"), ("a", "3")], body=b"x")
    assert reply == Reply(status=200, headers=(("a", "1"), ("b", "2"), ("a", "3")), body=b"x")
    assert pickle.loads(pickle.dumps(reply)) == reply
    assert (reply.header("a"), reply.header("b"), reply.header("c")) == ("1", "2", None)
    assert Reply(status=599) == Reply(status=599, headers=(), body=b"")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "200"),
        ("status", 199),
        ("status", 600),
        ("status", True),
        ("headers", "a: b"),
        ("headers", (("A", "b"),)),
        ("headers", (("é", "b"),)),
        ("headers", (("", "b"),)),
        ("headers", (("a b", "c"),)),
        ("headers", (("a:b", "c"),)),
        ("headers", (("a\r\nset-cookie: b=c;d", "e"),)),
        ("headers", (("a", "é"),)),
        ("headers", (("a", "b\r\nc: d"),)),
        ("headers", (("a", 1),)),
        ("body", "x"),
    ],
)
def test_no_other_value_is_a_reply(name: str, value: object) -> None:
    assert refusal(**{name: value}) == ("parameter_invalid", name)


def test_no_secret_of_a_login_is_in_a_repr() -> None:
    reply = Reply(status=303, headers=(("set-cookie", "session=secret"),), body=b"secret")
    assert repr(reply) == "Reply(status=303)"


def test_json_is_kept_by_no_cache() -> None:
    reply = json_reply(201, {"a": "é"}, ("x", "y"))
    assert reply.status == 201
    assert reply.headers == (("content-type", "application/json"), NO_STORE, ("x", "y"))
    assert json.loads(reply.body) == {"a": "é"}


def test_an_error_is_told_as_oauth_has_it() -> None:
    reply = oauth_error(400, "invalid_request", "no")
    assert (reply.status, reply.header("cache-control")) == (400, "no-store")
    assert reply.body == b'{"error":"invalid_request","error_description":"no"}'


@given(st.text())
def test_a_description_keeps_to_its_characters(description: str) -> None:
    told: str = json.loads(oauth_error(400, "e", description).body)["error_description"]
    assert len(told) == len(description)
    assert all(" " <= each <= "~" and each not in '"\\' for each in told)
    kept = [new for new, old in zip(told, description, strict=True) if new == old]
    assert len(kept) >= len([each for each in description if each.isascii() and each.isalnum()])
