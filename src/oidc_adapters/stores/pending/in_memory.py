"""Logins in flight in the memory of this process; the browser keeps but its binding secret."""

from typing import Final, Generic, Protocol, TypeVar

from attrs import evolve

from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.stores.pending.at_once import AtOnce
from oidc_adapters.stores.pending.cookies import CookieProfile, Cookies, only_value
from oidc_adapters.stores.pending.ports import LogoutSecrets, Taken, TakenLogout
from oidc_core.endpoints import end_session
from oidc_core.endpoints.end_session import LOGOUT_LIFETIME
from oidc_core.model.pending import (
    DELIVERIES,
    LoginSecrets,
    PendingLogin,
    binding_digest_of,
    check_binding,
    pending_id_of,
)
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.encoding import same
from oidc_core.wire.errors import CallbackError, StoreFailure
from oidc_core.wire.settings import as_count, as_setting

RETURN_TO: Final = 1_024
"""Characters of ``return_to`` that are kept; a stranger may have written it."""

_PROFILE: Final = CookieProfile()
_DIGITS: Final = 11


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


class _BoundLogout:
    """A logout in flight, and the browser that started it."""

    __slots__ = ("binding_digest", "pending")

    def __init__(self, pending: PendingLogout, binding_digest: str) -> None:
        self.pending = pending
        self.binding_digest = binding_digest

    @property
    def created_at(self) -> int:
        return self.pending.created_at


class MemoryPendingLogins(AtOnce):
    """Keeps logins and logouts in dicts: for one process, for tests, for command lines.

    Args:
        cap: how many logins, and how many logouts, may be in flight.
        profile: how cookies are written.
    """

    __slots__ = ("_logins", "_logouts", "_process", "_profile")

    def __init__(self, *, cap: int = 100_000, profile: CookieProfile = _PROFILE) -> None:
        self._logins = _InFlight[PendingLogin](as_count(cap, "cap"))
        self._logouts = _InFlight[_BoundLogout](cap)
        self._profile = as_setting(profile, CookieProfile, "profile")
        self._process = ProcessLock()

    @property
    def profile(self) -> CookieProfile:
        """How cookies are written."""
        return self._profile

    def secrets(self, entropy: Entropy, /) -> LoginSecrets:
        """Return fresh secrets."""
        return entropy.login_secrets()

    def logout_secrets(self, entropy: Entropy, /) -> LogoutSecrets:
        """Return fresh secrets."""
        return LogoutSecrets(entropy.token(), entropy.token())

    def put(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies, now: int, /
    ) -> tuple[SetCookie, ...]:
        """Keep a login; return the browser's cookie, and deletions beyond its budget.

        Raises:
            StoreFailure: ``pending_too_many``.
        """
        pending, lifetime = started.pending, rp.policy.login_lifetime
        kept = evolve(pending, return_to="") if len(pending.return_to) > RETURN_TO else pending
        with self._process.lock:
            self._logins.add(pending.id, kept, lifetime, now)
        name = self._profile.login_name(pending.id)
        across = DELIVERIES[pending.response_mode] == "form_post"
        value = f"{pending.created_at}.{started.binding}"
        cookie = self._profile.cookie(name, value, lifetime, across=across)
        return (cookie, *self._evicted(cookies, cookie)) if cookies else (cookie,)

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
        name = self._profile.login_name(pending_id)
        binding = _binding(only_value(cookies, name))
        with self._process.lock:
            pending = self._logins.find(pending_id, now)
            if pending is None:
                raise CallbackError("state_unknown")
            if not is_of(pending, rp):
                raise CallbackError("connection_mismatch", about="client")
            check_binding(pending, binding)
            self._logins.remove(pending_id)
        return Taken(
            pending=pending,
            binding=binding,
            cookies=(self._profile.forgotten(name),),
            single_use="process",
        )

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
        pending_id = pending_id_of(pending.state)
        kept = _BoundLogout(pending, binding_digest_of(secrets.binding))
        with self._process.lock:
            self._logouts.add(pending_id, kept, LOGOUT_LIFETIME, now)
        name = self._profile.logout_name(pending_id)
        value = f"{pending.created_at}.{secrets.binding}"
        cookie = self._profile.cookie(name, value, LOGOUT_LIFETIME)
        return (cookie, *self._evicted(cookies, cookie)) if cookies else (cookie,)

    def take_logout(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /
    ) -> TakenLogout:
        """Take a logout out.

        Raises:
            CallbackError: ``logout_state_mismatch``, ``binding_duplicated``,
                ``connection_mismatch``.
        """
        name = self._profile.logout_name(pending_id)
        digest = binding_digest_of(_binding(only_value(cookies, name)))
        with self._process.lock:
            kept = self._logouts.find(pending_id, now)
            if kept is None or not same(digest, kept.binding_digest):
                raise CallbackError("logout_state_mismatch", about="cookie")
            pending = kept.pending
            if not end_session.is_of(pending, rp):
                raise CallbackError("connection_mismatch", about="client")
            self._logouts.remove(pending_id)
        return TakenLogout(pending, (self._profile.forgotten(name),))

    def _evicted(self, cookies: Cookies, new: SetCookie) -> tuple[SetCookie, ...]:
        return self._profile.evicted(cookies, new, _started_at)

    def __len__(self) -> int:
        return len(self._logins)


def is_of(pending: PendingLogin, rp: RelyingParty) -> bool:
    """Return whether a login was started by this client at this provider."""
    return pending.connection[:3] == rp.connection[:3]


def _binding(value: str) -> str:
    return value.partition(".")[2]


def _started_at(_name: str, value: str) -> int | None:
    """Return when a cookie says that it was set; it goes first if it does not say so."""
    text = value.partition(".")[0]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _DIGITS else None
