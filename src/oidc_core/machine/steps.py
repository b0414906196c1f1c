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
from typing import Final, Generic, Literal, TypeAlias, TypeVar, overload

from attrs import evolve, frozen

from oidc_core.jose.jwk import KeySet
from oidc_core.machine.dpop import with_demanded_nonce
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import ProtocolViolation, TransportFailure, UsageError
from oidc_core.wire.http import Answer, HttpRequest, HttpResponse, KeysWanted, NoAnswer, Source

T_co = TypeVar("T_co", covariant=True)

_REFUSALS: Final = frozenset({400, 401})
"""The statuses that a demand for a DPoP nonce can have."""


@frozen
class Done(Generic[T_co]):
    """The end of an operation."""

    result: T_co


@frozen
class KeysFound:
    """A provider's key set, when it was fetched, and what time it is now."""

    key_set: KeySet
    fetched_at: int
    now: int


@frozen
class KeysWithheld:
    """No key set: fetched too often of late (``throttled``), or ``unreachable``."""

    reason: Literal["throttled", "unreachable"]


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
"""What an operation returns: a wish, or the result."""


@overload
def resume(rp: RelyingParty, step: Exchange[T_co], answer: Answer) -> Step[T_co]: ...
@overload
def resume(rp: RelyingParty, step: NeedKeys[T_co], answer: KeysAnswer) -> Step[T_co]: ...
def resume(
    rp: RelyingParty, step: Exchange[T_co] | NeedKeys[T_co], answer: Answer | KeysAnswer
) -> Step[T_co]:
    """Give a step its answer and return the next step.

    A demand for a DPoP nonce (RFC 9449 §8, §9) gives the same step with that nonce, once.

    Raises:
        UsageError: ``foreign_step`` if another relying party made the step,
            ``answer_unexpected`` if it waits for an answer of another kind.
        ProtocolViolation: ``dpop_nonce_repeated`` if a nonce is demanded of the same request twice.
        OidcError: whatever the answer is refused with.  The step stays as it was.
    """
    if step.made_for != rp.digest:
        raise UsageError("foreign_step", found=step.made_for, expected=rp.digest)
    if isinstance(step, Exchange):
        if isinstance(answer, HttpResponse):
            if answer.status in _REFUSALS:
                again = with_demanded_nonce(step.request, answer)
                if again is not None:
                    return evolve(step, request=again)
            return step.consume(rp, answer)
        if isinstance(answer, NoAnswer):
            return step.consume(rp, answer)
    elif isinstance(answer, (KeysFound, KeysWithheld)):
        return step.consume(rp, answer)
    raise UsageError("answer_unexpected", found=type(answer).__name__, about=type(step).__name__)


def answered(answer: Answer) -> HttpResponse:
    """Return the response, where nothing but a response will do.

    Raises:
        TransportFailure: the failure of the exchange.
        ProtocolViolation: ``http_redirect_refused``: on the back channel nothing is ever followed.
    """
    if isinstance(answer, NoAnswer):
        raise TransportFailure(answer.code, sent=answer.sent)
    if 300 <= answer.status < 400:
        raise ProtocolViolation("http_redirect_refused", found=answer.status)
    return answer


def keys_wanted(rp: RelyingParty, source: Source) -> KeysWanted:
    """Return the wish for this provider's key set."""
    if rp.keys_wanted is None:
        raise UsageError("unsupported_by_provider", about="jwks_uri")
    solicited, unsolicited = rp.keys_wanted
    return solicited if source == "solicited" else unsolicited
