"""A client secret as text, or as a call that opens it each time it is needed."""

from collections.abc import Callable
from typing import Final, TypeAlias

from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_kind

Secret: TypeAlias = str | Callable[[], str]
"""A client secret: text, or a call that returns it.

A call is made again for each use, and what it returns is kept nowhere; so the secret may lie
encrypted in memory, or change while the program runs.
"""

_CONTROLS: Final = frozenset([*map(chr, range(32)), "\x7f"])
_STORE: Final = FailsClosed("client_secret")


def opened(secret: Secret) -> str:
    """Return the secret, for one use.

    Raises:
        StoreFailure: ``store_unavailable`` for whatever the call raises.
        UsageError: ``config_invalid`` if it returns anything but a secret.
    """
    if isinstance(secret, str):
        return secret
    with _STORE:
        text = secret()
    check_kind(text, str, about="client_secret", code="config_invalid")
    check_secret(text)
    return text


def check_secret(secret: object) -> None:
    """Refuse a client secret that is none, or that was read with what stood around it.

    A call is judged by what it returns, whenever it is made.

    Raises:
        UsageError: ``config_invalid``; the secret is not shown.
    """
    if callable(secret):
        return
    check_kind(secret, str | None, about="client_secret", code="config_invalid")
    if not isinstance(secret, str):
        return
    if secret == "" or secret.strip() != secret or not _CONTROLS.isdisjoint(secret):
        found = "an empty one" if secret == "" else "white space around it or control characters"
        raise UsageError("config_invalid", about="client_secret", found=found)
