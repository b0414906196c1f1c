"""A place where a transport is tried, and what is seen there."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, Protocol

from attrs import field, frozen

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import FaultServer, Script, ok
from oidc_core.wire.addresses import Reach
from oidc_core.wire.http import HttpResponse, NoAnswer, Resend, WireRequest

CLOCK: Final = FrozenClock(1_234)
"""The clock by which answers are stamped."""

BRIEF: Final = 0.4
"""Seconds that an exchange has with a server that wants it to last."""

LATE: Final = 0.6
"""Seconds by which an exchange may end after its deadline, on a machine that is busy."""


@frozen(kw_only=True)
class TransportSetup:
    """The settings that a transport is made with, for one duty.

    Attributes:
        ca: a file with the only CA that it trusts, in place of the system's.
        client_certificate: the files of the client's certificate and key, or ``None``.
        proxy: the URL of its proxy, which may have credentials; ``None`` for none.
    """

    ca: Path | None = None
    client_certificate: tuple[Path, Path] | None = None
    proxy: str | None = field(default=None, repr=False)


class Sending(Protocol):
    """A transport of either kind, as the duties see it."""

    def send(self, request: WireRequest, clock: FrozenClock, /) -> Any:
        """Send a request; the result may be awaitable."""
        ...


class World(Protocol):
    """What differs between code that waits and code that awaits."""

    async def settled(self, result: Any, /) -> Any:
        """Return a result, awaited if it is awaitable."""
        ...

    async def pause(self, seconds: float, /) -> None:
        """Let time pass."""
        ...


class Place:
    """Servers, an authority and transports for one duty.

    Args:
        opened: makes a transport.
        folder: where certificates are written.
        world: waits, or awaits.
    """

    __slots__ = ("_authority", "_made", "_opened", "folder", "world")

    def __init__(
        self, opened: Callable[[TransportSetup], Sending], folder: Path, world: World
    ) -> None:
        self._opened = opened
        self._made: list[Sending] = []
        self._authority: Authority | None = None
        self.folder = folder
        self.world = world

    @property
    def authority(self) -> Authority:
        """The authority of this duty's servers."""
        if self._authority is None:
            self._authority = Authority(self.folder)
        return self._authority

    def transport(self, **setup: Any) -> Sending:
        """Return one more transport."""
        made = self._opened(TransportSetup(**setup))
        self._made.append(made)
        return made

    async def send(self, transport: Sending, url: str, **options: Any) -> HttpResponse | NoAnswer:
        """Send a request over a transport, which must return one of two things."""
        answer: object = await self.world.settled(transport.send(wire(url, **options), CLOCK))
        if isinstance(answer, HttpResponse | NoAnswer):
            return answer
        return _fail(f"send returned {answer!r}")

    async def exchange(self, *script: Any, **options: Any) -> HttpResponse | NoAnswer:
        """Send a request to a server that does so with each connection."""
        with FaultServer(script) as server:
            return await self.send(self.transport(), server.url("/token"), **options)

    async def close(self) -> None:
        """Close every transport that can be closed."""
        for each in self._made:
            await closed(each, self.world)


async def closed(transport: object, world: World) -> None:
    """Close a transport, if it has a way to."""
    close: Callable[[], Awaitable[None] | None] | None = getattr(
        transport, "aclose", getattr(transport, "close", None)
    )
    if close is not None:
        await world.settled(close())


def wire(
    url: str,
    *,
    method: str = "POST",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes | None = b"grant_type=x",
    resend: Resend = "never",
    max_body: int = 65_536,
    deadline: float = 8,
    reach: Reach = "any",
) -> WireRequest:
    """Return a prepared request."""
    return WireRequest(
        method=method,
        url=url,
        reach=reach,
        headers=headers,
        body=body,
        resend=resend,
        max_body=max_body,
        deadline=deadline,
    )


@contextmanager
def answering(*scripts: Script, **options: Any) -> Generator[FaultServer]:
    """Run a server; it is closed in the end."""
    with FaultServer(*scripts, **options) as server:
        yield server


def check(fulfilled: object, otherwise: str) -> None:
    """Refuse a transport that does not do its duty."""
    if not fulfilled:
        _fail(otherwise)


def _fail(told: str) -> NoReturn:
    raise AssertionError(told)


def check_answered(
    answer: HttpResponse | NoAnswer, body: bytes = b"{}", status: int = 200
) -> HttpResponse:
    """Refuse a transport that did not bring this answer."""
    found = answer if isinstance(answer, HttpResponse) else _fail(f"{answer!r} came, not an answer")
    check(found.status == status, f"the status is {found.status}, not {status}")
    check(found.body == body, f"the body is {found.body[:80]!r}, not {body[:80]!r}")
    check(found.received_at == CLOCK.now(), "the answer is not stamped with the clock's time")
    return found


def check_failed(
    answer: HttpResponse | NoAnswer,
    *codes: str,
    sent: Literal["no", "maybe"],
    about: str = "",
) -> NoAnswer:
    """Refuse a transport that did not say that there was no answer, and why."""
    of = f" ({about})" if about else ""
    found = answer if isinstance(answer, NoAnswer) else _fail(f"it took {answer!r}{of}")
    check(found.code in codes, f"the code is {found.code}, not {' or '.join(codes)}{of}")
    check(found.sent == sent, f"it says sent={found.sent!r}, not {sent!r}{of}")
    check(found.at == CLOCK.now(), "the failure is not stamped with the clock's time")
    return found


PLAIN: Final = ok(b"{}")
"""A plain good answer."""
