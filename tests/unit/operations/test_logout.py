"""Logging out: the operation around the end-session endpoint."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

import pytest

from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.operations.logout import LoggedOut, finish, start
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.incoming import Incoming
from tests.parties import ISSUER, NOW, OTHER_ISSUER, RP, done, query_of, refused, relying_party

STATE = "x" * 43
BYE = "https://rp.example/bye"


def back(query: str) -> Incoming:
    return Incoming(method="GET", url=BYE, query=query)


STARTED = done(start(RP, LogoutRequest(), state=STATE, now=NOW))


def left(query: str) -> LoggedOut:
    return done(finish(RP, STARTED.pending, back(query), now=NOW))


@pytest.mark.req("OIDCRIL-2-01", "OIDCRIL-2-08")
def test_a_logout_leads_to_the_provider_and_back() -> None:
    assert urlsplit(STARTED.url)._replace(query="").geturl() == f"{ISSUER}/logout"
    assert dict(query_of(STARTED.url))["state"] == STATE
    assert (STARTED.pending.issuer, STARTED.pending.created_at) == (ISSUER, NOW)

    out = done(finish(RP, STARTED.pending, back(f"state={STATE}"), now=NOW))

    assert out == LoggedOut(BYE)


@pytest.mark.req("OIDCRIL-2-08")
@pytest.mark.parametrize("query", ["", "state=other", "error=x"])
def test_a_return_that_was_not_asked_for_is_refused(query: str) -> None:
    """K17."""
    refused(
        CallbackError,
        "logout_state_mismatch",
        partial(left, query),
    )


def test_a_logout_needs_a_secret_state() -> None:
    refused(UsageError, "entropy_failure", lambda: start(RP, LogoutRequest(), state="", now=NOW))


def test_a_logout_at_one_provider_is_not_finished_at_another() -> None:
    for rp in (
        relying_party(provider={"issuer": OTHER_ISSUER}),
        relying_party(client={"client_id": "client-2"}),
        relying_party(client={"connection_id": "another"}),
    ):
        with pytest.raises(CallbackError) as caught:
            finish(rp, STARTED.pending, back(f"state={STATE}"), now=NOW)
        assert caught.value.code == "connection_mismatch"


def test_a_return_that_says_its_state_twice_is_refused() -> None:
    query = f"state={STATE}&state={STATE}"
    error = refused(
        CallbackError,
        "parameter_duplicated",
        partial(left, query),
    )
    assert error.about == "state"


def test_a_logout_expires_to_the_second() -> None:
    returned = back(f"state={STATE}")
    for now in (NOW + 600, NOW - 60):
        assert done(finish(RP, STARTED.pending, returned, now=now)) == LoggedOut(BYE)
    for now in (NOW + 601, NOW - 61):
        late = partial(finish, RP, STARTED.pending, returned, now=now)
        assert refused(CallbackError, "logout_expired", late).expected == 600


def test_where_the_provider_has_no_such_endpoint_none_starts() -> None:
    rp = relying_party(provider={"end_session_endpoint": None})
    refused(
        UsageError,
        "unsupported_by_provider",
        lambda: start(rp, LogoutRequest(), state=STATE, now=NOW),
    )


def test_the_state_and_the_url_are_not_shown() -> None:
    assert STATE not in repr(STARTED)
