"""The limits of one exchange: time and octets; and the facts known about it so far."""

import sys
from collections.abc import Callable
from contextvars import ContextVar
from http.client import HTTPException, HTTPResponse
from time import monotonic
from typing import Final, NoReturn

from oidc_core.wire.addresses import Reach

HEADER_OCTETS: Final = 65_536
"""How large interim answers and the header section may be together."""

FRAMING: Final = 2
"""How many octets may travel for each octet of a body: chunks have headers and trailers."""


class Exchange:
    """The budget of one attempt.

    Attributes:
        deadline: the monotonic time at which it ends.
        quota: octets that may still be received.
        sent: whether an octet of the request itself may have left.
        dialling: whether a connection is being made, so that what is sent is not the request.
        fault: the code of the limit that was exceeded, or ``None``.
        cause: why it failed, where that is known at once; otherwise an empty string.
        handled: the exception that the caller handles meanwhile, which is none of the exchange's.
        held: pieces of the request that wait for the rest of it, or ``None``.
        discard: closes the connection in use, so that it is never reused.
        proxy_answer: returns what the proxy answered, while somebody holds it.
        reach: which addresses may be connected to.
        target: the target of the request, octet for octet; empty for the library's own spelling.
    """

    __slots__ = (
        "_body_quota",
        "_excess",
        "cause",
        "deadline",
        "dialling",
        "discard",
        "fault",
        "handled",
        "held",
        "proxy_answer",
        "quota",
        "reach",
        "sent",
        "target",
    )

    def __init__(self, deadline: float, *, max_body: int, reach: Reach) -> None:
        self.deadline = deadline
        self.quota = HEADER_OCTETS
        self.sent = False
        self.dialling = False
        self.fault: str | None = None
        self.cause = ""
        self.handled = sys.exception()
        self.held: list[bytes] | None = None
        self.discard: Callable[[], None] = _nothing
        self.proxy_answer: Callable[[], HTTPResponse | None] = _nothing
        self.reach: Reach = reach
        self.target = ""
        self._excess: str | None = None
        self._body_quota = FRAMING * max_body + HEADER_OCTETS

    @property
    def reads_body(self) -> bool:
        """Whether the header section is complete."""
        return self._excess is not None

    @property
    def is_over(self) -> bool:
        """Whether the deadline has come."""
        return monotonic() >= self.deadline

    def remaining(self) -> float:
        """Return the seconds left, always more than zero.

        Raises:
            TimeoutError: at the deadline.
        """
        left = self.deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def expect_body(self) -> None:
        """Set the quota for the octets after the header section."""
        self.quota = self._body_quota
        self._excess = "http_too_large"

    def take(self, octets: int) -> None:
        """Count octets that were received.

        Raises:
            HTTPException: if there are too many.
        """
        self.quota -= octets
        if self.quota < 0:
            self.fault = self._excess
            raise HTTPException("too many octets")

    def refuse(self, fault: str, cause: str = "") -> NoReturn:
        """End the exchange with a code, and a cause if it has one.

        Raises:
            HTTPException: always.
        """
        self.fault, self.cause = fault, cause
        raise HTTPException


def _nothing() -> None:
    """Stand in for closing while there is no connection."""


class _Current:
    """Where the exchange is found: one for each thread, task and greenlet."""

    __slots__ = ("_of",)

    def __init__(self) -> None:
        self._of: ContextVar[Exchange | None] = ContextVar("oidc_exchange", default=None)

    @property
    def exchange(self) -> Exchange | None:
        return self._of.get()

    @exchange.setter
    def exchange(self, exchange: Exchange | None) -> None:
        self._of.set(exchange)


CURRENT: Final = _Current()
"""The exchange that runs here, for the connection that urllib3 picks for it.

One may begin within another, as where a log record is itself sent over a transport: so each puts
back what it found.
"""
