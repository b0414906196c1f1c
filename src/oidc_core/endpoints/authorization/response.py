"""The authorization response (OIDC Core §3.1.2.5 to §3.1.2.7, RFC 9207): the callback.

It arrives through the user's browser, so it is believed only as far as it fits the login that
waits for it.  Before state, binding and issuer are accepted, no request leaves and no text of it
is shown.
"""

import re
from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import Final, NamedTuple, NoReturn, TypeAlias

from attrs import field, frozen

from oidc_core.model.evidence import Evidence, Rule, RuleTable, SkipReason
from oidc_core.model.pending import (
    PendingLogin,
    ResponseMode,
    SingleUse,
    binding_digest_of,
    pending_id_of,
)
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.encoding import same
from oidc_core.wire.errors import CallbackError, ProtocolViolation, ProviderError
from oidc_core.wire.grammar import NQSCHAR, VSCHAR
from oidc_core.wire.http import LIMITS
from oidc_core.wire.urls import parse_form

COOKIE_PREFIX: Final = "__Host-oidc-"
"""What the names of pending-login cookies start with; the login's ``id`` follows."""

_COOKIES: Final = (COOKIE_PREFIX, COOKIE_PREFIX.removeprefix("__Host-"))


class Unbound(Enum):
    """Named values that stand in place of a browser's binding secret."""

    LOOPBACK_LISTENER = "the callback came in on a loopback listener opened for this login"
    NOT_BOUND = "the application does not bind logins to browsers"
    """Needs the quirk ``unbound_browser``."""


LOOPBACK_LISTENER: Final = Unbound.LOOPBACK_LISTENER
"""In place of a binding: the callback came in on a loopback listener that this very process
opened for this one login (RFC 8252 §7.3), so there is no other browser to tell apart."""

Binding: TypeAlias = str | Unbound

_PARAMETERS: Final = frozenset(
    {"state", "code", "iss", "error", "error_description", "error_uri", "session_state",
     "access_token", "token_type", "expires_in", "id_token", "response"}
)  # fmt: skip
_TOKENS: Final = frozenset({"access_token", "id_token", "response"})
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
            _refuse_doubles(self.parameters)
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


def _refuse_doubles(parameters: tuple[tuple[str, str], ...]) -> None:
    """Refuse a parameter of the protocol that is there twice; others may be."""
    names = [name for name, _ in parameters if name in _PARAMETERS]
    for name in names:
        if names.count(name) > 1:
            raise CallbackError("parameter_duplicated", about=name)


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


class _Received(NamedTuple):
    """A callback on its way through the rules."""

    rp: RelyingParty
    pending: PendingLogin
    callback: Callback
    parameters: Mapping[str, str]
    binding: Binding
    now: int
    account: str


_Skipped: TypeAlias = SkipReason | None


def _state(received: _Received) -> _Skipped:
    state = received.parameters.get("state")
    if state is None:
        raise CallbackError("state_missing", about="state")
    if not same(state, received.pending.state):
        raise CallbackError("state_mismatch", about="state")
    return None


def _browser(received: _Received) -> _Skipped:
    binding = received.binding
    if isinstance(binding, Unbound):
        quirks = received.rp.policy.quirks
        if binding is Unbound.NOT_BOUND and "unbound_browser" not in quirks:
            raise CallbackError("binding_missing", expected="quirk unbound_browser")
        return binding.value
    if not binding:
        raise CallbackError("binding_missing")
    if not same(binding_digest_of(binding), received.pending.binding_digest):
        raise CallbackError("binding_mismatch")
    return None


def _lifetime(received: _Received) -> _Skipped:
    age = received.now - received.pending.created_at
    policy = received.rp.policy
    if not -policy.leeway <= age <= policy.login_lifetime:
        raise CallbackError("state_expired", found=age, expected=policy.login_lifetime)
    return None


def _same_connection(received: _Received) -> _Skipped:
    rp, pending = received.rp, received.pending
    if pending.issuer != rp.issuer:
        raise CallbackError(
            "connection_mismatch", found=rp.issuer, expected=pending.issuer, about="issuer"
        )
    if (pending.client_id, pending.connection_id) != (rp.client.client_id, rp.client.connection_id):
        raise CallbackError("connection_mismatch", about="client_id")
    if pending.policy != rp.policy.name:
        raise CallbackError("connection_mismatch", about="policy", expected=pending.policy)
    if pending.endpoints_digest != rp.endpoints_digest:
        raise ProtocolViolation("metadata_changed")
    return None


def _same_account(received: _Received) -> _Skipped:
    """An identity is added to an account only where its user began it and is there still."""
    if not received.pending.account:
        return "not a link"
    if not same(received.account, received.pending.account):
        raise CallbackError("account_mismatch", about="account")
    return None


def _mode(received: _Received) -> _Skipped:
    asked = received.pending.response_mode
    if received.callback.mode != asked:
        raise CallbackError("response_mode_mismatch", found=received.callback.mode, expected=asked)
    return None


def _redirect_uri(received: _Received) -> _Skipped:
    url = received.callback.url
    if url is None:
        return "the URL was not told"
    expected = received.pending.redirect_uri.partition("?")[0]
    if url != expected:
        found = url.partition("?")[0]
        raise CallbackError("redirect_uri_mismatch", found=found, expected=expected)
    return None


def _issuer(received: _Received) -> _Skipped:
    iss = received.parameters.get("iss")
    if iss is not None:
        if not received.rp.issuer_rule.in_response(iss):
            raise CallbackError("response_iss_mismatch", expected=received.rp.issuer, about="iss")
        return None
    if not received.pending.expects_iss:
        return "the provider does not announce iss"
    if "error" not in received.parameters:
        raise CallbackError("response_iss_missing", about="iss")
    return "absent from an error"


def _unambiguous(received: _Received) -> _Skipped:
    if not _TOKENS.isdisjoint(received.parameters):
        name = min(_TOKENS.intersection(received.parameters))
        raise CallbackError("parameter_unexpected", about=name)
    if "error" in received.parameters and "code" in received.parameters:
        raise CallbackError("response_ambiguous")
    return None


CALLBACK_RULES: Final = RuleTable(
    "authorization_response",
    (
        Rule("state", "OIDC Core §3.1.2.7", "it answers this very login", _state),
        Rule("binding", "RFC 9700 §4.7", "the browser is the one that started it", _browser),
        Rule("lifetime", "RFC 9700 §4.7", "it did not take too long", _lifetime),
        Rule("connection", "RFC 9700 §4.4", "client and provider are the same", _same_connection),
        Rule("account", "RFC 9700 §4.7", "a link is finished by whoever began it", _same_account),
        Rule("response_mode", "OAuth Multiple Response Types §2.1", "it came as asked", _mode),
        Rule("redirect_uri", "RFC 9700 §4.4.2", "it came to the URL as asked", _redirect_uri),
        Rule("iss", "RFC 9207 §2.4", "it comes from the provider that was asked", _issuer),
        Rule("parameters", "RFC 6749 §4.1.2", "it is a code or an error, no token", _unambiguous),
    ),
)


class CodeResponse(NamedTuple):
    """A callback that was accepted: the code, the issuer it named if any, and the evidence."""

    code: str
    evidence: Evidence
    iss: str | None = None

    def __repr__(self) -> str:
        return f"CodeResponse(iss={self.iss!r})"


def check_authorization_response(
    rp: RelyingParty,
    pending: PendingLogin,
    callback: Callback,
    *,
    binding: Binding,
    now: int,
    single_use: SingleUse,
    account: str = "",
) -> CodeResponse:
    """Check a callback against the login that waits for it; return its code.

    ``account``: for a link, the application's account that is signed in now.

    Raises:
        CallbackError: the code of the first rule that does not hold, ``code_missing``.
        ProtocolViolation: ``metadata_changed``.
        ProviderError: the provider's error, once state, binding and issuer hold.
    """
    parameters = callback.named
    received = _Received(rp, pending, callback, parameters, binding, now, account)
    outcomes = CALLBACK_RULES.outcomes(received)
    if "error" in parameters:
        raise _provider_error(received)
    code = parameters.get("code")
    if code is None:
        raise CallbackError("code_missing", about="code")
    evidence = Evidence(
        table=CALLBACK_RULES,
        outcomes=outcomes,
        notes=(f"single_use: {single_use}",),
        terms=rp.terms,
        checked_at=now,
    )
    return CodeResponse(code, evidence, parameters.get("iss"))


def _provider_error(received: _Received) -> ProviderError:
    """Return the provider's error; its text is withheld unless the issuer is beyond doubt."""
    parameters = received.parameters
    certain = "iss" in parameters or not received.pending.expects_iss
    description, uri = parameters.get("error_description"), parameters.get("error_uri")
    return ProviderError(
        parameters["error"],
        error_description=description if certain else None,
        error_uri=uri if certain else None,
        issuer_verified="iss" in parameters,
    )
