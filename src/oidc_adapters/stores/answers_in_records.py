"""Documents that a provider publishes, as one process fetched them, for all that share a store.

The store keeps the whole answer, sealed: the core judges it again, as if it had just come.  The
store saves requests but protects nothing: if it fails, each process fetches for itself.
"""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from hashlib import sha256
from time import monotonic
from typing import Final, NamedTuple, cast

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.stores.kept_answer import Kept, dump_answer, load_answer
from oidc_adapters.stores.records.callers import Callers, Side, new_version
from oidc_adapters.stores.records.ports import AsyncRecords, Found, Records, Times
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import HttpResponse
from oidc_core.wire.jsontypes import JsonObject, JsonValue, render

WAIT: Final = 2
"""Seconds for which a process waits for the fetch of another one, before it fetches for itself."""

_CLAIM: Final = 5
_PAUSE: Final = 0.1


class _Offered(NamedTuple):
    """The outcome of a look into the store.

    Attributes:
        taken: whether it was enough.
        version: of the answer that is there, or an empty string.
        claim: the version of the claim, if this process is the one to ask.
        times: of the store, before anything is sent; ``None`` if it did not tell.
    """

    taken: bool = False
    version: str = ""
    claim: str = ""
    times: Times | None = None


class SharedAnswers:
    """Answers of providers, in a store that processes share.

    Args:
        records: the store.
        secrets: the sealing secrets, newest first.
        about: the name of the store in errors, as in ``metadata``.

    Attributes:
        failure: the failure of the store in its newest use, ``None`` if that went well.
    """

    __slots__ = ("_box", "_callers", "_closed", "failure")

    def __init__(
        self, records: Records | AsyncRecords, secrets: tuple[bytes | str, ...], about: str
    ) -> None:
        self._callers = Callers(records)
        self._box = SealedBox(*secrets)
        self._closed = FailsClosed(about)
        self.failure: OidcError | None = None

    @property
    def waiting(self) -> Side:
        """The store, for code that waits.

        Raises:
            UsageError: ``config_invalid`` for a store that is awaited.
        """
        return self._callers.waiting

    @property
    def awaiting(self) -> Side:
        """The store, for code that awaits."""
        return self._callers.awaiting

    async def look(
        self, side: Side, name: str, take: Callable[[Kept], object], clock: Clock
    ) -> None:
        """Offer what is kept, if there is something."""
        self.failure = None
        with self._noting():
            kept, _ = await self._read(side.records, name, clock)
            if kept is not None:
                take(kept)

    async def through(
        self,
        side: Side,
        name: str,
        take: Callable[[Kept], bool],
        ask: Callable[[], Awaitable[HttpResponse | None]],
        *,
        clock: Clock,
        life: int,
    ) -> None:
        """Offer what is kept; if that is not enough, have one process ask and keep the answer.

        Args:
            side: the store.
            name: the key of the answer, which names everything that decides it.
            take: takes an answer, and returns whether it is enough.
            ask: asks the provider, and returns the answer if it may serve others too.
            clock: what time it is.
            life: seconds for which the answer is kept.

        Raises:
            Exception: what ``ask`` raises.
        """
        self.failure = None
        offered = _Offered()
        with self._noting():
            offered = await self._offer(side, name, take, clock)
        if offered.taken:
            return
        try:
            response = await ask()
        except Exception:
            with self._noting():
                await self._release(side.records, name, offered)
            raise
        with self._noting():
            if response is not None and offered.times is not None:
                text = dump_answer(response, offered.times.now)
                await self._keep(side.records, name, offered, text, offered.times.utc + life)
            await self._release(side.records, name, offered)

    async def _offer(
        self, side: Side, name: str, take: Callable[[Kept], bool], clock: Clock
    ) -> "_Offered":
        """Offer what is kept, until it is enough, or this process may ask, or has waited."""
        end, offered = monotonic() + WAIT, _Offered()
        while True:
            kept, version = await self._read(side.records, name, clock, but=offered.version)
            offered = offered._replace(version=version)
            if kept is not None and take(kept):
                await self._release(side.records, name, offered)
                return offered._replace(taken=True)
            if offered.claim or monotonic() > end:
                return offered
            offered = await self._claim(side.records, name, offered)
            if not offered.claim:
                await side.pause(_PAUSE)

    @contextmanager
    def _noting(self) -> Generator[None]:
        """Go on without the store where it fails."""
        try:
            with self._closed:
                yield
        except OidcError as error:
            self.failure = error

    async def _read(
        self, records: AsyncRecords, name: str, clock: Clock, *, but: str = ""
    ) -> tuple[Kept | None, str]:
        """Return the answer, unless its version is known, and its version.

        An answer that cannot be read may be written over.
        """
        found = await records.read(name)
        if found is None:
            return None, ""
        if found.version == but:
            return None, but
        try:
            text = self._box.open(found.value, label=name)
            kept = load_answer(text, store_now=found.times.now, now=clock.now())
        except OidcError as error:
            self.failure, kept = error, None
        return kept, found.version

    async def _claim(self, records: AsyncRecords, name: str, offered: _Offered) -> _Offered:
        """Try to be the one who asks; a claim that its holder left behind is soon over."""
        key, version = _claim_of(name), new_version()
        found = await records.read(key)
        times = await records.times() if found is None else found.times
        value, until = str(times.now), times.utc + _CLAIM
        if found is None:
            mine = await records.create(key, version, value, until)
        elif _is_over(found):
            mine = await records.replace(key, found.version, version, value, until)
        else:
            mine = False
        return offered._replace(claim=version if mine is True else "", times=times)

    async def _release(self, records: AsyncRecords, name: str, offered: _Offered) -> None:
        if offered.claim:
            await records.remove(_claim_of(name), offered.claim)

    async def _keep(
        self, records: AsyncRecords, name: str, offered: _Offered, text: str | None, until: int
    ) -> None:
        """Write an answer in the place of the one that was read; another one may be quicker."""
        if text is None:
            return
        sealed, version = self._box.close(text, label=name), new_version()
        if offered.version:
            await records.replace(name, offered.version, version, sealed, until)
        else:
            await records.create(name, version, sealed, until)


def name_of(kind: str, *parts: object) -> str:
    """Return the key of an answer, the same in every process, of all that decides it."""
    text = render(JsonObject({"of": _plain(parts)}))
    digest = sha256(text.encode("utf-8", "surrogatepass")).digest()
    return f"{kind}:{b64url_encode(digest)}"


def _plain(value: object) -> JsonValue:
    if isinstance(value, frozenset):
        members = cast("frozenset[object]", value)
        return tuple(sorted([_plain(each) for each in members], key=str))
    if isinstance(value, (tuple, list)):
        return tuple([_plain(each) for each in cast("tuple[object, ...]", value)])
    return value if isinstance(value, (str, int)) else str(value)


def _claim_of(name: str) -> str:
    return f"{name}:claim"


def _is_over(claim: Found) -> bool:
    began = claim.value
    if not (began.isascii() and began.isdecimal()):
        return True
    return not 0 <= claim.times.now - int(began) < _CLAIM
