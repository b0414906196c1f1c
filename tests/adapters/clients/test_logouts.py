"""A user logs out: the grant ends, the newest ID token is the hint, and tokens are revoked."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.logouts import AwaitingLogouts, WaitingLogouts
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import LoginResult
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing import InMemoryTransport
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.model.policy import Policy
from oidc_core.operations import session_management
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import Answer, WireRequest
from tests.adapters.clients.logging_out import CLIENT, KINDS, House, beside, code_of, house
from tests.adapters.stores.records.plugged import failing_at
from tests.flows.mixing import settled
from tests.flows.rig import returning
from tests.indexed import quiet

REVOKES = Policy(userinfo="never", revoke_at_logout=True)


def leave(here: House, result: LoginResult, **named: Any) -> Any:
    return settled(here.client.start_logout(session=result.grant_id, **named))


def index_of(here: House, result: LoginResult) -> list[str]:
    index, identity = here.client.session_ends.indexed.sessions, result.logged_in.identity
    awaits = isinstance(here.client, AsyncOidcClient)
    find = index.of_subject_async if awaits else index.of_subject
    found = settled(find(result.connection, identity.issuer, identity.subject))
    return [each.session_id for each in found]


def requests(here: House) -> list[WireRequest]:
    return [each for each, _ in here.transport.exchanges]


def revocations(here: House) -> list[bytes]:
    return [each.body or b"" for each in requests(here) if each.url.endswith("/revoke")]


def public(kind: type) -> list[str]:
    return [name for name in vars(kind) if not name.startswith("_")]


def test_both_kinds_have_the_same_calls() -> None:
    assert public(WaitingLogouts) == public(AwaitingLogouts)
    assert issubclass(OidcClient, WaitingLogouts)
    assert issubclass(AsyncOidcClient, AwaitingLogouts)


@KINDS
def test_a_logout_ends_the_grant_and_forgets_the_session(awaits: bool) -> None:
    here = house(awaits=awaits)
    first, second = here.log_in(), here.log_in(session_id="s-2")
    assert index_of(here, first) == ["s-2", first.grant_id]

    page = leave(here, second)

    assert (here.code_of(first), here.code_of(second)) == ("", "grant_ended")
    assert index_of(here, first) == [first.grant_id]
    assert f"id_token_hint={second.logged_in.id_token.raw}" in page.url
    assert page.notes == ()
    assert here.application.ended == []
    assert revocations(here) == []
    again = leave(here, second)
    assert "id_token_hint" not in again.url


@KINDS
def test_the_end_of_tokens_forgets_the_session_too(awaits: bool) -> None:
    here = house(awaits=awaits)
    first, second = here.log_in(), here.log_in(session_id="s-2")
    for each in (first, second):
        assert settled(here.client.tokens(each.grant_id).end()) is not None
        assert settled(here.client.tokens(each.grant_id).end()) is None
    assert index_of(here, first) == []


@KINDS
def test_a_session_that_the_index_cannot_forget_ends_all_the_same(awaits: bool) -> None:
    here = house(awaits=awaits)
    mine = here.log_in()
    here.records.before = lambda name, key: (
        failing_at("read")(name, key) if key.startswith("sid:") else None
    )
    leave(here, mine)
    here.records.before = quiet
    assert here.code_of(mine) == "grant_ended"
    assert here.post(here.logout(sub="alice")).status == 200
    assert here.application.ended == [mine.grant_id]


@KINDS
@pytest.mark.parametrize("accepts", ["newest", "key_published"])
def test_the_hint_is_the_newest_id_token(awaits: bool, accepts: str) -> None:
    here = house(awaits=awaits, accepts_hint=accepts)
    mine = here.log_in()
    if accepts == "key_published":
        here.provider.rotate_keys(keep_previous=False)
    here.clock.advance(290)
    assert here.code_of(mine) == ""

    page = leave(here, mine)

    assert f"id_token_hint={mine.logged_in.id_token.raw}" not in page.url
    assert here.provider.end_session(page.url, here.clock.now()) is not None


@KINDS
def test_a_wrong_request_ends_nothing(awaits: bool) -> None:
    here = house(awaits=awaits)
    mine = here.log_in()
    wrong = LogoutRequest(post_logout_redirect_uri="https://elsewhere.example/")
    for named, about in (
        ({"request": wrong}, "post_logout_redirect_uri"),
        ({"tokens": mine.logged_in.tokens}, "session"),
        ({"cookie": 5}, "cookie"),
    ):
        with pytest.raises(UsageError) as caught:
            leave(here, mine, **named)
        assert (caught.value.code, caught.value.about) == ("parameter_invalid", about)
    with pytest.raises(UsageError) as caught:
        settled(here.client.start_logout(session=5))
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", "session")
    assert here.code_of(mine) == ""
    without = house(awaits=awaits, grants=False)
    with pytest.raises(UsageError) as caught:
        settled(without.client.start_logout(session="s-1"))
    assert (caught.value.code, caught.value.about) == ("config_invalid", "grants")


@KINDS
def test_a_session_ends_while_the_provider_is_away(awaits: bool) -> None:
    here = house(awaits=awaits, processes=2)
    mine = here.log_in()
    here.provider.misbehave = "metadata_500"
    away = evolve(here, clients=here.clients[1:])
    assert code_of(lambda: leave(away, mine)) == "http_status_unexpected"
    assert code_of(lambda: settled(away.client.start_logout())) == "http_status_unexpected"
    here.provider.misbehave = None
    assert here.code_of(mine) == "grant_ended"


@KINDS
def test_a_session_that_cannot_be_ended_sends_nobody_away(awaits: bool) -> None:
    here = house(awaits=awaits)
    mine = here.log_in()
    here.records.before = failing_at("replace")
    assert code_of(lambda: leave(here, mine)) == "store_unavailable"
    here.records.before = quiet
    assert here.code_of(mine) == ""


@KINDS
def test_tokens_are_revoked_where_that_is_the_policy(awaits: bool) -> None:
    here = house(awaits=awaits, policy=REVOKES)
    mine = here.log_in()
    tokens = mine.logged_in.tokens

    page = leave(here, mine)

    assert page.notes == ()
    sent = revocations(here)
    assert len(sent) == 2
    assert f"token={tokens.refresh_token}".encode() in sent[0]
    assert f"token={tokens.access_token}".encode() in sent[1]
    assert here.provider.ledger.refresh_tokens[tokens.refresh_token or ""].family.revoked
    assert leave(here, mine).notes == ()
    assert len(revocations(here)) == 2


@KINDS
def test_a_revocation_that_fails_is_noted(awaits: bool) -> None:
    here = house(awaits=awaits, policy=REVOKES)
    mine = here.log_in()
    here.provider.clients = ()
    page = leave(here, mine)
    assert [note.partition(":")[0] for note in page.notes] == [
        "refresh_token not revoked",
        "access_token not revoked",
    ]
    assert here.code_of(mine) == "grant_ended"
    bare = {"revocation_endpoint": None, "end_session_endpoint": None}
    here = house(awaits=awaits, policy=REVOKES, setup={"metadata_overrides": bare})
    page = leave(here, here.log_in())
    assert page.notes == (
        "local: the provider names no end_session_endpoint",
        "tokens not revoked: the provider names no revocation_endpoint",
    )
    assert page.url.startswith(CLIENT.post_logout_redirect_uris[0])


@KINDS
def test_a_browser_comes_back_from_a_logout(awaits: bool) -> None:
    here = house(awaits=awaits)
    page = leave(here, here.log_in())
    header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)
    back = here.provider.end_session(page.url, here.clock.now()) or ""
    result = settled(here.client.finish_logout(returning(back, header)))
    assert result.logged_out.post_logout_redirect_uri == "https://rp.example/"


def log_out_before_the_answer_is_stored(here: House, mine: LoginResult) -> str:
    """Renew tokens while another process logs the user out; return the code."""
    here.clock.advance(300)
    other = beside(here)

    def before(name: str, key: str) -> None:
        sent = any(b"grant_type=refresh_token" in (each.body or b"") for each in requests(here))
        if sent and name == "read" and key.startswith("grant:"):
            here.records.before = quiet
            leave(other, mine)

    here.records.before = before
    return here.code_of(mine)


@KINDS
def test_a_pair_that_comes_after_a_logout_is_revoked(awaits: bool) -> None:
    here = house(awaits=awaits)
    mine = here.log_in()

    assert log_out_before_the_answer_is_stored(here, mine) == "grant_ended"

    sent = revocations(here)
    kinds = [b"refresh_token" in body.partition(b"token_type_hint=")[2] for body in sent]
    assert kinds == [True, False]
    tokens = here.provider.ledger.refresh_tokens
    assert all(each.family.revoked for each in tokens.values())
    assert here.provider.ledger.access_tokens.keys() == {mine.logged_in.tokens.access_token}


_send = InMemoryTransport.send


def breaking_at_revocation(
    transport: InMemoryTransport, request: WireRequest, clock: FrozenClock
) -> Answer:
    if request.url.endswith("/revoke"):
        raise ConnectionError
    return _send(transport, request, clock)


@KINDS
def test_a_pair_that_cannot_be_revoked_is_dropped(
    awaits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = house(awaits=awaits, setup={"metadata_overrides": {"revocation_endpoint": None}})
    assert log_out_before_the_answer_is_stored(here, here.log_in()) == "grant_ended"
    assert revocations(here) == []

    here = house(awaits=awaits)
    mine = here.log_in()
    monkeypatch.setattr(InMemoryTransport, "send", breaking_at_revocation)
    assert log_out_before_the_answer_is_stored(here, mine) == "grant_ended"


@KINDS
def test_the_frame_of_a_session_is_the_cores(awaits: bool) -> None:
    here = house(awaits=awaits, session_management=True)
    told = here.log_in().logged_in.session_state
    assert told is not None

    page = settled(here.client.session_frame(told, interval=5))

    assert page == session_management.frame(here.client.rp, told, interval=5)
    without = house(awaits=awaits)
    assert without.log_in().logged_in.session_state is None
    refusal = code_of(lambda: settled(without.client.session_frame(told)))
    assert refusal == "unsupported_by_provider"


@KINDS
def test_a_session_ends_though_the_page_of_the_provider_cannot_be_asked(awaits: bool) -> None:
    page = "https://op.example/end-session?client_id=x"
    here = house(awaits=awaits, setup={"metadata_overrides": {"end_session_endpoint": page}})
    mine = here.log_in()

    code = code_of(lambda: settled(here.client.start_logout(session=mine.grant_id)))

    assert code == "metadata_endpoint_invalid"
    assert here.code_of(mine) == "grant_ended"
