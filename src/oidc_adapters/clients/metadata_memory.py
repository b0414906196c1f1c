"""The metadata of a provider that a client has read, when it read it, and the relying party of it.

The policy :mod:`oidc_core.machine.metadata_fetching` decides when metadata is read; here is its
memory.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from typing import Final, Generic, NamedTuple, TypeVar, cast

from attrs import evolve

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.shell import AsyncShell, Shell
from oidc_adapters.runtime.events import Events, MetadataRead, MetadataRefused, MetadataReplaced
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.runtime.single_flight import SingleFlight
from oidc_adapters.stores.answers_in_records import WAIT
from oidc_adapters.stores.kept_answer import Kept
from oidc_adapters.stores.metadata_in_records import RecordMetadata
from oidc_adapters.stores.records.both import at_once
from oidc_adapters.stores.records.callers import Side
from oidc_core.machine.metadata_fetching import (
    RENEWAL_DEADLINE,
    MetadataRecord,
    has_failed,
    has_read,
    is_due,
    last_failure,
)
from oidc_core.machine.steps import Done, Exchange, resume
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import discovery
from oidc_core.wire.errors import OidcError, TransportFailure
from oidc_core.wire.http import DEADLINE, AnswerTo, HttpRequest, HttpResponse

S = TypeVar("S", Shell, AsyncShell)

METADATA: Final = "metadata"
PATIENCE: Final = DEADLINE + WAIT + 1
"""Seconds that are waited for somebody else's reading."""

_READING: Final = FailsClosed(METADATA)
_BETWEEN_CLOCKS: Final = 1
"""Seconds by which one and the same reading may seem newer when it is looked at again."""


class Ready(NamedTuple, Generic[S]):
    """The parts that an operation runs with, to its end."""

    rp: RelyingParty
    shell: S


class _Kept(NamedTuple, Generic[S]):
    """The metadata that was read, and the values made from it; replaced as one."""

    record: MetadataRecord
    ready: Ready[S]


class MetadataMemory(Generic[S]):
    """The memory of metadata of one client."""

    __slots__ = ("_events", "_flights", "_kept", "_process", "_setup", "_shared", "_unknown")

    def _remember(
        self,
        rp: RelyingParty,
        shell: S,
        setup: ClientSetup | None,
        metadata: RecordMetadata | None,
        events: Events | None,
    ) -> None:
        """Begin with the configured values.

        Args:
            rp: the relying party; without metadata, where that is discovered.
            shell: the world.
            setup: the settings, where metadata is discovered.
            metadata: a store of metadata that processes share.
            events: where a reading is told.
        """
        self._events = events
        self._setup = setup
        self._shared = metadata
        if setup is not None:
            discovery.discover(rp)  # refuses settings with which there is nothing to ask
        if events is not None:
            shell = copy(shell)  # several clients may be given one
            shell.events = events
        self._unknown = rp
        self._kept: _Kept[S] = _Kept(MetadataRecord(), Ready(rp, shell))
        self._flights = SingleFlight[None]()
        self._process = ProcessLock()

    def _has_to_wait(self, setup: ClientSetup, ready: Ready[S]) -> bool:
        """Return whether there is metadata to read, or to wait for before the first use."""
        under_way = METADATA in self._flights
        record = self._kept.record  # after the flights: one that just ended has written it
        if under_way:
            return record.rp is None
        return is_due(record, setup.metadata_max_age, ready.shell.clock.now())

    def _outcome(self, ready: Ready[S]) -> Ready[S]:
        """Return the result of a reading, the caller's own or somebody else's."""
        record, now_ready = self._kept
        if record.rp is not None:
            return now_ready
        failure = last_failure(record, ready.shell.clock.now())
        raise TransportFailure("http_timeout", about=METADATA) if failure is None else failure

    def _read(self: "MetadataMemory[Shell]", setup: ClientSetup, ready: Ready[Shell]) -> None:
        async def send(request: HttpRequest) -> AnswerTo:
            return ready.shell.send(request)

        side = None if self._shared is None else self._shared.waiting
        at_once(self._reading(setup, ready, side, send))

    async def _read_async(
        self: "MetadataMemory[AsyncShell]", setup: ClientSetup, ready: Ready[AsyncShell]
    ) -> None:
        side = None if self._shared is None else self._shared.awaiting
        await self._reading(setup, ready, side, ready.shell.send)

    async def _reading(
        self,
        setup: ClientSetup,
        ready: Ready[S],
        side: Side | None,
        send: Callable[[HttpRequest], Awaitable[AnswerTo]],
    ) -> None:
        """Read the metadata, from the shared store where there is one, or from the provider."""
        step, clock = self._step(setup, ready), ready.shell.clock
        if step is None:
            return

        async def ask() -> HttpResponse | None:
            given = await send(step.request)
            self._has_read(setup, step, given, clock.now())
            return given.answer if isinstance(given.answer, HttpResponse) else None

        def take(kept: Kept) -> bool:
            return self._taken(setup, step, kept, clock.now())

        try:
            with self._shielded():
                if self._shared is None or side is None:
                    await ask()
                else:
                    rp, age = self._unknown, setup.metadata_max_age
                    await self._shared.through(
                        side, rp, step.request, take, ask, clock=clock, max_age=age
                    )
        except OidcError as error:
            self._has_failed(error)

    def _taken(
        self, setup: ClientSetup, step: Exchange[RelyingParty], kept: Kept, now: int
    ) -> bool:
        """Take a document that some process read; return whether it is enough.

        A document that is not newer does not count: a token may contradict the metadata of the
        client, and only a newer document can settle this.
        """
        record, read_at = self._kept.record, now - kept.age
        if record.rp is not None and read_at <= record.read_at + _BETWEEN_CLOCKS:
            return False
        try:
            self._has_read(setup, step, AnswerTo(step.request, kept.response), read_at)
        except OidcError:
            return False
        return not is_due(self._kept.record, setup.metadata_max_age, now)

    def _shielded(self) -> AbstractContextManager[None]:
        """Shield logins from exceptions of a transport, while older metadata is there."""
        return nullcontext() if self._kept.record.rp is None else _READING

    def _step(self, setup: ClientSetup, ready: Ready[S]) -> Exchange[RelyingParty] | None:
        """Return how to begin, unless somebody was quicker, or failed just now."""
        record = self._kept.record
        if not is_due(record, setup.metadata_max_age, ready.shell.clock.now()):
            return None
        step = discovery.discover(self._unknown, again=record.rp is not None)
        if record.rp is None:
            return step
        return evolve(step, request=evolve(step.request, deadline=RENEWAL_DEADLINE))

    def _has_read(
        self, setup: ClientSetup, step: Exchange[RelyingParty], given: AnswerTo, read_at: int
    ) -> None:
        """Take metadata that is believed; a document that says the same replaces nothing.

        Raises:
            OidcError: it is not believed.
            UsageError: it contradicts the client's settings.
        """
        # One request and its answer are the whole of it.
        rp = cast("Done[RelyingParty]", resume(self._unknown, step, given)).result
        shell = copy(self._kept.ready.shell)
        shell.credentials = setup.credentials(rp)
        with self._process.lock:
            before, ready = self._kept
            record = has_read(before, rp, read_at)
            self._unknown = evolve(self._unknown, auth_method_before=rp.auth_method)
            if record.rp is not before.rp:
                ready = Ready(rp, shell)
            self._kept = _Kept(record, ready)
        if self._events is None or record.rp is before.rp:
            return
        if before.rp is None:
            self._events.tell(MetadataRead)
        else:
            moved = rp.connection.endpoints_digest != before.rp.connection.endpoints_digest
            self._events.tell(MetadataReplaced, endpoints_moved=moved)

    def _has_failed(self, error: OidcError) -> None:
        with self._process.lock:
            before, ready = self._kept
            record = has_failed(before, error, ready.shell.clock.now())
            self._kept = _Kept(record, ready)
        if self._events is not None:
            self._events.refused(MetadataRefused, error, older_kept=record.rp is not None)
