"""Events in the standard library's log."""

import logging
from typing import Any

import pytest

from oidc_adapters.runtime.event_log import log_events, log_failure
from oidc_adapters.runtime.events import (
    Event,
    KeysFetched,
    KeysRefused,
    LoginBegan,
    LoginRefused,
    MetadataReplaced,
    RequestSent,
)
from oidc_core.wire.errors import (
    CallbackError,
    OidcError,
    Place,
    StoreFailure,
    UsageError,
)
from tests.parties import refused

OURS: dict[str, Any] = {
    "issuer": "https://op.example",
    "client_id": "client",
    "connection_id": "",
}
NAMED = 'issuer="https://op.example" client_id="client"'


def refusal(kind: Any, **changes: Any) -> LoginRefused:
    given: dict[str, Any] = {
        "code": "state_expired",
        "fault": "callback",
        "kind": kind,
        "retryable": "restart",
        "cause": "",
        "place": None,
    }
    return LoginRefused(**OURS, **{**given, **changes})


def sent(**how: Any) -> RequestSent:
    return RequestSent(**OURS, purpose="token", url="https://op.example/token", **how)


EVENTS: list[tuple[Event, int]] = [
    (LoginBegan(**OURS), logging.INFO),
    (KeysFetched(**OURS, jwks_uri="https://op.example/jwks", keys=2), logging.INFO),
    (KeysRefused(**OURS, jwks_uri="https://op.example/jwks", reason="throttled"), logging.WARNING),
    (MetadataReplaced(**OURS, endpoints_moved=False), logging.INFO),
    (MetadataReplaced(**OURS, endpoints_moved=True), logging.WARNING),
    (sent(status=200, failure="", seconds=0.25), logging.DEBUG),
    (sent(status=None, failure="http_timeout", seconds=10.0), logging.WARNING),
    (refusal("user"), logging.INFO),
    (refusal("stale"), logging.INFO),
    (refusal("interaction"), logging.INFO),
    (refusal("later"), logging.WARNING),
    (refusal("suspicious"), logging.WARNING),
    (refusal("configuration"), logging.ERROR),
]


@pytest.mark.parametrize(("event", "level"), EVENTS)
def test_each_event_has_its_level(
    event: Event, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    log_events()(event)

    (record,) = caplog.records
    assert (record.name, record.levelno) == ("oidc_adapters", level)
    assert vars(record)["oidc_event"] is event
    assert record.getMessage().startswith(f"{type(event).__name__} {NAMED}")


def test_a_line_has_the_members_in_json(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log = log_events(logging.getLogger("ours"))

    log(sent(status=200, failure="", seconds=0.25))
    log(refusal("later", cause="two\nlines", place=Place("token", "https://op.example/token")))

    assert [record.name for record in caplog.records] == ["ours", "ours"]
    one, other = caplog.messages
    assert one == (
        f'RequestSent {NAMED} purpose="token" url="https://op.example/token" '
        "status=200 seconds=0.25"
    )
    assert other == (
        f'LoginRefused {NAMED} code="state_expired" fault="callback" kind="later" '
        'retryable="restart" cause="two\\nlines" place=["token", "https://op.example/token"]'
    )


def test_what_nobody_wants_to_see_is_not_written(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    log_events()(sent(status=200, failure="", seconds=0.25))

    assert caplog.records == []


@pytest.mark.parametrize("wrong", ["root", 5, logging])
def test_what_is_no_logger_is_refused(wrong: Any) -> None:
    assert refused(UsageError, "config_invalid", lambda: log_events(wrong)).about == "logger"


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (CallbackError("state_expired"), logging.INFO),
        (CallbackError("state_mismatch"), logging.WARNING),
        (StoreFailure("store_unavailable"), logging.WARNING),
        (UsageError("config_invalid", about="issuer", found="op.example"), logging.ERROR),
    ],
)
def test_a_failure_is_one_line(
    caplog: pytest.LogCaptureFixture, error: OidcError, level: int
) -> None:
    caplog.set_level(logging.DEBUG)

    log_failure(error)

    assert caplog.record_tuples == [("oidc_adapters", level, str(error))]
    assert "\n" not in str(error)
