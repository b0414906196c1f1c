"""Events are frozen values without secrets; a callable that gets them changes nothing."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import pytest

from oidc_adapters.runtime import events
from oidc_adapters.runtime.events import (
    Event,
    Events,
    KeysFetched,
    KeysRefused,
    LoginBegan,
    LoginRefused,
    RequestSent,
)
from oidc_core.jose.key_set import KeySet
from oidc_core.machine.steps import KeysFound, KeysWithheld
from oidc_core.wire.errors import CallbackError, Place, UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer
from tests.parties import NOW, RP, keys_wanted, refused

OURS = {"issuer": "https://op.example", "client_id": RP.client.client_id, "connection_id": ""}
KINDS = [
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]


def told(act: Callable[[Events], None]) -> list[Event]:
    heard: list[Event] = []
    act(Events(heard.append, RP))
    return heard


def test_an_event_says_which_client_it_is_of() -> None:
    assert told(lambda to: to.tell(LoginBegan)) == [LoginBegan(**OURS)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_frozen_and_has_nothing_of_a_user(kind: Any) -> None:
    names = {each.name for each in attrs.fields(kind)}

    assert {*OURS} <= names
    assert names.isdisjoint({"sub", "subject", "claims", "found", "expected", "return_to"})
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        kind.__setattr__(object.__new__(kind), "issuer", "another")


def test_a_refusal_has_the_members_of_the_error_but_none_of_its_facts() -> None:
    error = CallbackError("state_expired", found=700, cause="clock")
    error.place = Place("token", "https://op.example/token")

    (event,) = told(lambda to: to.refused(LoginRefused, error))

    assert event == LoginRefused(
        **OURS,
        code="state_expired",
        fault="callback",
        kind="stale",
        retryable="restart",
        cause="clock",
        place=error.place,
    )
    assert "700" not in repr(event)


def test_a_request_is_told_by_origin_and_path() -> None:
    request = attrs.evolve(keys_wanted(RP).request, url="https://op.example/jwks?secret=x")
    answer = HttpResponse(200, (), b"", NOW)
    failure = NoAnswer("no", "http_timeout", NOW)

    heard = [*told(lambda to: to.sent(request, answer, 0.5))]
    heard += told(lambda to: to.sent(request, failure, 0.5))

    url = "https://op.example/jwks"
    assert heard == [
        RequestSent(**OURS, purpose="key_set", url=url, seconds=0.5, status=status, failure=code)
        for status, code in ((200, ""), (None, "http_timeout"))
    ]


@pytest.mark.parametrize(
    ("answer", "asked", "event"),
    [
        ("new", True, partial(KeysFetched, keys=0)),
        ("old", True, partial(KeysRefused, reason="unreachable")),
        ("new", False, None),
        ("old", False, None),
        ("unreachable", True, partial(KeysRefused, reason="unreachable")),
        ("throttled", False, partial(KeysRefused, reason="throttled")),
    ],
)
def test_keys_are_told_where_they_are_new_or_could_not_be_had(
    answer: Any, asked: bool, event: Callable[..., Event] | None
) -> None:
    wanted = keys_wanted(RP)
    age = {"new": 0, "old": 60}.get(answer)
    found = (
        KeysWithheld(answer)
        if age is None
        else KeysFound(wanted.issuer, wanted.jwks_uri, KeySet(), NOW - age, NOW)
    )

    heard = told(lambda to: to.keys(wanted, found, asked=asked))

    assert heard == ([] if event is None else [event(**OURS, jwks_uri=wanted.jwks_uri)])


@pytest.mark.parametrize("answer", [None, "an answer", 200])
def test_what_is_no_answer_is_left_to_the_step_that_gets_it(answer: Any) -> None:
    wanted = keys_wanted(RP)

    (sent,) = told(lambda to: to.sent(wanted.request, answer, 0.5))
    nothing = [*told(lambda to: to.keys(wanted, answer, asked=True))]

    assert isinstance(sent, RequestSent)
    assert (sent.status, sent.failure) == (None, "")
    assert nothing == []


class Failing:
    """Raises each time."""

    def __init__(self, fault: BaseException) -> None:
        self.fault, self.calls = fault, 0

    def __call__(self, event: Event) -> None:
        self.calls += 1
        raise self.fault


def test_an_exception_is_reported_once_and_goes_no_further() -> None:
    failing = Failing(ZeroDivisionError("a secret of the application"))
    to = Events(failing, RP)

    with pytest.warns(RuntimeWarning, match="on_event raised ZeroDivisionError at ") as caught:
        to.tell(LoginBegan)
    to.tell(LoginBegan)

    assert len(caught) == 1
    assert "a secret" not in str(caught[0].message)
    assert "test_events.py:" in str(caught[0].message)
    assert failing.calls == 2


def test_it_goes_no_further_where_warnings_are_errors_either() -> None:
    failing = Failing(ZeroDivisionError())

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Events(failing, RP).tell(LoginBegan)

    assert failing.calls == 1


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), SystemExit()])
def test_what_ends_the_process_ends_it(fault: BaseException) -> None:
    with pytest.raises(type(fault)):
        Events(Failing(fault), RP).tell(LoginBegan)


async def awaited(event: Event) -> None:
    """Would never run."""


class Awaited:
    """The same as an object."""

    async def __call__(self, event: Event) -> None:
        """Would never run."""


@pytest.mark.parametrize("wrong", [None, "print", 5, [print], awaited, Awaited()])
def test_what_cannot_be_told_is_refused(wrong: Any) -> None:
    error = refused(UsageError, "config_invalid", lambda: Events(wrong, RP))

    assert (error.about, error.found) == ("on_event", type(wrong).__name__)
