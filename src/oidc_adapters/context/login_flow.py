"""A login in three calls: where to send the browser, what it brought back, the tokens.

A login's step is a value (:mod:`oidc_core.machine.steps`), so between the second call and the
third it simply waits: accepted, under its authorization code, about to ask for the tokens.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import evolve

from oidc_adapters.context.arguments import check_parameters, query_pairs
from oidc_adapters.context.memory import key_of
from oidc_adapters.context.oidc_ctx import OIDCCtx, check_context, valid_until
from oidc_adapters.context.outcomes import Failure, TokenDict, failure
from oidc_adapters.context.records import AcceptedIdToken, AnsweredLogin, WaitingLogin
from oidc_core.endpoints.authorization import (
    AuthenticationRequest,
    Binding,
    Callback,
    Unbound,
    pending_id,
)
from oidc_core.endpoints.authorization.request import Display
from oidc_core.model.pending import PendingLogin
from oidc_core.operations import login
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.encoding import sha256_b64url
from oidc_core.wire.errors import CallbackError, OidcError, UsageError

_SECONDS: Final = re.compile(r"[0-9]{1,15}")
_TEXT: Final = "text or nothing in it"
_OPTIONAL: Final = "text or None"
_REQUEST: Final = MappingProxyType(
    {
        "nonce": _OPTIONAL,
        "display": _OPTIONAL,
        "prompt": _OPTIONAL,
        "ui_locales": _OPTIONAL,
        "id_token_hint": _OPTIONAL,
        "login_hint": _OPTIONAL,
        "acr_values": _OPTIONAL,
        "pkce": "True, False or None",
        "browser": _OPTIONAL,
    }
)


def flow_request_authorization_code(
    ctx: OIDCCtx,
    *,
    nonce: str | None = None,
    display: Display | None = None,
    prompt: str | None = None,
    max_age: int | str | None = None,
    ui_locales: str | None = None,
    id_token_hint: str | None = None,
    login_hint: str | None = None,
    acr_values: str | None = None,
    pkce: bool | None = None,
    browser: str | None = None,
) -> str:
    """Start a login; return the URL to send the browser to (OIDC Core §3.1.2.1).

    The parameters up to ``acr_values`` are the specification's.  ``nonce`` is fresh by default.
    Only the user of ``id_token_hint`` may come back. ``prompt="login"`` asks for ``max_age`` 0,
    unless it is given. ``pkce`` is the context's own by default. ``browser`` is an unguessable
    secret that only this browser has; give the same to :func:`flow_get_authorization_code`.

    Raises:
        UsageError: ``parameter_invalid``, ``unsupported_by_provider``.
        StoreFailure: ``pending_too_many``.
    """
    given = locals()
    check_context(ctx)
    check_parameters(given, _REQUEST)
    request = AuthenticationRequest(
        display=display or "",
        prompt=prompt or "",
        max_age=_seconds(max_age),
        ui_locales=ui_locales or "",
        id_token_hint=id_token_hint,
        login_hint=login_hint or "",
        acr_values=acr_values or "",
        nonce=_given(nonce),
    )
    with_pkce = ctx.pkce if pkce is None else pkce
    return _started(ctx, request, pkce=with_pkce, browser=browser)


def _started(
    ctx: OIDCCtx,
    request: AuthenticationRequest,
    *,
    pkce: bool,
    browser: str | None,
) -> str:
    rp, now = ctx.party(bound=browser is not None, pkce=pkce), ctx.shell.clock.now()
    secrets = ctx.shell.entropy.login_secrets()
    if browser is not None:
        secrets = evolve(secrets, binding=_binding(browser))
    started = ctx.shell.run(rp, login.start(rp, secrets, request, now=now))
    pending = started.pending
    waiting = WaitingLogin(rp=rp, pending=pending, bound=browser is not None)
    if not ctx.records.waiting.admit(pending.id, waiting, now):
        raise UsageError("entropy_failure", about="state")
    ctx.records.issued.put(_key(pending), pending, now)
    return started.url


def flow_get_authorization_code(
    ctx: OIDCCtx, query: Mapping[str, object], *, browser: str | None = None
) -> str | Failure:
    """Take what the browser brought back; return the authorization code (OIDC Core §3.1.2.5).

    The state is consumed, with any result. The code waits for :func:`flow_get_token` as long as the
    login itself might.

    Args:
        ctx: the context.
        query: the parameters by name: strings, lists of strings, or a multi-dict with ``getlist``.
        browser: the secret the login was started with.

    Returns:
        The code; an :class:`AuthServerError` if the provider refused, otherwise an
        :class:`APIError`, as ``parameter_invalid`` for an argument of another type.
    """
    try:
        check_context(ctx)
        check_parameters({"browser": browser}, {"browser": _OPTIONAL})
        parameters, now = query_pairs(query), ctx.shell.clock.now()
        callback = Callback(parameters=parameters, query=parameters)
        waiting = ctx.records.waiting.take(pending_id(callback), now)
        if waiting is None:
            raise CallbackError("state_unknown", about="state")
        step = login.finish(
            waiting.rp,
            waiting.pending,
            callback,
            binding=_brought(waiting, browser),
            now=now,
            single_use="process",
        )
        code = callback.named["code"]
        answered = AnsweredLogin(rp=waiting.rp, pending=waiting.pending, step=step, accepted_at=now)
        if not ctx.records.answered.admit(key_of(code), answered, now):
            raise CallbackError("state_used", about="code")
    except OidcError as fault:
        return failure(fault)
    return code


def flow_get_token(ctx: OIDCCtx, code: str) -> TokenDict | Failure:
    """Exchange an authorization code for tokens (OIDC Core §3.1.3).

    The ID token is verified wholly before anything is returned: signature, issuer, audience,
    expiry, nonce and all demands of the login. Ask :meth:`OIDCCtx.evidence` what was checked.

    The code's login is taken once, before anything is sent: after any failure start a new one.
    If it were put back, somebody who brought the same code meanwhile could be given these tokens.

    Returns:
        The provider's answer as a plain dict: ``access_token``, ``id_token``, …; or an error.
    """
    try:
        check_context(ctx)
        check_parameters({"code": code}, {"code": _TEXT})
        now = ctx.shell.clock.now()
        answered = ctx.records.answered.take(key_of(code), now)
        if answered is None:
            raise CallbackError("state_unknown", about="code")
        age, longest = now - answered.accepted_at, answered.rp.policy.login_lifetime
        if age > longest:
            raise CallbackError("state_expired", found=age, expected=longest, about="code")
        logged_in, tokens = ctx.drive(answered.rp, answered.step)
        _remember(ctx, answered, logged_in)
    except OidcError as fault:
        return failure(fault)
    return tokens


def _remember(ctx: OIDCCtx, answered: AnsweredLogin, logged_in: LoggedIn) -> None:
    """Keep what a later validation, refresh or question for evidence needs."""
    tokens, now = logged_in.tokens, ctx.shell.clock.now()
    until = valid_until(ctx, logged_in.id_token)
    # From now on it is known whose login it was.
    demands = evolve(answered.pending.demands, sub=tokens.subject)
    finished = evolve(answered.pending, demands=demands)
    ctx.records.finished.put(_key(finished), finished, now, until=until)
    accepted = AcceptedIdToken(evidence=logged_in.evidence)
    ctx.records.accepted.put(key_of(tokens.id_token), accepted, now, until=until)
    ctx.records.keep_refreshable(tokens, now)


def _seconds(max_age: int | str | None) -> int | None:
    """Read seconds as they are sent; to Python far more is a number."""
    if isinstance(max_age, str):
        number = int(max_age) if _SECONDS.fullmatch(max_age) else None
    else:
        number = max_age
    if max_age is not None and not isinstance(number, int):
        raise UsageError("parameter_invalid", about="max_age", expected="seconds")
    return number


def _key(pending: PendingLogin) -> str:
    """Return the key that a login is found by: that of its nonce."""
    nonce = pending.demands.nonce
    return key_of(nonce if isinstance(nonce, str) else "")


def _given(nonce: str | None) -> str:
    """Return the application's own nonce, or a fresh one without it; an empty one is a mistake."""
    if nonce == "":
        raise UsageError("parameter_invalid", about="nonce", expected="a nonce")
    return nonce or ""


def _binding(browser: str) -> str:
    """Make a binding secret of the value by which the application tells its browsers apart."""
    if not browser:
        raise UsageError("parameter_invalid", about="browser", expected="a secret")
    return sha256_b64url(f"browser {browser}")


def _brought(waiting: WaitingLogin, browser: str | None) -> Binding:
    """Return what the browser brought to prove itself; a bound login is never let off."""
    if browser:
        return _binding(browser)
    return "" if waiting.bound or browser is not None else Unbound.NOT_BOUND
