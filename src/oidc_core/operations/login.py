"""A login by the authorization code flow, from the first redirect to a verified user.

This module is the protocol, top to bottom, in the order in which it happens (OIDC Core §3.1.1):

1. :func:`start` prepares the authentication request; the browser goes to the provider.
2. :func:`finish` takes the callback that the browser brings back, checks that it answers exactly
   this login, and asks for the tokens of the code.
3. :class:`AwaitingTokens` takes the answer of the token endpoint and hands it to
   :func:`~oidc_core.operations.logged_in.from_tokens`, the one path that every grant takes from
   there: the ID token is verified, its claims are checked, UserInfo is asked for.

Who calls what follows a verification: :func:`~oidc_core.machine.steps.resume` gives the keys to
``AwaitingKeys.consume``, and once the signature holds that calls ``IdTokenOfLogin.passed``, which
checks the claims and asks for UserInfo; for signed UserInfo it calls ``SignedUserInfo.passed``.
With a client's secret no keys are waited for:
:func:`~oidc_core.machine.verification.verify_jwt` calls ``passed`` at once.

Each pause is a frozen step (:mod:`oidc_core.machine.steps`); what fails raises and leaves it as it
was.
"""

from typing import Final

from attrs import field, frozen

from oidc_core.endpoints.authorization import (
    DEFAULT_REQUEST,
    AuthenticationRequest,
    Binding,
    Callback,
    CodeResponse,
    authentication_parameters,
    authorization_url,
    check_authorization_response,
    pending_login,
)
from oidc_core.endpoints.authorization.response import Unbound
from oidc_core.endpoints.tokens import (
    authorization_code_request,
    parse_token_response,
    token_answer,
)
from oidc_core.machine.steps import Done, Exchange, Step
from oidc_core.model.pending import LoginSecrets, PendingLogin, SingleUse
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.logged_in import Asked, LoggedIn, check_can_finish, from_tokens
from oidc_core.wire.http import Answer, Parameters
from oidc_core.wire.settings import check_kind


@frozen(kw_only=True)
class LoginStarted:
    """A login that may begin: where the browser goes, and what to keep until it comes back.

    Attributes:
        url: the provider's page to send the browser to.
        pending: what :func:`finish` needs; keep it where only this application writes.
        binding: the secret that this browser, and no other, must bring back in a cookie.
    """

    url: str = field(repr=False)
    pending: PendingLogin
    binding: str = field(repr=False)


def start(
    rp: RelyingParty,
    secrets: LoginSecrets,
    request: AuthenticationRequest = DEFAULT_REQUEST,
    *,
    now: int,
) -> Step[LoginStarted]:
    """Start a login.

    Args:
        rp: the relying party, with the provider's metadata.
        secrets: four fresh secrets, for this login only.
        request: what is asked of the provider and of the user.
        now: the current time, in seconds since the epoch.

    Raises:
        UsageError: ``parameter_invalid``, or ``unsupported_by_provider`` without an endpoint that
            the login will need: it ends before the user is sent anywhere.
    """
    pending, parameters = prepared(rp, secrets, request, now=now)
    url = authorization_url(rp, parameters)
    return Done(LoginStarted(url=url, pending=pending, binding=secrets.binding))


def prepared(
    rp: RelyingParty, secrets: LoginSecrets, request: AuthenticationRequest, *, now: int
) -> tuple[PendingLogin, Parameters]:
    """Return what will wait and what is asked, before it is decided how that is sent."""
    _check_start(rp, secrets, request)
    if rp.lacking:
        check_can_finish(rp)
    pending = pending_login(rp, request, secrets, now)
    return pending, authentication_parameters(rp, request, pending)


def _check_start(rp: object, secrets: object, request: object) -> None:
    """Refuse arguments that a login cannot be started with; the exact types are the usual case."""
    if (
        type(rp) is not RelyingParty
        or type(secrets) is not LoginSecrets
        or type(request) is not AuthenticationRequest
    ):
        check_kind(rp, RelyingParty, about="rp")
        check_kind(secrets, LoginSecrets, about="secrets")
        check_kind(request, AuthenticationRequest, about="request")


def finish(
    rp: RelyingParty,
    pending: PendingLogin,
    callback: Callback,
    *,
    binding: Binding,
    now: int,
    single_use: SingleUse = "provider_only",
    account: str = "",
) -> Step[LoggedIn]:
    """Finish a login with the callback that the browser brought back.

    Args:
        rp: the relying party the login was started with.
        pending: the login in flight, taken out of its store so that it is used only once.
        callback: what arrived at the redirect URI.
        binding: the secret out of this browser's cookie; a command line that listens on loopback
            for this one callback passes ``LOOPBACK_LISTENER``.
        now: the current time, in seconds since the epoch.
        single_use: who made sure that ``pending`` was taken only once: a store that all processes
            ``shared``, this ``process``, or ``provider_only``; it is in the evidence.
        account: where a link was started: the application's handle of the account that is signed in
            now, which must be the one that it was started for.

    Raises:
        UsageError: ``parameter_invalid`` for an argument of another type.
        CallbackError: the callback does not answer this login; the client sent no request.
        ProviderError: the provider refused, as in ``access_denied``.
    """
    given = (type(rp), type(pending), type(callback), type(account), type(now))
    if given != _FINISHED or type(binding) not in _BINDINGS:  # the exact types are the usual case
        _check_finish(rp, pending, callback, binding=binding, account=account, now=now)
    response = check_authorization_response(
        rp, pending, callback, binding=binding, now=now, single_use=single_use, account=account
    )
    return code_exchange(rp, pending, response)


_BINDINGS: Final = frozenset({str, Unbound})
_FINISHED: Final = (RelyingParty, PendingLogin, Callback, str, int)


def _check_finish(rp: object, pending: object, callback: object, **named: object) -> None:
    check_kind(rp, RelyingParty, about="rp")
    check_kind(pending, PendingLogin, about="pending")
    check_kind(callback, Callback, about="callback")
    check_kind(named["binding"], Binding, about="binding")
    check_kind(named["account"], str, about="account")
    check_kind(named["now"], int, about="now")


def code_exchange(
    rp: RelyingParty, pending: PendingLogin, response: CodeResponse
) -> "AwaitingTokens":
    """Ask for the tokens of a response that was accepted."""
    asked = Asked(
        demands=pending.demands,
        response=response,
        account=pending.account,
        return_to=pending.return_to,
    )
    request = authorization_code_request(rp, pending, response.code)
    return AwaitingTokens(made_for=rp.digest, request=request, asked=asked)


@frozen(kw_only=True)
class AwaitingTokens(Exchange[LoggedIn]):
    """Waits for the token endpoint to take the code."""

    asked: Asked

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[LoggedIn]:
        """Take the tokens, and go on as every grant does."""
        response = token_answer(answer, "code_in_doubt")
        new = parse_token_response(response, rp.policy.limits)
        return from_tokens(rp, self.asked, new)
