"""A logout that the provider tells by a frame in the browser (OIDC Front-Channel Logout 1.0).

The provider's page loads the client's ``frontchannel_logout_uri`` in a frame.  Many browsers send
no cookie from a frame (§4.1), so the session is found by ``iss`` and ``sid``, never by a cookie.
Register ``frontchannel_logout_session_required``, or the provider may leave both out.  The request
is not signed.  It ends the named session of this application, and it never revokes a token.
"""

from collections.abc import Sequence
from typing import Final

from attrs import field, frozen

from oidc_core.model.claim_values import filled
from oidc_core.model.connection import Connection
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import CallbackError, OidcError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.replies import NO_STORE, Reply
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import origin_of, refuse_doubles

_NAMED: Final = frozenset({"iss", "sid"})
_HTML: Final = ("content-type", "text/html; charset=utf-8")


@frozen(kw_only=True)
class FrontchannelNotice:
    """The session that a provider has ended, by a frame in its page.

    Attributes:
        connection: the client and provider that it is for.
        issuer: the issuer, as an :class:`~oidc_core.model.claims.Identity` of a login names it.
        sid: the provider's session, or ``None`` if the request does not name it: only the session
            of the browser itself can be meant then, and the request proves nothing.
    """

    connection: Connection
    issuer: str
    sid: str | None = field(repr=False)


def addressees(rps: Sequence[RelyingParty], incoming: Incoming) -> tuple[int, ...]:
    """Return which of several clients a request may be for: those of the issuer that it names.

    The request names no client, so each of them looks for the session.  Without an issuer they are
    those whose ``frontchannel_logout_uri`` was called.

    Args:
        rps: the clients; the result names their places in this sequence.
        incoming: the request.

    Raises:
        CallbackError: ``logout_iss_mismatch`` if it is for none of them, or what :func:`receive`
            refuses about the request.
    """
    issuer, _ = _named(incoming)
    found = [
        place
        for place, rp in enumerate(rps)
        if (_was_called(rp, incoming) if issuer is None else rp.issuer_rule.in_response(issuer))
    ]
    if not found:
        raise CallbackError("logout_iss_mismatch", about="iss", found=issuer)
    return tuple(found)


def _was_called(rp: RelyingParty, incoming: Incoming) -> bool:
    uri = rp.client.frontchannel_logout_uri
    return uri is not None and uri.partition("?")[0] == incoming.url


def receive(rp: RelyingParty, incoming: Incoming) -> FrontchannelNotice:
    """Receive the request of a frame.

    Args:
        rp: the relying party.
        incoming: the request at its ``frontchannel_logout_uri``.

    Raises:
        UsageError: ``parameter_invalid`` for an argument of another type.
        CallbackError: ``method_unexpected``, ``parameter_duplicated``; ``logout_session_missing``
            if only one of ``iss`` and ``sid`` is there, or if both are missing and the client
            registered that it needs them; ``logout_iss_mismatch`` for another provider.
    """
    check_kind(rp, RelyingParty, about="rp")
    issuer, sid = _named(incoming)
    if issuer is None:
        if rp.client.frontchannel_logout_session_required:
            raise CallbackError("logout_session_missing", about="iss", expected=("iss", "sid"))
        return FrontchannelNotice(connection=rp.connection, issuer=rp.issuer, sid=None)
    if not rp.issuer_rule.in_response(issuer):
        raise CallbackError("logout_iss_mismatch", about="iss", found=issuer, expected=rp.issuer)
    return FrontchannelNotice(
        connection=rp.connection, issuer=rp.issuer_rule.identity(issuer), sid=sid
    )


def _named(incoming: Incoming) -> tuple[str | None, str | None]:
    """Return issuer and session, which come together or not at all (§2)."""
    check_kind(incoming, Incoming, about="incoming")
    if incoming.method != "GET":
        hint = "a frame is loaded with GET"
        raise CallbackError(
            "method_unexpected", found=incoming.method, expected="GET", about="method", hint=hint
        )
    refuse_doubles(incoming.query_parameters, _NAMED)
    told = dict(incoming.query_parameters)
    issuer, sid = filled(told.get("iss")), filled(told.get("sid"))
    if (issuer is None) != (sid is None):
        missing = "iss" if issuer is None else "sid"
        raise CallbackError("logout_session_missing", about=missing, expected=("iss", "sid"))
    return issuer, sid


def reply(rps: Sequence[RelyingParty], refusal: OidcError | None = None) -> Reply:
    """Return the answer to the frame: an empty page that no cache keeps.

    Only the providers' own pages may have it in a frame: those at the origins of their issuers and
    of their logout endpoints.  It says so by ``frame-ancestors``, and not by ``X-Frame-Options``,
    which would keep the browser from loading it.

    Args:
        rps: the clients that the request may be for.
        refusal: the refusal, or ``None`` after a success, also if no session was found.
    """
    check_kind(refusal, OidcError | None, about="refusal")
    origins = sorted({origin for rp in rps for origin in _origins(rp)})
    ancestors = " ".join(origins) or "'none'"
    policy = ("content-security-policy", f"default-src 'none'; frame-ancestors {ancestors}")
    status = 200 if refusal is None else refusal.answer_status
    return Reply(status=status, headers=(_HTML, NO_STORE, policy), body=b"<!doctype html>")


def _origins(rp: RelyingParty) -> frozenset[str]:
    """Return where a provider's own pages are."""
    named = (rp.provider.issuer, rp.provider.end_session_endpoint, *rp.issuer_rule.accepted)
    return frozenset([origin_of(url) for url in named if url is not None]) - {""}
