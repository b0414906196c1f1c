import errno
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest

from oidc_adapters.transport import dialling
from oidc_adapters.transport.dialling import Address, Resolver, dial
from oidc_adapters.transport.exchange import Exchange
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from tests.adapters.transport.exchanges import CLOCK, LATE, failed, request, side_by_side


def address(port: int, host: str = "127.0.0.1") -> Address:
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))


def exchange(seconds: float) -> Exchange:
    return Exchange(monotonic() + seconds, max_body=1)


def test_an_address_is_not_looked_up() -> None:
    def never(host: str, port: int) -> Sequence[Address]:
        raise AssertionError(host)

    assert Resolver(never).addresses("127.0.0.1", 80, 1) == [address(80)]
    assert Resolver(never).addresses("::1", 80, 1)[0][4] == ("::1", 80, 0, 0)


def test_all_who_wait_for_a_name_share_one_lookup_and_the_next_begins_anew() -> None:
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
    assert len(asked) <= 2  # the last of the four may have come when the first was over


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
        monkeypatch.setattr(dialling, "_RESOLVER", Resolver(lambda _host, _port: found))
        with dial("op.example", port, exchange(5), (), None) as sock:
            assert sock.getpeername() == ("127.0.0.1", port)
            assert 0 < (sock.gettimeout() or 0) <= 5


def test_a_name_with_no_address_at_all_is_not_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialling, "_RESOLVER", Resolver(lambda _host, _port: []))
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

    monkeypatch.setattr(dialling, "_RESOLVER", Resolver(lambda _host, _port: [address(1)] * 3))
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
            assert sock.getsockname() == mine  # taken already, but for the option
            assert sock.getpeername() == listener.getsockname()


def test_an_address_in_brackets_is_dialled_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Recording(Resolver):
        def addresses(self, host: str, port: int, timeout: float) -> Sequence[Address]:
            asked.append(host)
            return []

    monkeypatch.setattr(dialling, "_RESOLVER", Recording())
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
