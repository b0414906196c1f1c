"""A worker of an application: a client, a store that it shares, and callers."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from socket import socketpair
from threading import Lock, Thread
from time import monotonic, time
from typing import Final

from attrs import evolve

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.machine.grants import Guards
from oidc_core.model.policy import DEFAULT_POLICY
from tests.processes.callers import Asking, AwaitingCallers, Callers, WaitingCallers
from tests.processes.messages import (
    Ask,
    Command,
    End,
    Held,
    Hello,
    Hold,
    Left,
    LoseAnswers,
    ProviderPlan,
    Quit,
    Release,
    Report,
    WorkerPlan,
)
from tests.processes.points import PointedGrants, PointedTransport, Points
from tests.processes.trace import Trace

CLIENT_ID: Final = "client"
CLIENT_SECRET: Final = "a-secret-of-64-octets-suits-HS512-as-well-" + 22 * "x"
REDIRECT_URI: Final = "http://127.0.0.1/callback"
SEALING_SECRET: Final = b"a sealing secret of 32 octets or so"

_PATIENCE: Final = 10.0
"""Seconds that a worker waits for its callers before it leaves."""


class SteppedClock:
    """The wall clock, as somebody may have set it."""

    def __init__(self) -> None:
        self.offset = 0

    def now(self) -> int:
        """Return the time."""
        return int(time()) + self.offset


def setup_of(plan: WorkerPlan) -> ClientSetup:
    """Return the settings of a client at the provider of a test."""
    return ClientSetup(
        issuer=plan.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uri=REDIRECT_URI,
        scope="openid offline_access",
        policy=evolve(DEFAULT_POLICY, resend_in_doubt=plan.resend),
    )


class Worker:
    """A client, and what the test does with it."""

    def __init__(self, plan: WorkerPlan) -> None:
        self._plan = plan
        self._lock = Lock()
        self._connection: Connection | None = None
        self._asking = list[Thread]()
        self._clock = SteppedClock()
        self._points = Points(lambda count: self._say(Held(count)))
        self._trace = Trace(plan.trace)
        transport = PointedTransport(
            Urllib3Transport(pool_size=64), self._points, self._trace, plan.linger
        )
        grants = PointedGrants(
            plan.place.opened(self._clock).records,
            SEALING_SECRET,
            trusted=plan.trusted,
            patience=plan.patience,
            guards=Guards(plan.claim, plan.send),
        )
        grants.pass_by(self._points, self._trace, Path(plan.down))
        kind = WaitingCallers if plan.kind == "threads" else AwaitingCallers
        self._callers: Callers = kind(setup_of(plan), transport, grants, self._clock, self._trace)

    def serve(self, connection: Connection, name: str) -> None:
        """Do what the test says, until it closes the connection or sends SIGTERM."""
        self._connection = connection
        self._trace.name = name
        told, tell = socketpair()
        tell.setblocking(False)
        signal.set_wakeup_fd(tell.fileno())  # a signal is told even if another thread has it
        signal.signal(signal.SIGTERM, lambda _number, _frame: None)
        self._trace.tell("begins")
        self._say(Hello(os.getpid()))
        with suppress(EOFError):
            while told not in wait([connection, told]):
                command: Command | Quit = connection.recv()
                if isinstance(command, Quit):
                    return
                self._obey(command)
        self._points.release()
        began = monotonic()
        self._trace.tell("closes")
        self._callers.close()
        self._trace.tell("has closed")
        seconds = monotonic() - began
        for thread in self._asking:
            thread.join(_PATIENCE)
        self._say(Left(seconds))

    def _obey(self, command: Command) -> None:
        if isinstance(command, Ask | End):
            self._asking.append(Thread(target=self._ask, args=(command,), daemon=True))
            self._asking[-1].start()
        elif isinstance(command, Hold):
            self._points.hold(command.point)
        elif isinstance(command, Release):
            self._points.release()
        elif isinstance(command, LoseAnswers):
            self._points.lose(command.point)
        else:
            self._trace.tell("wall clock", command.seconds)
            self._clock.offset = command.seconds

    def _ask(self, command: Ask | End) -> None:
        self._say(self._callers.all(_shared_out(command)))

    def _say(self, report: Report) -> None:
        with self._lock, suppress(BrokenPipeError):  # the test may have ended
            if self._connection is not None:
                self._connection.send(report)


def _shared_out(command: Ask | End) -> Sequence[Asking]:
    """Return what each caller does."""
    if isinstance(command, End):
        return [Asking(command.grants, end=True)]
    grants, callers = command.grants, range(command.callers)
    mine = [grants if command.each else grants[each :: command.callers] for each in callers]
    return [
        Asking(
            part,
            leeway=command.leeway,
            seed=command.seed * 1_000 + number,
            block=command.block,
            again=command.again,
            rounds=command.rounds,
            pace=command.pace,
        )
        for number, part in enumerate(mine)
    ]


def preloaded(plan: WorkerPlan | ProviderPlan) -> Worker | None:
    """Return a worker that is made before the fork, if the plan says so."""
    return Worker(plan) if isinstance(plan, WorkerPlan) and plan.preloaded else None


def run(connection: Connection, name: str, plan: WorkerPlan, prepared: Worker | None) -> None:
    """Work."""
    (prepared or Worker(plan)).serve(connection, name)
