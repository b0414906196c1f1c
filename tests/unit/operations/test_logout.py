"""Logging out: the operation around the end-session endpoint."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

import pytest

from oidc_core.endpoints.end_session import LONGEST_LOGOUT_URL, LogoutMethod, LogoutRequest
from oidc_core.operations.logout import LoggedOut, finish, start
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.incoming import Incoming
from tests.parties import (
    CLIENT_ID,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    RP,
    claims_for,
    done,
    query_of,
    refused,
    relying_party,
)
from tests.signing import signed

STATE = "x" * 43
METHODS: tuple[LogoutMethod, ...] = ("GET", "POST", "either")
HINT = signed(claims_for("n", exp=NOW - 9999))
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


def test_where_the_provider_has_no_such_endpoint_the_logout_is_local() -> None:
    """The browser takes the same way home, at once."""
    rp = relying_party(provider={"end_session_endpoint": None})

    for method in METHODS:
        started = done(start(rp, LogoutRequest(method=method), state=STATE, now=NOW))
        assert (started.url, started.form) == (f"{BYE}?state={STATE}", ())
        assert started.notes == ("local: the provider names no end_session_endpoint",)
        out = done(finish(rp, started.pending, back(f"state={STATE}"), now=NOW))
        assert out == LoggedOut(BYE)


def test_a_local_logout_of_a_client_without_a_return_leads_nowhere() -> None:
    rp = relying_party(
        provider={"end_session_endpoint": None}, client={"post_logout_redirect_uris": ()}
    )
    started = done(start(rp, LogoutRequest(), state=STATE, now=NOW))
    assert (started.url, started.pending.post_logout_redirect_uri) == ("", "")


@pytest.mark.req("OIDCRIL-2-10")
def test_a_logout_may_be_posted() -> None:
    asked = LogoutRequest(method="POST", id_token_hint=HINT, extra=(("x", "1"),))
    started = done(start(RP, asked, state=STATE, now=NOW))
    assert started.url == f"{ISSUER}/logout"
    assert dict(started.form) == {
        "id_token_hint": HINT,
        "client_id": CLIENT_ID,
        "post_logout_redirect_uri": BYE,
        "state": STATE,
        "x": "1",
    }
    assert started.notes == ()
    assert HINT not in repr(started)


@pytest.mark.req("OIDCRIL-2-02", "OIDCRIL-2-10")
@pytest.mark.parametrize("method", METHODS)
def test_a_hint_that_is_too_long_for_a_url_is_left_out_or_posted(method: LogoutMethod) -> None:
    for pad, too_long in ((LONGEST_LOGOUT_URL, True), (100, False)):
        hint = signed({**claims_for("n"), "x": pad * "a"})
        asked = LogoutRequest(method=method, id_token_hint=hint)
        started = done(start(RP, asked, state=STATE, now=NOW))
        assert len(started.url) <= LONGEST_LOGOUT_URL
        if method == "POST" or (method == "either" and too_long):
            assert started.url == f"{ISSUER}/logout"
            assert (dict(started.form)["id_token_hint"], started.notes) == (hint, ())
        elif too_long:
            assert started.notes == ("id_token_hint left out: too long for a URL",)
            parameters = dict(query_of(started.url))
            assert parameters == {**dict(query_of(STARTED.url)), "state": STATE}
        else:
            assert (dict(query_of(started.url))["id_token_hint"], started.notes) == (hint, ())


def test_a_url_of_the_greatest_length_keeps_its_hint() -> None:
    def length(pad: int) -> int:
        asked = LogoutRequest(id_token_hint=HINT, logout_hint=pad * "a")
        return len(done(start(RP, asked, state=STATE, now=NOW)).url)

    room = LONGEST_LOGOUT_URL - length(1) + 1
    assert length(room) == LONGEST_LOGOUT_URL
    assert length(room + 1) < LONGEST_LOGOUT_URL
    for method in METHODS[::2]:
        bare = LogoutRequest(method=method, logout_hint=LONGEST_LOGOUT_URL * "a")
        started = done(start(RP, bare, state=STATE, now=NOW))
        assert (started.notes, started.form) == ((), ())


def test_the_state_and_the_url_are_not_shown() -> None:
    assert STATE not in repr(STARTED)
