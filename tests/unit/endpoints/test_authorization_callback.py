"""The callback as it comes in: its parameters, its cookies, and the login that its state names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from oidc_core.endpoints.authorization import COOKIE_PREFIX, Callback, cookies_of, pending_id
from oidc_core.wire.errors import CallbackError
from oidc_core.wire.http import LIMITS
from tests.parties import REDIRECT_URI, callback, refused, started

if TYPE_CHECKING:
    from collections.abc import Callable

LOGIN = started()


def of(*parameters: tuple[str, str]) -> Callback:
    return Callback(parameters=parameters)


@pytest.mark.req("OIDCC-3.1.2.5-01", "FORMPOST-2-01")
def test_a_callback_is_read_from_a_url_a_query_or_a_form() -> None:
    pairs = (("code", "a b"), ("state", "s"))
    query = "code=a+b&state=s"

    assert Callback.from_url(f"{REDIRECT_URI}?{query}#x") == Callback(
        parameters=pairs, url=REDIRECT_URI
    )
    assert Callback.from_url(f"/callback?{query}") == Callback(parameters=pairs)
    assert Callback.from_query(query, url=REDIRECT_URI) == Callback(
        parameters=pairs, url=REDIRECT_URI
    )
    assert Callback.from_form(query) == Callback(parameters=pairs, mode="form_post")


@pytest.mark.req("RFC6749-3.1-04")
def test_what_has_a_value_is_there_by_name() -> None:
    assert of(("code", "c"), ("x", "1")).named == {"code": "c", "x": "1"}
    assert of(("code", "c"), ("iss", ""), ("x", "")).named == {"code": "c"}
    assert of().named == {}


@pytest.mark.req("RFC6749-3.1-03")
@pytest.mark.parametrize(
    "name",
    ["state", "code", "iss", "error", "error_description", "session_state", "id_token", "response"],
)
@pytest.mark.parametrize("value", ["a", ""])
def test_a_parameter_of_the_protocol_is_there_once(name: str, value: str) -> None:
    """A26."""
    twice = of((name, "a"), ("x", "1"), (name, value))
    error = refused(CallbackError, "parameter_duplicated", lambda: twice.named)
    assert error.about == name
    assert of(("x", "1"), (name, "a"), ("x", "2")).named == {"x": "2", name: "a"}


@pytest.mark.req("RFC6749-4.1.2-03")
@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("state", LIMITS.state),
        ("code", LIMITS.code),
        ("iss", LIMITS.callback),
        ("error", LIMITS.state),
    ],
)
def test_a_parameter_is_within_its_length_and_its_grammar(name: str, limit: int) -> None:
    """A28."""
    assert of((name, "x" * limit)).named == {name: "x" * limit}
    error = refused(
        CallbackError, "parameter_too_long", lambda: of((name, "x" * (limit + 1))).named
    )
    assert (error.about, error.expected) == (name, limit)
    error = refused(CallbackError, "parameter_malformed", lambda: of((name, "a\n")).named)
    assert error.about == name


READERS: tuple[Callable[[str], Callback], ...] = (
    lambda text: Callback.from_url(f"/callback?{text}"),
    Callback.from_query,
    Callback.from_form,
)


@pytest.mark.parametrize("read", READERS)
def test_a_callback_as_a_whole_is_within_its_length(read: Callable[[str], Callback]) -> None:
    """A28."""
    whole = "x=" + "y" * (LIMITS.callback - 2)

    assert len(read(whole).named["x"]) == LIMITS.callback - 2
    error = refused(CallbackError, "parameter_too_long", lambda: read(f"{whole}y"))
    assert (error.found, error.expected) == (LIMITS.callback + 1, LIMITS.callback)


def test_a_callback_without_a_state_names_no_login() -> None:
    """A01."""
    for nothing in (of(), of(("state", "")), of(("code", "c"))):
        error = refused(CallbackError, "state_missing", partial(pending_id, nothing, {"a": "b"}))
        assert (error.about, error.found) == ("state", 1)


def test_the_state_names_the_login_it_belongs_to_and_tells_nothing() -> None:
    """A08, A16."""
    ids = {pending_id(callback(started(seed=seed)), {}) for seed in range(5)}
    assert ids == {started(seed=seed).pending.id for seed in range(5)}
    assert LOGIN.pending.state not in LOGIN.pending.id


def test_a_cookie_that_is_there_twice_is_refused() -> None:
    """A19."""
    name = f"{COOKIE_PREFIX}{LOGIN.pending.id}"
    refused(CallbackError, "binding_duplicated", lambda: cookies_of(f"{name}=a; x=1; {name}=b"))
    assert cookies_of(f"a=1; {name}=x=y ; a=2;;b") == {name: "x=y"}
    assert cookies_of("") == {}
    for space in ("\x0b", "\x1c", "\x85", "\xa0", "\u2000"):
        assert cookies_of(f"a=1; {space}{name}=planted") == {}
    assert cookies_of("my-oidc-x=1; my-oidc-x=2; oidc-x=3") == {"oidc-x": "3"}


@pytest.mark.req("RFC6749-10.14-01")
@pytest.mark.parametrize("query", ["state=%FF", "%C3=x", "code=%ED%A0%80"])
def test_octets_that_are_not_utf8_are_refused(query: str) -> None:
    """A28."""
    refused(CallbackError, "parameter_malformed", lambda: Callback.from_query(query))


def test_a_callback_and_its_code_are_not_shown() -> None:
    arrival = callback(LOGIN, code="s3cret-code")
    assert "s3cret-code" not in repr(arrival)
    assert LOGIN.pending.state not in repr(arrival)
