"""The outcomes of an exchange of a refresh token."""

from typing import NamedTuple, TypeAlias

from oidc_core.model.grants import Failure
from oidc_core.wire.way import NOT_TOLD, Channel


class Pair(NamedTuple):
    """New tokens that an answer brought.

    Attributes:
        refresh_token: the new one, or the one that was sent if the answer has no other.
        rotated: whether the answer brought another one.
        access: the access token, ``None`` if nobody may use one from this answer.
        failure: why not.
        id_token: the new ID token, unverified, if there is one.
        channel: how the answer came.
    """

    refresh_token: str
    rotated: bool
    access: "NewAccess | None" = None
    failure: Failure | None = None
    id_token: str | None = None
    channel: Channel = NOT_TOLD

    def __repr__(self) -> str:
        return f"Pair(rotated={self.rotated}, failure={self.failure!r})"

    def aged(self, seconds: int) -> "Pair":
        """Return the pair so many seconds after it was received."""
        access = self.access
        if access is None or access.lifetime is None:
            return self
        return self._replace(access=access._replace(lifetime=max(0, access.lifetime - seconds)))


class NewAccess(NamedTuple):
    """An access token of an answer.

    Attributes:
        token: the access token.
        scope: what was granted.
        lifetime: for how many seconds it is valid from now on, if that is known.
        expires_at: when it expires, by the clock of the process that received it.
    """

    token: str
    scope: str
    lifetime: int | None
    expires_at: int | None

    def __repr__(self) -> str:
        return f"NewAccess(scope={self.scope!r}, lifetime={self.lifetime})"


class Refused(NamedTuple):
    """The provider refused the refresh token: ``invalid_grant``."""

    failure: Failure


class NotTaken(NamedTuple):
    """The provider did not take the refresh token, so that it is as good as before.

    ``bare_400``: it was a 400 without an OAuth error.  A gateway may have said the first one.
    """

    failure: Failure
    bare_400: bool = False


class NoOutcome(NamedTuple):
    """Nobody knows whether the provider took the refresh token."""

    failure: Failure


class Unsent(NamedTuple):
    """The request never left, because of the holder itself, so the provider has not seen it.

    A holder that cannot mark its exchange in time, or does not know whether it did, gives its claim
    back in this way, too.
    """


Outcome: TypeAlias = Pair | Refused | NotTaken | NoOutcome | Unsent
