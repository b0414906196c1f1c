"""A grant: the tokens of one session, as all processes of an application share them.

A provider that rotates refresh tokens gives each of them once.  So one record per grant says which
pair of tokens is the current one, and whether an exchange for the next pair is under way.  What may
be done with a record is decided in :mod:`oidc_core.machine.grants`; a store replaces a record only
if it still has the version that was read.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

from attrs import field, frozen

from oidc_core.model.records import Tokens
from oidc_core.wire.codes import Kind, Retryable
from oidc_core.wire.settings import check_fields, fields_of

GrantState: TypeAlias = Literal[
    "current", "claimed", "sending", "doubt", "unverified", "refused", "ended"
]
"""``current``: nothing is under way.  ``claimed``: one caller prepares an exchange, and has sent
nothing.  ``sending``: the refresh token may be on its way.  ``doubt``: nobody knows whether the
provider took it.  ``unverified``: a new pair is stored, and its ID token is not verified.
``refused``: the provider refused the refresh token.  ``ended``: the session is over, for ever."""


class Failure(NamedTuple):
    """Why the last exchange brought no usable token: members of its error."""

    code: str
    kind: Kind
    retryable: Retryable


@frozen(kw_only=True)
class GrantRecord:
    """Everything that the callers of one grant share; every write is a new value.

    Attributes:
        version: 96 random bits that the writer chose for this write.
        tokens: the current pair; without tokens in it once the grant has ended.
        usable: whether the access token may be handed out once it is wanted.
        generation: 0 at login, one more with each stored pair.
        parent: the generation that the current pair came from; -1 at login.
        born: which send of its parent's refresh token brought the current pair.
        state: see :data:`GrantState`.
        attempt: the random name of the exchange under way, or an empty string.
        sends: how often this generation's refresh token may have been sent.
        rotates: whether the last answer brought a new refresh token; ``None`` before the first.
        misses: exchanges in a row that brought no usable token.
        guarded: in doubt, whether the time is over in which the exchange could still be sent.
        bare_400: whether this generation was answered with a 400 without an OAuth error.
        last_failure: why the last exchange failed, ``None`` after an accepted pair.
        unverified: the new ID token, as long as nobody has verified it.
        stored_at: when the current pair was stored, by the store's clock, in seconds.
        lifetime: how long its access token is valid from then on, if that is known.
        changed_at: when the record was written last, by the store's clock.
        until: when the session ends; for cleaning up only.
    """

    version: str
    tokens: Tokens
    usable: bool = True
    generation: int = 0
    parent: int = -1
    born: int = 0
    state: GrantState = "current"
    attempt: str = ""
    sends: int = 0
    rotates: bool | None = None
    misses: int = 0
    guarded: bool = False
    bare_400: bool = False
    last_failure: Failure | None = None
    unverified: str | None = field(default=None, repr=False)
    stored_at: int
    lifetime: int | None = None
    changed_at: int
    until: int

    def __attrs_post_init__(self) -> None:
        check_fields(self, _GRANT)

    def remaining(self, now: int) -> int | None:
        """Return for how many seconds the access token is valid yet, ``None`` if nobody knows."""
        return None if self.lifetime is None else self.stored_at + self.lifetime - now


_GRANT: Final = fields_of(GrantRecord, "parameter_invalid")
