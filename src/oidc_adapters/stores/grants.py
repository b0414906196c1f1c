"""The grants of an application's sessions, sealed in a store that all its processes share."""

from typing import Final, NamedTuple, TypeVar

from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.stores.records import AsyncRecords, Records, Times
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_core import codec
from oidc_core.machine.grants import GUARDS, Guards
from oidc_core.model.connection import Connection
from oidc_core.model.grants import GrantRecord
from oidc_core.wire.errors import StoreFailure, UsageError
from oidc_core.wire.settings import as_count, as_setting

_STORE: Final = FailsClosed("grants")
_MONTH: Final = 30 * 86_400
_LONGEST: Final = 200
_LATEST: Final = 2**53

T = TypeVar("T")


class Grants:
    """Where the tokens of sessions are kept, and how they are shared.

    .. code-block:: python

        grants = Grants(SqliteRecords("sessions.db"), secret)
        client = OidcClient(setup, pending, grants=grants)

    Args:
        records: the store; one that waits serves waiting and awaiting clients, one that is awaited
            serves awaiting clients.
        secrets: the application's sealing secrets, newest first, each of at least 32 octets of
            entropy.  To rotate, give all processes the new one behind the old one first, then put
            it in front.
        lifetime: seconds after a login at which its session ends, and its tokens are cleaned away;
            30 days by default.  A provider may say that it ends sooner (``session_expiry``).
        trusted: seconds for which a copy in the memory of a process is handed out without a look
            at the store; 5 by default.  A session that has ended is refused everywhere after that.
        patience: seconds that a caller waits for somebody else's exchange.
        guards: how long a claim and an exchange of somebody else are watched before they count as
            abandoned; with less than the defaults a slow exchange may be made twice.

    Raises:
        UsageError: ``config_invalid``.
    """

    __slots__ = ("_box", "guards", "lifetime", "patience", "records", "trusted")

    def __init__(
        self,
        records: Records | AsyncRecords,
        *secrets: bytes | str,
        lifetime: int = _MONTH,
        trusted: float = 5,
        patience: float = GUARDS.send + 5,
        guards: Guards = GUARDS,
    ) -> None:
        self.records = as_setting(records, Records | AsyncRecords, "records")
        self._box = SealedBox(*secrets)
        self.lifetime = as_count(lifetime, "lifetime")
        self.trusted = _seconds(trusted, "trusted")
        self.patience = _seconds(patience, "patience")
        self.guards = as_setting(guards, Guards, "guards")
        for name, seconds in self.guards._asdict().items():
            as_count(seconds, f"guards.{name}")

    def __repr__(self) -> str:
        return f"Grants({type(self.records).__name__})"

    async def read(self, records: AsyncRecords, of: "Key") -> "Held":
        """Read a grant.

        Raises:
            StoreFailure: ``store_unavailable``; ``seal_invalid`` for a record that was sealed with
                another secret or belongs to another key, client or provider; ``record_invalid`` or
                ``record_version_unknown``.
        """
        with _STORE:
            found = await records.read(of.name)
            if found is None:
                return Held(None, _told(await records.times()))
            value, version, times = found
            sealed, times = _as(str, value), _told(times)
        record = codec.load_grant(self._box.open(sealed, label=of.label))
        if record.version != version:
            raise StoreFailure("record_invalid", about="version")
        return Held(record, times)

    async def times(self, records: AsyncRecords) -> Times:
        """Return the times of the store.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        with _STORE:
            return _told(await records.times())

    async def create(self, records: AsyncRecords, of: "Key", new: GrantRecord) -> bool:
        """Write the first record of a grant.

        Raises:
            StoreFailure: ``store_unavailable``: nobody knows whether it was applied.
        """
        value = self._box.close(codec.dump_grant(new), label=of.label)
        with _STORE:
            return _as(bool, await records.create(of.name, new.version, value, new.until))

    async def replace(
        self, records: AsyncRecords, of: "Key", expected: str, new: GrantRecord
    ) -> bool:
        """Write a record in the place of the one that was read.

        Raises:
            StoreFailure: ``store_unavailable``: nobody knows whether it was applied.
        """
        value = self._box.close(codec.dump_grant(new), label=of.label)
        with _STORE:
            done = await records.replace(of.name, expected, new.version, value, new.until)
            return _as(bool, done)


class Key(NamedTuple):
    """The name of a grant in its store, and what is authenticated with its value."""

    name: str
    label: str

    @classmethod
    def of(cls, grant_id: str, connection: Connection) -> "Key":
        """Return the key of a grant: its value opens for this client and provider alone.

        A text that cannot be the name of a grant gets a key that never has a record.
        """
        plain = grant_id.isascii() and grant_id.isprintable() and len(grant_id) <= _LONGEST
        name = f"grant:{grant_id if plain and ' ' not in grant_id else 'none'}"
        # A name and an issuer have no space, so no two keys have the same label.  The version of
        # the record is within its value: a later release opens what this one has written.
        return cls(name, f"{name} {connection.issuer} {connection.client_id}")

    def __repr__(self) -> str:
        return "Key()"


class Held(NamedTuple):
    """The record of a store under a key, and the store's times at the read."""

    record: GrantRecord | None
    times: Times


def _seconds(value: float, about: str) -> float:
    if type(value) not in {int, float} or not 0 <= value <= _MONTH:
        found = value if isinstance(value, int) else type(value).__name__
        raise UsageError("config_invalid", about=about, found=found, expected="seconds")
    return value


def _as(kind: type[T], answer: object) -> T:
    """Return what a store answered, which is of exactly this type.

    Raises:
        StoreFailure: ``store_unavailable`` for anything else.
    """
    if type(answer) is not kind:
        raise _no_answer(answer, kind.__name__)
    return answer


def _told(times: Times) -> Times:
    """Return the times of a store, which are whole seconds.

    Raises:
        StoreFailure: ``store_unavailable`` for anything else.
    """
    now, utc = times
    for seconds in (now, utc):
        if abs(_as(int, seconds)) > _LATEST:
            raise _no_answer(seconds, "seconds")
    return Times(now, utc)


def _no_answer(answer: object, expected: str) -> StoreFailure:
    found = type(answer).__name__
    return StoreFailure("store_unavailable", found=found, expected=expected, about="grants")
