"""Two processes of an application share the sessions of its users, at a provider that rotates.

It revokes the whole grant if a refresh token comes a second time, so each exchange must be the only
one.
"""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from time import monotonic, sleep
from typing import Final

import pytest

from oidc_core.machine.grants import GUARDS, YOUNG
from tests.interop.application import Kind
from tests.interop.browser import Browser
from tests.interop.clients import client_metadata
from tests.interop.oidc_provider import Happened, Provider
from tests.interop.raw_client import revoke, userinfo_status
from tests.interop.sharing import Member, member, used_at_once
from tests.interop.sharing_process import Plan
from tests.interop.table import RecordRow
from tests.servers.postgresql import PostgreSql
from tests.servers.redis import RedisServer

pytestmark = pytest.mark.slow

KIND: Final = Kind()
STORES: Final = ("sqlite", "postgresql", "redis")
USERS: Final = ("alice", "bob")
CALLERS: Final = 6
ACCESS_TOKEN_TTL: Final = 12
MARGIN: Final = 1.5
"""Seconds that make up for times in whole seconds."""

TRUSTED: Final = 5.0
"""Seconds for which a process trusts its copy of the tokens."""

SHORT_GUARDS: Final = (2, 6)
"""In seconds, so that nobody waits long for a process that was killed."""


@dataclass(frozen=True, slots=True)
class Site:
    """The application, and what the provider says about its client."""

    op: Provider
    plan: Plan
    begin: Callable[[], Member]

    def log_in(self, one: Member, other: Member, user: str) -> str:
        """Log in: one process sends the browser away, and it comes back to the other one."""
        page = one.ask("start")
        arrival = Browser(self.op.issuer).authorize(page["url"], login=user)
        grant: str = other.ask("finish", url=arrival.url, cookie=page["cookie"])["grant"]
        return grant

    def refreshes(self) -> int:
        """How often the provider exchanged a refresh token of this client."""
        return self.op.events().count(
            Happened("grant.success", self.plan.client_id, "refresh_token")
        )

    def revoked(self) -> int:
        """How many grants of this client the provider has revoked."""
        events = self.op.events()
        return sum(
            (each.event, each.client_id) == ("grant.revoked", self.plan.client_id)
            for each in events
        )

    def refused(self) -> int:
        """How often UserInfo answered 401, to any client."""
        return sum((each.path, each.status) == ("/me", 401) for each in self.op.requests())


@pytest.fixture
def site(
    op: Provider, tmp_path: Path, request: pytest.FixtureRequest
) -> Generator[Callable[..., Site]]:
    """Register a client of the application, whose processes begin one by one."""
    with ExitStack() as running:

        def make(store: str, *, guards: tuple[int, int] = GUARDS, ttl: int = 3_600) -> Site:
            name = f"oidc_{token_hex(6)}"
            if store == "postgresql":
                sql: PostgreSql = request.getfixturevalue("postgresql_server")
                address = sql.url()
            elif store == "redis":
                redis: RedisServer = request.getfixturevalue("redis_server")
                address = redis.url
            else:
                address = str(tmp_path / "sessions.db")
            op.register(client_metadata(client_id=name, access_token_ttl=ttl))
            plan = Plan(op.issuer, name, store, address, name, guards)
            return Site(op, plan, lambda: running.enter_context(member(plan)))

        yield make


@pytest.mark.parametrize("store", STORES)
def test_each_expiry_costs_one_refresh(
    site: Callable[..., Site], interop_row: RecordRow, store: str
) -> None:
    interop_row(*KIND.row, f"two processes, one refresh per expiry: {store}")
    at = site(store, ttl=ACCESS_TOKEN_TTL)
    one, other = members = at.begin(), at.begin()
    grants = [at.log_in(one, other, user) for user in USERS]
    first = used_at_once(members, grants, 1)
    seen = {token for got in first.values() for token in got}
    changed = monotonic()

    for expires in (False, True, False):
        sleep(max(0.0, changed + (ACCESS_TOKEN_TTL if expires else YOUNG) + MARGIN - monotonic()))
        refreshes, refused = at.refreshes(), at.refused()
        if not expires:
            at.op.forget_access_tokens(at.plan.client_id)
        got = used_at_once(members, grants, CALLERS)
        changed = monotonic()

        assert (at.refreshes() - refreshes, at.revoked()) == (len(grants), 0)
        assert (at.refused() > refused) is not expires
        for grant in grants:
            assert len(got[grant]) == 2 * CALLERS
            (access_token,) = {*got[grant]}
            assert access_token[0] != "!"
            assert access_token not in seen
            seen.add(access_token)


def logged_in_and_due(at: Site) -> tuple[Member, Member, str]:
    """Two processes, and a session whose access token is refused and old enough to be replaced."""
    one, other = at.begin(), at.begin()
    grant = at.log_in(one, other, "alice")
    used_at_once([one, other], [grant], 1)
    sleep(YOUNG + MARGIN)
    at.op.forget_access_tokens(at.plan.client_id)
    return one, other, grant


def refused_everywhere(members: list[Member], grant: str, error: str) -> bool:
    """Whether all processes refuse a session now, with this error."""
    return {*used_at_once(members, [grant], 2)[grant]} == {f"!{error}"}


def test_a_process_that_dies_before_it_sends_costs_no_session(
    site: Callable[..., Site], interop_row: RecordRow
) -> None:
    interop_row(*KIND.row, "process killed before it sends: one refresh")
    at = site("sqlite", guards=SHORT_GUARDS)
    left, killed, grant = logged_in_and_due(at)
    killed.killed_at("mark", grant)
    assert at.refreshes() == 0

    members = [left, at.begin()]
    (access_token,) = {*used_at_once(members, [grant], CALLERS)[grant]}
    assert access_token[0] != "!"
    assert (at.refreshes(), at.revoked()) == (1, 0)

    ended = members[1].ask("end", grant=grant)
    assert ended["access"] == [access_token]
    deadline = monotonic() + TRUSTED + MARGIN
    while not refused_everywhere(members, grant, "grant_ended"):
        assert monotonic() < deadline
        sleep(0.5)
    assert userinfo_status(at.op.issuer, access_token) == 200
    revoke(at.op.issuer, at.plan.client_id, ended["refresh"])
    assert userinfo_status(at.op.issuer, access_token) == 401
    assert (at.refreshes(), at.revoked()) == (1, 1)


def test_a_session_whose_answer_died_is_refused_everywhere(
    site: Callable[..., Site], interop_row: RecordRow
) -> None:
    interop_row(*KIND.row, "process killed with the answer: session refused")
    at = site("sqlite", guards=SHORT_GUARDS)
    left, killed, grant = logged_in_and_due(at)
    lost = killed.killed_at("answer", grant)
    assert userinfo_status(at.op.issuer, lost) == 200

    members = [left, at.begin()]
    assert refused_everywhere(members, grant, "invalid_grant")
    assert refused_everywhere(members, grant, "invalid_grant")
    assert userinfo_status(at.op.issuer, lost) == 401
    assert (at.refreshes(), at.revoked()) == (1, 1)


def test_the_end_of_a_session_reaches_tokens_that_nobody_has(
    site: Callable[..., Site], interop_row: RecordRow
) -> None:
    interop_row(*KIND.row, "process killed with the answer, session ended")
    at = site("sqlite", guards=SHORT_GUARDS)
    left, killed, grant = logged_in_and_due(at)
    lost = killed.killed_at("answer", grant)

    ended = left.ask("end", grant=grant)
    assert refused_everywhere([left, at.begin()], grant, "grant_ended")
    assert userinfo_status(at.op.issuer, lost) == 200
    revoke(at.op.issuer, at.plan.client_id, ended["refresh"])
    assert userinfo_status(at.op.issuer, lost) == 401
    assert (at.refreshes(), at.revoked()) == (1, 1)
