"""The machine: an operation is a chain of frozen steps, and ``resume`` leads from one to the next.

Theory of operation.  An operation such as :func:`oidc_core.operations.login.finish` returns a
*step*:

* an :class:`Exchange` asks for one HTTP request to be sent once, exactly as prepared;
* a :class:`NeedKeys` asks for the key set of an issuer;
* a :class:`Done` holds the result.

The driver fulfils the wish and calls ``resume(rp, step, answer)``, which returns the next step.
There are these two pauses and there will be no third, so a driver written once stays right::

    while not isinstance(step, Done):
        if isinstance(step, Exchange):
            step = resume(rp, step, shell.send(step.request))
        else:
            step = resume(rp, step, shell.keys(step.wanted))
    return step.result

A step is a value.  It can be kept, compared, resumed twice, or thrown away; a ``resume`` that
raises leaves it as it was.  A failed exchange is an answer too
(:class:`~oidc_core.wire.http.NoAnswer`). Nothing a step does depends on anything but its
arguments: no clock, no randomness, no I/O.
"""

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Generic, Literal, TypeAlias, TypeVar, overload

from attrs import evolve, frozen

from oidc_core.jose.key_set import KeySet
from oidc_core.machine.credentials import credential_hint
from oidc_core.machine.dpop import with_demanded_nonce
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.causes import hint_at
from oidc_core.wire.codes import Kind, Retryable
from oidc_core.wire.errors import (
    Facts,
    OidcError,
    Place,
    ProtocolViolation,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.http import (
    Answer,
    AnswerTo,
    HttpRequest,
    HttpResponse,
    KeysWanted,
    NoAnswer,
    Purpose,
    Sent,
)
from oidc_core.wire.limits import LimitName, name_excess
from oidc_core.wire.messages import Fact
from oidc_core.wire.settings import check_fields, fields_of
from oidc_core.wire.way import Channel

T_co = TypeVar("T_co", covariant=True)

_TOO_LARGE: Final = "http_too_large"
_SIZES: Final[Mapping[Purpose, LimitName]] = MappingProxyType(
    {
        "discovery": "metadata",
        "key_set": "key_set",
        "token": "token_response",
        "refresh": "token_response",
        "userinfo": "userinfo",
        "revocation": "token_response",
    }
)
"""The limits for the answer of each exchange."""

_REFUSALS: Final = frozenset({400, 401})
"""The statuses that a demand for a DPoP nonce can have."""


@frozen
class Done(Generic[T_co]):
    """The end of an operation."""

    result: T_co


@frozen
class KeysFound:
    """A provider's key set.

    Attributes:
        issuer, jwks_uri: whose set it is and where it was published, in the words of the request
            for it.
        key_set: the set.
        fetched_at: when it was fetched, in seconds since the epoch.
        now: what time it is now.
    """

    issuer: str
    jwks_uri: str
    key_set: KeySet
    fetched_at: int
    now: int

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FOUND)


@frozen(kw_only=True)
class FetchFault:
    """Why a key set is not available: the failure of the fetch, as a value that can be kept.

    Attributes:
        code: of the error, as in ``tls_failed`` or ``http_status_unexpected``.
        about, found, expected, cause, hint, retryable, kind: as :class:`OidcError` has them.
        sent: whether the request may have reached the provider.
    """

    code: str
    about: str = ""
    found: Fact = None
    expected: Fact = None
    cause: str = ""
    hint: str
    retryable: Retryable
    kind: Kind
    sent: Sent = "maybe"

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FAULT)


def fetch_fault(error: OidcError) -> FetchFault:
    """Return what an answer to the request for a key set, or its failure, was refused with."""
    return FetchFault(
        code=error.code,
        about=error.about,
        found=error.found,
        expected=error.expected,
        cause=error.cause,
        hint=_hint_at("key_set", error),
        retryable=error.retryable,
        kind=error.kind,
        sent="no" if isinstance(error, TransportFailure) and error.sent == "no" else "maybe",
    )


@frozen
class KeysWithheld:
    """No key set: fetches are rate-limited now (``throttled``), or it is ``unreachable``.

    Attributes:
        reason: which of both.
        fault: the failure of the newest fetch, if it failed and that is known.
        retry_after: for ``throttled``: after how many seconds the set is read again.
    """

    reason: Literal["throttled", "unreachable"]
    fault: FetchFault | None = None
    retry_after: int | None = None

    def __attrs_post_init__(self) -> None:
        check_fields(self, _WITHHELD)

    @property
    def error(self) -> TransportFailure:
        """The error ``keys_unavailable``, with the failure of the fetch.

        A fault that does not heal by itself, such as a status of 404, is ``no``.
        """
        sent: Sent = "no" if self.reason == "throttled" or self.fault is None else self.fault.sent
        facts: Facts = {"found": self.reason, "retry_after": self.retry_after}
        if self.fault is not None:
            facts |= {
                "found": self.fault.found,
                "expected": self.fault.expected,
                "about": self.fault.about,
                "cause": self.fault.cause or self.fault.code,
                "hint": self.fault.hint,
                "retryable": self.fault.retryable,
                "kind": self.fault.kind,
            }
        if self.retry_after is not None:
            hint, again = facts.get("hint"), f"in {self.retry_after} seconds"
            again = f"the library reads the key set again {again}"
            facts["hint"] = f"{hint}; {again}" if hint else again
        return TransportFailure("keys_unavailable", sent=sent, **facts)


_FOUND: Final = fields_of(KeysFound, "parameter_invalid")
_FAULT: Final = fields_of(FetchFault, "parameter_invalid")
_WITHHELD: Final = fields_of(KeysWithheld, "parameter_invalid")


KeysAnswer: TypeAlias = KeysFound | KeysWithheld


@frozen(kw_only=True)
class Exchange(Generic[T_co]):
    """A step that waits for the answer to a request."""

    made_for: str
    request: HttpRequest

    @abstractmethod
    def consume(self, rp: RelyingParty, answer: Answer) -> "Step[T_co]":
        """Take the answer and return the next step; call :func:`resume`, not this."""


@frozen(kw_only=True)
class NeedKeys(Generic[T_co]):
    """A step that waits for a key set."""

    made_for: str
    wanted: KeysWanted

    @abstractmethod
    def consume(self, rp: RelyingParty, answer: KeysAnswer) -> "Step[T_co]":
        """Take the answer and return the next step; call :func:`resume`, not this."""


Step: TypeAlias = Exchange[T_co] | NeedKeys[T_co] | Done[T_co]
"""The return value of an operation: a wish, or the result."""


@overload
def resume(rp: RelyingParty, step: Exchange[T_co], answer: AnswerTo) -> Step[T_co]: ...
@overload
def resume(rp: RelyingParty, step: NeedKeys[T_co], answer: KeysAnswer) -> Step[T_co]: ...
def resume(
    rp: RelyingParty, step: Exchange[T_co] | NeedKeys[T_co], answer: AnswerTo | KeysAnswer
) -> Step[T_co]:
    """Give a step its answer and return the next step.

    A demand for a DPoP nonce (RFC 9449 §8, §9) gives the same step with that nonce, once.

    Raises:
        UsageError: ``foreign_step`` if another relying party made the step, ``answer_unexpected``
            if it waits for an answer of another kind, ``answer_foreign`` for the answer to another
            request, or the keys of another provider; ``config_invalid`` where the policy has the
            transport judge addresses and it did not.
        ProtocolViolation: ``dpop_nonce_repeated`` if a nonce is demanded of the same request
            twice; ``channel_unverified`` if TLS did not verify the server, or where the policy has
            the transport say that it did.
        OidcError: the refusal of the answer. The step stays as it was.
    """
    if step.made_for != rp.digest:
        raise UsageError("foreign_step", found=step.made_for, expected=rp.digest)
    if isinstance(step, Exchange):
        if isinstance(answer, AnswerTo):
            try:
                return _answered(rp, step, answer)
            except OidcError as error:
                locate(error, step.request)
                raise
    elif isinstance(answer, KeysFound):
        wanted = step.wanted
        if answer.issuer != wanted.issuer or answer.jwks_uri != wanted.jwks_uri:
            found, expected = (answer.issuer, answer.jwks_uri), (wanted.issuer, wanted.jwks_uri)
            raise UsageError("answer_foreign", found=found, expected=expected)
        return step.consume(rp, answer)
    elif isinstance(answer, KeysWithheld):
        try:
            return step.consume(rp, answer)
        except OidcError as error:
            locate(error, step.wanted.request)
            raise
    raise UsageError("answer_unexpected", found=type(answer).__name__, about=type(step).__name__)


def locate(error: OidcError, request: HttpRequest) -> None:
    """Say of an error in which exchange it happened, and what to check there.

    An error that the caller made has no place.
    """
    if error.place is None and error.fault != "usage":
        error.place = Place(request.purpose, request.url.partition("?")[0])
        error.hint = _hint_at(request.purpose, error)
        if _TOO_LARGE in {error.code, error.found, error.cause}:
            name_excess(error, _SIZES[request.purpose], request.max_body)
        extra = credential_hint(request, error)
        if extra:
            error.hint += f"; {extra}"


def _hint_at(purpose: Purpose, error: OidcError) -> str:
    """Return the hint for an error, by the purpose of the exchange, unless it heals by itself."""
    general = error.retryable != "later" and error.hint == error.row.hint
    return (general and hint_at(purpose, error.code)) or error.hint


def _answered(rp: RelyingParty, step: Exchange[T_co], given: AnswerTo) -> Step[T_co]:
    """Give an exchange its own answer; another answer may belong to another user."""
    request, answer = given
    if request is not step.request and request != step.request:
        found, expected = _purpose(request), step.request.purpose
        raise UsageError("answer_foreign", found=found, expected=expected)
    if isinstance(answer, HttpResponse):
        if answer.channel not in request.way.channels:
            raise _refused(answer.channel, request)
        if len(answer.body) > request.max_body:  # which a transport should have seen
            return step.consume(rp, NoAnswer("maybe", _TOO_LARGE, answer.received_at))
        if answer.status in _REFUSALS:
            again = with_demanded_nonce(step.request, answer)
            if again is not None:
                return evolve(step, request=again)
    else:
        _check_no_answer(answer)
    return step.consume(rp, answer)


def _refused(channel: Channel, request: HttpRequest) -> OidcError:
    """Say why an answer does not count that came that way."""
    if channel._replace(addresses_judged=True) in request.way.channels:
        expected = "one that judges addresses, or the quirk proxy_enforces_addresses"
        return UsageError("config_invalid", about="transport", expected=expected)
    return ProtocolViolation("channel_unverified", found=channel.server, about="channel")


def _purpose(request: object) -> str:
    """Return the purpose of a request; a driver without types may have no request."""
    return request.purpose if isinstance(request, HttpRequest) else type(request).__name__


def _check_no_answer(answer: object) -> None:
    if not isinstance(answer, NoAnswer):
        raise UsageError("answer_unexpected", found=type(answer).__name__, about="AnswerTo")
