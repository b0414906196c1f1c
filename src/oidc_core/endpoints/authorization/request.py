"""The authentication request (OIDC Core §3.1.2.1): its parameters, typed, and its URL."""

import re
from typing import Final, Literal, NamedTuple, TypeAlias

from attrs import Factory, field, frozen

from oidc_core.jose.jws import claims_kept
from oidc_core.jose.pkce import challenge_s256
from oidc_core.model.claims import MAX_DATE, IdToken
from oidc_core.model.client import is_openid_scope
from oidc_core.model.pending import (
    LoginSecrets,
    PendingLogin,
    ResponseMode,
    binding_digest_of,
    pending_id_of,
)
from oidc_core.model.provider import RESERVED_PARAMETERS
from oidc_core.model.relying_party import RelyingParty, endpoint
from oidc_core.wire.encoding import percent_encode
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.jsontypes import JsonObject, render
from oidc_core.wire.urls import with_query

Display: TypeAlias = Literal["page", "popup", "touch", "wap"]

_RESPONSE_MODES: Final = frozenset({"query", "form_post"})
_DISPLAYS: Final = frozenset({"", "page", "popup", "touch", "wap"})
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ALONE: Final = frozenset({"none", "create"})
_LIST: Final = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_RESOURCE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21\x22\x24-\x7e]+")
_REPEATABLE: Final = frozenset({"audience"})
_NO_CLAIMS: Final = JsonObject({})


class Demands(NamedTuple):
    """What a request demands of the ID token, drawn from its parameters once."""

    max_age: int | None
    required_acr: tuple[str, ...]
    essential_claims: tuple[str, ...]
    sub: str | None


def _demands(request: "AuthenticationRequest") -> Demands:
    return Demands(
        _max_age(request), _required_acr(request), _essential(request.claims), _sub(request)
    )


def _max_age(request: "AuthenticationRequest") -> int | None:
    """``prompt=login`` alone cannot be verified; with ``max_age=0`` it can (§3.1.2.1)."""
    return 0 if "login" in request.prompt.split(" ") else request.max_age


def _id_token_claims(claims: JsonObject | None) -> JsonObject:
    wanted = None if claims is None else claims.members.get("id_token")
    return wanted if isinstance(wanted, JsonObject) else _NO_CLAIMS


def _wanted(claims: JsonObject | None, name: str) -> JsonObject:
    """Return how one claim of the ID token is asked for (§5.5.1)."""
    how = _id_token_claims(claims).members.get(name)
    return how if isinstance(how, JsonObject) else _NO_CLAIMS


def _required_acr(request: "AuthenticationRequest") -> tuple[str, ...]:
    """Find the classes one of which has to come back: named, or asked for as essential."""
    how = _wanted(request.claims, "acr").members
    if request.required_acr or how.get("essential") is not True:
        return request.required_acr
    values = how.get("values")
    several = values if isinstance(values, tuple) else ()
    return tuple([value for value in (how.get("value"), *several) if isinstance(value, str)])


def _essential(claims: JsonObject | None) -> tuple[str, ...]:
    return tuple(
        [
            name
            for name, how in _id_token_claims(claims).items()
            if isinstance(how, JsonObject) and how.members.get("essential") is True
        ]
    )


def _sub(request: "AuthenticationRequest") -> str | None:
    """Find the only user who may come back: named, or asked for by value (§5.5.1)."""
    if request.expected_sub == "":
        raise UsageError("parameter_invalid", about="expected_sub", expected="a subject")
    value = _wanted(request.claims, "sub").members.get("value")
    return request.expected_sub or (value if isinstance(value, str) else None)


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
        extra: further parameters, by name; none that the library sets itself.
        expected_sub: the only user who may come back, if known otherwise.
        account: the application's handle of the account that the identity is to be added to, where
            a user who is signed in there links it; empty for a login.
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
    account: str = ""
    return_to: str = ""
    demands: "Demands" = field(
        init=False, repr=False, eq=False, default=Factory(_demands, takes_self=True)
    )

    def __attrs_post_init__(self) -> None:
        prompts = self.prompt.split(" ")
        if len(prompts) > 1 and not _ALONE.isdisjoint(prompts):
            raise UsageError("parameter_invalid", about="prompt", found=self.prompt)
        if self.max_age is not None and not _is_max_age(self.max_age):
            raise UsageError("parameter_invalid", about="max_age", found=self.max_age)
        for name, value, allowed in (
            ("response_mode", self.response_mode, _RESPONSE_MODES),
            ("display", self.display, _DISPLAYS),
        ):
            if value not in allowed:
                raise UsageError("parameter_invalid", about=name, found=value)
        _check_kept(self)
        _check_lists(self)
        _check_claims(self.claims)
        _check_extra(self.extra)


def _is_max_age(seconds: int) -> bool:
    """Let whole seconds pass; ``True`` and ``1.5`` are numbers to Python, and no seconds here."""
    return type(seconds) is int and 0 <= seconds < MAX_DATE


def _check_kept(request: AuthenticationRequest) -> None:
    """Refuse what would not come back out of a store as it was put in."""
    for name, value in (
        ("return_to", request.return_to),
        ("account", request.account),
        ("expected_sub", request.expected_sub or ""),
    ):
        if _SURROGATE.search(value):
            raise UsageError("parameter_invalid", about=name, expected="Unicode scalar values")


def _check_lists(request: AuthenticationRequest) -> None:
    """Refuse what would arrive as another list than was meant (§3.1.2.1, §14; RFC 8707 §2)."""
    for name, value in (
        ("prompt", request.prompt),
        ("ui_locales", request.ui_locales),
        ("claims_locales", request.claims_locales),
        ("acr_values", request.acr_values),
        ("acr_values", " ".join(request.required_acr)),
    ):
        if value and not _LIST.fullmatch(value):
            raise UsageError("parameter_invalid", about=name, found=value)
    for resource in request.resource:
        if not _RESOURCE.fullmatch(resource):
            raise UsageError("parameter_invalid", about="resource", found=resource)


def _check_claims(claims: JsonObject | None) -> None:
    """Refuse a ``claims`` parameter whose requests are neither null nor objects (§5.5.1)."""
    for where in ("id_token", "userinfo"):
        wanted = None if claims is None else claims.members.get(where)
        if wanted is None:
            continue
        if not isinstance(wanted, JsonObject):
            raise UsageError("parameter_invalid", about="claims", found=where)
        for name, how in wanted.items():
            if how is not None and not isinstance(how, JsonObject):
                raise UsageError("parameter_invalid", about="claims", found=name)


def _check_extra(extra: tuple[tuple[str, str], ...]) -> None:
    """Refuse a parameter the library sets itself, and one that is there twice (RFC 6749 §3.1)."""
    seen: set[str] = set()
    for name, _ in extra:
        if name in RESERVED_PARAMETERS:
            raise UsageError("parameter_reserved", about=name)
        if name in seen and name not in _REPEATABLE:
            raise UsageError("parameter_invalid", about=name, expected="once")
        seen.add(name)


DEFAULT_REQUEST: Final = AuthenticationRequest()
"""Asks for nothing in particular."""


def pending_login(
    rp: RelyingParty, request: AuthenticationRequest, secrets: LoginSecrets, now: int
) -> PendingLogin:
    """Write down everything the callback will be compared with.

    Raises:
        UsageError: ``parameter_invalid`` for a redirect URI that is not registered, a scope
            without ``openid`` or outside the grammar, or a hint that is no ID token of the issuer.
    """
    client, demands = rp.client, request.demands
    redirect_uri, scope = _redirect_uri_and_scope(rp, request)
    expected_sub, expected_iss = _expected_user(rp, request)
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
        max_age=demands.max_age,
        required_acr=demands.required_acr,
        essential_claims=demands.essential_claims,
        expects_iss=rp.provider.authorization_response_iss_parameter_supported,
        expected_sub=expected_sub,
        expected_iss=expected_iss,
        account=request.account,
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
    if scope is not client.scope and not is_openid_scope(scope):
        raise UsageError("parameter_invalid", about="scope", found=scope, expected="openid")
    return redirect_uri, scope


def _expected_user(
    rp: RelyingParty, request: AuthenticationRequest
) -> tuple[str | None, str | None]:
    """Find the only user who may come back: as demanded, else the one hinted at."""
    if not request.id_token_hint:
        return request.expected_sub or request.demands.sub, None
    sub, iss = _hinted_user(rp, request.id_token_hint)
    return request.expected_sub or sub, iss if rp.issuer_rule.pattern else None


def _hinted_user(rp: RelyingParty, hint: IdToken | str) -> tuple[str, str]:
    """Return subject and issuer of an ID token that this issuer sent earlier."""
    try:
        claims = hint.claims if isinstance(hint, IdToken) else claims_kept(hint)
    except ProtocolViolation as fault:
        raise UsageError("parameter_invalid", about="id_token_hint", found=fault.code) from None
    iss, sub = claims.members.get("iss"), claims.members.get("sub")
    if isinstance(iss, str) and isinstance(sub, str) and rp.issuer_rule.in_token(iss, claims):
        return sub, iss
    raise UsageError("parameter_invalid", about="id_token_hint", expected=rp.issuer)


def authorization_url(
    rp: RelyingParty, request: AuthenticationRequest, pending: PendingLogin
) -> str:
    """Return the URL to send the browser to."""
    query = (
        f"response_type=code&client_id={percent_encode(pending.client_id)}"
        f"&redirect_uri={percent_encode(pending.redirect_uri)}"
        f"&scope={percent_encode(pending.scope)}&state={percent_encode(pending.state)}"
        f"&nonce={percent_encode(pending.nonce)}"
    )
    if "omit_pkce" not in rp.policy.quirks:
        challenge = challenge_s256(pending.code_verifier)
        query = f"{query}&code_challenge={challenge}&code_challenge_method=S256"
    if request is not DEFAULT_REQUEST:
        query = "&".join([query, *_optional(request, pending)])
    return with_query(endpoint(rp, "authorization_endpoint"), query)


def _optional(request: AuthenticationRequest, pending: PendingLogin) -> list[str]:
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
    given = [(name, value) for name, value in (*named, *request.extra) if value]
    return [f"{percent_encode(name)}={percent_encode(value)}" for name, value in given]
