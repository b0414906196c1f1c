"""Sessions end: the provider says so, by a logout token or by a frame."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from attrs import evolve

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.events import LogoutRefused, SessionsEnded
from oidc_adapters.testing import BackchannelLogout, FakeUser
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.incoming import Incoming
from tests.adapters.clients.logging_out import KINDS, House, beside, code_of, house
from tests.adapters.stores.records.plugged import failing_at
from tests.flows.mixing import settled
from tests.flows.rig import NOW
from tests.indexed import at_call, quiet


def error_of(reply: Any) -> tuple[int, str]:
    """Return status and code of an answer to the provider."""
    assert reply.header("cache-control") == "no-store"
    said = reply.body.decode()
    return reply.status, said.partition('"error_description":"')[2].partition('"')[0].split(" ")[0]


@KINDS
def test_a_logout_of_the_provider_ends_a_session_and_its_tokens(awaits: bool) -> None:
    here = house(awaits=awaits)
    first, second, bob = here.log_in(), here.log_in(), here.log_in(user="bob")
    sid = first.logged_in.id_token.sid

    reply = here.post(here.logout(sub="alice", sid=sid))

    assert (reply.status, reply.body) == (200, b"")
    assert reply.header("cache-control") == "no-store"
    assert here.application.ended == [first.grant_id]
    assert [here.code_of(each) for each in (first, second, bob)] == ["grant_ended", "", ""]
    assert [each for each in here.heard if isinstance(each, SessionsEnded)] == [
        SessionsEnded(issuer=here.provider.issuer, client_id="client", connection_id="", sessions=1)
    ]


@KINDS
def test_a_logout_of_a_user_ends_all_their_sessions(awaits: bool) -> None:
    here = house(awaits=awaits, processes=2)
    mine = [here.log_in(number % 2) for number in range(5)]
    bob = here.log_in(user="bob")

    assert here.post(here.logout(sub="alice"), 1).status == 200

    assert sorted(here.application.ended) == sorted(each.grant_id for each in mine)
    for number in range(2):
        assert {here.code_of(each, number) for each in mine} == {"grant_ended"}
        assert here.code_of(bob, number) == ""
    assert here.application.sessions == {bob.grant_id: "alive"}


@KINDS
def test_the_copies_of_this_process_are_forgotten_at_once(awaits: bool) -> None:
    here = house(awaits=awaits, processes=2, trusted=3_000)
    mine = here.log_in()
    assert [here.code_of(mine, number) for number in range(2)] == ["", ""]

    assert here.post(here.logout(sub="alice")).status == 200

    assert [here.code_of(mine, number) for number in range(2)] == ["grant_ended", ""]


@KINDS
def test_an_unknown_session_is_a_success(awaits: bool) -> None:
    here = house(awaits=awaits)
    for named in ({"sub": "carol"}, {"sid": "unknown"}, {"sub": "carol", "sid": "unknown"}):
        assert here.post(here.logout(**named)).status == 200
    assert here.application.ended == []
    assert [each.sessions for each in here.heard if isinstance(each, SessionsEnded)] == [0, 0, 0]


@KINDS
def test_a_token_is_used_once_all_its_sessions_have_ended(awaits: bool) -> None:
    here = house(awaits=awaits)
    first, second = here.log_in(session_id="s-1"), here.log_in(session_id="s-2")
    logout = here.logout(sub="alice")
    here.application.failing = {"s-1"}

    for _ in range(2):
        assert error_of(here.post(logout)) == (503, "store_unavailable")
        assert here.application.ended == ["s-2"]
    assert [here.code_of(each) for each in (first, second)] == ["grant_ended", "grant_ended"]
    here.application.failing = set()
    assert here.post(logout).status == 200
    assert here.application.ended == ["s-2", "s-1"]
    for number in range(2):
        assert error_of(here.post(logout)) == (400, "logout_token_used")
        refusals = [each for each in here.heard if isinstance(each, LogoutRefused)]
        assert [each.code for each in refusals] == [
            *["store_unavailable"] * 2,
            *["logout_token_used"] * (number + 1),
        ]
    assert here.application.ended == ["s-2", "s-1"]


@KINDS
def test_a_logout_that_is_broken_off_goes_on_where_it_was(awaits: bool) -> None:
    for moment in range(30):
        here = house(awaits=awaits)
        mine = [here.log_in() for _ in range(3)]
        logout = here.logout(sub="alice")

        def fail() -> None:
            raise ConnectionError

        here.records.calls.clear()
        at_call(here.records, moment, fail)
        reply = here.post(logout)
        over = len(here.records.calls) <= moment
        here.records.before = quiet
        assert error_of(reply) == ((200, "") if over else (503, "store_unavailable"))
        again = here.post(logout)
        assert again.status == (400 if over else 200)
        assert {*here.application.ended} == {each.grant_id for each in mine}
        assert {here.code_of(each) for each in mine} == {"grant_ended"}
        assert error_of(here.post(logout)) == (400, "logout_token_used")


@KINDS
@pytest.mark.parametrize("call", ["read", "create", "replace"])
def test_a_store_that_is_away_is_told_so_that_the_provider_tries_again(
    awaits: bool, call: str
) -> None:
    here = house(awaits=awaits)
    mine = here.log_in()
    logout = here.logout(sub="alice")
    here.records.before = failing_at(call)
    reply = here.post(logout)
    assert error_of(reply) == (503, "store_unavailable")
    assert reply.header("retry-after") == "60"
    here.records.before = quiet
    assert here.post(logout).status == 200
    assert here.code_of(mine) == "grant_ended"


@KINDS
@pytest.mark.parametrize("row", ["jwks_500", "jwks_html", "metadata_500", "metadata_array"])
def test_without_keys_nobody_knows_whether_a_token_holds(awaits: bool, row: str) -> None:
    here = house(awaits=awaits, processes=2)
    mine = here.log_in()
    logout = here.logout(sub="alice")
    here.provider.misbehave = row
    assert error_of(here.post(logout, 1)) == (503, "keys_unavailable")
    here.provider.misbehave = None
    assert here.code_of(mine) == ""
    here.clock.advance(61)
    assert here.post(logout, 1).status == 200
    assert here.code_of(mine) == "grant_ended"


@KINDS
def test_a_grant_that_cannot_be_read_keeps_no_session_alive(awaits: bool) -> None:
    here = house(awaits=awaits)
    first, second = here.log_in(), here.log_in()
    key = f"grant:{first.grant_id}"
    kept = here.records.records._records[key]
    here.records.records._records[key] = kept._replace(value="damaged")
    logout = here.logout(sub="alice")
    assert error_of(here.post(logout)) == (503, "seal_invalid")
    assert {*here.application.ended} == {first.grant_id, second.grant_id}
    assert [here.code_of(each) for each in (first, second)] == ["seal_invalid", "grant_ended"]
    here.records.records._records[key] = kept
    assert here.post(logout).status == 200
    assert here.code_of(first) == "grant_ended"


# --- the application -----------------------------------------------------------------------------


@KINDS
def test_an_application_without_grants_names_its_sessions(awaits: bool) -> None:
    here = house(awaits=awaits, grants=False)
    with pytest.raises(UsageError) as caught:
        here.log_in()
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", "session_id")
    result = here.log_in(session_id="s-1")
    assert result.grant_id == ""
    assert here.post(here.logout(sub="alice")).status == 200
    assert here.application.ended == ["s-1"]


@KINDS
def test_an_application_may_have_nothing_to_call(awaits: bool) -> None:
    here = house(awaits=awaits, index={"end_session": None})
    mine = here.log_in()
    assert here.post(here.logout(sub="alice")).status == 200
    assert here.code_of(mine) == "grant_ended"


@KINDS
def test_a_client_without_an_index_says_so(awaits: bool) -> None:
    here = house(awaits=awaits)
    anything: Any = "not a request"
    client = here.client
    for call in (client.backchannel_logout, client.frontchannel_logout):
        with pytest.raises(UsageError) as caught:
            settled(call(anything))
        assert (caught.value.code, caught.value.about) == ("parameter_invalid", "incoming")
    kind: Any = AsyncOidcClient if awaits else OidcClient
    parts = (client.rp, client.shell, client.pending)
    for each in (kind.of(*parts), kind.of(*parts, grants=client._doors.grants)):
        assert not each.names_sessions
        for call in (each.backchannel_logout, each.frontchannel_logout):
            with pytest.raises(UsageError) as caught:
                settled(call(here.logout(sub="alice").incoming()))
            assert (caught.value.code, caught.value.about) == ("config_invalid", "sessions")


def test_a_client_that_waits_calls_no_function_that_is_awaited() -> None:
    here = house()

    async def end_session(_session_id: str) -> None:
        """Be awaited."""

    assert code_of(lambda: house(index={"end_session": end_session})) == "config_invalid"

    def hidden(session_id: str) -> object:
        return end_session(session_id)

    here = house(index={"end_session": hidden})
    here.log_in()
    assert error_of(here.post(here.logout(sub="alice"))) == (500, "config_invalid")


def test_a_store_that_is_awaited_serves_no_client_that_waits() -> None:
    here = house(awaits=True)
    index: Any = here.client.session_ends.indexed.sessions
    anything: Any = object()
    client: Any = here.client
    waiting: Any = house().client
    with pytest.raises(UsageError) as caught:
        OidcClient.of(client.rp, waiting.shell, waiting.pending, sessions=index)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "records")
    with pytest.raises(UsageError) as caught:
        OidcClient.of(client.rp, waiting.shell, waiting.pending, sessions=anything)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "sessions")


# --- logins --------------------------------------------------------------------------------------


@KINDS
def test_a_login_that_began_before_a_logout_ends_with_it(awaits: bool) -> None:
    """The provider gave a code out, ended the session, and gives tokens out all the same."""
    for named in ({"sub": "alice"}, {"sub": "alice", "sid": None}):
        here = house(awaits=awaits)
        page = settled(here.client.start_login())
        here.clock.advance(5)
        assert here.post(here.logout(sub=named["sub"])).status == 200
        here.clock.advance(5)
        with pytest.raises(CallbackError) as caught:
            here.come_back(page)
        error = caught.value
        assert (error.code, error.kind) == ("session_ended", "stale")
        assert error.cookies
        here.clock.advance(1)
        assert here.code_of(here.log_in()) == ""


@KINDS
def test_a_logout_at_any_moment_of_a_login_leaves_no_session(awaits: bool) -> None:
    moments = 0
    for moment in range(12):
        here = house(awaits=awaits, processes=2)
        here.log_in()
        here.records.calls.clear()
        told: list[int] = []
        other = beside(here)

        def log_out(here: House = here, other: House = other, told: list[int] = told) -> None:
            here.records.before = quiet
            told.append(other.post(other.logout(sub="alice")).status)

        at_call(here.records, moment, log_out)
        code = code_of(here.log_in)
        here.records.before = quiet
        if not told:
            break
        moments += 1
        assert told == [200]
        assert {*codes_of_grants(here)} == {"grant_ended"}
        assert code in {"", "session_ended"}
    assert moments > 5


def codes_of_grants(here: House) -> list[str]:
    """Return the codes with which the tokens of all grants are refused."""
    keys = [key for key in here.records.records._records if key.startswith("grant:")]
    grants = [here.client.tokens(key.partition(":")[2]) for key in keys]
    return [code_of(partial(_fresh, each)) for each in grants]


def _fresh(tokens: Any) -> object:
    return settled(tokens.fresh())


@KINDS
def test_a_login_that_the_index_cannot_take_leaves_no_grant(awaits: bool) -> None:
    here = house(awaits=awaits)
    here.records.before = lambda name, key: (
        failing_at("create")(name, key) if key.startswith("sessions:") else None
    )
    assert code_of(here.log_in) == "store_unavailable"
    here.records.before = quiet
    assert codes_of_grants(here) == ["grant_ended"]


@KINDS
def test_the_index_forgets_a_session_when_the_provider_says_that_it_ends(awaits: bool) -> None:
    here = house(awaits=awaits)
    result = here.log_in()
    index, connection = here.client.session_ends.indexed.sessions, result.connection
    identity = result.logged_in.identity
    (found,) = settled(
        (index.of_subject_async if awaits else index.of_subject)(
            connection, identity.issuer, identity.subject
        )
    )
    assert (found.session_id, found.grant_id) == (result.grant_id, result.grant_id)
    assert (found.issued_at, found.began_at, found.until) == (NOW, NOW, NOW + 30 * 86_400)


@KINDS
def test_the_provider_bounds_a_session(awaits: bool) -> None:
    alice = FakeUser(sub="alice", claims={"session_expiry": NOW + 100})
    here = house(awaits=awaits, users=(alice,))
    page = settled(here.client.start_login(claims={"id_token": {"session_expiry": None}}))
    result = here.come_back(page)
    assert result.logged_in.id_token.session_expiry == NOW + 100
    here.clock.advance(99)
    assert here.code_of(result) == ""
    here.clock.advance(1)
    assert here.code_of(result) == "grant_ended"
    assert here.post(here.logout(sub="alice")).status == 200
    assert here.application.ended == [result.grant_id]


# --- a frame -------------------------------------------------------------------------------------


@KINDS
def test_a_frame_ends_the_session_that_it_names_alone(awaits: bool) -> None:
    here = house(awaits=awaits)
    first, second = here.log_in(), here.log_in()
    (url,) = here.provider.frontchannel_logout_urls(first.logged_in.id_token.sid or "")

    for _ in range(2):
        reply = here.frame(url)
        assert (reply.status, reply.body) == (200, b"<!doctype html>")
        assert reply.header("cache-control") == "no-store"
        assert "frame-ancestors https://op.example" in (
            reply.header("content-security-policy") or ""
        )
        assert here.application.ended == [first.grant_id]
    assert [here.code_of(each) for each in (first, second)] == ["grant_ended", ""]
    assert not [key for key in here.records.records._records if key.startswith("spent:")]


@KINDS
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 200, ""),
        ("iss=https%3A%2F%2Fop.example&sid=unknown", 200, ""),
        ("iss=https%3A%2F%2Fop.example", 400, "logout_session_missing"),
        ("iss=https%3A%2F%2Fother.example&sid=s", 400, "logout_iss_mismatch"),
    ],
)
def test_a_frame_that_names_nothing_of_ours_ends_nothing(
    awaits: bool, query: str, status: int, code: str
) -> None:
    here = house(awaits=awaits)
    mine = here.log_in()
    before = len(here.records.records._records)

    reply = here.frame(f"https://rp.example/frontchannel-logout?{query}")

    assert reply.status == status
    assert [each.code for each in here.heard if isinstance(each, LogoutRefused)] == [code][
        : bool(code)
    ]
    assert here.code_of(mine) == ""
    assert len(here.records.records._records) == before


@KINDS
def test_a_frame_while_the_store_is_away_fails(awaits: bool) -> None:
    here = house(awaits=awaits)
    first = here.log_in()
    (url,) = here.provider.frontchannel_logout_urls(first.logged_in.id_token.sid or "")
    here.records.before = failing_at("read")
    assert here.frame(url).status == 503


# --- requests ------------------------------------------------------------------------------------


def test_a_request_that_is_none_of_a_provider_ends_nothing() -> None:
    here = house()
    mine = here.log_in()
    logout: BackchannelLogout = here.logout(sub="alice")
    posted = logout.incoming()
    for incoming in (
        Incoming(method="GET", url=posted.url, query=posted.body.decode()),
        evolve(posted, body=b""),
        evolve(posted, body=posted.body + b"&" + posted.body),
        evolve(posted, content_type="application/json"),
    ):
        assert error_of(here.post(incoming)) == (400, "logout_request_invalid")
    assert error_of(here.post(evolve(posted, body=b"logout_token=a.b.c")))[0] == 400
    assert here.code_of(mine) == ""


@KINDS
def test_what_the_application_raises_is_never_a_refusal_of_the_token(awaits: bool) -> None:
    here = house(awaits=awaits)
    here.log_in(session_id="s-1")
    logout = here.logout(sub="alice")
    index = here.client.session_ends.indexed.sessions
    working = index.end_session

    def fail(_name: str) -> None:
        raise CallbackError("session_ended")

    index.end_session = fail
    assert error_of(here.post(logout)) == (503, "store_unavailable")
    index.end_session = working
    assert here.post(logout).status == 200
    assert here.application.ended == ["s-1"]


@KINDS
@pytest.mark.parametrize("between", [0, 70], ids=["in the head", "on a page"])
def test_each_grant_of_a_session_that_logged_in_again_ends(awaits: bool, between: int) -> None:
    here = house(awaits=awaits)
    first = here.log_in(session_id="s")
    others = [here.log_in() for _ in range(between)]
    second = here.log_in(session_id="s")

    assert here.post(here.logout(sub="alice")).status == 200

    assert {here.code_of(each) for each in (first, *others, second)} == {"grant_ended"}
    assert {*here.application.ended} == {"s", *[each.grant_id for each in others]}
    told = [each.sessions for each in here.heard if isinstance(each, SessionsEnded)]
    assert told == [between + 1]
