"""The application's own parts may fail in any way; the library fails in one, and closed."""

from types import TracebackType

from oidc_core.wire.errors import OidcError, StoreFailure


class FailsClosed:
    """Turns every exception of an application's store into ``store_unavailable``.

    .. code-block:: python

        with FailsClosed("spent"):
            first = spent.seen_once(name, until, now)

    It may be kept, nested and used by any number of threads and tasks, also around an ``await``.  A
    task that is cancelled and a process that is interrupted stay so.

    Args:
        about: which store it is, as the error names it.

    Raises:
        StoreFailure: ``store_unavailable``, with the exception as its cause.
        OidcError: as the store raised it.
    """

    __slots__ = ("_about",)

    def __init__(self, about: str) -> None:
        self._about = about

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        fault: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if isinstance(fault, Exception) and not isinstance(fault, OidcError):
            raise unavailable(fault, self._about) from fault


def unavailable(fault: Exception, about: str) -> StoreFailure:
    """Return the error that replaces a store's exception; raise it from that."""
    return StoreFailure("store_unavailable", found=type(fault).__name__, about=about)
