"""The authorization response (OIDC Core §3.1.2.5 to §3.1.2.7, RFC 9207): does it fit its login?

It arrives through the user's browser, so it is believed only as far as it fits the login that
waits for it.  Before state, binding and issuer are accepted, no request leaves and no text of it
is shown.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from attrs import frozen

from oidc_core.endpoints.authorization.callback import Callback, check_size, state_missing
from oidc_core.model.connection import check_connection
from oidc_core.model.demands import ADDED_MAX_AGE
from oidc_core.model.evidence import Evidence, Rule, RuleTable, SkipReason
from oidc_core.model.pending import PendingLogin, SingleUse, check_binding
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.answers import oauth_error
from oidc_core.wire.encoding import same
from oidc_core.wire.errors import CallbackError, ProviderError, fingerprint
from oidc_core.wire.facts import private
from oidc_core.wire.messages import Fact
from oidc_core.wire.urls import parse_form


class Unbound(Enum):
    """Named values that replace a browser's binding secret."""

    LOOPBACK_LISTENER = "the callback came in on a loopback listener opened for this login"
    NOT_BOUND = "the application does not bind logins to browsers"
    """Needs the quirk ``unbound_browser``."""


LOOPBACK_LISTENER: Final = Unbound.LOOPBACK_LISTENER
"""In place of a binding: the callback came in on a loopback listener that this process opened for
this one login (RFC 8252 §7.3), so there is no other browser to tell apart."""

Binding: TypeAlias = str | Unbound
"""The secret that a browser brought back, or the reason for its absence."""


_OF_REQUEST: Final = frozenset({"configuration", "interaction"})
"""The kinds of a provider's error that what was asked for may have caused."""


class ExaminedCallback(NamedTuple):
    """A callback on its way through the rules."""

    rp: RelyingParty
    pending: PendingLogin
    callback: Callback
    parameters: Mapping[str, str]
    binding: Binding
    now: int
    account: str

    @property
    def expects_iss(self) -> bool:
        """Whether the provider promised to name itself: when the login started, or since."""
        return self.pending.expects_iss or self.rp.expects_iss

    def __repr__(self) -> str:
        return f"ExaminedCallback({self.pending.id!r})"


_Skipped: TypeAlias = SkipReason | None

_RESULTS: Final = frozenset({"code", "access_token", "id_token", "response"})
"""The members that a response may bring where it is not an error."""


def _state(received: ExaminedCallback) -> _Skipped:
    state = received.parameters.get("state")
    if state is None:
        raise state_missing(received.callback)
    if not same(state, received.pending.state):
        found, expected = fingerprint(state), fingerprint(received.pending.state)
        raise CallbackError("state_mismatch", found=found, expected=expected, about="state")
    return None


def _browser(received: ExaminedCallback) -> _Skipped:
    binding = received.binding
    if isinstance(binding, Unbound):
        quirks = received.rp.policy.quirks
        if binding is Unbound.NOT_BOUND and "unbound_browser" not in quirks:
            raise CallbackError("binding_missing", expected="quirk unbound_browser")
        return binding.value
    check_binding(received.pending, binding)
    return None


def _lifetime(received: ExaminedCallback) -> _Skipped:
    age = received.now - received.pending.created_at
    policy = received.rp.policy
    if not -policy.leeway <= age <= policy.login_lifetime:
        raise CallbackError("state_expired", found=age, expected=policy.login_lifetime)
    return None


def _same_connection(received: ExaminedCallback) -> _Skipped:
    check_connection(received.pending.connection, received.rp.connection)
    return None


def _same_account(received: ExaminedCallback) -> _Skipped:
    """An identity is added to an account only where its user began it and is there still."""
    if not received.pending.account:
        return "not a link"
    if not same(received.account, received.pending.account):
        found, expected = private(received.account or None), private(received.pending.account)
        raise CallbackError("account_mismatch", found=found, expected=expected, about="account")
    return None


def _mode(received: ExaminedCallback) -> _Skipped:
    found, asked = received.callback.mode, received.pending.response_mode
    if found != asked:
        raise CallbackError("response_mode_mismatch", found=found, expected=asked)
    return None


def _redirect_uri(received: ExaminedCallback) -> _Skipped:
    callback = received.callback
    expected, asked, query = received.pending.redirect_uri.partition("?")
    if asked:
        check_own_query(query, callback)
    if callback.url is None:
        return "the URL was not told"
    if callback.url != expected:
        found = callback.url.partition("?")[0]
        raise CallbackError("redirect_uri_mismatch", found=found, expected=expected)
    return None


def check_own_query(query: str, callback: Callback) -> None:
    """Check that the query of a redirect URI came back as it is (RFC 6749 §3.1.2).

    Redirect URIs that differ in it alone are told apart by nothing else.

    Raises:
        CallbackError: ``redirect_uri_mismatch``, naming the parameter.
    """
    own = parse_form(query)
    names = {name for name, _ in own}
    back = [pair for pair in callback.query if pair[0] in names]
    if back != [*own]:
        found, expected = _apart(back, [*own])
        raise CallbackError("redirect_uri_mismatch", found=found, expected=expected, about="query")


_Pairs: TypeAlias = list[tuple[str, str]]


def _apart(found: _Pairs, expected: _Pairs) -> tuple[Fact, Fact]:
    """Return the difference between two queries: their names, or the name with another value."""
    names, expected_names = [name for name, _ in found], [name for name, _ in expected]
    if names != expected_names:
        return tuple(names), tuple(expected_names)
    odd = next(was[0] for was, new in zip(expected, found, strict=True) if was != new)
    return f"another {odd}", f"the configured {odd}"


def _issuer(received: ExaminedCallback) -> _Skipped:
    iss = received.parameters.get("iss")
    if iss is not None:
        if not received.rp.issuer_rule.in_response(iss):
            expected = received.rp.issuer
            raise CallbackError("response_iss_mismatch", found=iss, expected=expected, about="iss")
        return None
    if not received.expects_iss:
        return "the provider does not announce iss"
    if "error" not in received.parameters:
        raise CallbackError("response_iss_missing", expected=received.rp.issuer, about="iss")
    return "absent from an error"


@frozen
class _Brings:
    """A check and no closure: evidence is pickled with its table, and compared."""

    asked: frozenset[str]
    codes: tuple[tuple[str, str], ...]

    def __call__(self, received: ExaminedCallback) -> _Skipped:
        found, refused = _RESULTS.intersection(received.parameters), "error" in received.parameters
        if found == self.asked and not refused:
            return None
        unasked = found - self.asked
        if unasked:
            raise CallbackError("parameter_unexpected", about=min(unasked))
        if refused and found:
            raise CallbackError("response_ambiguous")
        if refused:
            return "the provider refused"
        absent = min(self.asked - found)
        raise CallbackError(dict(self.codes)[absent], about=absent)


def brings(missing: Mapping[str, str]) -> Rule[ExaminedCallback]:
    """Return the rule that a response is an error, or brings what was asked for and no more.

    Args:
        missing: the members that the response type asks for, each with the code of the error
            without it.
    """
    check = _Brings(frozenset(missing), tuple(missing.items()))
    return Rule("parameters", "RFC 6749 §4.1.2", "it is complete, or it is an error", check)


BELONGING_RULES: Final = RuleTable(
    "authorization_response",
    (
        Rule("state", "OIDC Core §3.1.2.7", "it answers exactly this login", _state),
        Rule("binding", "RFC 9700 §4.7", "the browser is the one that started it", _browser),
        Rule("lifetime", "RFC 9700 §4.7", "it did not take too long", _lifetime),
        Rule("connection", "RFC 9700 §4.4", "client and provider are the same", _same_connection),
        Rule(
            "account",
            "RFC 9700 §4.7",
            "a link is finished by the account that began it",
            _same_account,
        ),
        Rule("response_mode", "OAuth Multiple Response Types §2.1", "it came as asked", _mode),
        Rule("redirect_uri", "RFC 9700 §4.4.2", "it came to the URL as asked", _redirect_uri),
    ),
)
"""Whether a callback belongs to this login and this browser; what it says is not asked yet."""

CALLBACK_RULES: Final = RuleTable(
    "authorization_response",
    (
        *BELONGING_RULES.rules,
        Rule("iss", "RFC 9207 §2.4", "it comes from the provider that was asked", _issuer),
        brings({"code": "code_missing"}),
    ),
)
"""Every rule of an authorization response."""


class CodeResponse(NamedTuple):
    """A callback that was accepted: the code, the issuer it named if any, and the evidence.

    ``session_state``: the provider's session, for its frame (OIDC Session Management §2).
    """

    code: str
    evidence: Evidence
    iss: str | None = None
    session_state: str | None = None

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
    rules: RuleTable[ExaminedCallback] = CALLBACK_RULES,
) -> CodeResponse:
    """Check a callback against the login that waits for it; return its code.

    ``account``: for a link, the application's account that is signed in now.  ``rules``: those of
    the response type, if that is another than ``code``.

    Raises:
        CallbackError: the code of the first rule that does not hold, ``code_missing``.
        ProtocolViolation: ``metadata_changed``.
        ProviderError: the provider's error, once state, binding and issuer hold.
    """
    check_size(callback, rp.policy.limits)
    parameters = callback.named
    received = ExaminedCallback(rp, pending, callback, parameters, binding, now, account)
    outcomes = rules.outcomes(received)
    if "error" in parameters:
        raise _provider_error(received)
    code = parameters.get("code")
    if code is None:  # the rules of another response type
        raise CallbackError("code_missing", about="code")
    session_state, odd = _session_state(parameters)
    evidence = Evidence(
        table=rules,
        outcomes=outcomes,
        remarks=(f"single_use: {single_use}", *rp.response_remarks, *odd),
        terms=rp.terms,
        checked_at=now,
    )
    return CodeResponse(code, evidence, parameters.get("iss"), session_state)


def is_session_state(text: str) -> bool:
    """Return whether a text can be a ``session_state``: no space is in it (Session Management §2).

    No other white space is accepted either.
    """
    return text.split() == [text]


def _session_state(parameters: Mapping[str, str]) -> tuple[str | None, tuple[str, ...]]:
    """Return the ``session_state`` verbatim; an odd one counts as absent, with a note."""
    found = parameters.get("session_state")
    if found is None or is_session_state(found):
        return found, ()
    return None, ("session_state has a space: it counts as absent",)


def _provider_error(received: ExaminedCallback) -> ProviderError:
    """Return the provider's error; its text is withheld unless the issuer is beyond doubt."""
    parameters = received.parameters
    certain = "iss" in parameters or not received.expects_iss
    error = oauth_error(
        parameters["error"], parameters.get, issuer_verified="iss" in parameters, text=certain
    )
    if received.pending.demands.prompt_login == "proven" and error.kind in _OF_REQUEST:
        error.hint = f"{error.hint}; {ADDED_MAX_AGE}"
    return error
