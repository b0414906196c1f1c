import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from oidc_adapters.transport import dialling
from oidc_adapters.transport.dialling import Address, Resolver, dial
from oidc_adapters.transport.exchange import Exchange


def address(port: int, host: str = "127.0.0.1") -> Address:
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))


def exchange(seconds: float) -> Exchange:
    return Exchange(monotonic() + seconds, max_body=1, verified=True)


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
