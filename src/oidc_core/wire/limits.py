"""How large things may be: a value in the policy, with a bound that no policy exceeds.

A limit is there so that nobody can fill the memory. The honest documents of a provider should fit,
so a default is generous, and an application whose provider sends more raises one by its name.
Code that reads without a policy, before a client is known or out of a store, takes
:data:`UPPER_BOUNDS`.
"""

from typing import Final, Literal, TypeAlias, TypedDict

from attrs import frozen

from oidc_core.wire.codes import Kind, Retryable
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.jsontypes import MAX_MEMBERS
from oidc_core.wire.messages import Fact
from oidc_core.wire.settings import check_fields, fields_of

LimitName: TypeAlias = Literal[
    "callback", "id_token", "token_response", "userinfo", "metadata", "key_set", "keys",
    "jose_header", "members",
]  # fmt: skip

_KIB: Final = 1_024
_MIB: Final = 1_024 * _KIB


@frozen(kw_only=True)
class Limits:
    """How large is what a provider or a browser may send; ``Policy.limits``.

    Each is a whole number from 1 to its upper bound.

    Attributes:
        callback: octets of the query or body of a callback; 16 KiB, at most 64 KiB. No parameter
            has a smaller limit, except ``state`` and ``error``, which have 512 characters.
        id_token: characters of a JWT, except UserInfo; 128 KiB, at most 512 KiB.
        token_response: octets of an answer of the token endpoint; 512 KiB, at most 2 MiB.
        userinfo: octets of UserInfo, as JSON or as a JWT; 1 MiB, at most 4 MiB.
        metadata: octets of the provider's metadata; 256 KiB, at most 1 MiB.
        key_set: octets of a key set; 1 MiB, at most 4 MiB.
        keys: how many keys it may have; 512, at most 2,048.
        jose_header: characters of the encoded header of a JWT; 16 KiB, at most 64 KiB.
        members: how many members one JSON object may have; 2,048, at most 16,384.  A document may
            have four times as many arrays and objects in all.

    Raises:
        UsageError: ``config_invalid``, naming the limit.
    """

    callback: int = 16 * _KIB
    id_token: int = 128 * _KIB
    token_response: int = 512 * _KIB
    userinfo: int = 1 * _MIB
    metadata: int = 256 * _KIB
    key_set: int = 1 * _MIB
    keys: int = 512
    jose_header: int = 16 * _KIB
    members: int = MAX_MEMBERS

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        for name, bound in _BOUNDS:
            most: int = getattr(self, name)
            if not 1 <= most <= bound:
                expected = f"1 to {bound}"
                raise UsageError(
                    "config_invalid", about=f"limits.{name}", found=most, expected=expected
                )


_FIELDS: Final = fields_of(Limits)
_BOUNDS: Final[tuple[tuple[LimitName, int], ...]] = (
    ("callback", 64 * _KIB),
    ("id_token", 512 * _KIB),
    ("token_response", 2 * _MIB),
    ("userinfo", 4 * _MIB),
    ("metadata", 1 * _MIB),
    ("key_set", 4 * _MIB),
    ("keys", 2_048),
    ("jose_header", 64 * _KIB),
    ("members", 16_384),
)

LIMITS: Final = Limits()
"""How large things may be unless a policy says otherwise."""

UPPER_BOUNDS: Final = Limits(**dict[str, int](_BOUNDS))
"""How large things may be under any policy."""


class Excess(TypedDict):
    """The facts of an error about something that is too large; see :class:`OidcError`."""

    found: Fact
    expected: Fact
    hint: str
    retryable: Retryable
    kind: Kind


def excess(
    name: LimitName, most: int, found: int | None = None, *, kind: Kind = "configuration"
) -> Excess:
    """Return the facts of an error about something that is too large: its size, and the setting.

    Trying again does not help: what is sent stays as large.
    """
    bound: int = getattr(UPPER_BOUNDS, name)
    hint = f"raise Policy.limits.{name}, up to {bound}, or have less sent"
    return Excess(
        found=found,
        expected=f"up to {most}",
        hint=hint if most < bound else "have less sent: no limit is higher",
        retryable="no",
        kind=kind,
    )


def name_excess(error: OidcError, name: LimitName, most: int) -> None:
    """Add to an error that something was too large."""
    facts = excess(name, most)
    error.expected, error.hint = facts["expected"], facts["hint"]
    error.retryable, error.kind = facts["retryable"], facts["kind"]
