"""Revoking tokens when a session ends (RFC 7009), where the provider has an endpoint for it.

:func:`to_revoke` says which tokens; :func:`revoke` asks for one of them.  If one of them
fails, go on with the others: the session has ended already.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from attrs import field, frozen

from oidc_core.endpoints.revocation import TokenKind, check_revocation, revocation_request
from oidc_core.endpoints.tokens import check_owner
from oidc_core.machine.steps import Done, Exchange, Step
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.answers import answered
from oidc_core.wire.http import Answer
from oidc_core.wire.settings import check_kind

_OFFLINE: Final = "offline_access"


class Revocable(NamedTuple):
    """A token to be revoked, and what it is."""

    token: str
    kind: TokenKind

    def __repr__(self) -> str:
        return f"Revocable(kind={self.kind!r})"


@frozen
class Revoked:
    """The provider says that a token is not valid any more; do not use it again.

    With a refresh token, the access tokens of the same grant end too, soon at the latest
    (RFC 7009 §2.1).
    """

    kind: TokenKind


def to_revoke(
    tokens: Tokens, access_tokens: Sequence[str] = (), *, keep_offline: bool = False
) -> tuple[Revocable, ...]:
    """Return which tokens of a session to revoke when it ends, the refresh token first.

    Args:
        tokens: of the session.
        access_tokens: further access tokens of it.
        keep_offline: whether a refresh token stays that was granted with ``offline_access``: so it
            should where the provider ended the session (OIDC Back-Channel Logout §2.7).
    """
    check_kind(tokens, Tokens, about="tokens")
    check_kind(access_tokens, list[str] | tuple[str, ...], about="access_tokens")
    found: list[Revocable] = []
    renewing = tokens.refresh_token
    if renewing and not (keep_offline and _OFFLINE in tokens.scope.split()):
        found.append(Revocable(renewing, "refresh_token"))
    access = filter(None, dict.fromkeys([*access_tokens, tokens.access_token]))
    return (*found, *[Revocable(each, "access_token") for each in access])


def revoke(rp: RelyingParty, tokens: Tokens, revocable: Revocable) -> Step[Revoked]:
    """Ask for a token to be revoked.

    Args:
        rp: the relying party.
        tokens: of the session that it belongs to.
        revocable: one of :func:`to_revoke`.

    Raises:
        UsageError: ``parameter_invalid`` for an argument of another type;
            ``client_issuer_mismatch`` if the tokens are another provider's or another client's;
            ``unsupported_by_provider`` without a ``revocation_endpoint``.
        ProviderError: the provider's error, as in ``unsupported_token_type``.
        ProtocolViolation: ``http_status_unexpected``; after 503 ask again later.
        TransportFailure: the exchange failed.
    """
    check_kind(rp, RelyingParty, about="rp")
    check_kind(tokens, Tokens, about="tokens")
    check_kind(revocable, Revocable, about="revocable")
    check_owner(rp, tokens)
    request = revocation_request(rp, revocable.token, revocable.kind)
    return AwaitingRevocation(made_for=rp.digest, request=request, revocable=revocable)


@frozen(kw_only=True)
class AwaitingRevocation(Exchange[Revoked]):
    """Waits for the revocation endpoint."""

    revocable: Revocable = field(repr=False)

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[Revoked]:
        """Take the answer."""
        del rp
        check_revocation(answered(answer))
        return Done(Revoked(self.revocable.kind))
