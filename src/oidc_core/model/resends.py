"""Whether a refresh token is sent again whose last send has an unknown outcome."""

from typing import Final, Literal, NamedTuple, TypeAlias

from oidc_core.wire.errors import UsageError


class Grace(NamedTuple):
    """A provider that takes a used refresh token again for so many seconds.

    It counts only if the seconds reach beyond the guard of an exchange, and if repeated use does
    not end the pair that was given first.
    """

    seconds: int


ResendInDoubt: TypeAlias = Literal["never", "once", "reusable"] | Grace
"""``once``: one time, after the guard, once no usable access token is left.  ``never``: not at all;
the user has to log in again.  ``Grace(seconds)``: at once within that time of the first send, then
as ``once``.  ``reusable``: at most three times, at a provider that never rotates."""

_RULES: Final = ("never", "once", "reusable")


def checked_resend(value: object) -> ResendInDoubt:
    """Return a rule.

    Raises:
        UsageError: ``config_invalid`` for anything else.
    """
    if isinstance(value, Grace) and type(value.seconds) is int and value.seconds > 0:
        return value
    for rule in _RULES:
        if value == rule:
            return rule
    found, expected = type(value).__name__, (*_RULES, "Grace(seconds)")
    raise UsageError("config_invalid", about="resend_in_doubt", found=found, expected=expected)
