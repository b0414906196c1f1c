"""The token endpoint: the requests for a code and for a refresh token, and the answer.

The request is RFC 6749 §4.1.3 and §6, the answer §5.1 and §5.2 with OIDC Core §3.1.3.3.
"""

import re
from typing import Final, NamedTuple

from attrs import field, frozen

from oidc_core.jose.jws import claims_kept
from oidc_core.machine.credentials import client_request
from oidc_core.model.client import is_scope
from oidc_core.model.demands import check_resources
from oidc_core.model.pending import PendingLogin
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty, check_keys
from oidc_core.wire.answers import JSON, OK, answered, json_body
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    StoreFailure,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.facts import described, kind_of, shown_names
from oidc_core.wire.grammar import NQCHAR, VSCHAR
from oidc_core.wire.http import Answer, HttpRequest, HttpResponse, NoAnswer, Parameters
from oidc_core.wire.jsontypes import JsonObject, JsonValue, parse_object, unreadable
from oidc_core.wire.limits import LIMITS, UPPER_BOUNDS, Limits
from oidc_core.wire.settings import check_kind, check_text
from oidc_core.wire.way import NOT_TOLD, Channel

_ACCESS: Final = "access_token"
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_SCOPE_TOKEN: Final = re.compile(f"{NQCHAR}+").fullmatch
_VISIBLE: Final = re.compile(f"{VSCHAR}+").fullmatch
_NOTED: Final = frozenset({"expires_in", "refresh_token", "scope"})
_MAX_LIFETIME: Final = 2**31


@frozen(kw_only=True)
class TokenResponse:
    """A successful answer of the token endpoint; its ID token is not verified yet.

    Attributes:
        access_token: the access token; opaque to a client.
        expires_in: its lifetime in seconds, if the provider told one.
        refresh_token: the refresh token, if one was issued.
        id_token: the unverified ID token, if one was issued.
        scope: the granted scope, if the provider told it (RFC 6749 §5.1).
        notes: the malformed members, and what was made of each.
        received_at: when the answer came, in seconds since the epoch.
        channel: how the answer came.
    """

    access_token: str = field(repr=False)
    expires_in: int | None = None
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    scope: str | None = None
    notes: tuple[str, ...] = ()
    received_at: int
    channel: Channel = NOT_TOLD


def authorization_code_request(rp: RelyingParty, pending: PendingLogin, code: str) -> HttpRequest:
    """Ask for the tokens of an authorization code (OIDC Core §3.1.3.1).

    ``redirect_uri`` is sent as it was sent before, byte for byte (RFC 6749 §4.1.3).
    """
    check_text(code, "code")
    parameters: Parameters = (
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", pending.redirect_uri),
    )
    if "omit_pkce" not in rp.policy.quirks:
        parameters = (*parameters, ("code_verifier", pending.code_verifier))
    return client_request(
        rp, "token", "token_endpoint", parameters, max_body=rp.policy.limits.token_response
    )


def refresh_request(
    rp: RelyingParty, tokens: Tokens, *, scope: str = "", resource: tuple[str, ...] = ()
) -> HttpRequest:
    """Ask for new tokens (RFC 6749 §6).

    ``scope`` may narrow what was granted.  ``resource`` names the resources of the access token
    (RFC 8707 §2.2), if they differ from the login's resources.

    Raises:
        UsageError: ``refresh_token_missing``; ``client_issuer_mismatch`` if the tokens are another
            provider's or another client's; ``parameter_invalid`` for a scope that was not granted,
            or a resource that is not an absolute URI; ``unsupported_by_provider`` without an
            endpoint that this or the new ID token needs.
    """
    check_text(scope, "scope")
    check_kind(resource, tuple[str, ...], about="resource")
    check_resources(resource)
    check_keys(rp)
    if tokens.refresh_token is None:
        raise UsageError("refresh_token_missing")
    check_owner(rp, tokens)
    if not {*scope.split()} <= {*tokens.scope.split()}:
        raise UsageError("parameter_invalid", about="scope", found=scope, expected=tokens.scope)
    parameters: Parameters = (
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh_token),
    )
    if scope:
        parameters = (*parameters, ("scope", scope))
    parameters += tuple([("resource", each) for each in resource])
    return client_request(
        rp, "refresh", "token_endpoint", parameters, max_body=rp.policy.limits.token_response
    )


def check_owner(rp: RelyingParty, tokens: Tokens) -> None:
    """Refuse to take tokens where they do not belong.

    Raises:
        UsageError: ``client_issuer_mismatch``; ``parameter_invalid`` for anything but tokens.
    """
    check_kind(tokens, Tokens, about="tokens")
    if (tokens.issuer, tokens.client_id) != (rp.issuer, rp.client.client_id):
        raise UsageError("client_issuer_mismatch", found=tokens.issuer, expected=rp.issuer)


def login_claims(rp: RelyingParty, tokens: Tokens) -> JsonObject:
    """Read the ID token of the login out of the record: it was verified when it was stored.

    The record must belong to the user that it names, or one user would go on with another's
    session.

    Raises:
        StoreFailure: ``record_invalid`` if the ID token is damaged, or of another user or issuer.
    """
    try:
        original = claims_kept(tokens.id_token)
    except OidcError:
        raise StoreFailure("record_invalid", about="id_token") from None
    iss, sub = original.members.get("iss"), original.members.get("sub")
    if sub != tokens.subject:
        raise StoreFailure("record_invalid", about="subject")
    if not isinstance(iss, str) or not rp.issuer_rule.in_token(iss, original):
        raise StoreFailure("record_invalid", about="issuer")
    return original


def token_answer(answer: Answer, in_doubt: str) -> HttpResponse:
    """Return the answer to a request that must not be repeated.

    Raises:
        TransportFailure: ``in_doubt`` if the provider may have acted on it, otherwise the reason of
            the failure.
    """
    if isinstance(answer, NoAnswer) and answer.sent != "no":
        raise TransportFailure(in_doubt, found=answer.code, cause=answer.cause)
    return answered(answer)


def parse_token_response(response: HttpResponse, limits: Limits = LIMITS) -> TokenResponse:
    """Read the answer of the token endpoint; ``limits``: the policy's.

    A malformed member on which nothing hangs is absent, with a note.  A scope that is malformed
    grants nothing: it never counts as the one that was asked for.

    Raises:
        ProviderError: the provider's error, also where it came with status 200.
        ProtocolViolation: ``http_status_unexpected``, ``content_type_unexpected``,
            ``token_response_invalid``, ``access_token_malformed``, ``token_type_mismatch``, or a
            code of the JSON's refusal.
    """
    members = json_body(response, members=limits.members)
    member = members.members.get
    access_token = _access_token(member("access_token"), member("token_type"))
    id_token, lifetime, renewal = member("id_token"), member("expires_in"), member("refresh_token")
    if id_token is not None and not isinstance(id_token, str):
        found = kind_of(id_token)
        raise ProtocolViolation("token_response_invalid", found=found, about="id_token")
    expires_in, refresh_token = _lifetime(lifetime), _refresh_token(renewal)
    scope, note = _scope(member("scope"))
    unread = unreadable(members)
    return TokenResponse(
        access_token=access_token,
        expires_in=expires_in,
        refresh_token=refresh_token,
        id_token=id_token or None,
        scope=scope,
        notes=(
            *(("expires_in is malformed",) if expires_in is None and lifetime is not None else ()),
            *(("refresh_token is malformed",) if refresh_token is None and _held(renewal) else ()),
            *((note,) if note else ()),
            *(_unread_notes(unread) if unread else ()),
        ),
        received_at=response.received_at,
        channel=response.channel,
    )


def _unread_notes(names: tuple[str, ...]) -> list[str]:
    """Return the notes of members that cannot be read, except those that have one already."""
    return [f"{n} is malformed" for n in shown_names([n for n in names if n not in _NOTED])]


def _access_token(value: JsonValue, token_type: JsonValue) -> str:
    """Return an access token of the type that was asked for."""
    if not isinstance(value, str):
        raise ProtocolViolation("token_response_invalid", found=kind_of(value), about=_ACCESS)
    if not _TOKEN.fullmatch(value):
        raise ProtocolViolation("access_token_malformed", about=_ACCESS)
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        found = described(token_type)
        raise ProtocolViolation(
            "token_type_mismatch", found=found, expected="Bearer", about="token_type"
        )
    return value


def _held(value: JsonValue) -> bool:
    """Return whether a member is there: null, and ``""``, which some providers send, are not."""
    return value is not None and value != ""


def _refresh_token(value: JsonValue) -> str | None:
    """Return a refresh token, which is printable ASCII (RFC 6749 appendix A.17)."""
    return value if isinstance(value, str) and _VISIBLE(value) else None


def refresh_token_of(response: HttpResponse) -> str | None:
    """Return the refresh token of an answer that was refused, if it has a well-formed one.

    The provider may have replaced the old one by it (RFC 6749 §6), even if the rest is wrong.
    """
    if response.status != OK or response.media_type != JSON:
        return None
    try:
        most = UPPER_BOUNDS.members
        members = parse_object(response.body, members=most, tolerant=True).members
    except ProtocolViolation:
        return None
    return _refresh_token(members.get("refresh_token"))


def _scope(value: JsonValue) -> tuple[str | None, str]:
    """Return the granted scope, and a note if it was malformed (§3.3).

    Only where the member is absent is it the one that was asked for (§5.1).  Several providers send
    a list of scope tokens, which is joined.
    """
    if value is None:
        return None, ""
    if isinstance(value, str):
        if not value or is_scope(value):
            return value, ""
        names: tuple[JsonValue, ...] = tuple([name for name in value.split(" ") if name])
    else:
        names = value if isinstance(value, tuple) else (None,)
    scope = " ".join([name for name in names if isinstance(name, str) and _SCOPE_TOKEN(name)])
    if scope.count(" ") + bool(scope) != len(names):
        return "", "scope is malformed: nothing counts as granted"
    return scope, "" if scope == value else "scope is malformed: its parts were joined"


def _lifetime(value: JsonValue) -> int | None:
    """Return seconds; digits in a string are a number to several providers."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value.lstrip("0")[:11] or "0")
    if (type(value) is int or type(value) is float) and value >= 0:
        return int(min(value, _MAX_LIFETIME))
    return None


def check_scope(rp: RelyingParty, response: TokenResponse, asked: str) -> None:
    """Under policies that say so, refuse a scope that nobody asked for.

    Raises:
        ProtocolViolation: ``scope_unexpected`` (RFC 6749 §5.1).
    """
    if not rp.policy.forbid_extra_scope or response.scope is None:
        return
    extra = {*response.scope.split()} - {*asked.split()}
    if extra:
        raise ProtocolViolation("scope_unexpected", found=tuple(sorted(extra)), about="scope")


class Session(NamedTuple):
    """The part that answers of the token endpoint leave unchanged; see :class:`Tokens`.

    The refresh token does where an answer brings no new one (RFC 6749 §6).
    """

    id_token: str
    subject: str
    resource: tuple[str, ...]
    nonce: str | None
    sid: str | None
    auth_time: int | None
    thumbprint: str = ""
    refresh_token: str | None = None

    def __repr__(self) -> str:
        return f"Session(resource={self.resource!r})"


def tokens_of(rp: RelyingParty, response: TokenResponse, scope: str, session: Session) -> Tokens:
    """Put the record of tokens together: of a login, of a refresh, of every grant.

    Args:
        rp: the relying party.
        response: the answer that brought them.
        scope: the requested scope, which counts as granted where the answer says nothing.
        session: the session as the record describes it.
    """
    expires_in = response.expires_in
    return Tokens(
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        access_token=response.access_token,
        refresh_token=response.refresh_token or session.refresh_token,
        id_token=session.id_token,
        scope=scope if response.scope is None else response.scope,
        resource=session.resource,
        expires_at=None if expires_in is None else response.received_at + expires_in,
        thumbprint=session.thumbprint,
        subject=session.subject,
        nonce=session.nonce,
        sid=session.sid,
        auth_time=session.auth_time,
    )
