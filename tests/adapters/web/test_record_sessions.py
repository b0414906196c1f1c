"""Sessions in a store: their cookie, their end, and their age."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve, field, frozen

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.pending.cookies import CookieProfile
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.web.record_sessions import AsyncRecordSessions, RecordSessions
from oidc_adapters.web.requests import WebRequest
from oidc_adapters.web.sessions import WebSession
from oidc_core.model.claims import Identity
from oidc_core.model.connection import Connection
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import CallbackError, StoreFailure, UsageError
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords
from tests.adapters.web.visiting import KINDS
from tests.flows.mixing import settled
from tests.flows.rig import NOW, SEALING_SECRET
from tests.parties import refused

CONNECTION: Final = Connection("https://op.example", "client", "", "endpoints", "policy")
LIFETIME: Final = 86_400
IDLE: Final = 21_600


def session(session_id: str, **changed: Any) -> WebSession:
    members: dict[str, Any] = {
        "session_id": session_id,
        "identity": Identity("https://op.example", "alice"),
        "claims": {"name": "Alice"},
        "connection": CONNECTION,
        "grant_id": "grant",
        "began_at": NOW,
    }
    return WebSession(**{**members, **changed})


def brings(*cookies: SetCookie) -> WebRequest:
    header = "; ".join(f"{each.name}={each.value}" for each in cookies)
    return WebRequest.of("GET", "/", headers=[("cookie", header)])


@frozen(kw_only=True)
class Store:
    awaits: bool = False
    clock: FrozenClock = field(factory=lambda: FrozenClock(NOW))
    records: PluggedRecords = field(factory=PluggedRecords)
    named: dict[str, Any] = field(factory=dict[str, Any])

    @classmethod
    def of(cls, *, awaits: bool = False, **named: Any) -> Store:
        clock = FrozenClock(NOW)
        memory = MemoryRecords(clock=clock, elapsed=lambda: float(clock.now()))
        return cls(awaits=awaits, clock=clock, records=PluggedRecords(memory), named=named)

    @property
    def sessions(self) -> Any:
        records: Any = AwaitedRecords(self.records) if self.awaits else self.records
        kind: Any = AsyncRecordSessions if self.awaits else RecordSessions
        return kind(records, *self.named.get("secrets", (SEALING_SECRET,)), **self.settings)

    @property
    def settings(self) -> dict[str, Any]:
        return {name: value for name, value in self.named.items() if name != "secrets"}

    def begin(self, replaced: WebSession | None = None, **changed: Any) -> SetCookie:
        sessions = self.sessions
        new = session(sessions.reserve(), **changed)
        (cookie,) = settled(sessions.begin(new, replaced))
        assert isinstance(cookie, SetCookie)
        return cookie

    def read(self, *cookies: SetCookie) -> Any:
        return settled(self.sessions.read(brings(*cookies)))


@KINDS
def test_a_session_comes_back_by_its_cookie(awaits: bool) -> None:
    store = Store.of(awaits=awaits)
    cookie = store.begin()
    found = store.read(cookie)

    assert found == session(found.session_id, until=NOW + LIFETIME)
    assert cookie.header.startswith("__Host-session=")
    assert cookie.header.endswith("; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax; Secure")
    assert len(cookie.header) < 250
    assert found.session_id not in cookie.header


def test_the_store_learns_neither_the_cookie_nor_the_user() -> None:
    store = Store.of()
    kept = dict[str, str]()
    store.records.before = lambda _name, key: kept.setdefault("key", key)
    cookie = store.begin()
    found = store.records.read(kept["key"]) or store.records.read(
        f"web-session:{store.read(cookie).session_id}"
    )

    assert found is not None
    assert "alice" not in found.value
    assert cookie.value not in found.value


def test_a_cookie_of_a_stranger_costs_no_call_of_the_store() -> None:
    store, other = Store.of(), Store.of(secrets=(b"another secret of 32 octets or more",))
    foreign, own = other.begin(), store.begin()
    store.records.calls.clear()

    assert store.read(foreign) is None
    assert store.read(own._replace(value=own.value[:-2] + "AA")) is None
    assert store.read(own, own) is None
    assert store.read() is None
    assert store.records.calls == []


def test_a_secret_is_replaced() -> None:
    new = b"a newer secret of 32 octets or more"
    store = Store.of()
    cookie = store.begin()
    rotated = evolve(store, named={"secrets": (new, SEALING_SECRET)})

    assert rotated.read(cookie) is not None
    assert evolve(store, named={"secrets": (new,)}).read(cookie) is None


@KINDS
def test_a_session_ends_at_its_age(awaits: bool) -> None:
    store = Store.of(awaits=awaits)
    cookie = store.begin()
    for _ in range(4):
        store.clock.advance(IDLE - 1)
        assert store.read(cookie) is not None
    store.clock.advance(4)

    assert store.read(cookie) is None


def test_a_session_without_requests_ends() -> None:
    store = Store.of()
    cookie = store.begin()
    store.clock.advance(IDLE)

    assert store.read(cookie) is None


def test_the_provider_may_end_it_sooner() -> None:
    store = Store.of()
    cookie = store.begin(until=NOW + 60)

    assert cookie.max_age == 60
    assert store.read(cookie).until == NOW + 60
    store.clock.advance(60)
    assert store.read(cookie) is None


@KINDS
def test_a_session_whose_time_has_passed_does_not_begin(awaits: bool) -> None:
    store = Store.of(awaits=awaits)

    refused(CallbackError, "session_ended", lambda: store.begin(until=NOW))


def test_the_last_request_is_written_now_and_then() -> None:
    store = Store.of(idle=800)
    cookie = store.begin()
    store.records.calls.clear()
    for _ in range(40):
        store.clock.advance(20)
        assert store.read(cookie) is not None

    assert store.records.calls.count("replace") == 8


def test_a_session_is_there_though_its_last_request_cannot_be_written() -> None:
    store = Store.of()
    cookie = store.begin()
    store.clock.advance(IDLE // 2)

    def away(name: str, _key: str) -> None:
        if name == "replace":
            raise ConnectionError

    store.records.before = away
    assert store.read(cookie) is not None


@KINDS
def test_an_end_is_final_whether_before_or_after(awaits: bool) -> None:
    store = Store.of(awaits=awaits)
    sessions = store.sessions
    late = sessions.reserve()
    settled(sessions.end(late))
    refused(CallbackError, "session_ended", lambda: settled(sessions.begin(session(late), None)))
    cookie = store.begin()
    name = store.read(cookie).session_id
    settled(sessions.end(name))
    settled(sessions.end(name))

    assert store.read(cookie) is None


def test_an_end_that_meets_a_beginning_wins() -> None:
    store = Store.of()
    sessions = store.sessions
    name, begun = sessions.reserve(), list[Any]()

    def meanwhile(call: str, _key: str) -> None:
        if call == "create" and not begun:
            begun.append(None)
            begun.extend(sessions.begin(session(name), None))

    store.records.before = meanwhile
    sessions.end(name)

    assert store.read(begun[1]) is None


def test_an_end_that_meets_a_request_wins() -> None:
    store = Store.of()
    cookie = store.begin()
    name = store.read(cookie).session_id
    store.clock.advance(IDLE // 2)
    once = [cookie]

    def meanwhile(call: str, _key: str) -> None:
        if call == "remove" and once:
            assert store.read(once.pop()) is not None

    store.records.before = meanwhile
    store.sessions.end(name)

    assert store.read(cookie) is None


def test_an_end_does_not_try_forever() -> None:
    store = Store.of()
    cookie = store.begin()
    name = store.read(cookie).session_id
    sessions = RecordSessions(Stubborn(store.records.records), SEALING_SECRET)

    refused(StoreFailure, "store_unavailable", lambda: sessions.end(name))


class Stubborn(PluggedRecords):
    """Removes nothing."""

    def remove(self, key: str, expected: str, /) -> bool:
        del key, expected
        return False


def test_a_name_of_somebody_else_is_no_matter() -> None:
    store = Store.of()
    for name in ("", "grant:1", 43 * "\u00e9", 43 * " "):
        store.sessions.end(name)

    assert store.records.calls == []


def test_a_session_that_is_replaced() -> None:
    store = Store.of()
    first = store.begin()
    second = store.begin(store.read(first))
    assert store.read(first) is not None
    store.clock.advance(30)
    assert store.read(first) is None

    third = store.begin(store.read(second), identity=Identity("https://op.example", "bob"))

    assert store.read(second) is None
    assert store.read(third).identity.subject == "bob"


def test_a_replaced_session_that_changes_meanwhile_ends_at_once() -> None:
    store = Store.of()
    first = store.begin()
    found, once = store.read(first), [first]
    store.clock.advance(IDLE // 2)

    def meanwhile(call: str, _key: str) -> None:
        if call == "replace" and once:
            store.read(once.pop())

    store.records.before = meanwhile
    store.begin(found)

    assert store.read(first) is None


def test_a_session_that_is_gone_is_replaced_too() -> None:
    store = Store.of()
    first = store.begin()
    found = store.read(first)
    store.sessions.end(found.session_id)

    assert store.read(store.begin(found)) is not None


@KINDS
def test_a_store_that_fails(awaits: bool) -> None:
    store = Store.of(awaits=awaits)
    cookie = store.begin()
    name = store.read(cookie).session_id

    def away(_name: str, _key: str) -> None:
        raise ConnectionError

    store.records.before = away
    sessions = store.sessions
    for call in (
        lambda: store.read(cookie),
        lambda: settled(sessions.end(name)),
        lambda: settled(sessions.begin(session(sessions.reserve()), None)),
    ):
        refused(StoreFailure, "store_unavailable", call)


def test_development_on_loopback() -> None:
    store = Store.of(profile=CookieProfile(prefix="session", secure=False))
    cookie = store.begin()

    assert cookie.header.startswith("session=")
    assert "Secure" not in cookie.header
    assert store.read(cookie) is not None
    assert store.sessions.forgotten() == (SetCookie("session", "", 0, "Lax", False),)


def test_settings_are_judged() -> None:
    records = MemoryRecords()
    wrong: Any = "wrong"
    for call in (
        lambda: RecordSessions(records),
        lambda: RecordSessions(records, "short"),
        lambda: RecordSessions(wrong, SEALING_SECRET),
        lambda: RecordSessions(records, SEALING_SECRET, lifetime=0),
        lambda: RecordSessions(records, SEALING_SECRET, idle=0),
        lambda: RecordSessions(records, SEALING_SECRET, profile=wrong),
    ):
        made: Any = call
        refused(UsageError, "config_invalid", made)
    sessions: Any = RecordSessions(records, SEALING_SECRET)
    for call in (
        lambda: sessions.end(1),
        lambda: sessions.read("request"),
        lambda: sessions.named(1),
        lambda: sessions.begin("session", None),
    ):
        refused(UsageError, "parameter_invalid", call)
    assert repr(sessions) == "RecordSessions()"


@KINDS
def test_a_session_by_its_name(awaits: bool) -> None:
    store = Store.of(awaits=awaits)
    name = store.sessions.reserve()
    settled(store.sessions.begin(session(name), None))

    assert settled(store.sessions.named(name)).session_id == name
    assert settled(store.sessions.named("a name of somebody else")) is None
    settled(store.sessions.end(name))
    assert settled(store.sessions.named(name)) is None
