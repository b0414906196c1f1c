"""A logout that the provider begins, without a browser (OIDC Back-Channel Logout 1.0).

.. code-block:: python

    step = backchannel_logout.receive(rp, incoming, now=now)
    while not isinstance(step, Done):
        step = resume(rp, step, shell.keys(step.wanted))
    notice = step.result

The application looks up the sessions that ``notice`` names, and ends them. If it knows no session,
that is a success too (§2.7).  Then it remembers ``notice.once`` until ``notice.until``.  If the
token comes again before all sessions have ended, the application goes on and ends the rest;
afterwards :func:`refuse_repeat` refuses it.  :func:`reply` is the answer to the provider, after a
success and after every refusal.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import ClassVar, Final

from attrs import frozen

from oidc_core.endpoints.logout_token import (
    CheckedLogoutToken,
    LogoutToken,
    check,
    logout_token_in,
    named_in,
)
from oidc_core.jose.jws import VerifiedJws
from oidc_core.jose.profiles import ID_TOKEN, LOGOUT_TOKEN, TYPED_LOGOUT_TOKEN, JwtProfile
from oidc_core.machine.steps import Done, Step
from oidc_core.machine.verification import Verification, verify_jwt
from oidc_core.model.connection import Connection
from oidc_core.model.evidence import Evidence
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import OidcError, ProtocolViolation, fingerprint
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.limits import UPPER_BOUNDS
from oidc_core.wire.replies import NO_STORE, Reply, oauth_error
from oidc_core.wire.settings import check_kind

_OCTETS: Final = 16
_PATIENCE: Final = 60
"""Seconds after which a provider tries again, if the error does not say it."""


@frozen(kw_only=True)
class LogoutNotice:
    """The sessions that a provider has ended, by a logout token that was verified.

    Attributes:
        connection: the client and provider that it is for.
        issuer: the issuer, as an :class:`~oidc_core.model.claims.Identity` of a login names it.
        logout_token: the token.  A session ends that fits each of ``sub`` and ``sid`` that is
            there: with ``sub`` alone all sessions of the user do.
        once: the name under which the token counts as used, for this client only; made of its
            ``jti``, of 22 characters.
        until: the time until which the application remembers ``once``, in seconds since the epoch:
            the token is too old from then on.
        evidence: what was checked.
    """

    connection: Connection
    issuer: str
    logout_token: LogoutToken
    once: str
    until: int
    evidence: Evidence

    @property
    def sub(self) -> str | None:
        """Whose sessions end; ``None`` if only :attr:`sid` says which."""
        return self.logout_token.sub

    @property
    def sid(self) -> str | None:
        """The provider's session that ended; ``None`` if all sessions of the user end."""
        return self.logout_token.sid


def addressees(rps: Sequence[RelyingParty], incoming: Incoming) -> tuple[int, ...]:
    """Return which of several clients a logout token may be for, by its unverified claims.

    There are several if one client is connected twice, or if an encrypted token does not show its
    audience.  Each of them can judge it by :func:`receive`; it is for the first that accepts it.

    Args:
        rps: the clients; the result names their places in this sequence.
        incoming: the request at the ``backchannel_logout_uri``.

    Raises:
        ProtocolViolation: ``iss_mismatch`` or ``aud_mismatch`` if it is for no client of these, or
            what :func:`~oidc_core.endpoints.logout_token.named_in` refuses.
        OidcError: as :func:`receive`, for the request.
    """
    check_kind(incoming, Incoming, about="incoming")
    named = named_in(logout_token_in(incoming, UPPER_BOUNDS))
    places = range(len(rps))
    if named.issuer is None or not named.audience:
        encrypted = [p for p in places if rps[p].client.encrypted_with(ID_TOKEN.registered_as)]
        if not encrypted:
            raise ProtocolViolation("encryption_unexpected", of=LOGOUT_TOKEN.name)
        return tuple(encrypted)
    of_issuer = [p for p in places if rps[p].issuer_rule.in_response(named.issuer)]
    if not of_issuer:
        issuer = named.issuer
        raise ProtocolViolation("iss_mismatch", about="iss", of=LOGOUT_TOKEN.name, found=issuer)
    found = [p for p in of_issuer if rps[p].client.client_id in named.audience]
    if not found:
        told = named.audience
        raise ProtocolViolation("aud_mismatch", about="aud", of=LOGOUT_TOKEN.name, found=told)
    return tuple(found)


def receive(rp: RelyingParty, incoming: Incoming, *, now: int) -> Step[LogoutNotice]:
    """Receive a logout token.

    Keys are asked for as for every token that a stranger may have brought.

    Args:
        rp: the relying party.
        incoming: the request at its ``backchannel_logout_uri``.
        now: the current time, in seconds since the epoch.

    Raises:
        UsageError: ``parameter_invalid`` for an argument of another type;
            ``unsupported_by_provider`` without a ``jwks_uri``.
        CallbackError: ``parameter_too_long``.
        ProtocolViolation: ``logout_request_invalid``, or the code of the first rule that does not
            hold.
        TransportFailure: ``keys_unavailable``.
    """
    check_kind(rp, RelyingParty, about="rp")
    check_kind(incoming, Incoming, about="incoming")
    check_kind(now, int, about="now")
    token = logout_token_in(incoming, rp.policy.limits)
    kind = TypedLogoutToken if rp.policy.require_logout_typ else ReceivedLogoutToken
    return verify_jwt(rp, kind(token=token), source="unsolicited", now=now)


@frozen(kw_only=True)
class ReceivedLogoutToken(Verification[LogoutNotice]):
    """A logout token that somebody posted."""

    profile: ClassVar[JwtProfile] = LOGOUT_TOKEN

    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[LogoutNotice]:
        """Check its claims."""
        return Done(_notice(rp, check(rp, jws, claims, profile=self.profile)))


class TypedLogoutToken(ReceivedLogoutToken):
    """The same, where the policy has its ``typ`` say what it is."""

    __slots__ = ()
    profile: ClassVar[JwtProfile] = TYPED_LOGOUT_TOKEN


def _notice(rp: RelyingParty, checked: CheckedLogoutToken) -> LogoutNotice:
    token, policy = checked.logout_token, rp.policy
    return LogoutNotice(
        connection=rp.connection,
        issuer=rp.issuer_rule.identity(token.iss),
        logout_token=token,
        once=_once(rp, token),
        until=min(token.exp, token.iat + policy.logout_token_age + 1) + policy.leeway,
        evidence=checked.evidence,
    )


def _once(rp: RelyingParty, token: LogoutToken) -> str:
    """Return the name of a token at one client: the provider may send one token to several."""
    told = "\n".join(["logout", *rp.connection[:3], token.iss, token.jti])
    return b64url_encode(sha256(told.encode("utf-8", "surrogatepass")).digest()[:_OCTETS])


def refuse_repeat(notice: LogoutNotice, *, used: bool) -> None:
    """Refuse a token whose sessions have all ended before (§2.6, 8).

    Args:
        notice: the notice of the token.
        used: whether the application remembers ``notice.once``.

    Raises:
        ProtocolViolation: ``logout_token_used``.
    """
    if used:
        found = fingerprint(notice.logout_token.jti)
        raise ProtocolViolation("logout_token_used", about="jti", of=LOGOUT_TOKEN.name, found=found)


def reply(refusal: OidcError | None = None) -> Reply:
    """Return the answer to the provider (§2.8); no cache keeps it.

    It is 200 after a success, also if no session was found.  It is 400 for a request or a token
    that does not hold.  It is 503, with a time to try again after, where the keys or a store are
    not available, so that nobody knows yet; and 500 where the application made a mistake.  A
    refusal is told by its code and the member only: the configuration stays private.

    Args:
        refusal: the refusal, or ``None`` after a success.
    """
    check_kind(refusal, OidcError | None, about="refusal")
    if refusal is None:
        return Reply(status=200, headers=(NO_STORE,))
    if refusal.fault in _LATER:
        seconds = _PATIENCE if refusal.retry_after is None else refusal.retry_after
        again = ("retry-after", str(seconds))
        return oauth_error(503, "temporarily_unavailable", refusal.code, again)
    if refusal.fault == "usage":
        return oauth_error(500, "server_error", refusal.code)
    return oauth_error(400, "invalid_request", refusal.named)


_LATER: Final = frozenset({"transport", "store"})
