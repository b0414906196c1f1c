"""A request as the network brought it: strict types, bounds, and nothing parsed by others."""

import pickle
from collections.abc import Callable
from typing import Any, Final

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from oidc_core.wire.errors import CallbackError, OidcError, UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.limits import UPPER_BOUNDS

URL: Final = "https://rp.example/callback"
TYPES: Final[dict[str, object]] = {
    "NoneType": None,
    "str": "a=1",
    "bytes": b"a=1",
    "bytearray": bytearray(b"a=1"),
    "memoryview": memoryview(b"a=1"),
    "int": 1,
    "bool": True,
    "list": ["a=1"],
    "tuple": (("a", "1"),),
    "dict": {"a": "1"},
}
# The accepted values of each attribute, and the result; everything else is refused.
TAKEN: Final[dict[str, dict[str, object]]] = {
    "url": {"NoneType": None, "str": "a=1"},
    "query": {"str": "a=1", "bytes": "a=1"},
    "body": {"bytes": b"a=1", "bytearray": b"a=1", "memoryview": b"a=1"},
    "cookie": {"str": "a=1", "bytes": "a=1"},
    "content_type": {"str": "a=1", "bytes": "a=1"},
}
BODY: Final = "bytes or bytearray or memoryview"
EXPECTED: Final = {
    "url": "str", "query": "str", "body": BODY, "cookie": "str", "content_type": "str",
}  # fmt: skip


def incoming(**changed: object) -> Incoming:
    members: dict[str, Any] = {"method": "GET", "url": URL, **changed}
    return Incoming(**members)


def refused(kind: type[OidcError], code: str, make: Callable[[], object]) -> OidcError:
    with pytest.raises(OidcError) as caught:
        make()
    assert (type(caught.value), caught.value.code) == (kind, code)
    return caught.value


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", TAKEN)
def test_each_attribute_takes_its_types_and_refuses_others(name: str, kind: str) -> None:
    if kind in TAKEN[name]:
        held = getattr(incoming(**{name: TYPES[kind]}), name)
        assert (held, type(held)) == (TAKEN[name][kind], type(TAKEN[name][kind]))
        return

    error = refused(UsageError, "parameter_invalid", lambda: incoming(**{name: TYPES[kind]}))

    assert (error.about, error.expected) == (name, EXPECTED[name])
    assert f"{error.found}".partition(" of ")[0] == kind


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind != "str"])
def test_a_method_is_text(kind: str) -> None:
    error = refused(UsageError, "parameter_invalid", lambda: incoming(method=TYPES[kind]))

    assert (error.about, error.found) == ("method", kind)


@pytest.mark.parametrize("method", ["", "get", "HEAD", "PUT", "OPTIONS", "GET ", "POST\n"])
def test_another_method_is_the_strangers_fault(method: str) -> None:
    error = refused(CallbackError, "method_unexpected", lambda: incoming(method=method))

    assert (error.found, error.expected) == (method, "GET or POST")


@pytest.mark.parametrize("behind", ["?code=c&state=s", "#code=c", "#a?b", "?a#b", "?", "#"])
def test_a_url_is_kept_without_what_a_response_may_be_in(behind: str) -> None:
    assert incoming(url=URL + behind).url == URL


def test_the_url_has_no_default() -> None:
    """It is configured, and a caller who leaves it out has to say so."""
    make: Any = Incoming
    with pytest.raises(TypeError, match="url"):
        make(method="GET")
    assert incoming(url=None).url is None


@pytest.mark.parametrize(
    ("content_type", "media_type"),
    [
        ("", ""),
        ("application/json", "application/json"),
        ("Application/X-WWW-Form-URLencoded; charset=UTF-8", "application/x-www-form-urlencoded"),
        (" text/plain ;a=b", "text/plain"),
        (";", ""),
    ],
)
def test_a_media_type_is_read_without_case_and_parameters(
    content_type: str, media_type: str
) -> None:
    assert incoming(content_type=content_type).media_type == media_type
    assert incoming().media_type == ""


# --- bounds --------------------------------------------------------------------------------------

BOUNDS: Final = [
    ("query", UPPER_BOUNDS.callback, "q"),
    ("query", UPPER_BOUNDS.callback, b"q"),
    ("body", UPPER_BOUNDS.callback, b"b"),
    ("cookie", 65_536, "c"),
    ("cookie", 65_536, b"c"),
]


@pytest.mark.parametrize(("name", "most", "unit"), BOUNDS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_part_is_bounded(method: str, name: str, most: int, unit: str | bytes) -> None:
    assert len(getattr(incoming(method=method, **{name: unit * most}), name)) == most

    error = refused(
        CallbackError,
        "parameter_too_long",
        lambda: incoming(method=method, **{name: unit * (most + 1)}),
    )

    assert (error.about, error.found, error.expected) == (name, most + 1, f"up to {most}")
    assert (error.retryable, error.kind) == ("no", "suspicious")


# --- parameters ----------------------------------------------------------------------------------


def test_parameters_are_those_of_the_query_of_a_get() -> None:
    request = incoming(query="a=1&a=2&b=%20", body=b"a=body")

    assert request.parameters == request.query_parameters == (("a", "1"), ("a", "2"), ("b", " "))


def test_parameters_are_those_of_the_form_of_a_post() -> None:
    request = incoming(method="POST", query="q=1", body=b"a=%C3%A9&a=\xc3\xa9")

    assert request.parameters == (("a", "é"), ("a", "é"))
    assert request.query_parameters == (("q", "1"),)


def test_the_query_of_the_configured_url_does_not_count() -> None:
    assert incoming(url=f"{URL}?a=1").parameters == ()


@pytest.mark.parametrize("body", [b"a=\xff", b"a=\xed\xa0\x80", b"a=\xc3", b"a=%ff", b"a=%c0%af"])
def test_octets_of_a_form_that_are_not_utf_8_are_replaced(body: bytes) -> None:
    ((name, value),) = incoming(method="POST", body=b"b=1&" + body).parameters[1:]

    assert (name, value.strip("\ufffd/")) == ("a", "")
    assert incoming(method="POST", body=b"b=1&" + body).parameters[0] == ("b", "1")


@pytest.mark.parametrize("query", ["a=%ff", "a=%ed%a0%80", "a=\ud800", b"a=%FF"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_octets_of_a_query_that_are_not_utf_8_are_replaced(method: str, query: str | bytes) -> None:
    ((name, value),) = incoming(method=method, query=query).query_parameters

    assert (name, value.strip("\ufffd")) == ("a", "")
    assert value


def test_a_body_is_not_read_where_there_is_none_to_read() -> None:
    assert incoming(method="GET", body=b"\xff").parameters == ()


def test_octets_of_a_header_are_text_octet_for_octet() -> None:
    """As ASGI brings them: text that is not ASCII is still told apart, and never lost."""
    request = incoming(query=b"a=%41", cookie=b"a=\xff; \xa0b=1")

    assert request.parameters == (("a", "A"),)
    assert request.cookies == (("a", "\xff"), ("\xa0b", "1"))
    assert incoming(query=bytes(range(128, 256))).query == bytes(range(128, 256)).decode("latin-1")


def test_cookies_are_there_as_often_as_they_were_sent() -> None:
    assert incoming(cookie="a=1; b=2; a=3").cookies == (("a", "1"), ("b", "2"), ("a", "3"))
    assert incoming().cookies == ()


def test_a_buffer_is_copied_and_does_not_change_afterwards() -> None:
    buffer = bytearray(b"a=1")
    requests = [
        incoming(method="POST", body=buffer),
        incoming(method="POST", body=memoryview(buffer)),
        incoming(method="POST", body=memoryview(b"a_=_1_")[::2]),
    ]
    buffer[:] = b"b=2"

    assert [request.parameters for request in requests] == [(("a", "1"),)] * 3


@given(
    st.sampled_from(["GET", "POST"]),
    st.text(st.characters(), max_size=60) | st.binary(max_size=60),
    st.binary(max_size=60),
    st.text(st.characters(), max_size=60) | st.binary(max_size=60),
)
def test_nothing_but_a_refusal_leaves_it_on_any_octets(
    method: str, query: str | bytes, body: bytes, cookie: str | bytes
) -> None:
    request = incoming(method=method, query=query, body=body, cookie=cookie)
    for name, value in (*request.parameters, *request.query_parameters):
        assert (name + value).encode("utf-8").decode("utf-8") == name + value
    assert all(isinstance(name, str) for name, _ in request.cookies)


def test_what_a_browser_sent_does_not_show() -> None:
    request = incoming(query="q=canary", body=b"canary", cookie="c=canary")

    assert f"{request!r} {request}".count("canary") == 0
    assert pickle.loads(pickle.dumps(request)) == request


def test_a_request_does_not_change() -> None:
    for name in ("method", *TAKEN):
        with pytest.raises(FrozenInstanceError):
            setattr(incoming(), name, "x")


def test_parts_within_their_bounds_may_be_large_together() -> None:
    large = incoming(query="q" * 40_000, cookie="c" * 40_000)
    assert len(large.query) + len(large.cookie) == 80_000
