"""Clients of redis-py, which the tests see without the incomplete types of that package."""

from importlib import import_module
from typing import Any, Final

redis: Final[Any] = import_module("redis")
awaited: Final[Any] = import_module("redis.asyncio")


def waiting_client(url: str, **settings: Any) -> Any:
    """Return a client that waits, as an application makes it."""
    return redis.Redis.from_url(url, **settings)


def awaited_client(url: str, **settings: Any) -> Any:
    """Return a client that awaits, as an application makes it."""
    return awaited.Redis.from_url(url, **settings)


def repeating(kind: Any, times: int = 10) -> dict[str, Any]:
    """Return settings of a client that repeats what fails so often, without a pause.

    Args:
        kind: ``redis`` or ``redis.asyncio``.
        times: how often.
    """
    retry = import_module(f"{kind.__name__}.retry").Retry
    no_pause = import_module("redis.backoff").NoBackoff()
    errors = [redis.ConnectionError, redis.TimeoutError] if times else []
    return {"retry": retry(no_pause, times), "retry_on_error": errors}
