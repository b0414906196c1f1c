"""Connecting by a deadline that also holds for the name lookup, which cannot be interrupted."""

import os
import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Final, TypeAlias

from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.transport.exchange import Exchange
from oidc_core.wire.addresses import admits

_SocketAddress: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
Address: TypeAlias = tuple[
    socket.AddressFamily, socket.SocketKind, int, str, _SocketAddress
]  # as socket.getaddrinfo has it
Lookup: TypeAlias = Callable[[str, int], Sequence[Address]]


def _system_lookup(host: str, port: int) -> Sequence[Address]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Resolver:
    """Looks names up in a thread that may be left behind.

    All who wait for one name share one lookup, so a dead name server costs at most a thread for
    each name.  An address needs no thread.
    """

    def __init__(self, lookup: Lookup = _system_lookup) -> None:
        self._lookup = lookup
        self._process = ProcessLock()
        # The process is in the key, for a fork leaves the threads of its parent's lookups behind.
        self._pending: dict[tuple[int, str, int], Future[Sequence[Address]]] = {}

    def addresses(self, host: str, port: int, timeout: float) -> Sequence[Address]:
        """Return where a host may be reached.

        Raises:
            TimeoutError: after ``timeout`` seconds.
            OSError: ``socket.gaierror`` if the name has no address; another if nothing can be
                looked up.
        """
        return self.lookup(host, port).result(timeout)

    def lookup(self, host: str, port: int) -> Future[Sequence[Address]]:
        """Return a future of where a host may be reached; for an address it is settled already."""
        future: Future[Sequence[Address]] = Future()
        try:
            future.set_result(
                socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
            )
        except OSError:  # a name
            return self._shared_lookup(host, port)
        return future

    def _shared_lookup(self, host: str, port: int) -> Future[Sequence[Address]]:
        key = (os.getpid(), host, port)
        with self._process.lock:
            future = self._pending.get(key)
            return self._begun(key) if future is None else future

    def _begun(self, key: tuple[int, str, int]) -> Future[Sequence[Address]]:
        """Begin a lookup. Without a thread it is not kept, because nothing would ever settle it."""
        future: Future[Sequence[Address]] = Future()
        thread = Thread(target=self._settle, args=(key, future), name="oidc-dns", daemon=True)
        self._pending[key] = future
        try:
            thread.start()
        except RuntimeError as error:
            del self._pending[key]
            raise OSError(str(error)) from None
        return future

    def _settle(self, key: tuple[int, str, int], future: Future[Sequence[Address]]) -> None:
        _, host, port = key
        try:
            future.set_result(self._lookup(host, port))
        except (OSError, UnicodeError) as error:
            future.set_exception(socket.gaierror(str(error)))
        finally:
            with self._process.lock:
                del self._pending[key]


RESOLVER: Final = Resolver()
"""Looks names up for every transport."""

ADDRESSES: Final = 8
"""How many addresses of a name are judged and dialled: its owner may write down thousands."""


def admitted(named: Sequence[Address], exchange: Exchange) -> list[Address]:
    """Return the addresses of a host that the exchange may reach, out of the first few.

    Raises:
        HTTPException: if there are some, and none may be used.
    """
    found = [each for each in named[:ADDRESSES] if admits(exchange.reach, each[4][0])]
    if named and not found:
        exchange.refuse("address_not_allowed", "address_not_allowed")
    return found


def dial(
    host: str,
    port: int,
    exchange: Exchange,
    options: Iterable[tuple[int, int, int | bytes]],
    source_address: tuple[str, int] | None,
) -> socket.socket:
    """Connect to the first address of a host that answers and that the exchange may reach.

    Of its addresses only the first :data:`ADDRESSES` are looked at.

    The transport connects to exactly the address that it judged: the name is not looked up again.

    Each address gets its share of the time that is left, so that one that swallows packets does
    not use up the time of the next.

    Raises:
        TimeoutError: at the deadline.
        OSError: if no address can be connected to.
        HTTPException: if no address may be used; the exchange has the code ``address_not_allowed``.
    """
    found = admitted(RESOLVER.addresses(host.strip("[]"), port, exchange.remaining()), exchange)
    failure = OSError("no address")
    for tried, address in enumerate(found):
        try:
            return _connected(address, exchange, len(found) - tried, options, source_address)
        except OSError as error:  # also for a family that this machine does not speak
            failure = error
    raise failure


def _connected(
    found: Address,
    exchange: Exchange,
    left: int,
    options: Iterable[tuple[int, int, int | bytes]],
    source_address: tuple[str, int] | None,
) -> socket.socket:
    family, kind, protocol, _, address = found
    sock = socket.socket(family, kind, protocol)
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.settimeout(exchange.remaining() / left)
        if source_address is not None:
            sock.bind(source_address)
        sock.connect(address)
        sock.settimeout(exchange.remaining())  # what a TLS handshake may take
    except OSError:
        sock.close()
        raise
    return sock
