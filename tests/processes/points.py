"""The places in an exchange where a test holds a process, fails its store, or loses an answer."""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock
from time import sleep
from typing import Final

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.stores.grants import Grants, Held, Key
from oidc_adapters.stores.records import AsyncRecords, Times
from oidc_adapters.transport import Transport
from oidc_core.model.grants import GrantRecord
from oidc_core.wire.errors import StoreFailure
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest
from tests.processes.messages import Point, Step
from tests.processes.trace import Trace

LONGEST: Final = 60.0
"""Seconds for which an exchange is held at most."""

_REFRESH: Final = b"grant_type=refresh_token"


class Points:
    """What happens at the points of this process.

    Args:
        told: is told how many exchanges stand at the point.
    """

    def __init__(self, told: Callable[[int], None]) -> None:
        self._told = told
        self._lock = Lock()
        self._held: Point | None = None
        self._standing = 0
        self._open = Event()
        self._lose: Point | None = None
        self._lost: set[str] = set()

    def hold(self, point: Point) -> None:
        """Hold each exchange that comes to a point."""
        self._open.clear()
        self._held, self._standing = point, 0

    def release(self) -> None:
        """Let them go on."""
        self._held = None
        self._open.set()

    def lose(self, point: Point) -> None:
        """Lose the answer of one write for each grant, or fail before it."""
        self._lose = point

    def reach(self, step: Step, when: str) -> None:
        """Come to a point."""
        if self._held != (step, when):
            return
        with self._lock:
            self._standing += 1
            self._told(self._standing)
        self._open.wait(LONGEST)

    def fail(self, name: str, step: Step, when: str) -> None:
        """Raise what a client gets of a store that fails, once for each grant.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        if self._lose != (step, when):
            return
        with self._lock:
            if name in self._lost:
                return
            self._lost.add(name)
        raise StoreFailure("store_unavailable", about="grants", cause="lost")


class PointedGrants(Grants):
    """Grants whose writes pass the points."""

    points: Points
    trace: Trace
    down: Path

    seen: dict[str, GrantRecord]

    def pass_by(self, points: Points, trace: Trace, down: Path) -> None:
        """Set what writes pass: the points, and a file that means that nothing can be reached."""
        self.points, self.trace, self.down = points, trace, down
        self.seen = {}

    async def read(self, records: AsyncRecords, of: Key) -> Held:
        """Read a grant, unless the store cannot be reached."""
        self._reach()
        held = await super().read(records, of)
        if held.record is not None:
            self.seen[held.record.version] = held.record
        return held

    async def times(self, records: AsyncRecords) -> Times:
        """Return the times, unless the store cannot be reached."""
        self._reach()
        return await super().times(records)

    async def replace(
        self, records: AsyncRecords, of: Key, expected: str, new: GrantRecord
    ) -> bool:
        """Pass a point, write, and pass another one."""
        step = _step(self.seen.get(expected), new)
        about = (of.name, step or "write", new.state, f"generation={new.generation}")
        self.trace.tell(*about, f"sends={new.sends}", "begins")
        if step is not None:
            self.points.reach(step, "before")
            self.points.fail(of.name, step, "before")
        self._reach()
        written = await super().replace(records, of, expected, new)
        self.trace.tell(*about, "written" if written else "lost the race")
        if written:
            self.seen[new.version] = new
        self.seen.pop(expected, None)
        if step is not None:
            self.points.reach(step, "after")
            self.points.fail(of.name, step, "after")
        return written

    def _reach(self) -> None:
        if self.down.exists():
            raise StoreFailure("store_unavailable", about="grants", cause="down")


def _step(before: GrantRecord | None, new: GrantRecord) -> Step | None:
    """Return which step of an exchange a write is."""
    if new.state == "claimed":
        return "claim"
    if new.state == "sending":
        return "mark"
    if before is None:
        return None
    if (new.parent, new.born) != (before.parent, before.born):
        return "store"
    return "verify" if before.state == "unverified" else None


class PointedTransport:
    """A transport whose exchanges of refresh tokens pass the points."""

    def __init__(self, inner: Transport, points: Points, trace: Trace, linger: float) -> None:
        self._inner, self._points, self._trace, self._linger = inner, points, trace, linger

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request."""
        if _REFRESH not in (request.body or b""):
            return self._inner.send(request, clock)
        self._points.reach("send", "before")
        self._trace.tell("sends a refresh token")
        answer = self._inner.send(request, clock)
        status = answer.status if isinstance(answer, HttpResponse) else answer.code
        self._trace.tell("was answered", status)
        self._points.reach("send", "after")
        sleep(self._linger)
        return answer
