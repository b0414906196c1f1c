"""A grant: the tokens of one session, as all processes of an application share them.

A provider that rotates refresh tokens gives each of them once.  So one record per grant says which
refresh token is the current one, and whether a caller exchanges it right now.
:mod:`oidc_core.machine.grants` decides about a record.  A store replaces a record only if it still
has the version that was read.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

from attrs import field, frozen

from oidc_core.model.records import Tokens
from oidc_core.wire.codes import Kind, Retryable
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_fields, fields_of
from oidc_core.wire.way import NOT_TOLD, Channel

GrantState: TypeAlias = Literal[
    "current", "claimed", "sending", "doubt", "unverified", "refused", "ended"
]
"""``current``: there is no exchange.  ``claimed``: one caller prepares an exchange, and has sent
nothing.  ``sending``: it may have sent the refresh token.  ``doubt``: nobody knows whether the
provider took it.  ``unverified``: a new pair is stored, and its ID token is not verified.
``refused``: the provider refused the refresh token.  ``ended``: the session has ended,
and stays so."""


class Failure(NamedTuple):
    """Why the last exchange brought no usable token: members of its error.

    Attributes:
        code, kind, retryable: as the error has them.
        error: the provider's OAuth error, or an empty string.
        cause: why it happened, in one word, or an empty string.
    """

    code: str
    kind: Kind
    retryable: Retryable
    error: str = ""
    cause: str = ""


class Target(NamedTuple):
    """The scope and resources of an access token; both are empty for those of the login."""

    scope: str = ""
    resource: tuple[str, ...] = ()


class Access(NamedTuple):
    """An access token of a grant.

    Attributes:
        target: its scope and resources, as they were requested.
        token: the access token.
        scope: what was granted.
        stored_at: when it was stored, by the store's clock.
        lifetime: for how many seconds it is valid from then on, if that is known.
        expires_at: when it expires, by the clock of the process that received it.
    """

    target: Target
    token: str
    scope: str
    stored_at: int
    lifetime: int | None = None
    expires_at: int | None = None

    def __repr__(self) -> str:
        return f"Access({self.target!r}, stored_at={self.stored_at}, lifetime={self.lifetime})"

    def remaining(self, now: int) -> int | None:
        """Return for how many seconds it is valid yet, ``None`` if nobody knows."""
        return None if self.lifetime is None else self.lifetime - elapsed(self.stored_at, now)


class Unverified(NamedTuple):
    """A new ID token that nobody has verified, and what depends on it.

    Attributes:
        id_token: as it was received.
        access: the access token that came with it, handed out once the ID token is accepted.
        received_at: when it was stored, in seconds since the epoch; it is judged at that time.
        channel: how it came.
    """

    id_token: str
    access: Access | None
    received_at: int
    channel: Channel = NOT_TOLD

    def __repr__(self) -> str:
        return f"Unverified(received_at={self.received_at})"


@frozen(kw_only=True)
class GrantRecord:
    """Everything that the callers of one grant share; every write is a new value.

    Attributes:
        version: 96 random bits that the writer chose for this write.
        tokens: the facts of the login, and the current refresh token; no access token.
        access: the access tokens, newest last, at most :data:`MOST_ACCESS`.
        hint: the newest verified ID token of a refresh; ``None`` while that of the login is.
        generation: 0 at login, one more with each stored pair.
        parent: the generation that the current pair came from; -1 at login.
        born: which send of its parent's refresh token brought the current pair.
        state: see :data:`GrantState`.
        attempt: the random name of the exchange, also while it is in doubt, or an empty string.
        sends: how often this generation's refresh token may have been sent.
        first_sent_at, last_sent_at: when these sends were marked, by the store's clock.
        held_until: before this time of the store the refresh token is not sent.
        rotates: whether the last answer brought a new refresh token; ``None`` before the first.
        misses: exchanges in a row that brought no usable token.
        guarded: in doubt, whether the time has passed in which the exchange could still be sent.
        bare_400: whether this generation was answered with a 400 without an OAuth error.
        last_failure: why the last exchange failed, ``None`` after an accepted pair.
        unverified: a new ID token, as long as nobody has verified it.
        changed_at: when the record was written last, by the store's clock.
        until: when the session ends, in seconds since the epoch; nobody gets tokens from then on.
    """

    version: str
    tokens: Tokens
    access: tuple[Access, ...] = ()
    hint: str | None = field(default=None, repr=False)
    generation: int = 0
    parent: int = -1
    born: int = 0
    state: GrantState = "current"
    attempt: str = ""
    sends: int = 0
    first_sent_at: int = 0
    last_sent_at: int = 0
    held_until: int = 0
    rotates: bool | None = None
    misses: int = 0
    guarded: bool = False
    bare_400: bool = False
    last_failure: Failure | None = None
    unverified: Unverified | None = None
    changed_at: int
    until: int

    def __attrs_post_init__(self) -> None:
        check_fields(self, _GRANT)
        for name in _COUNTS:
            count: int = getattr(self, name)
            if count < 0:
                raise UsageError("parameter_invalid", about=name, found=count, expected="0 or more")

    def access_for(self, target: Target) -> Access | None:
        """Return the access token for a target, if there is one."""
        return next((each for each in self.access if each.target == target), None)


_COUNTS: Final = ("generation", "born", "sends", "misses")
_GRANT: Final = fields_of(GrantRecord, "parameter_invalid")

MOST_ACCESS: Final = 8
"""Access tokens of one grant; of more targets the oldest is forgotten."""

_CLOCK_SLACK: Final = 60
_LONG_AGO: Final = 2**53


def elapsed(then: int, now: int) -> int:
    """Return the seconds since a time of the store.

    A store that was restored or failed over may know times of the future.  Nobody waits for them:
    beyond a small difference they count as long ago.
    """
    if now >= then:
        return now - then
    return 0 if then - now <= _CLOCK_SLACK else _LONG_AGO
