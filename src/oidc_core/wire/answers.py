"""The common parts of every endpoint's answer: that it is one, its status, its form, its errors.

A body is read only after status and media type held. One parser reads an OAuth error, in any place:
in JSON (RFC 6749 §5.2), in a challenge (RFC 6750 §3), in a callback (§4.1.2.1).
"""

import re
from collections.abc import Callable
from typing import Final

from oidc_core.wire.causes import CAUSES
from oidc_core.wire.challenge import challenges
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    ProviderError,
    TransportFailure,
    heals,
)
from oidc_core.wire.facts import kind_of
from oidc_core.wire.grammar import NQSCHAR
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer
from oidc_core.wire.jsontypes import MAX_MEMBERS, JsonObject, JsonValue, parse_object
from oidc_core.wire.limits import UPPER_BOUNDS
from oidc_core.wire.messages import ERROR_CODE

JSON: Final = "application/json"
OK: Final = 200
"""The status of success, of every endpoint that does not say otherwise."""

_LOCATION: Final = 1_024
"""How many characters of a redirect's target are looked at."""

_DAY: Final = 86_400
_SCHEMES: Final = ("bearer", "dpop")
_error: Final = re.compile(f"{NQSCHAR}+").fullmatch


def answered(answer: Answer) -> HttpResponse:
    """Return the response, where only a response is accepted.

    Raises:
        TransportFailure: the failure of the exchange.
        ProtocolViolation: ``http_redirect_refused``: on the back channel no redirect is ever
            followed.
    """
    if isinstance(answer, NoAnswer):
        raise failure(answer)
    if 300 <= answer.status < 400:
        raise ProtocolViolation("http_redirect_refused", found=_target(answer))
    return answer


def failure(answer: NoAnswer) -> TransportFailure:
    """Return the error of an exchange that failed: its cause says what to do about it."""
    row = CAUSES.get(answer.cause)
    if row is None:  # the transport does not tell
        return TransportFailure(answer.code, sent=answer.sent)
    return TransportFailure(
        answer.code,
        sent=answer.sent,
        cause=row.cause,
        hint=row.hint,
        retryable=row.retryable,
        kind=row.kind,
    )


def _target(response: HttpResponse) -> str | int:
    """Return the status of a redirect, and where it leads: origin and path, which hold no secret.

    A target that names a user is not repeated.
    """
    target = (response.header("location") or "")[:_LOCATION]
    for mark in "#?;":
        target = target.partition(mark)[0]
    return f"{response.status} to {target}" if target and "@" not in target else response.status


def unexpected_media_type(response: HttpResponse, expected: str) -> ProtocolViolation:
    """Return the error of an answer of another media type."""
    return ProtocolViolation(
        "content_type_unexpected", found=response.media_type, expected=expected
    )


def document(response: HttpResponse, *also: str) -> bytes:
    """Return the octets of a published JSON document; ``also``: further media types it may have.

    Raises:
        ProtocolViolation: ``http_status_unexpected``, ``content_type_unexpected``.
    """
    if response.status != OK:
        raise unexpected_status(response)
    if response.media_type not in {JSON, *also}:
        raise unexpected_media_type(response, JSON)
    return response.body


def json_body(
    response: HttpResponse, *, members: int = MAX_MEMBERS, status: int = OK
) -> JsonObject:
    """Return the JSON object of an answer of an OAuth endpoint.

    Args:
        response: the answer.
        members: how many members an object in it may have.
        status: that of success.

    Raises:
        ProviderError: the provider's error, also where it came with the status of success.
        ProtocolViolation: ``http_status_unexpected``, ``content_type_unexpected``, or a code of the
            JSON's refusal.
    """
    if response.status != status:
        raise refusal_in_body(response) or unexpected_status(response, status)
    if response.media_type != JSON:
        raise unexpected_media_type(response, JSON)
    found = parse_object(response.body, members=members, tolerant=True)
    if found.members.get("error") is not None:
        raise spelled_error(found.members.get, response) or _odd_error(found)
    return found


def _odd_error(members: JsonObject) -> ProtocolViolation:
    """Return the provider's words about an error that has no code, or an empty string."""
    error, found = members.members.get("error"), "an empty string"
    if error != "":
        found = "other characters" if isinstance(error, str) else kind_of(error)
    return ProtocolViolation(
        "token_response_invalid",
        about="error",
        found=found,
        expected="an error code",
        said=words(members.members.get),
    )


def words(member: Callable[[str], JsonValue]) -> str:
    """Return the provider's words next to an error that has no code, or an empty string.

    Many put their words into the member ``error`` itself, as text or as an object.
    """
    error = member("error")
    inner = error.members.get if isinstance(error, JsonObject) else member
    told = [inner(name) for name in ("error_description", "message")]
    told += [member("error_description"), member("message"), error]
    return next((text for text in told if isinstance(text, str) and text), "")


def refusal_in_body(response: HttpResponse) -> ProviderError | None:
    """Return the provider's error, if the body spells one (RFC 6749 §5.2).

    Several providers call it something else than JSON; what is called two things is not read.
    """
    if "," in response.media_type:
        return None
    try:
        members = parse_object(response.body, members=UPPER_BOUNDS.members, tolerant=True)
    except ProtocolViolation:
        return None
    return spelled_error(members.members.get, response)


def refusal_in_challenge(response: HttpResponse) -> ProviderError | None:
    """Return the error that ``WWW-Authenticate`` spells, if it does (RFC 6750 §3, RFC 9449 §7.1).

    Of two challenges, the one with a ``Bearer`` token comes first.
    """
    found = challenges(response)
    for scheme in _SCHEMES:
        named = {name: value for of, name, value in reversed(found) if of == scheme}
        error = spelled_error(named.get, response)
        if error is not None:
            return error
    return None


def spelled_error(
    member: Callable[[str], JsonValue], response: HttpResponse
) -> ProviderError | None:
    """Return the OAuth error that members of an answer spell, if they do (RFC 6749 §5.2)."""
    error = member("error")
    if not isinstance(error, str) or not _error(error[:ERROR_CODE]):
        return None
    return oauth_error(error, member, response)


def oauth_error(
    error: str,
    member: Callable[[str], JsonValue],
    response: HttpResponse | None = None,
    *,
    issuer_verified: bool = True,
    text: bool = True,
) -> ProviderError:
    """Return an OAuth error with the members next to it.

    Args:
        error: its code, within the grammar.
        member: looks a member up.
        response: the answer they come from; ``None`` for an authorization response.
        issuer_verified: whether it is certain that the provider said so.
        text: whether its text may be passed on.
    """
    description, uri = member("error_description"), member("error_uri")
    refusal = ProviderError(
        error,
        error_description=description if text and isinstance(description, str) else None,
        error_uri=uri if text and isinstance(uri, str) else None,
        status=None if response is None else response.status,
        issuer_verified=issuer_verified,
    )
    if response is not None:
        _be_patient(refusal, response)
    return refusal


def unexpected_status(response: HttpResponse, expected: int = OK) -> ProtocolViolation:
    """Return the error of an answer that has no error code, with the words that it may have."""
    error = ProtocolViolation(
        "http_status_unexpected",
        found=response.status,
        expected=expected,
        said=_words_of(response),
    )
    if heals(response.status):
        error.retryable = error.kind = "later"
        _be_patient(error, response)
    return error


def _be_patient(error: OidcError, response: HttpResponse) -> None:
    """Note after how many seconds trying again can help, where the server says so.

    A date, or a number of more than five digits, says nothing (RFC 9110 §10.2.3).
    """
    told = (response.header("retry-after") or "").strip()
    if error.retryable == "later" and len(told) <= 5 and told.isascii() and told.isdigit():
        error.retry_after = min(int(told), _DAY)


def _words_of(response: HttpResponse) -> str:
    """Return the words of an answer without an error code: from its JSON, or its challenges."""
    try:
        found = parse_object(response.body, members=UPPER_BOUNDS.members, tolerant=True)
        told = words(found.members.get)
    except ProtocolViolation:
        told = ""
    named = [value for _, name, value in challenges(response) if name == "error_description"]
    return told or next(iter(named), "")
