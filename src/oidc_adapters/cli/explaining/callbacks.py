"""A callback URL in words: its parameters, what each means, and whether a client would take it."""

from functools import partial
from types import MappingProxyType
from typing import Final

from attrs import frozen

from oidc_adapters.cli.stand_in import stand_in, unjudged
from oidc_adapters.cli.verdicts import Verdict, failure, judged
from oidc_core.endpoints.authorization import LOOPBACK_LISTENER, Callback, pending_id
from oidc_core.endpoints.authorization.response import CALLBACK_RULES, ExaminedCallback
from oidc_core.model.client import RESPONSE_PARAMETERS
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.pending import PendingLogin
from oidc_core.wire.causes import PROVIDER_HINTS
from oidc_core.wire.errors import OidcError, fingerprint
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.messages import cut, shown_name, without_secrets
from oidc_core.wire.urls import parse_form, parse_url

_SHOWN: Final = frozenset({"iss", "error", "error_description", "error_uri", "token_type"})
"""Parameters whose values are not secret."""

_LONGEST: Final = 200
_MEANINGS: Final = MappingProxyType(
    {
        "code": "to be exchanged for tokens, once, by the client that asked",
        "state": "names the login that it answers",
        "iss": "the provider that it comes from (RFC 9207)",
        "session_state": "the state of the provider's session (Session Management §2)",
        "error": "the provider refused",
        "error_description": "the provider's words about that",
        "error_uri": "the provider's page about that",
        "access_token": "a token of the implicit flow: it does not belong here",
        "id_token": "a token of the implicit flow: it does not belong here",
        "token_type": "of the implicit flow: it does not belong here",
        "expires_in": "of the implicit flow: it does not belong here",
        "response": "a response within a JWT (JARM), which this library does not ask for",
        "scope": "the granted scope, which some providers tell here",
    }
)
_REQUEST: Final = frozenset({"response_type", "client_id", "redirect_uri"})
_ALONE: Final = frozenset({"iss", "parameters"})
"""The rules of a callback that need only the callback and the issuer."""


@frozen(kw_only=True)
class ExplainedParameter:
    """One parameter: name, value without its secret, meaning, and how often it is there."""

    name: str
    shown: str
    means: str


@frozen(kw_only=True)
class ExplainedCallback:
    """The content of a callback URL.

    Attributes:
        url: where it leads, without its parameters.
        parameters: what it brings, in order.
        verdicts: the checks that need only the URL and the options.
        error: the provider's error code, or an empty string.
        advice: what to do about that error.
    """

    url: str
    parameters: tuple[ExplainedParameter, ...]
    verdicts: tuple[Verdict, ...]
    error: str = ""
    advice: str = ""


def is_callback(subject: str) -> bool:
    """Return whether a text is a URL, or the query of one with a parameter of a response."""
    if "://" in subject.partition("?")[0]:
        return True
    names = {name for name, _ in parse_form(_taken_apart(subject)[1])}
    return bool(names & RESPONSE_PARAMETERS) and "=" in subject


def explain_callback(subject: str, issuer: str = "") -> ExplainedCallback:
    """Explain a callback.

    Args:
        subject: the URL, a path with its query, or the query alone.
        issuer: the issuer that was asked, if it is known.
    """
    base, query, fragment = _taken_apart(subject)
    pairs = parse_form(query)
    verdicts = [_of_url(base), _of_fragment(fragment)]
    verdicts += _of_parameters(query, issuer)
    error = dict(pairs).get("error", "")
    return ExplainedCallback(
        url=cut(without_secrets(_without_password(base)), _LONGEST),
        parameters=tuple([_explained(*pair) for pair in (*pairs, *parse_form(fragment))]),
        verdicts=tuple([each for each in verdicts if each is not None]),
        error=error if error in PROVIDER_HINTS else "",
        advice=PROVIDER_HINTS.get(error, ""),
    )


def _without_password(base: str) -> str:
    """Return a URL without the name and password in it."""
    scheme, mark, rest = base.partition("://")
    place, slash, path = rest.partition("/")
    _, sign, host = place.rpartition("@")
    return f"{scheme}{mark}…@{host}{slash}{path}" if sign else base


def _taken_apart(subject: str) -> tuple[str, str, str]:
    """Return the URL without parameters, its query and its fragment."""
    rest, _, fragment = subject.partition("#")
    base, mark, query = rest.partition("?")
    if not mark and "://" not in base and "=" in base:
        return "", base, fragment
    return base, query, fragment


def _of_url(base: str) -> Verdict | None:
    """Judge the URL; it may be left out."""
    if "://" not in base:
        return None

    def absolute() -> None:
        parse_url(base, about="redirect_uri", http=True)

    verdict = judged("url", "it is an absolute URL", "RFC 3986 §3", absolute)
    return verdict if verdict.outcome == "failed" else None


def _of_fragment(fragment: str) -> Verdict | None:
    """Judge a fragment: no server sees one."""
    if not {name for name, _ in parse_form(fragment)} & RESPONSE_PARAMETERS:
        return None
    return Verdict(
        name="fragment",
        says="the response is in the query, which the server sees",
        outcome="failed",
        spec="OAuth Multiple Response Types §2.1",
        code="response_mode_mismatch",
        found="a response in the fragment",
        expected="query or form_post",
        hint="ask for response_type=code: its responses come in the query",
    )


def _of_parameters(query: str, issuer: str) -> list[Verdict]:
    names = {name for name, _ in parse_form(query)}
    if names >= _REQUEST:
        hint = "this is the URL that the browser is sent to; explain the one it comes back to"
        return [
            Verdict(
                name="kind",
                says="it is a response",
                outcome="failed",
                spec="RFC 6749 §4.1.2",
                found="an authentication request",
                hint=hint,
            )
        ]
    says, spec = "each parameter has its form, once", "RFC 6749 §3.1"
    try:
        callback = Callback.of(Incoming(method="GET", url=None, query=query))
        _ = callback.named
    except OidcError as refusal:
        return [failure("form", says, refusal, spec=spec)]
    form = Verdict(name="form", says=says, outcome="passed", spec=spec)
    return [form, *_of_named(callback, issuer)]


def _of_named(callback: Callback, issuer: str) -> list[Verdict]:
    """Run the rules of the core that need no login: a login would run the others too."""
    received = _received(callback, issuer)

    def state() -> None:
        pending_id(callback)

    found = [judged("state", "it names a login", "RFC 6749 §10.12", state)]
    for rule in CALLBACK_RULES.rules:
        if rule.name == "iss" and "iss" not in callback.named:
            found.append(unjudged(rule, "it names no issuer"))
        elif rule.name == "iss" and not issuer:
            found.append(unjudged(rule, "no --issuer was given"))
        elif rule.name in _ALONE:
            found.append(judged(rule.name, rule.says, rule.spec, partial(rule.check, received)))
    return found


def _received(callback: Callback, issuer: str) -> ExaminedCallback:
    """Return the callback as if a login had waited for exactly its state."""
    rp, named = stand_in(issuer=issuer), callback.named
    pending = PendingLogin(
        id="-",
        connection=rp.connection,
        state=named.get("state", "-"),
        code_verifier="-",
        binding_digest="-",
        redirect_uri="-",
        demands=Demands(nonce=EXPECT_NO_NONCE, started_at=0),
    )
    return ExaminedCallback(rp, pending, callback, named, LOOPBACK_LISTENER, 0, "")


def _explained(name: str, value: str) -> ExplainedParameter:
    known = name if name in _MEANINGS else shown_name(without_secrets(name))
    means = _MEANINGS.get(name, "no parameter of a response: a client leaves it alone")
    if name in _SHOWN:
        shown = cut(without_secrets(value), _LONGEST)
    else:
        shown = f"{fingerprint(value)}, {len(value)} characters" if value else "empty"
    return ExplainedParameter(name=known, shown=shown, means=means)
