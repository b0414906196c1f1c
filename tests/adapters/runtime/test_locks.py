"""A lock that a thread holds while its process forks is open in the child."""

import gc
import os
import signal
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from weakref import ref

import pytest

from oidc_adapters.context.memory import Memory
from oidc_adapters.credentials.dpop import DpopNonces
from oidc_adapters.crypto import ClientDecrypter, CryptographyVerifier
from oidc_adapters.runtime import locks
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.runtime.single_flight import SingleFlight
from oidc_adapters.stores.pending import MemoryPendingLogins, MemorySpent
from oidc_adapters.stores.provider_keys import MemoryProviderKeys
from oidc_adapters.transport.dialling import Resolver
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.wire.http import AnswerTo, NoAnswer
from tests.adapters.stores.pending.started import RP, started
from tests.adapters.stores.test_provider_keys import WANTED
from tests.flows.rig import NOW

FORKS: Final = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")


def in_child(work: Callable[[], object]) -> bool:
    """Whether a forked process gets through this; the alarm ends one that hangs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks together with threads
        child = os.fork()
    if child == 0:
        signal.alarm(20)
        outcome = 1
        try:
            work()
            outcome = 0
        finally:
            os._exit(outcome)
    _, status = os.waitpid(child, 0)
    return status == 0


def entered(lock: ProcessLock) -> None:
    with lock.lock:
        pass


def held(lock: ProcessLock) -> bool:
    """Whether another thread would have to wait for it."""

    def enters() -> bool:
        entered = lock.lock.acquire(blocking=False)
        if entered:
            lock.lock.release()
        return entered

    with ThreadPoolExecutor(1) as threads:
        return not threads.submit(enters).result(30)


@FORKS
def test_a_lock_that_is_held_while_its_process_forks_is_open_in_the_child() -> None:
    lock = ProcessLock()

    with lock.lock:
        assert in_child(lambda: entered(lock))
        assert held(lock)
    assert in_child(lambda: entered(lock))


def test_a_thread_that_forks_within_a_lock_leaves_it_and_can_enter_it_meanwhile() -> None:
    lock = ProcessLock()

    with lock.lock:
        locks._renew()
        assert not held(lock)

    assert not held(lock)


def test_a_thread_enters_a_lock_that_it_holds_also_after_a_fork() -> None:
    """As where the garbage collector ends a coroutine within it, whose ``except`` enters it too."""
    lock = ProcessLock()
    for _ in range(2):
        with lock.lock:
            assert lock.lock.acquire(blocking=False)
            lock.lock.release()
            assert held(lock)
        locks._renew()


def test_a_lock_is_kept_by_its_owner_only() -> None:
    lock = ProcessLock()
    known = ref(lock)
    assert lock in locks._ALL

    del lock
    gc.collect()
    assert known() is None


MEMORY: Final = Memory[str](lifetime=60, cap=10)
FLIGHTS: Final = SingleFlight[str]()
SPENT: Final = MemorySpent()
LOGINS: Final = MemoryPendingLogins()
VERIFIER: Final = CryptographyVerifier({("https://op.example", "client"): 32 * "s"})
KEYS: Final = MemoryProviderKeys()
UNREACHABLE: Final = AnswerTo(WANTED.request, NoAnswer("no", "http_connect_failed", NOW))
USES: Final[tuple[tuple[Any, Callable[[], object]], ...]] = (
    (MEMORY, lambda: MEMORY.put("a", "A", NOW)),
    (FLIGHTS, lambda: FLIGHTS.run("a", lambda: "A", seconds=0)),
    (SPENT, lambda: SPENT.seen_once("a", NOW, NOW)),
    (LOGINS, lambda: LOGINS.put(RP, started(), (), NOW)),
    (VERIFIER, lambda: VERIFIER.verifies_mac("https://op.example", "client", "HS256", b"", b"")),
    (KEYS, lambda: KEYS.find(WANTED, lambda _: UNREACHABLE, FrozenClock(NOW))),
)


@FORKS
@pytest.mark.parametrize(("owner", "use"), USES, ids=lambda value: type(value).__name__)
def test_what_threads_share_can_be_used_in_a_forked_process(
    owner: Any, use: Callable[[], object]
) -> None:
    with owner._process.lock:
        assert in_child(use)


@pytest.mark.parametrize(
    "owner",
    [ClientDecrypter(), DpopNonces(), Resolver(), Urllib3Transport()],
    ids=lambda value: type(value).__name__,
)
def test_what_else_threads_share_has_such_a_lock(owner: Any) -> None:
    assert isinstance(owner._process, ProcessLock)
