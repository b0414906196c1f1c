import errno
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from time import monotonic
from typing import Any

import pytest

from oidc_adapters.transport import dialling
from oidc_adapters.transport.dialling import ADDRESSES, Address, Resolver, dial
from oidc_adapters.transport.exchange import Exchange
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.wire.addresses import Reach
from tests.adapters.transport.exchanges import CLOCK, LATE, failed, request, side_by_side


def address(port: int, host: str = "127.0.0.1") -> Address:
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))


def exchange(seconds: float) -> Exchange:
    return Exchange(monotonic() + seconds, max_body=1, reach="any")


def test_an_address_is_not_looked_up() -> None:
    def never(host: str, port: int) -> Sequence[Address]:
        raise AssertionError(host)

    assert Resolver(never).addresses("127.0.0.1", 80, 1) == [address(80)]
    assert Resolver(never).addresses("::1", 80, 1)[0][4] == ("::1", 80, 0, 0)


def test_all_who_wait_for_a_name_share_one_lookup_and_the_next_begins_again() -> None:
    asked: list[str] = []
    gate = threading.Event()

    def slow(host: str, port: int) -> Sequence[Address]:
        asked.append(host)
        gate.wait(10)
        return [address(port)]

    resolver = Resolver(slow)
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(resolver.addresses, "op.example", 1, 10) for _ in range(4)]
        with pytest.raises(TimeoutError):
            resolver.addresses("op.example", 1, 0.01)
        gate.set()
        found = [future.result() for future in waiting]
    assert found == [[address(1)]] * 4
    assert len(asked) <= 2  # the last of the four may have come when the first had ended


@pytest.mark.parametrize("error", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")])
def test_a_name_without_an_address_is_an_os_error(error: Exception) -> None:
    def fails(host: str, port: int) -> Sequence[Address]:
        raise error

    with pytest.raises(OSError, match=r"unknown|too long"):
        Resolver(fails).addresses("op.example", 1, 5)


def test_a_lookup_that_finds_no_thread_stands_in_nobodys_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_more(_thread: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    resolver = Resolver(lambda _host, port: [address(port)])
    with monkeypatch.context() as exhausted:
        exhausted.setattr(threading.Thread, "start", no_more)
        with pytest.raises(OSError, match="new thread"):
            resolver.addresses("op.example", 1, 5)

    assert resolver.addresses("op.example", 1, 5) == [address(1)]


def test_the_next_address_is_tried_when_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as closed:
        port: int = listener.getsockname()[1]
        closed.bind(("127.0.0.1", 0))
        found = [address(closed.getsockname()[1]), address(port)]
        monkeypatch.setattr(dialling, "RESOLVER", Resolver(lambda _host, _port: found))
        with dial("op.example", port, exchange(5), (), None) as sock:
            assert sock.getpeername() == ("127.0.0.1", port)
            assert 0 < (sock.gettimeout() or 0) <= 5


def test_a_name_with_no_address_at_all_is_not_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialling, "RESOLVER", Resolver(lambda _host, _port: []))
    with pytest.raises(OSError, match="no address"):
        dial("op.example", 443, exchange(5), (), None)


def test_nothing_is_dialled_after_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        dial("127.0.0.1", 443, exchange(-1), (), None)


def test_each_address_gets_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float | None] = []

    class Silent(socket.socket):
        def connect(self, address: Any, /) -> None:
            shares.append(self.gettimeout())
            raise TimeoutError

    monkeypatch.setattr(dialling, "RESOLVER", Resolver(lambda _host, _port: [address(1)] * 3))
    monkeypatch.setattr(socket, "socket", Silent)
    with pytest.raises(TimeoutError):
        dial("op.example", 443, exchange(60), (), None)
    assert [round(share or 0) for share in shares] == [20, 30, 60]


def test_a_connection_is_made_from_the_address_and_with_the_options_asked_for() -> None:
    shared = (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as reserving:
        reserving.setsockopt(*shared)
        reserving.bind(("127.0.0.1", 0))
        mine = reserving.getsockname()
        port: int = listener.getsockname()[1]
        with dial("127.0.0.1", port, exchange(5), (shared,), mine) as sock:
            assert sock.getsockname() == mine  # taken already, except for the option
            assert sock.getpeername() == listener.getsockname()


def test_an_address_in_brackets_is_dialled_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Recording(Resolver):
        def addresses(self, host: str, port: int, timeout: float) -> Sequence[Address]:
            asked.append(host)
            return []

    monkeypatch.setattr(dialling, "RESOLVER", Recording())
    with pytest.raises(OSError, match="no address"):
        dial("[::1]", 443, exchange(5), (), None)
    assert asked == ["::1"]


def test_a_host_that_swallows_packets_ends_at_the_deadline(transport: Urllib3Transport) -> None:
    full = socket.socket()
    waiting: list[socket.socket] = []
    with full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(8):  # until the kernel drops all who come
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            assert waiting[-1].connect_ex(full.getsockname()) == errno.EINPROGRESS
        start = monotonic()
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        answer = transport.send(request(url, resend="safe", deadline=1), CLOCK)
        took = monotonic() - start
        for connection in waiting:
            connection.close()
    assert failed(answer) == ("http_timeout", "no")
    assert 0.95 <= took <= 1 + LATE


def test_a_dead_name_server_ends_at_the_deadline(
    transport: Urllib3Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    resolve = socket.getaddrinfo

    def blocked(*args: Any, **options: Any) -> Any:
        if "flags" not in options:
            released.wait(10)
        return resolve(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", blocked)
    start = monotonic()
    answers = side_by_side(transport, request("http://localhost:1/", deadline=1), 8)
    took = monotonic() - start
    lookups = [thread for thread in threading.enumerate() if thread.name == "oidc-dns"]
    released.set()
    for lookup in lookups:
        lookup.join(10)
    assert [failed(answer) for answer in answers] == [("http_timeout", "no")] * 8
    assert 0.95 <= took <= 1 + LATE
    assert len(lookups) == 1


# --- which addresses -----------------------------------------------------------------------------


def reaching(reach: Reach, *, seconds: float = 5) -> Exchange:
    return Exchange(monotonic() + seconds, max_body=1, reach=reach)


def v6(host: str, port: int = 443) -> Address:
    return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (host, port, 0, 0))


class Dialled:
    """Replaces sockets: remembers the addresses that they should connect to, and refuses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Sequence[Address]) -> None:
        self.hosts: list[str] = []
        self.lookups = 0
        left = iter(answers)

        def lookup(_host: str, _port: int) -> Sequence[Address]:
            self.lookups += 1
            return next(left)

        dialled = self.hosts

        class Refusing(socket.socket):
            def connect(self, address: Any, /) -> None:
                dialled.append(address[0])
                raise ConnectionRefusedError

        self._lookup = lookup
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(socket, "socket", Refusing)

    def code(self, reach: Reach, host: str = "op.example") -> str | None:
        """Dial, and return the fault of the exchange, if it is refused before connecting."""
        # A separate one, because the lookup before may still run for a moment.
        self._monkeypatch.setattr(dialling, "RESOLVER", Resolver(self._lookup))
        exchange = reaching(reach)
        with pytest.raises((HTTPException, ConnectionRefusedError)):
            dial(host, 443, exchange, (), None)
        return exchange.fault


PUBLIC, METADATA = address(443, "93.184.215.14"), address(443, "169.254.169.254")


def test_a_name_that_leads_to_what_is_near_is_not_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    for found in (METADATA, address(443), address(443, "10.0.0.1"), v6("fd00::1"), v6("::1")):
        dialled = Dialled(monkeypatch, [found])
        assert dialled.code("public") == "address_not_allowed"
        assert dialled.hosts == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "[fd00::1]"]
)
def test_an_address_that_is_near_is_not_dialled(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dialled = Dialled(monkeypatch)
    assert dialled.code("public", host) == "address_not_allowed"
    assert (dialled.hosts, dialled.lookups) == ([], 0)


def test_of_mixed_answers_only_the_addresses_that_may_be_reached_are_dialled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mixed = [METADATA, PUBLIC, v6("::1"), v6("2606:4700::1111"), address(443)]
    dialled = Dialled(monkeypatch, mixed, mixed, mixed)
    assert dialled.code("public") is None
    assert dialled.hosts == ["93.184.215.14", "2606:4700::1111"]
    dialled.hosts.clear()
    assert dialled.code("private") is None
    assert dialled.hosts == ["169.254.169.254", "::1", "127.0.0.1"]
    dialled.hosts.clear()
    assert dialled.code("any") is None
    assert len(dialled.hosts) == len(mixed)


def test_what_was_judged_is_what_is_dialled_whatever_the_name_server_says_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: the second answer leads home, and is asked for by nobody."""
    dialled = Dialled(monkeypatch, [PUBLIC], [METADATA])
    assert dialled.code("public") is None
    assert (dialled.hosts, dialled.lookups) == (["93.184.215.14"], 1)
    assert dialled.code("public") == "address_not_allowed"
    assert (dialled.hosts, dialled.lookups) == (["93.184.215.14"], 2)


def test_of_a_name_with_thousands_of_addresses_only_a_few_are_judged_and_dialled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = [address(443, f"93.184.{i // 250}.{i % 250 + 1}") for i in range(4_000)]
    dialled = Dialled(monkeypatch, many, [*[METADATA] * ADDRESSES, PUBLIC])
    assert dialled.code("public") is None
    assert dialled.hosts == [each[4][0] for each in many[:ADDRESSES]]
    assert ADDRESSES == 8
    dialled.hosts.clear()
    assert dialled.code("public") == "address_not_allowed"
    assert dialled.hosts == []


@pytest.mark.parametrize("others", [0, 1, 3])
def test_a_family_that_this_machine_lacks_does_not_end_the_attempt(
    others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class WithoutIpv6(socket.socket):
        def __init__(self, family: int = -1, *given: Any, **named: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            super().__init__(family, *given, **named)

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        lacking: list[Address] = [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0))
        ] * (1 + others)
        found = [*lacking, address(port)]
        monkeypatch.setattr(socket, "socket", WithoutIpv6)
        monkeypatch.setattr(dialling, "RESOLVER", Resolver(lambda _host, _port: found))
        with dial("op.example", port, exchange(5), (), None) as sock:
            assert sock.getpeername() == ("127.0.0.1", port)
        monkeypatch.setattr(dialling, "RESOLVER", Resolver(lambda _host, _port: lacking))
        with pytest.raises(OSError, match="not supported"):
            dial("op.example", port, exchange(5), (), None)


def test_what_lacks_tls_is_dialled_near_only(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled = Dialled(monkeypatch, [PUBLIC], [v6("2606:4700::1111")])
    assert dialled.code("private") == "address_not_allowed"
    assert dialled.code("private") == "address_not_allowed"
    assert dialled.hosts == []


def test_an_address_of_another_kind_is_not_judged_to_be_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd: Address = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (10, b"\x01"))
    dialled = Dialled(monkeypatch, [odd])
    assert dialled.code("public") == "address_not_allowed"
