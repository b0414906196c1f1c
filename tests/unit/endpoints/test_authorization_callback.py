"""The callback as it comes in: its parameters, its cookies, and the login that its state names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from oidc_core.endpoints.authorization import Callback, pending_id
from oidc_core.endpoints.authorization.callback import MAX_STATE
from oidc_core.wire.errors import CallbackError
from oidc_core.wire.limits import UPPER_BOUNDS
from tests.parties import REDIRECT_URI, callback, came, refused, started

if TYPE_CHECKING:
    from collections.abc import Callable

LOGIN = started()


def of(*parameters: tuple[str, str]) -> Callback:
    return Callback(parameters=parameters)


@pytest.mark.req("OIDCC-3.1.2.5-01", "FORMPOST-2-01")
def test_a_callback_is_read_from_a_query_or_a_form() -> None:
    pairs = (("code", "a b"), ("state", "s"))
    query = "code=a+b&state=s"

    assert came(query) == Callback(parameters=pairs, url=REDIRECT_URI, query=pairs)
    assert came(query, url=None) == Callback(parameters=pairs, query=pairs)
    assert came("x=1", body=query.encode()) == Callback(
        parameters=pairs, mode="form_post", url=REDIRECT_URI, query=(("x", "1"),)
    )
    assert came(query, url=f"{REDIRECT_URI}?x=1").url == REDIRECT_URI


@pytest.mark.req("RFC6749-3.1-03")
@pytest.mark.parametrize("name", ["state", "code", "iss", "error", "id_token", "response"])
@pytest.mark.parametrize("value", ["", "a"])
def test_a_parameter_of_the_protocol_is_not_in_both_query_and_form(name: str, value: str) -> None:
    """A form from elsewhere could else be sent to a URL that looks like an honest response."""
    read = partial(came, f"x=1&{name}={value}", body=b"code=c&state=s")

    assert refused(CallbackError, "parameter_duplicated", read).about == name


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
        ("state", MAX_STATE),
        ("code", UPPER_BOUNDS.callback),
        ("iss", UPPER_BOUNDS.callback),
        ("error", MAX_STATE),
    ],
)
def test_a_parameter_is_within_its_length_and_its_grammar(name: str, limit: int) -> None:
    """A28."""
    assert of((name, "x" * limit)).named == {name: "x" * limit}
    error = refused(
        CallbackError, "parameter_too_long", lambda: of((name, "x" * (limit + 1))).named
    )
    assert (error.retryable, error.kind) == ("no", "suspicious")
    assert (error.about, error.found, error.expected) == (name, limit + 1, f"up to {limit}")
    error = refused(CallbackError, "parameter_malformed", lambda: of((name, "a\n")).named)
    assert error.about == name


READERS: tuple[Callable[[str], Callback], ...] = (
    came,
    lambda text: came("", body=text.encode()),
)


@pytest.mark.parametrize("read", READERS)
def test_a_callback_as_a_whole_is_within_its_length(read: Callable[[str], Callback]) -> None:
    """A28."""
    most = UPPER_BOUNDS.callback
    whole = "x=" + "y" * (most - 2)

    assert len(read(whole).named["x"]) == most - 2
    assert read(whole).size == most
    error = refused(CallbackError, "parameter_too_long", lambda: read(f"{whole}y"))
    assert (error.found, error.expected) == (most + 1, f"up to {most}")


def test_a_callback_without_a_state_names_no_login() -> None:
    """A01."""
    for nothing in (of(), of(("state", "")), of(("code", "c"))):
        error = refused(CallbackError, "state_missing", partial(pending_id, nothing))
        assert error.about == "state"


def test_the_state_names_the_login_it_belongs_to_and_tells_nothing() -> None:
    """A08, A16."""
    ids = {pending_id(callback(started(seed=seed))) for seed in range(5)}
    assert ids == {started(seed=seed).pending.id for seed in range(5)}
    assert LOGIN.pending.state not in LOGIN.pending.id


@pytest.mark.req("RFC6749-10.14-01")
@pytest.mark.parametrize("name", ["state", "code", "iss", "error"])
@pytest.mark.parametrize("octets", ["%FF", "a%C3", "%ED%A0%80", "%C0%AF"])
def test_octets_that_are_not_utf8_are_refused_where_a_decision_hangs_on_them(
    name: str, octets: str
) -> None:
    """A28."""
    for read in READERS:
        arrived = read(f"x=1&{name}={octets}")
        error = refused(CallbackError, "parameter_malformed", partial(getattr, arrived, "named"))
        assert error.about == name


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("odd", ["x=%FF", "%C3=x", "error_description=%ED%A0%80", "utm=%00%ff+%z"])
def test_octets_that_are_not_utf8_cost_nothing_elsewhere(
    read: Callable[[str], Callback], odd: str
) -> None:
    named = read(f"{odd}&state=s&code=c").named
    assert (named["state"], named["code"]) == ("s", "c")


def test_a_callback_and_its_code_are_not_shown() -> None:
    arrival = callback(LOGIN, code="s3cret-code")
    assert "s3cret-code" not in repr(arrival)
    assert LOGIN.pending.state not in repr(arrival)
