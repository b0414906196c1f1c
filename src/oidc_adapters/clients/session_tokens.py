"""The tokens of a session, as an application uses them: one call before each use.

.. code-block:: python

    tokens = client.tokens(session["grant_id"])
    answer = http.get(url, headers={"Authorization": f"Bearer {tokens.fresh().access_token}"})

The client holds no lock while the application's own request runs.
"""

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import CancelledError
from functools import partial
from typing import Final, NoReturn

from oidc_adapters.clients.exchanges import Copy, Exchanges
from oidc_adapters.clients.results import EndedSession
from oidc_adapters.runtime.boot_clock import uptime
from oidc_adapters.runtime.single_flight import SingleFlight
from oidc_adapters.stores.grants import Key
from oidc_adapters.stores.records import at_once
from oidc_core.machine.grants import Ask
from oidc_core.model.grants import GrantRecord, Target
from oidc_core.model.records import Tokens
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import StoreFailure, UsageError
from oidc_core.wire.settings import check_kind, check_text

LEEWAY: Final = 30
"""Seconds before its expiry at which an access token is renewed."""

_MOST_COPIES: Final = 10_000
_DEADLINE: Final = 60.0
"""Seconds that a caller waits for another caller of its process."""


class Copies:
    """The copies of tokens in this process, and the calls that now fetch one.

    Attributes:
        held: the copies of the tokens that logins asked for, by the names of their grants.
        others: those for less scope or other resources.
        exchanges: gets a new copy.
        flights: the calls that fetch one.
        endings: how many sessions this process has ended.
        gone: is told of a session that its user has left.
    """

    __slots__ = ("endings", "exchanges", "flights", "gone", "held", "others")

    def __init__(self, exchanges: Exchanges) -> None:
        self.held: dict[str, Copy] = {}
        self.others: dict[tuple[str, Target], Copy] = {}
        self.exchanges = exchanges
        self.flights = SingleFlight[Copy]()
        self.endings = 0
        self.gone: Callable[[Key, EndedSession], Awaitable[None]] | None = None

    def plain(self, name: str, leeway: int) -> Copy | None:
        """Return a usable copy of the tokens of the login, or ``None``: the fast way."""
        copy = self.held.get(name)
        if copy is None or type(leeway) is not int:
            return None
        return copy if copy.serves(leeway) else None

    def found(self, of: Key, ask: Ask) -> Copy | None:
        """Return a usable copy, or ``None``."""
        plain = ask.target == _PLAIN
        copy = self.held.get(of.name) if plain else self.others.get((of.name, ask.target))
        if copy is None or not copy.serves(ask.leeway):
            return None
        return None if copy.tokens.access_token == ask.refused else copy

    def keep(self, of: Key, ask: Ask, copy: Copy) -> None:
        """Keep a copy; beyond the cap those go first that nobody trusts any more."""
        if len(self.held) + len(self.others) >= _MOST_COPIES:
            self._make_room()
        if ask.target == _PLAIN:
            self.held[of.name] = copy
        else:
            self.others[of.name, ask.target] = copy

    def forget(self, of: Key) -> None:
        """Forget the copies of a session."""
        self.held.pop(of.name, None)
        for name, target in list(self.others):
            if name == of.name:
                self.others.pop((name, target), None)

    def end(self, of: Key) -> None:
        """Forget a session that has ended; a call that read it before keeps no copy afterwards."""
        self.endings += 1
        self.forget(of)

    async def kept(self, key_of: Callable[[str], Key], logged_in: LoggedIn) -> str:
        """Keep the tokens of a login, no longer than the provider lets the session last.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        ends_at = logged_in.id_token.session_expiry
        return await self.exchanges.keep(key_of, logged_in.tokens, ends_at)

    async def ended(self, of: Key) -> EndedSession | None:
        """End a session finally; return what it had, or ``None`` if it had ended before.

        Raises:
            StoreFailure: ``store_unavailable``, ``refresh_busy``.
        """
        self.forget(of)
        found = ended(await self.exchanges.end(of))
        self.end(of)
        return found

    async def left(self, of: Key) -> EndedSession | None:
        """End a session that its user leaves, like :meth:`ended`."""
        found = await self.ended(of)
        if found is not None and self.gone is not None:
            await self.gone(of, found)
        return found

    def _make_room(self) -> None:
        now = uptime()
        for name, copy in list(self.held.items()):  # other threads go on writing
            if now >= copy.trusted_until:
                self.held.pop(name, None)
        self.others.clear()
        if len(self.held) >= _MOST_COPIES:
            self.held.clear()


_PLAIN: Final = Target()


class SessionTokens:
    """The tokens of one session, for code that waits; see :meth:`OidcClient.tokens`.

    It may be kept, made again for each request, and used by any number of threads.
    """

    __slots__ = ("_copies", "_of")

    def __init__(self, copies: Copies, of: Key) -> None:
        self._copies = copies
        self._of = of

    def __repr__(self) -> str:
        return "SessionTokens()"

    def __reduce__(self) -> NoReturn:
        raise _not_pickled()

    def fresh(
        self,
        leeway: int = LEEWAY,
        *,
        refused: str | None = None,
        scope: str = "",
        resource: Sequence[str] = (),
    ) -> Tokens:
        """Return tokens whose access token is usable, renewed if that is due.

        Of all threads, processes and hosts that ask for the same session, one makes the exchange.

        Args:
            leeway: seconds that the access token must still be valid.
            refused: the access token that a resource server just answered with 401; another one
                is returned.
            scope: a part of the granted scope, where an access token is wanted for less.
            resource: the resources of the access token, if they differ from the login's (RFC 8707).

        Raises:
            StoreFailure: ``grant_unknown``, ``grant_ended``, ``grant_expired``: log in again;
                ``refresh_busy``, ``token_refused``, ``store_unavailable``: ask again later.
            TransportFailure: ``refresh_in_doubt``: log in again; otherwise ask again later.
            ProviderError: ``invalid_grant``: log in again.
            OidcError: see its ``kind`` and ``retryable``.
        """
        copies, of = self._copies, self._of
        if refused is None and not scope and not resource:
            copy = copies.plain(of.name, leeway)
            if copy is not None:
                return copy.tokens
        ask = asked(leeway, refused, scope, resource)
        copy = copies.found(of, ask)
        if copy is not None:
            return copy.tokens
        work = partial(self._renewed, ask)
        try:
            return copies.flights.run((of, ask), work, seconds=_DEADLINE).tokens
        except (TimeoutError, CancelledError):
            raise StoreFailure("refresh_busy") from None

    def _renewed(self, ask: Ask) -> Copy:
        copies, of = self._copies, self._of
        copies.forget(of)
        endings = copies.endings
        copy = at_once(copies.exchanges.fresh(of, ask))
        if endings == copies.endings:
            copies.keep(of, ask, copy)
        return copy

    def end(self) -> EndedSession | None:
        """End the session finally: an exchange that has already started does not revive it.

        Other processes refuse it as soon as their copies are no longer trusted.

        Returns:
            what it had, or ``None`` if it had ended before or is unknown.

        Raises:
            StoreFailure: ``store_unavailable``, ``refresh_busy``: call it again later.
        """
        return at_once(self._copies.left(self._of))


class AsyncSessionTokens:
    """The tokens of one session, for code that awaits; see :class:`SessionTokens`."""

    __slots__ = ("_copies", "_of")

    def __init__(self, copies: Copies, of: Key) -> None:
        self._copies = copies
        self._of = of

    def __repr__(self) -> str:
        return "AsyncSessionTokens()"

    def __reduce__(self) -> NoReturn:
        raise _not_pickled()

    async def fresh(
        self,
        leeway: int = LEEWAY,
        *,
        refused: str | None = None,
        scope: str = "",
        resource: Sequence[str] = (),
    ) -> Tokens:
        """Return tokens whose access token is usable, like :meth:`SessionTokens.fresh`.

        If the caller is cancelled, an exchange that has started goes on.
        """
        copies, of = self._copies, self._of
        if refused is None and not scope and not resource:
            copy = copies.plain(of.name, leeway)
            if copy is not None:
                return copy.tokens
        ask = asked(leeway, refused, scope, resource)
        copy = copies.found(of, ask)
        if copy is not None:
            return copy.tokens
        work = partial(self._renewed, ask)
        try:
            copy = await copies.flights.run_async((of, ask), work, seconds=_DEADLINE)
        except (TimeoutError, CancelledError):
            raise StoreFailure("refresh_busy") from None
        return copy.tokens

    async def _renewed(self, ask: Ask) -> Copy:
        copies, of = self._copies, self._of
        copies.forget(of)
        endings = copies.endings
        copy = await copies.exchanges.fresh(of, ask)
        if endings == copies.endings:
            copies.keep(of, ask, copy)
        return copy

    async def end(self) -> EndedSession | None:
        """End the session finally, like :meth:`SessionTokens.end`."""
        return await self._copies.left(self._of)


def asked(leeway: int, refused: str | None, scope: str, resource: Sequence[str]) -> Ask:
    """Return the question of a caller, with checked values.

    Raises:
        UsageError: ``parameter_invalid``.
    """
    check_kind(leeway, int, about="leeway")
    if leeway < 0:
        raise UsageError("parameter_invalid", about="leeway", found=leeway, expected="0 or more")
    check_kind(refused, str | None, about="refused")
    check_text(scope, "scope")
    check_kind(resource, list[str] | tuple[str, ...], about="resource")
    resources = tuple(resource)
    check_kind(resources, tuple[str, ...], about="resource")
    return Ask(leeway, refused, Target(" ".join(scope.split()), resources))


def ended(record: GrantRecord | None) -> EndedSession | None:
    """Return the last tokens of a session that ended."""
    if record is None or record.state == "ended":
        return None
    access = [each.token for each in record.access]
    if record.unverified is not None and record.unverified.access is not None:
        access.append(record.unverified.access.token)
    return EndedSession(record.tokens, tuple(access), record.hint or record.tokens.id_token)


def _not_pickled() -> TypeError:
    return TypeError("a session's tokens belong to their client and are not pickled")
