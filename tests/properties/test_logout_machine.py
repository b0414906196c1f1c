"""Logins, logouts and time in any order, at two processes: exactly the right sessions end.

The model keeps, for each session and each logout, what the specifications and the provider's clock
say about them.  It knows nothing of the index.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar, Final, Literal

from attrs import define, evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import Redirect
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing import MISBEHAVIOURS, BackchannelLogout, InMemoryTransport, Session
from oidc_adapters.testing.transports import TellsTime
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import CallbackError
from oidc_core.wire.http import Answer, HttpResponse, WireRequest
from tests.adapters.clients.logging_out import CLIENT, Application, code_of
from tests.adapters.stores.records.plugged import PluggedRecords
from tests.flows.rig import NOW, SEALING_SECRET, honest_provider, returning, setup_for
from tests.indexed import at_call, quiet
from tests.strategies import logout_misbehaviours

USERS: Final = ("alice", "bob")
PROCESSES: Final = st.integers(0, 1)
SECONDS: Final = st.sampled_from((0, 1, 1, 5, 61, 170, 400))
NAMES: Final = st.sampled_from(("sub", "sid", "both", "of another session", "of another user"))
Verdict = Literal["ends", "lives", "either"]


@define(eq=False)
class Held:
    """A session, as the model knows it.

    Attributes:
        grant_id, sub, sid: its names.
        issued: when its ID token was issued, by the clock of the provider.
        began: when its login began, by the clock of the application.
        state: ``perhaps`` it has ended, if a logout that covers it was broken off.
        left: whether its user left it.
        told: whether the application must have heard of its end.
    """

    grant_id: str
    sub: str
    sid: str
    issued: int
    began: int
    state: Literal["alive", "ended", "perhaps"] = "alive"
    left: bool = False
    told: bool = False


@define(eq=False)
class Told:
    """A logout of the provider; ``made`` is when it was issued, by the application's clock."""

    sent: BackchannelLogout | None
    sub: str | None
    sid: str | None
    issued: int
    made: int
    came: int = 0
    state: Literal["new", "begun", "used"] = "new"

    def verdict(self, sub: str, sid: str, issued: int, began: int) -> Verdict:
        """Say what becomes of a session, once the logout has come."""
        if self.sub not in {None, sub} or self.sid not in {None, sid}:
            return "lives"
        if issued <= self.issued or began < min(self.issued, self.made):
            return "ends"
        return "lives" if began >= min(self.issued, self.came) else "either"


@define(eq=False)
class Flight:
    """A login that has begun."""

    page: Redirect
    process: int
    began: int


@define
class OtherClock:
    """The clock of the provider."""

    clock: TellsTime
    ahead: int

    def now(self) -> int:
        return self.clock.now() + self.ahead


class DistantTransport(InMemoryTransport):
    """A transport to a provider whose clock is another."""

    ahead = 0

    def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        answer = super().send(request, OtherClock(clock, self.ahead))
        if isinstance(answer, HttpResponse):
            return evolve(answer, received_at=clock.now())
        return answer


class LogoutMachine(RuleBasedStateMachine):
    """One application in two processes that share a store, and its provider."""

    flights: Bundle[Flight] = Bundle("flights")
    logouts: Bundle[Told] = Bundle("logouts")
    counts: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.sessions: list[Held] = []
        self.arrived: list[Told] = []
        self.browsers: list[Session] = []
        self.provider = honest_provider(clients=(CLIENT,))
        self.clock, self.application = FrozenClock(NOW), Application()
        memory = MemoryRecords(clock=self.clock, elapsed=lambda: float(self.clock.now()))
        self.records = PluggedRecords(memory)
        self.transport = DistantTransport(self.provider)
        end = self.application.end_session
        self.index = SessionIndex(self.records, SEALING_SECRET, end_session=end)
        self.clients = [self._client(), self._client()]

    def _client(self) -> OidcClient:
        end = self.application.end_session
        return OidcClient(
            setup_for(self.provider, policy=Policy(userinfo="never")),
            MemoryPendingLogins(),
            transport=self.transport,
            clock=self.clock,
            grants=Grants(self.records, SEALING_SECRET, trusted=0),
            sessions=SessionIndex(self.records, SEALING_SECRET, end_session=end),
        )

    @initialize(ahead=st.sampled_from((0, 0, -20, 20)), process=PROCESSES)
    def begin(self, ahead: int, process: int) -> None:
        """Set the provider's clock, and log two users in."""
        self.transport.ahead = ahead
        for user in USERS:
            self._finish(self._start(process), user, None)

    # --- logins ----------------------------------------------------------------------------------

    @precondition(lambda self: len(self.sessions) < 12)
    @rule(process=PROCESSES, user=st.sampled_from(USERS), data=st.data())
    def log_in(self, process: int, user: str, data: st.DataObject) -> None:
        """Log in at once, perhaps in a browser whose user is signed in at the provider."""
        at = data.draw(st.none() | st.sampled_from(self.browsers))
        self._finish(self._start(process), user, at)

    @rule(target=flights, process=PROCESSES)
    def start(self, process: int) -> Flight:
        return self._start(process)

    @rule(flight=consumes(flights), user=st.sampled_from(USERS), data=st.data())
    def finish(self, flight: Flight, user: str, data: st.DataObject) -> None:
        """Finish a login, with all that came since it began."""
        if self.clock.now() - flight.began > 500:
            return  # it has expired
        self._finish(flight, user, data.draw(st.none() | st.sampled_from(self.browsers)))

    @rule(process=PROCESSES, seconds=SECONDS, name=NAMES, later=SECONDS)
    def log_out_meanwhile(self, process: int, seconds: int, name: str, later: int) -> None:
        """Let a logout come between the start and the end of a login."""
        about, flight = self.sessions[0], self._start(process)
        browser = next(each for each in self.browsers if each.sid == about.sid)
        self.clock.advance(seconds)
        told = self._issued(about, name)
        self._post(told, 1 - process)
        self.clock.advance(min(later, 60))
        self._finish(flight, about.sub, browser)

    def _start(self, process: int) -> Flight:
        return Flight(self.clients[process].start_login(), process, self.clock.now())

    def _finish(self, flight: Flight, user: str, at: Session | None) -> None:
        issued = self.clock.now() + self.transport.ahead
        response = self.provider.authorize(flight.page.url, issued, user=user, session=at)
        assert response.session is not None
        browser, held = response.session, Counter[Verdict]()
        self.browsers.append(browser)
        for told in self.arrived:
            verdict = told.verdict(browser.sub, browser.sid, issued, flight.began)
            sure = told.state == "used" and told.sent is not None
            held["either" if verdict == "ends" and not sure else verdict] += 1
        header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in flight.page.cookies)
        result, code = None, ""
        try:
            result = self.clients[flight.process].finish_login(response.incoming(header))
        except CallbackError as error:
            code = error.code
        if result is None:
            assert code == "session_ended"
            assert held["ends"] or held["either"]
            self.counts["a login refused"] += 1
            return
        assert not held["ends"]
        session = Held(result.grant_id, browser.sub, browser.sid, issued, flight.began)
        self.sessions.append(session)

    # --- logouts of the provider -----------------------------------------------------------------

    @rule(target=logouts, name=NAMES, data=st.data())
    def issue(self, name: str, data: st.DataObject) -> MultipleResults[Told]:
        """Let the provider sign a logout token, which comes later or never."""
        return multiple(self._issued(data.draw(st.sampled_from(self.sessions)), name))

    @rule(target=logouts, name=NAMES, process=PROCESSES, data=st.data())
    def log_out(self, name: str, process: int, data: st.DataObject) -> Told:
        """Let it come at once; it may come again."""
        told = self._issued(data.draw(st.sampled_from(self.sessions)), name)
        assert self._post(told, process) == 200
        return told

    @rule(told=logouts, process=PROCESSES, seconds=SECONDS)
    def post(self, told: Told, process: int, seconds: int) -> None:
        """Let it come late, or again."""
        self.clock.advance(seconds)
        was, age = told.state, self.clock.now() - told.made
        status = self._post(told, process)
        if was == "used" or age > 300:
            assert status == 400
            self.counts["a repeat refused" if was == "used" else "too old"] += 1
        elif age <= 100:
            assert status == 200
            self.counts["a logout resumed" if was == "begun" else "came late"] += 1

    @rule(target=logouts, name=NAMES, process=PROCESSES, call=st.integers(0, 30), data=st.data())
    def break_off(self, name: str, process: int, call: int, data: st.DataObject) -> Told:
        """Let a call of the store fail while the sessions of a logout end."""

        def fail() -> None:
            message = "the store is away"
            raise ConnectionError(message)

        told = self._issued(data.draw(st.sampled_from(self.sessions)), name)
        at_call(self.records, call, fail)
        status = self._post(told, process)
        self.records.before = quiet
        self.counts["broken off"] += status == 503
        return self._resumed(told, data)

    @rule(target=logouts, name=NAMES, process=PROCESSES, data=st.data())
    def fail(self, name: str, process: int, data: st.DataObject) -> Told:
        """Let the application fail to end a session: the logout is not done then."""
        session = data.draw(st.sampled_from(self.sessions))
        told, alive = self._issued(session, name), session.state == "alive"
        self.application.failing = {session.grant_id}
        status = self._post(told, process)
        self.application.failing = set()
        if alive and not name.startswith("of another"):
            assert status == 503
            assert session.grant_id not in self.application.ended
            self.counts["the application failed"] += 1
        return self._resumed(told, data)

    def _resumed(self, told: Told, data: st.DataObject) -> Told:
        """Let a logout that was broken off come again at once, perhaps at the other process."""
        if told.state != "used" and data.draw(st.booleans()):
            self.post(told, data.draw(PROCESSES), 0)
        return told

    @rule(name=logout_misbehaviours(), by=NAMES, process=PROCESSES, data=st.data())
    def misbehave(self, name: str, by: str, process: int, data: st.DataObject) -> None:
        """Let a bad logout token come: it ends nothing, and the next good one holds."""
        session, now = data.draw(st.sampled_from(self.sessions)), self.clock.now()
        self.provider.misbehave = name
        sent = self.provider.backchannel_logout(
            now + self.transport.ahead, **_named(session.sub, session.sid, by)
        )
        self.provider.misbehave = None
        reply = self.clients[process].backchannel_logout(sent.incoming())
        if reply.status != 503:  # the keys of a stranger are not asked for again and again
            assert reply.status == 400
            assert MISBEHAVIOURS[name].code in reply.body.decode()
            self.counts["a bad token"] += 1

    @rule(process=PROCESSES, ours=st.booleans(), data=st.data())
    def load_frame(self, process: int, ours: bool, data: st.DataObject) -> None:
        """Let a frame end a session: it needs no signature, so ``sid`` must be the right one."""
        now, sid = self.clock.now(), "a sid that nobody has"
        urls = self.provider.frontchannel_logout_urls(sid)
        if ours:
            sid = data.draw(st.sampled_from(self.sessions)).sid
            urls = self.provider.frontchannel_logout_urls(sid)
        for url in urls:
            reply = self.clients[process].frontchannel_logout(returning(url))
            assert reply.status == 200
            made = now - max(0, self.transport.ahead)
            told = Told(None, None, sid, now, made, now, "used")
            self._covered(told)
            self.counts["a frame"] += 1

    def _issued(self, about: Held, name: str) -> Told:
        now = self.clock.now()
        issued, named = now + self.transport.ahead, _named(about.sub, about.sid, name)
        sent = self.provider.backchannel_logout(issued, **named)
        return Told(sent, named.get("sub"), named.get("sid"), issued, now)

    def _post(self, told: Told, process: int) -> int:
        """Post a logout token; what it covers has ended after 200, and perhaps after 503."""
        assert told.sent is not None
        reply = self.clients[process].backchannel_logout(told.sent.incoming())
        assert reply.status in {200, 400, 503}
        if reply.status == 400:
            return 400
        assert told.state != "used"
        told.came = told.came or self.clock.now()
        told.state = "used" if reply.status == 200 else "begun"
        self._covered(told)
        return reply.status

    def _covered(self, told: Told) -> None:
        if told not in self.arrived:
            self.arrived.append(told)
        for session in self.sessions:
            verdict = told.verdict(session.sub, session.sid, session.issued, session.began)
            if session.state == "ended" or verdict == "lives":
                continue
            sure = verdict == "ends" and told.state == "used"
            session.state = "ended" if sure else "perhaps"
            session.told = sure and not session.left
            self.counts["a session ended"] += sure

    # --- logouts of the user, and time -----------------------------------------------------------

    @rule(process=PROCESSES, returns=st.booleans(), data=st.data())
    def leave(self, process: int, returns: bool, data: st.DataObject) -> None:
        """Let a user log out."""
        session = data.draw(st.sampled_from(self.sessions))
        client, was, session.left = self.clients[process], session.state, True
        page = client.start_logout(session=session.grant_id)
        if was == "alive":  # another one may be in the index until its logout comes again
            session.state = "ended"
        place = self.provider.end_session(page.url, self.clock.now())
        if returns and place is not None:
            cookie = "; ".join(f"{each.name}={each.value}" for each in page.cookies)
            client.finish_logout(returning(place, cookie))
        self.counts["a user left"] += was == "alive"

    @rule(seconds=SECONDS)
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    # --- what has to hold ------------------------------------------------------------------------

    @invariant()
    def the_right_sessions_have_ended(self) -> None:
        connection, issuer = self.clients[0].rp.connection, self.provider.issuer
        by_sub = {u: _ids(self.index.of_subject(connection, issuer, u)) for u in USERS}
        sids = {each.sid for each in self.sessions}
        by_sid = {s: _ids(self.index.of_sid(connection, issuer, s)) for s in sids}
        ended = {*self.application.ended}
        for number, session in enumerate(self.sessions):
            if session.state == "perhaps":
                continue
            lives = session.state == "alive"
            name, tokens = session.grant_id, self.clients[number % 2].tokens(session.grant_id)
            assert code_of(tokens.fresh) == ("" if lives else "grant_ended")
            assert (name in by_sub[session.sub], name in by_sid[session.sid]) == (lives, lives)
            assert name not in ended if lives else name in ended or not session.told


def _ids(sessions: tuple[Any, ...]) -> set[str]:
    return {each.session_id for each in sessions}


def _named(sub: str, sid: str, name: str) -> dict[str, str]:
    """Return what a logout token names."""
    if name == "of another session":
        return {"sub": sub, "sid": "a sid that nobody has"}
    if name == "of another user":
        return {"sub": next(user for user in USERS if user != sub), "sid": sid}
    return {"sub": {"sub": sub}, "sid": {"sid": sid}, "both": {"sub": sub, "sid": sid}}[name]


REACHED: Final = {
    "a login refused",
    "a session ended",
    "a repeat refused",
    "a logout resumed",
    "came late",
    "too old",
    "broken off",
    "the application failed",
    "a bad token",
    "a frame",
    "a user left",
}


def test_exactly_the_right_sessions_end() -> None:
    LogoutMachine.counts.clear()

    run_state_machine_as_test(LogoutMachine)

    reached = {name for name, count in LogoutMachine.counts.items() if count}
    assert reached <= REACHED
    if settings().max_examples >= 200:
        assert reached == REACHED
