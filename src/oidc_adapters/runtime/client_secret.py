"""A client secret as text, or as a call that opens it each time it is needed."""

from collections.abc import Callable
from inspect import getattr_static, iscoroutinefunction
from typing import Final, TypeAlias

from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_kind

Secret: TypeAlias = str | Callable[[], str]
"""A client secret: text, or a call that returns it.

A call is made again for each use, and what it returns is kept nowhere; so the secret may lie
encrypted in memory, or change while the program runs.
"""

_STORE: Final = FailsClosed("client_secret")


def opened(secret: Secret) -> str:
    """Return the secret, for one use.

    Raises:
        StoreFailure: ``store_unavailable`` for every exception of the call.
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
    """Refuse a value that is not a client secret, or was read with the text around it.

    That may be unseen, as a byte order mark or half of a character that no encoding has. A call is
    judged by its return value, whenever it is made; but a class returns no secret, and a call that
    must be awaited does not return one either.

    Raises:
        UsageError: ``config_invalid``; the secret is not shown.
    """
    if callable(secret) and not isinstance(secret, str):
        _check_call(secret)
        return
    check_kind(secret, str | None, about="client_secret", code="config_invalid")
    if not isinstance(secret, str):
        return
    if secret == "" or secret.strip() != secret or not secret.isprintable():
        found = "an empty one" if secret == "" else "white space around it or unseen characters"
        raise UsageError("config_invalid", about="client_secret", found=found)


def _check_call(call: object) -> None:
    """Refuse what can be called and still never returns text."""
    if isinstance(call, type):
        found = "a class"
    elif iscoroutinefunction(call) or iscoroutinefunction(getattr_static(call, "__call__", None)):
        found = "a call that is awaited"
    else:
        return
    expected = "text, or a call that returns it"
    raise UsageError("config_invalid", about="client_secret", found=found, expected=expected)
