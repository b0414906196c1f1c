"""The callback as it comes in: parameters within their grammar, and which login they may belong to.

Nothing is believed here.  Whether it answers that login is :mod:`.response`.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Final, NoReturn

from attrs import field, frozen

from oidc_core.model.client import RESPONSE_PARAMETERS
from oidc_core.model.pending import ResponseMode, pending_id_of
from oidc_core.wire.errors import CallbackError
from oidc_core.wire.grammar import NQSCHAR, VSCHAR
from oidc_core.wire.http import LIMITS
from oidc_core.wire.urls import parse_form, refuse_doubles

COOKIE_PREFIX: Final = "__Host-oidc-"
"""What the names of pending-login cookies start with; the login's ``id`` follows."""

_COOKIES: Final = (COOKIE_PREFIX, COOKIE_PREFIX.removeprefix("__Host-"))

PARAMETERS: Final = RESPONSE_PARAMETERS
"""What an authorization response may say; the rest of a callback is not ours."""

_LENGTHS: Final[Mapping[str, int]] = {
    "state": LIMITS.state,
    "code": LIMITS.code,
    "iss": LIMITS.callback,
    "error": LIMITS.state,
}
_GRAMMAR: Final = tuple(
    [
        (name, re.compile(f"{NQSCHAR if name == 'error' else VSCHAR}{{0,{limit}}}").fullmatch)
        for name, limit in _LENGTHS.items()
    ]
)


@frozen(kw_only=True)
class Callback:
    """What the browser brought to the redirect URI.

    Attributes:
        parameters: names and values, in order, as often as they were given.
        mode: ``query`` for a GET, ``form_post`` for a POST.
        url: the URL it arrived on without its query, if known: the configured one, not one
            built from a ``Host`` header.
    """

    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    mode: ResponseMode = "query"
    url: str | None = None

    @cached_property
    def named(self) -> Mapping[str, str]:
        """The parameters of the protocol, each at most once and within its grammar.

        One without a value counts as omitted (RFC 6749 §3.1), though not as another's double.

        Raises:
            CallbackError: ``parameter_duplicated``, ``parameter_too_long``,
            ``parameter_malformed``.
        """
        found = dict(self.parameters)
        if len(found) != len(self.parameters):
            refuse_doubles(self.parameters, PARAMETERS)
        for name, grammar in _GRAMMAR:
            if name in found and not grammar(found[name]):
                _refuse(name, found[name])
        return MappingProxyType(
            found
            if all(found.values())
            else {name: value for name, value in found.items() if value}
        )

    @classmethod
    def from_url(cls, url: str) -> "Callback":
        """Take the URL of a GET; of a bare path, only the query counts, and never a fragment."""
        base, _, query = url.partition("#")[0].partition("?")
        arrived_at = base if "://" in base else None
        return cls(parameters=_parsed(query), url=arrived_at)

    @classmethod
    def from_query(cls, query: str, *, url: str | None = None) -> "Callback":
        """Take a query string, without its question mark."""
        return cls(parameters=_parsed(query), url=url)

    @classmethod
    def from_form(cls, body: str, *, url: str | None = None) -> "Callback":
        """Take the body of a POST (OAuth 2.0 Form Post Response Mode)."""
        return cls(parameters=_parsed(body), mode="form_post", url=url)


def _parsed(text: str) -> tuple[tuple[str, str], ...]:
    if len(text) > LIMITS.callback:
        raise CallbackError("parameter_too_long", found=len(text), expected=LIMITS.callback)
    return parse_form(text)


def _refuse(name: str, value: str) -> NoReturn:
    """Say why a parameter is not within its grammar (RFC 6749 appendix A)."""
    limit = _LENGTHS[name]
    if len(value) > limit:
        raise CallbackError("parameter_too_long", about=name, expected=limit)
    raise CallbackError("parameter_malformed", about=name)


def cookies_of(header: str) -> Mapping[str, str]:
    """Read the pending-login cookies out of a ``Cookie`` header (RFC 6265 §5.4).

    Raises:
        CallbackError: ``binding_duplicated`` if one of them is there twice: a sibling domain may
            have planted the other.
    """
    found: dict[str, str] = {}
    for part in header.split(";"):
        # Python's own idea of space is wider, and no browser guards ``\xa0__Host-``.
        name, _, value = part.strip(" \t").partition("=")
        if name.startswith(_COOKIES):
            if name in found:
                raise CallbackError("binding_duplicated", about="cookie")
            found[name] = value
    return found


def pending_id(callback: Callback, cookies: Mapping[str, str]) -> str:
    """Decide which login in flight a callback belongs to.

    Its ``state`` names it.  ``cookies`` are for responses whose state is encrypted.

    Raises:
        CallbackError: ``state_missing``, or as :attr:`Callback.named`.
    """
    state = callback.named.get("state")
    if state is None:
        raise CallbackError("state_missing", about="state", found=len(cookies))
    return pending_id_of(state)
