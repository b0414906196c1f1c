"""A client secret as text, or as a call that opens it each time it is needed."""

from collections.abc import Callable
from typing import Final, TypeAlias

from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_core.wire.errors import UsageError

Secret: TypeAlias = str | Callable[[], str]
"""A client secret: text, or a call that returns it.

A call is made again for each use, and what it returns is kept nowhere; so the secret may lie
encrypted in memory, or change while the program runs.
"""

_STORE: Final = FailsClosed("client_secret")


def opened(secret: Secret) -> str:
    """Return the secret, for one use.

    Raises:
        StoreFailure: ``store_unavailable`` for whatever the call raises.
        UsageError: ``config_invalid`` if it returns anything but text, or none.
    """
    if isinstance(secret, str):
        return secret
    with _STORE:
        text = secret()
    return _checked(text)


def _checked(text: object) -> str:
    if not isinstance(text, str) or not text:
        found = "no text" if text == "" else type(text).__name__
        raise UsageError("config_invalid", about="client_secret", found=found, expected="text")
    return text
