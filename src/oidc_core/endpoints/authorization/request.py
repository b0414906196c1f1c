"""The authentication request (OIDC Core §3.1.2.1): its parameters, typed, and how they are sent.

A request is parts first: :func:`authentication_parameters` returns names and values, and
:func:`authorization_url` writes them into a URL.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from oidc_core.jose.pkce import challenge_s256
from oidc_core.model.claim_values import MAX_DATE
from oidc_core.model.claims import IdToken
from oidc_core.model.client import is_scope
from oidc_core.model.demands import Demands, check_resources
from oidc_core.model.pending import PendingLogin, ResponseMode
from oidc_core.model.provider import RESERVED_PARAMETERS
from oidc_core.model.relying_party import RelyingParty, endpoint
from oidc_core.model.supported import check_named
from oidc_core.wire.errors import UsageError
from oidc_core.wire.grammar import VSCHAR
from oidc_core.wire.http import Parameters, form_encoded
from oidc_core.wire.jsontypes import JsonObject, JsonValue
from oidc_core.wire.settings import check_fields, fields_of, names, optional_json_object, pairs
from oidc_core.wire.urls import with_query

Reauthentication: TypeAlias = Literal["proven", "unproven"]
Display: TypeAlias = Literal["page", "popup", "touch", "wap"]

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ALONE: Final = frozenset({"none", "create"})
_LIST: Final = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")  # RFC 6749 §8.2
_VISIBLE: Final = re.compile(f"{VSCHAR}*")
_LONGEST_NONCE: Final = 512
_REPEATABLE: Final = frozenset({"audience"})
_COMPARED: Final = frozenset({"acr", "sub"})
"""The claims whose values, where they are asked for, have to come back."""


@frozen(kw_only=True)
class AuthenticationRequest:
    """The demands on the provider and on its user (OIDC Core §3.1.2.1).

    Attributes:
        scope: space-delimited, with ``openid``; the client's own by default.
        redirect_uri: one of the client's; its first by default.
        response_mode: ``query`` or ``form_post``.
        display: ``page``, ``popup``, ``touch`` or ``wap``.
        prompt: space-delimited, as in ``login consent``; ``login`` also asks for ``max_age`` 0,
            unless ``max_age`` is given or ``reauthentication`` says otherwise.
        max_age: seconds since the user last authenticated; 0 for "now".  It is sent and checked as
            given, also with ``prompt=login``.
        reauthentication: whether an ``auth_time`` after the start of the login must prove
            ``prompt=login``. ``unproven``, for providers that send no ``auth_time`` or refuse
            ``max_age=0``, adds no ``max_age``: then a provider that ignores ``prompt`` is not found
            out, and the evidence says so.
        ui_locales, claims_locales: space-delimited language tags.
        id_token_hint: an ID token of the user who is expected: nobody else may come back.
        login_hint: a hint for the provider's login page.
        acr_values: preferred authentication context classes; a wish.
        required_acr: one of these has to come back; a demand, sent as ``acr_values`` too.
        claims: the ``claims`` parameter (§5.5); its essential members of ``id_token`` are checked,
            and a ``sub`` that is asked for by its value is checked too.
        resource: resource indicators (RFC 8707).
        nonce: the application's own nonce, of printable ASCII characters; a fresh one by default.
        extra: further parameters, by name; the library must not set them itself.
        expected_sub: the only user who may come back, if known otherwise.
        account: the application's handle of the account that will get the identity, where a user
            who is signed in there links it; empty for a login.
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
    reauthentication: Reauthentication = "proven"
    ui_locales: str = ""
    claims_locales: str = ""
    id_token_hint: IdToken | str | None = field(default=None, repr=False)
    login_hint: str = ""
    acr_values: str = ""
    required_acr: tuple[str, ...] = field(default=(), converter=names)
    claims: JsonObject | None = field(default=None, converter=optional_json_object)
    resource: tuple[str, ...] = field(default=(), converter=names)
    nonce: str = field(default="", repr=False)
    extra: tuple[tuple[str, str], ...] = field(default=(), converter=pairs)
    expected_sub: str | None = None
    account: str = ""
    return_to: str = ""

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        prompts = self.prompt.split(" ")
        if len(prompts) > 1 and not _ALONE.isdisjoint(prompts):
            raise UsageError("parameter_invalid", about="prompt", found=self.prompt)
        if self.max_age is not None and not 0 <= self.max_age < MAX_DATE:
            raise UsageError("parameter_invalid", about="max_age", found=self.max_age)
        if self.expected_sub == "":  # it names no user, so every user would be accepted
            raise UsageError("parameter_invalid", about="expected_sub", expected="a subject")
        if self.id_token_hint == "":
            raise UsageError("parameter_invalid", about="id_token_hint", expected="an ID token")
        if len(self.nonce) > _LONGEST_NONCE or not _VISIBLE.fullmatch(self.nonce):
            expected = f"up to {_LONGEST_NONCE} printable ASCII characters"
            raise UsageError("parameter_invalid", about="nonce", expected=expected)
        _check_kept(self)
        _check_lists(self)
        _check_claims(self.claims)
        _check_extra(self.extra)


def _check_kept(request: AuthenticationRequest) -> None:
    """Refuse a text that a store would not give back unchanged."""
    for name, value in (
        ("return_to", request.return_to),
        ("account", request.account),
        ("expected_sub", request.expected_sub or ""),
    ):
        if _SURROGATE.search(value):
            raise UsageError("parameter_invalid", about=name, expected="Unicode scalar values")


def _check_lists(request: AuthenticationRequest) -> None:
    """Refuse a list that would arrive as a different one (§3.1.2.1, §14; RFC 8707 §2)."""
    if request.scope and not is_scope(request.scope):
        raise UsageError("parameter_invalid", about="scope", found=request.scope)
    for name, value in (
        ("prompt", request.prompt),
        ("ui_locales", request.ui_locales),
        ("claims_locales", request.claims_locales),
        ("acr_values", request.acr_values),
    ):
        if value and not _LIST.fullmatch(value):
            raise UsageError("parameter_invalid", about=name, found=value)
    for acr in request.required_acr:  # an empty one is not a class of authentication
        if " " in acr or not _LIST.fullmatch(acr):
            raise UsageError("parameter_invalid", about="required_acr", found=acr)
    check_resources(request.resource)


def _check_claims(claims: JsonObject | None) -> None:
    """Refuse a ``claims`` parameter outside the specification, because it would demand nothing."""
    if claims is None:
        return
    if any(map(_SURROGATE.search, _texts_in(claims))):
        raise UsageError("parameter_invalid", about="claims", expected="Unicode scalar values")
    for where in ("id_token", "userinfo"):
        wanted = claims.members.get(where)
        if wanted is None:
            continue
        if not isinstance(wanted, JsonObject):
            raise UsageError("parameter_invalid", about="claims", found=where)
        for name, how in wanted.items():
            expected = _lacking(name, how)
            if expected:
                raise UsageError("parameter_invalid", about="claims", found=name, expected=expected)
    if len({*subjects_asked(claims)}) > 1:
        raise UsageError("parameter_invalid", about="claims", found="sub", expected="one user")


def _lacking(name: str, how: JsonValue) -> str:
    """Name the expected way to ask for a claim; an empty text if the way is right (§5.5.1)."""
    if how is None:
        return ""
    if not isinstance(how, JsonObject):
        return "null or an object"
    essential, values = how.members.get("essential", False), how.members.get("values", (None,))
    if type(essential) is not bool:
        return "essential: true or false"
    if not isinstance(values, tuple) or not values:
        return "values: a list that is not empty"
    if name in _COMPARED and not all(isinstance(v, str) and v for v in values_asked(how)):
        return "value and values: text"
    return ""


def values_asked(how: JsonObject) -> tuple[JsonValue, ...]:
    """Return the values of a claim that are asked for, as ``value`` or among ``values``."""
    several = how.members.get("values", ())
    one = (how.members["value"],) if "value" in how.members else ()
    return one + several if isinstance(several, tuple) else one


def subjects_asked(claims: JsonObject) -> Iterator[str]:
    """Return the user that is asked for by value: UserInfo is of the user of the ID token."""
    for where in ("id_token", "userinfo"):
        wanted = claims.members.get(where)
        how = wanted.members.get("sub") if isinstance(wanted, JsonObject) else None
        if isinstance(how, JsonObject):
            yield from [value for value in values_asked(how) if isinstance(value, str)]


def _texts_in(value: JsonValue) -> Iterator[str]:
    """Return every name and text of some JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, JsonObject):
        for name, member in value.items():
            yield name
            yield from _texts_in(member)
    elif isinstance(value, tuple):
        for member in value:
            yield from _texts_in(member)


def _check_extra(extra: tuple[tuple[str, str], ...]) -> None:
    """Refuse a parameter the library sets itself, and one that is there twice (RFC 6749 §3.1)."""
    seen: set[str] = set()
    for name, _ in extra:
        if not _NAME.fullmatch(name):
            raise UsageError("parameter_invalid", about="extra", found=name, expected=_NAME.pattern)
        if name in RESERVED_PARAMETERS:
            raise UsageError("parameter_reserved", about=name)
        if name in seen and name not in _REPEATABLE:
            raise UsageError("parameter_invalid", about=name, expected="once")
        seen.add(name)


_FIELDS: Final = fields_of(AuthenticationRequest, "parameter_invalid")

DEFAULT_REQUEST: Final = AuthenticationRequest()
"""Asks for nothing in particular."""


def authentication_parameters(
    rp: RelyingParty, request: AuthenticationRequest, pending: PendingLogin
) -> Parameters:
    """Return the parameters of a request, however they will be sent; no parameter is empty.

    Raises:
        UsageError: ``unsupported_by_provider`` for a setting that the metadata rules out.
    """
    demands = pending.demands
    nonce = demands.nonce if isinstance(demands.nonce, str) else ""
    parameters: Parameters = (
        ("response_type", "code"),
        ("client_id", rp.client.client_id),
        ("redirect_uri", pending.redirect_uri),
        ("scope", demands.scope),
        ("state", pending.state),
        ("nonce", nonce),
    )
    if "omit_pkce" not in rp.policy.quirks:
        challenge = challenge_s256(pending.code_verifier)
        parameters += (("code_challenge", challenge), ("code_challenge_method", "S256"))
    if request is DEFAULT_REQUEST and rp.answers_by_query:
        return parameters
    _check_supported(rp, request)
    return parameters + optional_parameters(request, demands)


def _check_supported(rp: RelyingParty, request: AuthenticationRequest) -> None:
    """Refuse a request that the metadata rules out, before the user is sent anywhere.

    Raises:
        UsageError: ``unsupported_by_provider``, naming the member of the metadata.
    """
    provider = rp.provider
    check_named(provider, "response_modes_supported", request.response_mode, "change response_mode")
    for prompt in request.prompt.split():
        check_named(provider, "prompt_values_supported", prompt, "change prompt")
    acr = next(iter(request.required_acr), None)
    if not set(request.required_acr).intersection(provider.acr_values_supported):
        check_named(provider, "acr_values_supported", acr, "change required_acr")
    if request.claims is not None and provider.claims_parameter_supported is False:
        hint = "ask for scopes in place of claims"
        raise UsageError(
            "unsupported_by_provider", about="claims_parameter_supported", found="false", hint=hint
        )


def optional_parameters(request: AuthenticationRequest, demands: Demands) -> Parameters:
    """Return what is asked for beyond that, by any grant; the default response mode is not sent."""
    hint = request.id_token_hint
    acr_values = " ".join([*request.required_acr, *request.acr_values.split()])
    pairs: Parameters = (
        ("response_mode", "" if request.response_mode == "query" else request.response_mode),
        ("display", request.display),
        ("prompt", request.prompt),
        ("max_age", "" if demands.max_age is None else demands.max_age),
        ("ui_locales", request.ui_locales),
        ("claims_locales", request.claims_locales),
        ("id_token_hint", hint.raw if isinstance(hint, IdToken) else hint or ""),
        ("login_hint", request.login_hint),
        ("acr_values", acr_values),
        ("claims", "" if request.claims is None else request.claims),
        *[("resource", resource) for resource in demands.resource],
        *request.extra,
    )
    return tuple([pair for pair in pairs if pair[1] != ""])


def authorization_url(rp: RelyingParty, parameters: Parameters) -> str:
    """Return the URL to send the browser to.

    Raises:
        UsageError: ``unsupported_by_provider`` without an authorization endpoint.
    """
    return with_query(endpoint(rp, "authorization_endpoint"), form_encoded(parameters))
