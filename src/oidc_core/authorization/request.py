"""The authentication request (OIDC Core §3.1.2.1): its parameters, typed, and its URL."""

from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from oidc_core.claims import IdToken
from oidc_core.errors import UsageError
from oidc_core.jsontypes import JsonObject, render
from oidc_core.pending import (
    LoginSecrets,
    PendingLogin,
    ResponseMode,
    binding_digest_of,
    pending_id_of,
)
from oidc_core.pkce import challenge_s256
from oidc_core.relying_party import RelyingParty, endpoint
from oidc_core.urls import encode_form, with_query

Display: TypeAlias = Literal["page", "popup", "touch", "wap"]
Purpose: TypeAlias = Literal["login", "link"]

RESERVED: Final = frozenset(
    {
        "scope", "response_type", "client_id", "redirect_uri", "state", "nonce", "response_mode",
        "display", "prompt", "max_age", "ui_locales", "claims_locales", "id_token_hint",
        "login_hint", "acr_values", "claims", "code_challenge", "code_challenge_method", "request",
        "request_uri", "registration", "resource", "dpop_jkt", "client_secret", "client_assertion",
    }
)  # fmt: skip
"""Parameters that ``extra`` may not set."""

_RESPONSE_MODES: Final = frozenset({"query", "form_post"})
_DISPLAYS: Final = frozenset({"", "page", "popup", "touch", "wap"})
_PURPOSES: Final = frozenset({"login", "link"})


@frozen(kw_only=True)
class AuthenticationRequest:
    """What is asked of the provider and of its user (OIDC Core §3.1.2.1).

    Attributes:
        scope: space-delimited, with ``openid``; the client's own by default.
        redirect_uri: one of the client's; its first by default.
        response_mode: ``query`` or ``form_post``.
        display: ``page``, ``popup``, ``touch`` or ``wap``.
        prompt: space-delimited, as in ``login consent``; ``login`` also asks for ``max_age`` 0.
        max_age: seconds since the user last authenticated; 0 for "now".
        ui_locales, claims_locales: space-delimited language tags.
        id_token_hint: an ID token of the user who is expected: nobody else may come back.
        login_hint: a hint for the provider's login page.
        acr_values: preferred authentication context classes; a wish.
        required_acr: one of these has to come back; a demand, sent as ``acr_values`` too.
        claims: the ``claims`` parameter (§5.5); its essential members of ``id_token`` are checked.
        resource: resource indicators (RFC 8707).
        extra: further parameters, by name; none of :data:`RESERVED`.
        expected_sub: the only user who may come back, if known otherwise.
        purpose: ``login``, or ``link`` to add an identity to the account of ``user``.
        user: the application's handle of the user who is logged in, for ``link``.
        return_to: where the application goes on afterwards; opaque here.

    Raises:
        UsageError: ``parameter_invalid`` or ``parameter_reserved``, naming the parameter.
    """

    scope: str = ""
    redirect_uri: str = ""
    response_mode: ResponseMode = "query"
    display: Display | Literal[""] = ""
    prompt: str = ""
    max_age: int | None = None
    ui_locales: str = ""
    claims_locales: str = ""
    id_token_hint: IdToken | str | None = field(default=None, repr=False)
    login_hint: str = ""
    acr_values: str = ""
    required_acr: tuple[str, ...] = ()
    claims: JsonObject | None = None
    resource: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
    expected_sub: str | None = None
    purpose: Purpose = "login"
    user: str = ""
    return_to: str = ""

    def __attrs_post_init__(self) -> None:
        prompts = self.prompt.split(" ")
        if "none" in prompts and len(prompts) > 1:
            raise UsageError("parameter_invalid", about="prompt", found=self.prompt)
        if self.max_age is not None and self.max_age < 0:
            raise UsageError("parameter_invalid", about="max_age", found=self.max_age)
        for name, value, allowed in (
            ("response_mode", self.response_mode, _RESPONSE_MODES),
            ("display", self.display, _DISPLAYS),
            ("purpose", self.purpose, _PURPOSES),
        ):
            if value not in allowed:
                raise UsageError("parameter_invalid", about=name, found=value)
        if (self.purpose == "link") != (self.user != ""):
            raise UsageError("parameter_invalid", about="user", expected="with purpose link only")
        for name, _ in self.extra:
            if name in RESERVED:
                raise UsageError("parameter_reserved", about=name)


PLAIN: Final = AuthenticationRequest()
"""Asks for nothing in particular."""


def pending_login(
    rp: RelyingParty, request: AuthenticationRequest, secrets: LoginSecrets, now: int
) -> PendingLogin:
    """Write down everything the callback will be compared with.

    Raises:
        UsageError: ``parameter_invalid`` for a redirect URI that is not registered, or a scope
            without ``openid``.
    """
    client = rp.client
    redirect_uri, scope = _redirect_uri_and_scope(rp, request)
    return PendingLogin(
        id=pending_id_of(secrets.state),
        issuer=rp.issuer,
        client_id=client.client_id,
        connection_id=client.connection_id,
        endpoints_digest=rp.endpoints_digest,
        policy=rp.policy.name,
        state=secrets.state,
        nonce=secrets.nonce,
        code_verifier=secrets.code_verifier,
        binding_digest=binding_digest_of(secrets.binding),
        redirect_uri=redirect_uri,
        response_mode=request.response_mode,
        scope=scope,
        prompt=request.prompt,
        max_age=_max_age(request),
        required_acr=request.required_acr,
        essential_claims=_essential(request.claims),
        expects_iss=rp.provider.authorization_response_iss_parameter_supported,
        expected_sub=_expected_sub(request),
        purpose=request.purpose,
        user=request.user,
        resource=request.resource,
        return_to=request.return_to,
        created_at=now,
    )


def _redirect_uri_and_scope(rp: RelyingParty, request: AuthenticationRequest) -> tuple[str, str]:
    client = rp.client
    redirect_uri = request.redirect_uri or client.redirect_uri
    if redirect_uri not in client.redirect_uris:
        raise UsageError("parameter_invalid", about="redirect_uri", found=redirect_uri)
    scope = request.scope or client.scope
    if scope is not client.scope and "openid" not in scope.split(" "):
        raise UsageError("parameter_invalid", about="scope", found=scope, expected="openid")
    return redirect_uri, scope


def _max_age(request: AuthenticationRequest) -> int | None:
    """``prompt=login`` alone cannot be verified; with ``max_age=0`` it can (§3.1.2.1)."""
    return (
        0 if request.max_age is None and "login" in request.prompt.split(" ") else request.max_age
    )


def _id_token_claims(claims: JsonObject | None) -> JsonObject | None:
    wanted = None if claims is None else claims.members.get("id_token")
    return wanted if isinstance(wanted, JsonObject) else None


def _essential(claims: JsonObject | None) -> tuple[str, ...]:
    wanted = _id_token_claims(claims)
    if wanted is None:
        return ()
    return tuple(
        [
            name
            for name, how in wanted.items()
            if isinstance(how, JsonObject) and how.members.get("essential") is True
        ]
    )


def _expected_sub(request: AuthenticationRequest) -> str | None:
    """Find the only user who may come back: named, hinted at, or asked for by value (§5.5.1)."""
    if request.expected_sub is not None:
        return request.expected_sub
    if isinstance(request.id_token_hint, IdToken):
        return request.id_token_hint.sub
    wanted = _id_token_claims(request.claims)
    how = None if wanted is None else wanted.members.get("sub")
    value = how.members.get("value") if isinstance(how, JsonObject) else None
    return value if isinstance(value, str) else None


def authorization_url(
    rp: RelyingParty, request: AuthenticationRequest, pending: PendingLogin
) -> str:
    """Return the URL to send the browser to."""
    parameters: list[tuple[str, str]] = [
        ("response_type", "code"),
        ("client_id", pending.client_id),
        ("redirect_uri", pending.redirect_uri),
        ("scope", pending.scope),
        ("state", pending.state),
        ("nonce", pending.nonce),
    ]
    if "omit_pkce" not in rp.policy.quirks:
        challenge = challenge_s256(pending.code_verifier)
        parameters += (("code_challenge", challenge), ("code_challenge_method", "S256"))
    if request is not PLAIN:
        parameters += _optional(request, pending)
    return with_query(endpoint(rp, "authorization_endpoint"), encode_form(tuple(parameters)))


def _optional(request: AuthenticationRequest, pending: PendingLogin) -> list[tuple[str, str]]:
    """Return the parameters that were asked for; the default response mode is not sent."""
    hint = request.id_token_hint
    acr_values = " ".join([*request.required_acr, *request.acr_values.split()])
    named = (
        ("response_mode", "" if pending.response_mode == "query" else pending.response_mode),
        ("display", request.display),
        ("prompt", request.prompt),
        ("max_age", "" if pending.max_age is None else str(pending.max_age)),
        ("ui_locales", request.ui_locales),
        ("claims_locales", request.claims_locales),
        ("id_token_hint", hint.raw if isinstance(hint, IdToken) else hint or ""),
        ("login_hint", request.login_hint),
        ("acr_values", acr_values),
        ("claims", "" if request.claims is None else render(request.claims)),
        *[("resource", resource) for resource in request.resource],
    )
    return [*[(name, value) for name, value in named if value], *request.extra]
