"""The token endpoint: the requests for a code and for a refresh token, and the answer.

The request is RFC 6749 §4.1.3 and §6, the answer §5.1 and §5.2 with OIDC Core §3.1.3.3.
"""

import re
from typing import Final, NamedTuple

from attrs import field, frozen

from oidc_core.jose.jws import claims_kept
from oidc_core.machine.credentials import client_request
from oidc_core.model.pending import PendingLogin
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty, check_keys
from oidc_core.wire.answers import answered, json_body
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    StoreFailure,
    TransportFailure,
    UsageError,
    shown_name,
)
from oidc_core.wire.http import LIMITS, Answer, HttpRequest, HttpResponse, NoAnswer, Parameters
from oidc_core.wire.jsontypes import JsonObject, JsonValue, unreadable
from oidc_core.wire.settings import check_text
from oidc_core.wire.way import NOT_TOLD, Channel

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
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
        notes: malformed members that nothing hangs on.
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
    return client_request(rp, "token", "token_endpoint", parameters, max_body=LIMITS.token_response)


def refresh_request(rp: RelyingParty, tokens: Tokens, *, scope: str = "") -> HttpRequest:
    """Ask for new tokens (RFC 6749 §6); ``scope`` may narrow what was granted.

    Raises:
        UsageError: ``refresh_token_missing``; ``client_issuer_mismatch`` if the tokens are another
            provider's or another client's; ``parameter_invalid`` for a scope that was not granted;
            ``unsupported_by_provider`` without an endpoint that this or the new ID token needs.
    """
    check_text(scope, "scope")
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
    return client_request(
        rp, "refresh", "token_endpoint", parameters, max_body=LIMITS.token_response
    )


def check_owner(rp: RelyingParty, tokens: Tokens) -> None:
    """Refuse to take tokens where they do not belong.

    Raises:
        UsageError: ``client_issuer_mismatch``.
    """
    if (tokens.issuer, tokens.client_id) != (rp.issuer, rp.client.client_id):
        raise UsageError("client_issuer_mismatch", found=tokens.issuer, expected=rp.issuer)


def login_claims(rp: RelyingParty, tokens: Tokens) -> JsonObject:
    """Read the ID token of the login out of the record: it was verified when it was stored.

    Whose record it is has to be what that says, or one user would go on with another's session.

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
        TransportFailure: ``in_doubt`` if the provider may have acted on it, else why it failed.
    """
    if isinstance(answer, NoAnswer) and answer.sent != "no":
        raise TransportFailure(in_doubt, found=answer.code)
    return answered(answer)


def parse_token_response(response: HttpResponse) -> TokenResponse:
    """Read the answer of the token endpoint.

    Raises:
        ProviderError: the provider's error, also where it came with status 200.
        ProtocolViolation: ``http_status_unexpected``, ``content_type_unexpected``,
            ``token_response_invalid``, ``access_token_malformed``, ``token_type_mismatch``, or what
            the JSON is refused with.
    """
    members = json_body(response)
    member = members.members.get
    access_token, token_type = member("access_token"), member("token_type")
    if not isinstance(access_token, str):
        raise ProtocolViolation("token_response_invalid", about="access_token")
    if not _TOKEN.fullmatch(access_token):
        raise ProtocolViolation("access_token_malformed", about="access_token")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        found = token_type if isinstance(token_type, str) else None
        raise ProtocolViolation(
            "token_type_mismatch", found=found, expected="Bearer", about="token_type"
        )
    expires_in = _lifetime(member("expires_in"))
    return TokenResponse(
        access_token=access_token,
        expires_in=expires_in,
        refresh_token=_text(member("refresh_token"), "refresh_token"),
        id_token=_text(member("id_token"), "id_token"),
        scope=_scope(member("scope")),
        notes=_notes(members, expires_in),
        received_at=response.received_at,
        channel=response.channel,
    )


def _notes(members: JsonObject, expires_in: int | None) -> tuple[str, ...]:
    """Return that members are malformed, where nothing hangs on them."""
    odd = unreadable(members)
    if expires_in is None and members.members.get("expires_in") is not None:
        odd = tuple(dict.fromkeys(["expires_in", *odd]))
    return tuple([f"{shown_name(name)} is malformed" for name in odd])


def _text(value: JsonValue, name: str) -> str | None:
    """Return a string; null, which some providers send for "none", and ``""`` are absent."""
    if value is not None and not isinstance(value, str):
        raise ProtocolViolation("token_response_invalid", about=name)
    return value or None


def _scope(value: JsonValue) -> str | None:
    """Return the granted scope; only where the member is absent is it the one asked for (§5.1)."""
    return "" if value == "" else _text(value, "scope")


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
    """What stays as it is from one answer of the token endpoint to the next; see :class:`Tokens`.

    The refresh token does where an answer brings none (RFC 6749 §6).
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
        scope: what was asked for, which counts as granted where the answer says nothing.
        session: what the record says of the session.
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
