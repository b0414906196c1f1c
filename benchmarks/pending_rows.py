"""The space that a login takes: in the browser's cookie, in memory, and once it is spent."""

import tracemalloc
from typing import Final

from benchmarks.parties import relying_party
from benchmarks.rounds import Effort, frozen_heap, spread
from benchmarks.rows import Row, exact_row, value_row
from benchmarks.tokens import NOW
from oidc_adapters.runtime.entropy import FixedEntropy, SystemEntropy
from oidc_adapters.stores.pending import CookiePendingLogins, MemoryPendingLogins, MemorySpent
from oidc_core.machine.steps import Done
from oidc_core.model.pending import LoginSecrets
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import LoginStarted, start

_SEALING_SECRET: Final = bytes(range(32))


def pending_rows(effort: Effort) -> tuple[Row, ...]:
    """A sealed cookie, name and value; one of many logins in memory; and one of many spent."""
    rp = relying_party("RS256")
    store = CookiePendingLogins(_SEALING_SECRET)
    started = _started(rp, store.secrets(FixedEntropy(1)))
    (cookie,) = store.put(rp, started, (), NOW)
    return (
        exact_row("pending_cookie_bytes", len(cookie.name) + 1 + len(cookie.value), "octets"),
        value_row("pending_memory_bytes", spread((memory(rp, effort.held),)), "octets"),
        value_row("spent_memory_bytes", spread((spent(effort.held),)), "octets"),
    )


def memory(rp: RelyingParty, held: int) -> float:
    """Return the octets of one login where so many are held, the store's own included."""
    entropy, store = SystemEntropy(), MemoryPendingLogins(cap=held)
    store.put(rp, _started(rp, entropy.login_secrets()), (), NOW)  # what all share
    with frozen_heap():
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(held - 1):
                store.put(rp, _started(rp, entropy.login_secrets()), (), NOW)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    return (after - before) / (held - 1)


def spent(held: int) -> float:
    """Return the octets of one name where so many are remembered, ten of them a second."""
    store = MemorySpent(cap=held, elapsed=lambda: 0)
    store.seen_once("what all share", NOW, NOW)
    with frozen_heap():
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for number in range(held - 1):
                store.seen_once(f"{number:032x}", NOW + number // 10 + 1_200, NOW + number // 10)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    return (after - before) / (held - 1)


def _started(rp: RelyingParty, secrets: LoginSecrets) -> LoginStarted:
    step = start(rp, secrets, now=NOW)
    if not isinstance(step, Done):
        raise TypeError(type(step).__name__)
    return step.result
