"""The memory of a context about its logins, from the first redirect to the last refresh."""

from typing import Final

from attrs import evolve, field, frozen

from oidc_adapters.context.memory import Memory, key_of
from oidc_adapters.context.outcomes import TokenDict
from oidc_adapters.runtime.single_flight import SingleFlight
from oidc_core.machine.steps import Step
from oidc_core.model.pending import PendingLogin
from oidc_core.model.policy import Policy
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.logged_in import LoggedIn, LoginEvidence
from oidc_core.operations.refresh import TokensRenewed
from oidc_core.wire.jsontypes import JsonObject

_MANY: Final = 100_000
_SOME: Final = 10_000
_MINUTE: Final = 60
_MONTH: Final = 30 * 86_400


@frozen(kw_only=True)
class WaitingLogin:
    """A login that waits for its browser.

    Attributes:
        rp: the relying party it was started with, relaxations included.
        pending: the expectations for the callback.
        bound: whether it was started for a certain browser.
    """

    rp: RelyingParty
    pending: PendingLogin
    bound: bool


@frozen(kw_only=True)
class AnsweredLogin:
    """A login whose callback was accepted; its code waits to be exchanged.

    Attributes:
        rp: the relying party it was started with.
        pending: the expectations for the ID token.
        step: the login, about to ask for the tokens.
        accepted_at: when the callback came, in seconds since the epoch.
    """

    rp: RelyingParty
    pending: PendingLogin
    step: Step[LoggedIn] = field(repr=False)
    accepted_at: int


@frozen(kw_only=True)
class AcceptedIdToken:
    """An ID token that was returned.

    Attributes:
        evidence: what was checked.
        refreshed: whether it came with a refresh.
        original: then: the claims it was compared with, if this context knew the login.
    """

    evidence: LoginEvidence
    refreshed: bool = False
    original: JsonObject | None = field(default=None, repr=False)


@frozen(kw_only=True)
class Renewal:
    """New tokens whose ID token could not be verified yet, with the provider's answer."""

    renewed: TokensRenewed
    answer: TokenDict = field(repr=False)


@frozen(kw_only=True)
class Replaced:
    """The result for a refresh token that the provider has replaced; it must not be sent again.

    Attributes:
        renewal: the new tokens.
        login: the facts of the login, if this context knew it.
    """

    renewal: Renewal
    login: Tokens | None


@frozen(kw_only=True)
class Records:
    """Everything a context remembers.

    Attributes:
        waiting: logins by state; twice as long as they may take, so that a late one is told so.
        answered: logins by authorization code, as long.
        issued: unfinished logins by nonce, until both calls have ended.
        finished: logins by nonce, for as long as their ID tokens are valid.
        accepted: ID tokens that were returned, as long.
        refreshable: by refresh token, the claims for the comparison at its next refresh.
        unverified: renewals by the refresh token that was sent, until somebody verified one.
        replaced: then, if it was replaced, for a minute, for callers who refresh with it at the
            same time and come too late to share the request.
        refreshing: refresh tokens on their way to the provider. The token alone decides the answer,
            so a caller who joins still compares it with their own ID token.
    """

    waiting: Memory[WaitingLogin]
    answered: Memory[AnsweredLogin]
    issued: Memory[PendingLogin]
    finished: Memory[PendingLogin]
    accepted: Memory[AcceptedIdToken]
    refreshable: Memory[Tokens]
    unverified: Memory[Renewal]
    replaced: Memory[Replaced]
    refreshing: SingleFlight[Renewal]

    def keep_refreshable(self, tokens: Tokens, now: int) -> None:
        """Keep the claims for the next refresh, if there can be one and they are known."""
        if tokens.refresh_token is not None and tokens.id_token:
            kept = evolve(tokens, access_token="")
            self.refreshable.put(key_of(tokens.refresh_token), kept, now)


def records(policy: Policy) -> Records:
    """Return an empty memory; how long a login may take and an ID token lasts is the policy's."""
    login = 2 * policy.login_lifetime
    token = policy.id_token_age + policy.leeway
    return Records(
        waiting=Memory(lifetime=login, cap=_MANY),
        answered=Memory(lifetime=login, cap=_MANY),
        issued=Memory(lifetime=login, cap=_MANY),
        finished=Memory(lifetime=token, cap=_MANY),
        accepted=Memory(lifetime=token, cap=_SOME),
        refreshable=Memory(lifetime=_MONTH, cap=_MANY),
        unverified=Memory(lifetime=token, cap=_SOME),
        replaced=Memory(lifetime=_MINUTE, cap=_MANY),
        refreshing=SingleFlight(repeatable=False),
    )
