"""Providers' metadata in a store that processes share, so that few of them fetch it."""

from collections.abc import Awaitable, Callable
from typing import Final

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.stores.answers_in_records import SharedAnswers, name_of
from oidc_adapters.stores.kept_answer import Kept
from oidc_adapters.stores.records.callers import Side
from oidc_adapters.stores.records.ports import AsyncRecords, Records
from oidc_core.model.digests import written_fields
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import HttpRequest, HttpResponse
from oidc_core.wire.jsontypes import render

_METADATA: Final = "metadata"
_DAY: Final = 86_400


class RecordMetadata:
    """The metadata documents of providers, in a store that processes share.

    A client reads the store first, when its metadata is due.  It judges the document as if that
    had just come, and counts its age from the fetch, so that ``metadata_max_age`` holds.  Of
    several processes that start together, one asks the provider and the others wait up to 2 seconds
    for its answer.

    A document counts only for clients that find it at the same address and correct it in the same
    way.  Without the store each client asks the provider itself, and :attr:`failure` tells.

    Give it to clients only whose transports trust the same certificate authorities.

    Args:
        records: the store; one that waits serves waiting and awaiting clients, one that is awaited
            serves awaiting clients.
        secrets: the sealing secrets, newest first; the same in all processes.

    Raises:
        UsageError: ``config_invalid``.
    """

    __slots__ = ("_answers",)

    def __init__(self, records: Records | AsyncRecords, *secrets: bytes | str) -> None:
        self._answers = SharedAnswers(records, secrets, _METADATA)

    @property
    def failure(self) -> OidcError | None:
        """The failure of the store in its newest use; ``None`` if that went well."""
        return self._answers.failure

    @property
    def waiting(self) -> Side:
        """The store, for code that waits.

        Raises:
            UsageError: ``config_invalid`` for a store that is awaited.
        """
        return self._answers.waiting

    @property
    def awaiting(self) -> Side:
        """The store, for code that awaits."""
        return self._answers.awaiting

    async def through(
        self,
        side: Side,
        rp: RelyingParty,
        request: HttpRequest,
        take: Callable[[Kept], bool],
        ask: Callable[[], Awaitable[HttpResponse | None]],
        *,
        clock: Clock,
        max_age: int,
    ) -> None:
        """Offer the document of the store; if it is not enough, have one process ask.

        Args:
            side: the store.
            rp: the relying party, as far as it is configured.
            request: what would be sent.
            take: takes a document, and returns whether it is enough.
            ask: sends the request, and returns an answer that was believed.
            clock: what time it is.
            max_age: seconds after which the document is read again.

        Raises:
            Exception: what ``ask`` raises.
        """
        name = name_of(
            _METADATA,
            request.url,
            request.way,
            written_fields(rp.issuer_rule),
            render(rp.metadata_overrides),
        )
        life = max_age + _DAY
        await self._answers.through(side, name, take, ask, clock=clock, life=life)
