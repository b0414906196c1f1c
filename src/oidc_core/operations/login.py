"""A login by the authorization code flow, from the first redirect to a verified user.

This module is the protocol, top to bottom, in the order in which it happens (OIDC Core §3.1.1):

1. :func:`start` prepares the authentication request; the browser goes to the provider.
2. :func:`finish` takes what the browser brings back, checks that it answers this very login, and
   sends the code to the token endpoint.
3. :class:`AwaitingTokens` takes the tokens and asks for the provider's keys.
4. :class:`IdTokenOfLogin` takes the verified ID token, checks its claims, and asks for UserInfo.
5. :class:`AwaitingUserInfo` takes UserInfo, :class:`UserInfoOfLogin` the same where it is signed.

Each pause is a frozen step (:mod:`oidc_core.machine.steps`); what fails raises and leaves it as it
was.
"""

from typing import ClassVar, Final

from attrs import evolve, field, frozen

from oidc_core.endpoints import id_token
from oidc_core.endpoints.authorization import (
    DEFAULT_REQUEST,
    AuthenticationRequest,
    Binding,
    Callback,
    CodeResponse,
    authorization_url,
    check_authorization_response,
    pending_login,
)
from oidc_core.endpoints.tokens import (
    TokenResponse,
    Tokens,
    authorization_code_request,
    check_scope,
    parse_token_response,
    token_answer,
)
from oidc_core.endpoints.userinfo import TYPES as USERINFO_TYPES
from oidc_core.endpoints.userinfo import (
    check_userinfo,
    decrypted_userinfo,
    parse_userinfo,
    userinfo_request,
)
from oidc_core.jose.jws import Encryption, VerifiedJws
from oidc_core.machine.keys import Verification, verify_jwt
from oidc_core.machine.steps import Done, Exchange, KeysWithheld, Step, answered
from oidc_core.model.claims import Identity, IdToken, UserInfo
from oidc_core.model.evidence import Evidence
from oidc_core.model.pending import LoginSecrets, PendingLogin, SingleUse
from oidc_core.model.relying_party import RelyingParty, endpoint
from oidc_core.wire.errors import OidcError, ProtocolViolation, ProviderError, TransportFailure
from oidc_core.wire.http import LIMITS, Answer
from oidc_core.wire.jsontypes import JsonObject

_UNOBTAINABLE: Final = frozenset({"http_status_unexpected", "http_redirect_refused"})
_ID_TOKEN_ONLY: Final = frozenset(
    {"iss", "aud", "exp", "iat", "nbf", "jti", "nonce", "azp", "acr", "amr", "auth_time", "sid",
     "at_hash", "c_hash", "s_hash"}
)  # fmt: skip

_PAIRS: Final = (
    frozenset({"email", "email_verified"}),
    frozenset({"phone_number", "phone_number_verified"}),
)


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


@frozen(kw_only=True)
class LoggedIn:
    """A user who is logged in, and why that is certain.

    Attributes:
        identity: issuer and subject, the only key to an account.
        id_token: the claims of the verified ID token.
        userinfo: the claims of UserInfo, if it was asked for and could be had.
        tokens: for refresh, logout and calls to the provider; store them as one record.
        requested_scope: what was asked for, space-delimited; ``tokens.scope`` is what was granted.
        account, return_to: as the login was started with.
        evidence: what was checked, one value each for callback, ID token and UserInfo.
        notes: what was met and did not stop the login.
    """

    identity: Identity
    id_token: IdToken
    userinfo: UserInfo | None = None
    tokens: Tokens
    requested_scope: str
    account: str
    return_to: str
    evidence: tuple[Evidence, ...]
    notes: tuple[str, ...]

    @property
    def missing_scope(self) -> tuple[str, ...]:
        """What was asked for and not granted."""
        granted = self.tokens.scope.split()
        return tuple([name for name in self.requested_scope.split() if name not in granted])

    @property
    def claims(self) -> JsonObject:
        """All claims; those of the ID token win over those of UserInfo.

        What is said of the token and of the authentication is the ID token's alone: UserInfo adds
        no ``acr`` to one that has none.  Nor does it vouch for an address of the other's: an
        e-mail address or phone number comes from where its ``…_verified`` does.
        """
        if self.userinfo is None:
            return self.id_token.claims
        held = self.id_token.claims.members
        kept = _ID_TOKEN_ONLY.union(*[pair for pair in _PAIRS if not pair.isdisjoint(held)])
        added = {n: v for n, v in self.userinfo.claims.items() if n not in kept}
        return JsonObject({**added, **held})


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
        UsageError: ``parameter_invalid``, or ``unsupported_by_provider`` without an endpoint.
    """
    if rp.policy.userinfo == "required":
        endpoint(rp, "userinfo_endpoint")
    pending = pending_login(rp, request, secrets, now)
    url = authorization_url(rp, request, pending)
    return Done(LoginStarted(url=url, pending=pending, binding=secrets.binding))


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
    """Finish a login with what the browser brought back.

    Args:
        rp: the relying party the login was started with.
        pending: the login in flight, taken out of its store so that it is used but once.
        callback: what arrived at the redirect URI.
        binding: the secret out of this browser's cookie; a command line that listens on loopback
            for this one callback passes ``LOOPBACK_LISTENER``.
        now: the current time, in seconds since the epoch.
        single_use: who made sure that ``pending`` was taken but once: a store that all processes
            ``shared``, this ``process``, or ``provider_only``; stands in the evidence.
        account: where a link was started: the application's handle of the account that is signed
            in now, which has to be the one that it was started for.

    Raises:
        CallbackError: the callback does not answer this login; nothing was sent.
        ProviderError: the provider refused, as in ``access_denied``.
    """
    response = check_authorization_response(
        rp, pending, callback, binding=binding, now=now, single_use=single_use, account=account
    )
    return AwaitingTokens(
        made_for=rp.digest,
        request=authorization_code_request(rp, pending, response.code),
        pending=pending,
        response=response,
    )


@frozen(kw_only=True)
class AwaitingTokens(Exchange[LoggedIn]):
    """Waits for the token endpoint to take the code."""

    pending: PendingLogin
    response: CodeResponse = field(repr=False)

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[LoggedIn]:
        """Take the tokens; verify the ID token, which an OpenID provider always sends."""
        tokens = parse_token_response(token_answer(answer, "code_in_doubt"))
        if tokens.id_token is None:
            raise ProtocolViolation("id_token_missing", about="id_token")
        check_scope(rp, tokens, asked=self.pending.scope)
        verification = IdTokenOfLogin(
            token=tokens.id_token,
            algorithms=rp.id_token_algorithms,
            encryption=rp.id_token_encryption,
            pending=self.pending,
            tokens=tokens,
            response=self.response,
        )
        return verify_jwt(rp, verification, source="solicited", now=tokens.received_at)


@frozen(kw_only=True)
class IdTokenOfLogin(Verification[LoggedIn]):
    """The ID token of a login (OIDC Core §3.1.3.7)."""

    types: ClassVar[frozenset[str]] = id_token.TYPES
    pending: PendingLogin
    tokens: TokenResponse
    response: CodeResponse

    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[LoggedIn]:
        """Check the claims of the ID token; the user is known then."""
        pending = self.pending
        expected = id_token.IdTokenExpectations(
            nonce=pending.nonce,
            access_token=self.tokens.access_token,
            started_at=pending.created_at,
            max_age=pending.max_age,
            required_acr=pending.required_acr,
            essential_claims=pending.essential_claims,
            sub=pending.expected_sub,
            sub_iss=pending.expected_iss,
            iss=self.response.iss,
        )
        token, evidence = id_token.check(rp, jws, claims, expected, raw=self.token)
        logged_in = _logged_in(rp, self, token, evidence)
        if rp.policy.userinfo == "never" or (
            rp.policy.userinfo == "optional" and rp.provider.userinfo_endpoint is None
        ):
            return Done(logged_in)
        return AwaitingUserInfo(
            made_for=rp.digest,
            request=userinfo_request(rp, self.tokens.access_token),
            logged_in=logged_in,
        )


def _logged_in(
    rp: RelyingParty, login: IdTokenOfLogin, token: IdToken, evidence: Evidence
) -> LoggedIn:
    """Put together what is known of the user once the ID token is verified."""
    pending, answer = login.pending, login.tokens
    identity = Identity(rp.issuer_rule.identity(token.iss), token.sub)
    scope = pending.scope if answer.scope is None else answer.scope
    tokens = Tokens(
        issuer=rp.issuer,
        client_id=pending.client_id,
        access_token=answer.access_token,
        refresh_token=answer.refresh_token,
        id_token=login.token,
        scope=scope,
        resource=pending.resource,
        expires_at=None if answer.expires_in is None else answer.received_at + answer.expires_in,
        thumbprint=pending.dpop_thumbprint,
        subject=identity.subject,
        nonce=pending.nonce,
        sid=token.sid,
        auth_time=token.auth_time,
    )
    return LoggedIn(
        identity=identity,
        id_token=token,
        tokens=tokens,
        requested_scope=pending.scope,
        account=pending.account,
        return_to=pending.return_to,
        evidence=(login.response.evidence, evidence),
        notes=answer.notes,
    )


@frozen(kw_only=True)
class AwaitingUserInfo(Exchange[LoggedIn]):
    """Waits for UserInfo.  The login is verified; it fails only if UserInfo contradicts it."""

    logged_in: LoggedIn

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[LoggedIn]:
        """Take UserInfo, or go without where the policy lets that pass."""
        try:
            response = answered(answer)
            claims = parse_userinfo(rp, response)
        except (TransportFailure, ProtocolViolation, ProviderError) as fault:
            return _without_userinfo(rp, self.logged_in, fault)
        received_at, encryption = response.received_at, rp.userinfo_encryption
        if isinstance(claims, JsonObject):
            return _with_userinfo(rp, self.logged_in, claims, jws=None, now=received_at)
        alg = rp.client.userinfo_signed_response_alg
        if alg is None:
            plain, now = decrypted_userinfo(rp, claims), received_at
            return _with_userinfo(
                rp, self.logged_in, plain, jws=None, now=now, encryption=encryption
            )
        verification = UserInfoOfLogin(
            token=claims,
            algorithms=frozenset({alg}),
            encryption=encryption,
            logged_in=self.logged_in,
        )
        return verify_jwt(rp, verification, source="solicited", now=received_at)


@frozen(kw_only=True)
class UserInfoOfLogin(Verification[LoggedIn]):
    """Signed UserInfo (OIDC Core §5.3.2)."""

    types: ClassVar[frozenset[str]] = USERINFO_TYPES
    max_token: ClassVar[int] = LIMITS.userinfo
    logged_in: LoggedIn

    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[LoggedIn]:
        """Check whom it is about."""
        return _with_userinfo(rp, self.logged_in, claims, jws=jws, now=jws.verified_at)

    def withheld(self, rp: RelyingParty, answer: KeysWithheld, /) -> Step[LoggedIn]:
        """Go without UserInfo if its keys cannot be had and the policy lets that pass."""
        fault = TransportFailure("keys_unavailable", found=answer.reason, sent="no")
        return _without_userinfo(rp, self.logged_in, fault)


def _with_userinfo(
    rp: RelyingParty,
    logged_in: LoggedIn,
    claims: JsonObject,
    *,
    jws: VerifiedJws | None,
    now: int,
    encryption: Encryption | None = None,
) -> Step[LoggedIn]:
    token = logged_in.id_token
    userinfo, evidence = check_userinfo(
        rp, claims, sub=token.sub, iss=token.iss, jws=jws, now=now, encryption=encryption
    )
    return Done(evolve(logged_in, userinfo=userinfo, evidence=(*logged_in.evidence, evidence)))


def _without_userinfo(rp: RelyingParty, logged_in: LoggedIn, fault: OidcError) -> Step[LoggedIn]:
    """Let a verified login stand though UserInfo cannot be had; what is malformed stops it."""
    malformed = isinstance(fault, ProtocolViolation) and fault.code not in _UNOBTAINABLE
    if malformed or rp.policy.userinfo == "required":
        raise fault
    return Done(evolve(logged_in, notes=(*logged_in.notes, f"userinfo: {fault.code}")))
