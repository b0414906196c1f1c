"""The answer of a provider as text."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from oidc_adapters.stores.kept_answer import LARGEST, dump_answer, load_answer
from oidc_core.wire.errors import StoreFailure
from oidc_core.wire.http import HttpResponse
from oidc_core.wire.way import CHANNELS, Channel

NOW = 1_700_000_000
ANSWER = HttpResponse(
    200,
    (("content-type", "application/json"), ("set-cookie", "secret"), ("content-type", "text/x")),
    '{"a":"é\\n"}\n'.encode(),
    NOW,
)


def dumped(response: HttpResponse = ANSWER, asked_at: int = 100) -> str:
    text = dump_answer(response, asked_at)
    assert text is not None
    return text


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_answer_comes_back_with_what_decides_about_it(channel: Channel) -> None:
    answer = evolve(ANSWER, channel=channel)

    kept = load_answer(dumped(answer), store_now=100, now=NOW)

    assert kept is not None
    types = tuple(header for header in ANSWER.headers if header[0] == "content-type")
    assert kept.response == evolve(answer, headers=types)
    assert kept.age == 0
    assert "secret" not in dumped()


@pytest.mark.parametrize(
    ("store_now", "now", "age"),
    [(107, NOW, 7), (100, NOW + 7, 7), (103, NOW + 7, 7), (107, NOW - 50, 7), (100, NOW - 50, 0)],
)
def test_the_clock_that_says_more_is_believed(store_now: int, now: int, age: int) -> None:
    kept = load_answer(dumped(), store_now=store_now, now=now)

    assert kept is not None
    assert (kept.age, kept.response.received_at) == (age, now - age)


def test_an_answer_of_a_time_to_come_is_none() -> None:
    assert load_answer(dumped(), store_now=99, now=NOW) is None


def test_an_answer_of_another_release_is_none() -> None:
    text = dumped().replace('"v":1', '"v":2')
    assert load_answer(text, store_now=100, now=NOW) is None


def test_what_is_too_large_or_no_text_is_not_shared() -> None:
    assert dump_answer(evolve(ANSWER, body=b"x" * LARGEST), 1) is not None
    assert dump_answer(evolve(ANSWER, body=b"x" * (LARGEST + 1)), 1) is None
    assert dump_answer(evolve(ANSWER, body=b"\xff"), 1) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        '{"v":1}\n{}',
        dumped().replace('"status":200', '"status":"200"'),
        dumped().replace('"asked_at":100', '"asked_at":true'),
        dumped().replace('"not_told"', '"sworn"'),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(StoreFailure) as caught:
        load_answer(text, store_now=100, now=NOW)
    assert caught.value.code == "record_invalid"


@given(st.text() | st.text(alphabet='{}":,[]1v\n'), st.integers(), st.integers())
def test_any_text_is_refused_in_one_way(text: str, store_now: int, now: int) -> None:
    code = ""
    try:
        assert load_answer(text, store_now=store_now, now=now) is None
    except StoreFailure as refused:
        code = refused.code
    assert code in {"", "record_invalid"}
