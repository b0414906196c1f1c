"""The callback as it comes in: parameters within their grammar, and which login they may belong to.

The core believes no value here. Whether it answers that login is :mod:`.response`.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NoReturn

from attrs import field, frozen

from oidc_core.model.client import RESPONSE_PARAMETERS
from oidc_core.model.pending import ResponseMode, pending_id_of
from oidc_core.wire.errors import CallbackError
from oidc_core.wire.grammar import NQSCHAR, VSCHAR
from oidc_core.wire.limits import UPPER_BOUNDS, Limits, excess
from oidc_core.wire.messages import ERROR_CODE, cut
from oidc_core.wire.settings import check_fields, fields_of
from oidc_core.wire.urls import refuse_doubles

if TYPE_CHECKING:
    from oidc_core.wire.incoming import Incoming

MAX_STATE: Final = 512
"""How many characters ``state`` and ``error`` may have; a state of ours has 43."""

_LENGTHS: Final[Mapping[str, int]] = {
    "state": MAX_STATE,
    "code": UPPER_BOUNDS.callback,
    "iss": UPPER_BOUNDS.callback,
    "error": MAX_STATE,
}
_GRAMMAR: Final = tuple(
    [
        (name, re.compile(f"{NQSCHAR if name == 'error' else VSCHAR}{{0,{limit}}}").fullmatch)
        for name, limit in _LENGTHS.items()
    ]
)


@frozen(kw_only=True)
class Callback:
    """The parameters that the browser brought to the redirect URI.

    Attributes:
        parameters: names and values, in order, as often as they were given.
        mode: ``query`` for a GET, ``form_post`` for a POST.
        url: the URL it arrived on without its query, if known: the configured one, never one built
            from a ``Host`` header.
        query: names and values of the query, which a redirect URI may have some of, however the
            response came.
        size: how many octets the query or body had that it came in; 0 if that is not known.
    """

    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    mode: ResponseMode = "query"
    url: str | None = None
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    size: int = field(default=0, eq=False)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)

    @classmethod
    def of(cls, incoming: "Incoming") -> "Callback":
        """Take a request at the redirect URI.

        Raises:
            CallbackError: ``parameter_duplicated`` for a form together with a query that has
                parameters of the response too.
        """
        query, url = incoming.query_parameters, incoming.url
        size = max(len(incoming.query), len(incoming.body))
        if incoming.method == "GET":
            return cls(parameters=query, mode="query", url=url, query=query, size=size)
        twice = sorted(RESPONSE_PARAMETERS.intersection([name for name, _ in query]))
        if twice:  # it would add to the parameter of the form
            raise CallbackError("parameter_duplicated", about=twice[0])
        form = incoming.parameters
        return cls(parameters=form, mode="form_post", url=url, query=query, size=size)

    @cached_property
    def named(self) -> Mapping[str, str]:
        """The parameters of the protocol, each at most once and within its grammar.

        Only parameters that a decision depends on must keep to their grammar: ``state``, ``code``,
        ``iss`` and ``error``. One without a value counts as omitted (RFC 6749 §3.1), though not as
        another's double.

        Raises:
            CallbackError: ``parameter_duplicated``, ``parameter_too_long``,
            ``parameter_malformed``.
        """
        found = dict(self.parameters)
        if len(found) != len(self.parameters):
            refuse_doubles(self.parameters, RESPONSE_PARAMETERS)
        for name, grammar in _GRAMMAR:
            if name in found and not grammar(found[name]):
                _refuse(name, found[name])
        return MappingProxyType(
            found
            if all(found.values())
            else {name: value for name, value in found.items() if value}
        )


_FIELDS: Final = fields_of(Callback, "parameter_invalid")


def _refuse(name: str, value: str) -> NoReturn:
    """Say why a parameter is not within its grammar (RFC 6749 appendix A)."""
    limit = _LENGTHS[name]
    if len(value) > limit:
        raise too_long(name, limit, len(value))
    raise CallbackError("parameter_malformed", about=name)


def state_missing(callback: Callback) -> CallbackError:
    """Return the error of a callback without ``state``: some providers leave it out of an error.

    It has the code of that error, for the operator; its sender is not known.
    """
    found = callback.named.get("error")
    return CallbackError("state_missing", found=found and cut(found, ERROR_CODE), about="state")


def too_long(name: str, most: int, found: int) -> CallbackError:
    """Return the refusal of a parameter, or of a whole callback, that is too long."""
    return CallbackError(
        "parameter_too_long", about=name, found=found, expected=f"up to {most}", retryable="no"
    )


def check_size(callback: Callback, limits: Limits) -> None:
    """Refuse a callback that is larger than the client takes.

    Raises:
        CallbackError: ``parameter_too_long``.
    """
    if callback.size > limits.callback:
        facts = excess("callback", limits.callback, callback.size, kind="suspicious")
        raise CallbackError("parameter_too_long", about="callback", **facts)


def pending_id(callback: Callback) -> str:
    """Decide which login in flight a callback belongs to: its ``state`` names it.

    Raises:
        CallbackError: ``state_missing``, or as :attr:`Callback.named`.
    """
    state = callback.named.get("state")
    if state is None:
        raise state_missing(callback)
    return pending_id_of(state)
