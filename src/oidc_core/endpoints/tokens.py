"""The token endpoint: the requests for a code and for a refresh token, and the answer.

The request is RFC 6749 §4.1.3 and §6, the answer §5.1 and §5.2 with OIDC Core §3.1.3.3.  An
authorization code works once, and so does many a refresh token: such a request is never sent again
unless not an octet of it can have reached the provider.
"""

import re
from typing import Final

from attrs import field, frozen

from oidc_core.machine.credentials import client_authentication
from oidc_core.machine.steps import answered
from oidc_core.model.pending import PendingLogin
from oidc_core.model.relying_party import RelyingParty, endpoint
from oidc_core.wire.errors import (
    TEXT,
    ProtocolViolation,
    ProviderError,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.grammar import NQSCHAR
from oidc_core.wire.http import (
    LIMITS,
    Answer,
    HttpRequest,
    HttpResponse,
    NoAnswer,
    ParameterValue,
    Purpose,
)
from oidc_core.wire.jsontypes import JsonObject, JsonValue, parse_object

_OK: Final = 200
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_ERROR: Final = re.compile(f"{NQSCHAR}+")
_JSON: Final = ("content-type", "application/json")
_ACCEPT: Final = ("accept", "application/json")
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
    """

    access_token: str = field(repr=False)
    expires_in: int | None = None
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    scope: str | None = None
    notes: tuple[str, ...] = ()
    received_at: int


@frozen(kw_only=True)
class Tokens:
    """The tokens of a login, with all that a later refresh or logout needs to know of it.

    Attributes:
        issuer: the provider's identity; the tokens go nowhere else.
        client_id: the client they were issued to.
        access_token: the access token; opaque to a client.
        refresh_token: the refresh token, if there is one.
        id_token: the ID token of the login, as it came.
        scope: what was granted, space-delimited.
        resource: the resources they are for (RFC 8707).
        expires_at: when the access token expires, in seconds since the epoch, if that is known.
        thumbprint: the key they are bound to, or an empty string.
        subject: the user.
        nonce: of the login.
        sid: the provider's session, if it named one.
        auth_time: when the user authenticated, if the provider said so.
    """

    issuer: str
    client_id: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str = field(repr=False)
    scope: str
    resource: tuple[str, ...] = ()
    expires_at: int | None = None
    thumbprint: str = ""
    subject: str
    nonce: str | None = field(default=None, repr=False)
    sid: str | None = field(default=None, repr=False)
    auth_time: int | None = None


def authorization_code_request(rp: RelyingParty, pending: PendingLogin, code: str) -> HttpRequest:
    """Ask for the tokens of an authorization code (OIDC Core §3.1.3.1).

    ``redirect_uri`` is sent as it was sent before, byte for byte (RFC 6749 §4.1.3).
    """
    form: tuple[tuple[str, ParameterValue], ...] = (
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", pending.redirect_uri),
    )
    if "omit_pkce" not in rp.policy.quirks:
        form = (*form, ("code_verifier", pending.code_verifier))
    return _request(rp, "token", form)


def refresh_request(rp: RelyingParty, tokens: Tokens, *, scope: str = "") -> HttpRequest:
    """Ask for new tokens (RFC 6749 §6); ``scope`` may narrow what was granted.

    Raises:
        UsageError: ``refresh_token_missing``; ``client_issuer_mismatch`` if the tokens are another
            provider's or another client's; ``parameter_invalid`` for a scope that was not granted.
    """
    if tokens.refresh_token is None:
        raise UsageError("refresh_token_missing")
    check_owner(rp, tokens)
    if not {*scope.split()} <= {*tokens.scope.split()}:
        raise UsageError("parameter_invalid", about="scope", found=scope, expected=tokens.scope)
    form: tuple[tuple[str, ParameterValue], ...] = (
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh_token),
    )
    return _request(rp, "refresh", (*form, ("scope", scope)) if scope else form)


def check_owner(rp: RelyingParty, tokens: Tokens) -> None:
    """Refuse to take tokens where they do not belong.

    Raises:
        UsageError: ``client_issuer_mismatch``.
    """
    if (tokens.issuer, tokens.client_id) != (rp.issuer, rp.client.client_id):
        raise UsageError("client_issuer_mismatch", found=tokens.issuer, expected=rp.issuer)


def _request(
    rp: RelyingParty, purpose: Purpose, form: tuple[tuple[str, ParameterValue], ...]
) -> HttpRequest:
    headers, credentials = client_authentication(rp)
    return HttpRequest(
        purpose=purpose,
        method="POST",
        url=endpoint(rp, "token_endpoint"),
        headers=(_ACCEPT, *headers),
        form=form + credentials,
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        resend="if_unsent",
        max_body=LIMITS.token_response,
    )


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
            ``token_response_invalid``, ``access_token_malformed``, ``token_type_mismatch``, or
            what the JSON is refused with.
    """
    if response.status != _OK:
        raise _refused(response)
    if _JSON not in response.headers and response.media_type != "application/json":
        raise ProtocolViolation("content_type_unexpected", found=response.media_type)
    member = parse_object(response.body, max_string=LIMITS.token_response).members.get
    if member("error") is not None:
        raise _refused(response)
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
    lifetime = member("expires_in")
    expires_in = _lifetime(lifetime)
    return TokenResponse(
        access_token=access_token,
        expires_in=expires_in,
        refresh_token=_text(member("refresh_token"), "refresh_token"),
        id_token=_text(member("id_token"), "id_token"),
        scope=_scope(member("scope")),
        notes=("expires_in is malformed",) if expires_in is None and lifetime is not None else (),
        received_at=response.received_at,
    )


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
    if type(value) is int and 0 <= value < _MAX_LIFETIME:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:10])
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return int(min(value, _MAX_LIFETIME))


def check_scope(rp: RelyingParty, tokens: TokenResponse, *, asked: str) -> None:
    """Under a policy that says so, refuse a scope that nobody asked for (RFC 6749 §5.1).

    Raises:
        ProtocolViolation: ``scope_unexpected``.
    """
    if not rp.policy.forbid_extra_scope or tokens.scope is None:
        return
    extra = {*tokens.scope.split()} - {*asked.split()}
    if extra:
        raise ProtocolViolation("scope_unexpected", found=tuple(sorted(extra)), about="scope")


def _refused(response: HttpResponse) -> ProviderError | ProtocolViolation:
    """Return the error of an answer: the provider's own if it is well-formed (RFC 6749 §5.2)."""
    try:
        members = parse_object(response.body)
    except ProtocolViolation:
        return ProtocolViolation("http_status_unexpected", found=response.status, expected=_OK)
    return provider_error(members, response.status)


def provider_error(members: JsonObject, status: int) -> ProviderError | ProtocolViolation:
    """Return the OAuth error that JSON members spell, if they do."""
    error = members.members.get("error")
    if not isinstance(error, str) or not _ERROR.fullmatch(error[:TEXT]):
        return ProtocolViolation("http_status_unexpected", found=status, expected=_OK)
    description, uri = members.members.get("error_description"), members.members.get("error_uri")
    return ProviderError(
        error,
        error_description=description if isinstance(description, str) else None,
        error_uri=uri if isinstance(uri, str) else None,
        status=status,
    )
