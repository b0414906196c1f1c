"""Logins in flight in the memory of this process; the browser keeps but its binding secret."""

from typing import Generic, Protocol, TypeVar

from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.stores.pending.at_once import AtOnce
from oidc_adapters.stores.pending.cookies import CookieProfile, Cookies
from oidc_adapters.stores.pending.in_browser import (
    PROFILE,
    BoundLogout,
    KeepsBinding,
    is_of,
    judged,
    judged_logout,
    keepable,
)
from oidc_adapters.stores.pending.ports import LogoutSecrets, Taken, TakenLogout
from oidc_core.endpoints.end_session import LOGOUT_LIFETIME
from oidc_core.model.pending import PendingLogin, binding_digest_of, pending_id_of
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import StoreFailure
from oidc_core.wire.settings import as_count


class _Dated(Protocol):
    @property
    def created_at(self) -> int: ...


R = TypeVar("R", bound=_Dated)


class _InFlight(Generic[R]):
    """Records by id, apart by the seconds they may take: policies differ.

    The oldest of a lifetime are the first to expire, so expiry costs nothing. At the cap a new one
    is refused and no old one is dropped: a flood must not end the logins of others.
    """

    __slots__ = ("_cap", "_lasting")

    def __init__(self, cap: int) -> None:
        self._lasting: dict[int, dict[str, R]] = {}
        self._cap = cap

    def add(self, pending_id: str, record: R, lifetime: int, now: int) -> None:
        self._expire(now)
        if len(self) >= self._cap:
            raise StoreFailure("pending_too_many", found=self._cap)
        self._lasting.setdefault(lifetime, {})[pending_id] = record

    def find(self, pending_id: str, now: int | None = None) -> R | None:
        for lifetime, records in self._lasting.items():
            record = records.get(pending_id)
            if record is not None:
                over = now is not None and _expired(record, lifetime, now)
                return None if over else record
        return None

    def remove(self, pending_id: str) -> None:
        for records in self._lasting.values():
            records.pop(pending_id, None)

    def _expire(self, now: int) -> None:
        for lifetime, records in self._lasting.items():
            while records:
                oldest = next(iter(records))
                if not _expired(records[oldest], lifetime, now):
                    break
                del records[oldest]

    def __len__(self) -> int:
        return sum(map(len, self._lasting.values()))


def _expired(record: _Dated, lifetime: int, now: int) -> bool:
    # One of the future, where the clock was set back, must not stay in front without end.
    return abs(now - record.created_at) > lifetime


class MemoryPendingLogins(KeepsBinding, AtOnce):
    """Keeps logins and logouts in dicts: for one process, for tests, for command lines.

    Args:
        cap: how many logins, and how many logouts, may be in flight.
        profile: how cookies are written.
    """

    __slots__ = ("_logins", "_logouts", "_process")

    def __init__(self, *, cap: int = 100_000, profile: CookieProfile = PROFILE) -> None:
        self._logins = _InFlight[PendingLogin](as_count(cap, "cap"))
        self._logouts = _InFlight[BoundLogout](cap)
        super().__init__(profile)
        self._process = ProcessLock()

    def put(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies, now: int, /
    ) -> tuple[SetCookie, ...]:
        """Keep a login; return the browser's cookie, and deletions beyond its budget.

        Raises:
            StoreFailure: ``pending_too_many``.
        """
        kept = keepable(started.pending)
        with self._process.lock:
            self._logins.add(kept.id, kept, rp.policy.login_lifetime, now)
        return self._login_cookies(rp, started, cookies)

    def belongs(self, rp: RelyingParty, pending_id: str, _cookies: Cookies, /) -> bool:
        """Return whether this login is of this relying party."""
        with self._process.lock:
            pending = self._logins.find(pending_id)
        return pending is not None and is_of(pending, rp)

    def take(self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /) -> Taken:
        """Take a login out.

        Raises:
            CallbackError: ``state_unknown``; ``connection_mismatch``, ``binding_missing``,
                ``binding_duplicated`` and ``binding_mismatch``, which leave the login where it is:
                a browser that does not bring the cookie is not the one that waits for it.
        """
        binding = self._login_binding(pending_id, cookies)
        with self._process.lock:
            pending = judged(self._logins.find(pending_id, now), rp, binding)
            self._logins.remove(pending_id)
        return self._taken(pending, binding, "process")

    def put_logout(
        self,
        _rp: RelyingParty,
        pending: PendingLogout,
        secrets: LogoutSecrets,
        cookies: Cookies,
        now: int,
        /,
    ) -> tuple[SetCookie, ...]:
        """Keep a logout; return the browser's cookie, and deletions beyond its budget.

        Raises:
            StoreFailure: ``pending_too_many``.
        """
        kept = BoundLogout(pending, binding_digest_of(secrets.binding))
        with self._process.lock:
            self._logouts.add(pending_id_of(pending.state), kept, LOGOUT_LIFETIME, now)
        return self._logout_cookies(pending, secrets, cookies)

    def take_logout(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /
    ) -> TakenLogout:
        """Take a logout out.

        Raises:
            CallbackError: ``logout_state_mismatch``, ``binding_duplicated``,
                ``connection_mismatch``.
        """
        digest = self._logout_binding(pending_id, cookies)
        with self._process.lock:
            pending = judged_logout(self._logouts.find(pending_id, now), rp, digest)
            self._logouts.remove(pending_id)
        return self._taken_logout(pending)

    def __len__(self) -> int:
        return len(self._logins)
