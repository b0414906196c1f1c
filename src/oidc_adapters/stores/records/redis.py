"""Records in Redis or Valkey: each call is one script, which the server runs as a whole.

A client library repeats a command when its connection breaks.  If the server applied the first one,
the second finds another version and reports that it wrote no record.  These stores therefore send
each command once, and a lost answer is an exception.
"""

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, Final, Protocol, TypeAlias, cast

from oidc_adapters.stores.records.ports import SLACK, Found, Times
from oidc_core.model.pending import SingleUse
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import as_setting

_Script: TypeAlias = bytes
_Command: TypeAlias = tuple[str | bytes | int, ...]

# A write that changes nothing: a replica refuses it, so nobody reads there.
_READ: Final[_Script] = b"""
redis.call('HDEL', KEYS[1], '')
local held = redis.call('HMGET', KEYS[1], 'version', 'value')
return {redis.call('TIME')[1], held[1], held[2]}
"""

# Versions are random, so the same version and value are the same write, which somebody repeated.
_CREATE: Final[_Script] = b"""
local held = redis.call('HMGET', KEYS[1], 'version', 'value')
if held[1] then
  return (held[1] == ARGV[1] and held[2] == ARGV[2]) and 1 or 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'value', ARGV[2])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return 1
"""

_REPLACE: Final[_Script] = b"""
local held = redis.call('HMGET', KEYS[1], 'version', 'value')
if held[1] ~= ARGV[4] then
  return (held[1] == ARGV[1] and held[2] == ARGV[2]) and 1 or 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'value', ARGV[2])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return 1
"""

_REMOVE: Final[_Script] = b"""
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
"""

_TIMES: Final = "times"
"""A key that no record has: of a cluster it chooses the server whose clock is read."""

_LATEST: Final = 2**62
"""The latest time that a server takes, in milliseconds."""


class RedisClient(Protocol):
    """A client of redis-py or valkey-py that waits: of a server, of Sentinel, or of a cluster."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command."""
        ...


class AsyncRedisClient(Protocol):
    """A client of redis-py or valkey-py that awaits: of a server, of Sentinel, or of a cluster."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command."""
        ...


class RedisRecords:
    """A store of records in Redis or Valkey, for all processes and hosts that reach it.

    .. code-block:: python

        records = RedisRecords(redis.Redis(host="…", socket_timeout=5))

    ``docs/how-to/choose-a-store.md`` shows how to configure the server.  Exceptions of the client
    come out of each call unchanged.

    Args:
        client: a client of ``redis`` or ``valkey``, with any settings.  The application closes it.
            Give it a ``socket_timeout``, or a call to a server that hangs never ends.
        prefix: begins the name of every key.

    Raises:
        UsageError: ``config_invalid``, naming the argument.
    """

    __slots__ = ("_client", "_names", "_naming")

    def __init__(self, client: RedisClient, *, prefix: str = "oidc:") -> None:
        self._client: Any = as_setting(client, RedisClient, "client")
        self._naming = _naming(self._client)
        self._names = _Names(prefix)

    @property
    def single_use(self) -> SingleUse:
        """``shared``: by all processes and hosts that reach the server."""
        return "shared"

    def times(self) -> Times:
        """Return the times of the server."""
        return _times(self._run(self._names.reading(_TIMES)))

    def read(self, key: str, /) -> Found | None:
        """Return the record from the primary, never from a replica."""
        return _found(self._run(self._names.reading(key)))

    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        """Put a record under a key that has no record."""
        return self._run(self._names.creating(key, version, value, until)) == 1

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        """Put a record in the place of one that still has the expected version."""
        return self._run(self._names.replacing(key, expected, version, value, until)) == 1

    def remove(self, key: str, expected: str, /) -> bool:
        """Remove a record that still has the expected version."""
        return self._run(self._names.removing(key, expected)) == 1

    def clean(self, _most: int = 1_000, /) -> int:
        """Return 0: the server removes each record at its time."""
        return 0

    def close(self) -> None:
        """Leave the client open: the application opened it."""

    def _run(self, command: _Command) -> object:
        """Send a command once, and return the answer in octets."""
        if self._naming is None:
            node = self._client.get_node_from_key(command[_KEY])
            return self._client.execute_command(*command, target_nodes=node, NEVER_DECODE=[])
        pool = self._client.connection_pool
        connection = pool.get_connection(*self._naming)
        try:
            connection.send_command(*command)
            return connection.read_response(disable_decoding=True)
        except BaseException:
            connection.disconnect()  # its answer may still come
            raise
        finally:
            pool.release(connection)


class AsyncRedisRecords:
    """A store of records in Redis or Valkey, for code under asyncio.

    Like :class:`RedisRecords`, with a client of ``redis.asyncio`` or ``valkey.asyncio``.  Under
    trio, which those clients do not know, put a :class:`RedisRecords` in an :class:`InThreads`.
    """

    __slots__ = ("_client", "_names", "_naming")

    def __init__(self, client: AsyncRedisClient, *, prefix: str = "oidc:") -> None:
        self._client: Any = as_setting(client, AsyncRedisClient, "client")
        self._naming = _naming(self._client)
        self._names = _Names(prefix)

    @property
    def single_use(self) -> SingleUse:
        """``shared``: by all processes and hosts that reach the server."""
        return "shared"

    async def times(self) -> Times:
        """Return the times of the server."""
        return _times(await self._run(self._names.reading(_TIMES)))

    async def read(self, key: str, /) -> Found | None:
        """Return the record from the primary, never from a replica."""
        return _found(await self._run(self._names.reading(key)))

    async def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        """Put a record under a key that has no record."""
        return await self._run(self._names.creating(key, version, value, until)) == 1

    async def replace(
        self, key: str, expected: str, version: str, value: str, until: int, /
    ) -> bool:
        """Put a record in the place of one that still has the expected version."""
        return await self._run(self._names.replacing(key, expected, version, value, until)) == 1

    async def remove(self, key: str, expected: str, /) -> bool:
        """Remove a record that still has the expected version."""
        return await self._run(self._names.removing(key, expected)) == 1

    async def clean(self, _most: int = 1_000, /) -> int:
        """Return 0: the server removes each record at its time."""
        return 0

    async def close(self) -> None:
        """Leave the client open: the application opened it."""

    async def _run(self, command: _Command) -> object:
        """Send a command once, and return the answer in octets."""
        if self._naming is None:
            await self._client.initialize()
            node = self._client.get_node_from_key(command[_KEY])
            return await self._client.execute_command(*command, target_nodes=node, NEVER_DECODE=[])
        pool = self._client.connection_pool
        connection = await pool.get_connection(*self._naming)
        try:
            await connection.send_command(*command)
            return await connection.read_response(disable_decoding=True)
        except BaseException:
            await connection.disconnect(nowait=True)  # its answer may still come
            raise
        finally:
            await pool.release(connection)


# --- commands and their answers ------------------------------------------------------------------

_KEY: Final = 3
"""Where a command names its key."""


class _Names:
    """Builds the commands of a store, with its prefix.  Values are octets for any client."""

    __slots__ = ("_prefix",)

    def __init__(self, prefix: str) -> None:
        self._prefix = as_setting(prefix, str, "prefix")

    def reading(self, key: str) -> _Command:
        return self._command(_READ, key)

    def creating(self, key: str, version: str, value: str, until: int) -> _Command:
        return self._command(_CREATE, key, version, value, _removal(until))

    def replacing(self, key: str, expected: str, version: str, value: str, until: int) -> _Command:
        return self._command(_REPLACE, key, version, value, _removal(until), expected)

    def removing(self, key: str, expected: str) -> _Command:
        return self._command(_REMOVE, key, expected)

    def _command(self, script: _Script, key: str, *arguments: str) -> _Command:
        # EVAL and not EVALSHA: a server may forget a script at any time, and the text is short.
        name = f"{self._prefix}{key}".encode()
        return ("EVAL", script, 1, name, *[each.encode() for each in arguments])


def _removal(until: int) -> str:
    """Return when the server removes a record, in milliseconds."""
    return str(min(max(until + SLACK, 0) * 1_000, _LATEST))


def _times(answer: object) -> Times:
    seconds = int(cast("list[bytes]", answer)[0])
    return Times(now=seconds, utc=seconds)


def _found(answer: object) -> Found | None:
    _, version, value = cast("list[bytes | None]", answer)
    if version is None or value is None:
        return None
    return Found(value.decode(), version.decode(), _times(answer))


def _naming(client: object) -> tuple[str, ...] | None:
    """Return what the client's pool wants to know to lend a connection; ``None`` for a cluster."""
    if hasattr(client, "get_node_from_key"):
        return None
    lend: Callable[..., object] | None = getattr(
        getattr(client, "connection_pool", None), "get_connection", None
    )
    if lend is None:
        found, expected = type(client).__name__, "a client of redis or valkey"
        raise UsageError("config_invalid", about="client", found=found, expected=expected)
    asked = signature(lend).parameters.get("command_name")
    return ("EVAL",) if asked is not None and asked.default is Parameter.empty else ()
