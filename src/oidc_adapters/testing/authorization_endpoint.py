"""The authorization endpoint: a browser arrives with a request (OIDC Core §3.1.2)."""

import re
from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from oidc_adapters.testing.dialect import Dialect
from oidc_adapters.testing.ledger import Family, Grant, IssuedCode
from oidc_adapters.testing.metadata import endpoint
from oidc_adapters.testing.oauth_messages import OAuthError, RequestRefused, unique_parameters
from oidc_adapters.testing.parties import AuthorizationResponse, FakeClient, ResponseMode, Session
from oidc_adapters.testing.provider_state import ACR_VALUES, ProviderState
from oidc_adapters.testing.session_management import browser_state, session_state
from oidc_adapters.testing.signing import is_array, is_object, parsed

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS: Final = re.compile(r"[0-9]{1,15}")
_PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})


@frozen(kw_only=True)
class AuthorizationRequest:
    """An authorization request that can be answered: who asks and where the answer goes."""

    client: FakeClient
    parameters: Mapping[str, str] = field(repr=False)
    repeated: tuple[str, ...]

    @property
    def mode(self) -> ResponseMode:
        """How the answer is delivered; an unknown mode is refused by ``query``."""
        return "form_post" if self.parameters.get("response_mode") == "form_post" else "query"

    @property
    def prompts(self) -> frozenset[str]:
        """The values of ``prompt``."""
        return frozenset(self.parameters.get("prompt", "").split())


def arrival(state: ProviderState, url: str) -> AuthorizationRequest:
    """Find out who asks and whether the answer may go where they say.

    Raises:
        RequestRefused: it must not: there is nobody to redirect to (RFC 6749 §4.1.2.1).
    """
    base, _, query = url.partition("?")
    if base != endpoint(state.base, "authorize") or "#" in url:
        raise RequestRefused("invalid_request", f"{base} is not the authorization endpoint")
    try:
        parameters, repeated = unique_parameters(query)
    except ValueError:
        raise RequestRefused("invalid_request", "the query is not form-encoded") from None
    if {"client_id", "redirect_uri"} & set(repeated):
        raise RequestRefused("invalid_request", f"repeated: {' '.join(repeated)}")
    client = state.client(parameters.get("client_id"))
    if client is None:
        raise RequestRefused("unauthorized_client", "the client is unknown")
    if not _is_registered(parameters.get("redirect_uri", ""), client):
        raise RequestRefused("invalid_request", "redirect_uri is not registered exactly so")
    request = AuthorizationRequest(client=client, parameters=parameters, repeated=repeated)
    scope = parameters.get("scope", "").split()
    by_form = [name for name in state.dialect.form_post_for if name in scope]
    if by_form and request.mode != "form_post":
        raise RequestRefused("invalid_request", f"{by_form[0]} needs response_mode=form_post")
    return request


def _is_registered(uri: str, client: FakeClient) -> bool:
    """Compare exactly; one on loopback without a port stands for every port (RFC 8252 §7.3)."""
    if uri in client.redirect_uris:
        return True
    host, colon, rest = uri.removeprefix("http://").partition(":")
    port, slash, path = rest.partition("/")
    portless = f"http://{host}{slash}{path}"
    on_loopback = uri.startswith("http://") and host == "127.0.0.1" and bool(colon)
    return on_loopback and port.isdecimal() and portless in client.redirect_uris


def callback(
    state: ProviderState,
    request: AuthorizationRequest,
    now: int,
    *,
    user: str,
    approve: bool,
    session: Session | None,
) -> AuthorizationResponse:
    """Decide on a request and answer it, with a code or with an error."""
    signed_in = session
    try:
        _check_client(state, request)
        _check_parameters(request)
        signed_in = _signed_in(state, request, now, user=user, session=session)
        answer = {"code": _code(state, request, signed_in, now)}
        if state.session_management:
            answer["session_state"] = _session_state(state, request, signed_in)
        if not approve:
            answer = {"error": "access_denied", "error_description": "the end-user refused"}
    except OAuthError as error:
        answer = {"error": error.error, "error_description": error.error_description}
    if "state" in request.parameters:
        answer["state"] = request.parameters["state"]
    if state.sends_iss:
        answer["iss"] = state.issuer
    honest = AuthorizationResponse(
        redirect_uri=request.parameters["redirect_uri"],
        mode=request.mode,
        parameters=tuple(answer.items()),
        session=signed_in,
    )
    return state.changes("authorization").callback(honest)


def _check_client(state: ProviderState, request: AuthorizationRequest) -> None:
    """Hold the client to the needs of every code flow (OIDC Core §3.1.2.1, RFC 9700 §2.1.1)."""
    parameters = request.parameters
    if request.repeated:
        raise OAuthError("invalid_request", f"repeated: {' '.join(request.repeated)}")
    for name in ("request", "request_uri"):
        if name in parameters:
            raise OAuthError(f"{name}_not_supported", f"{name} is not supported")
    if parameters.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type is not code")
    if "openid" not in parameters.get("scope", "").split(" "):
        raise OAuthError("invalid_scope", "scope is without openid")
    _check_dialect(state.dialect, parameters)
    if state.dialect.pkce != "required":
        return
    if parameters.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "code_challenge_method is not S256")
    if not _CHALLENGE.fullmatch(parameters.get("code_challenge", "")):
        raise OAuthError("invalid_request", "code_challenge is missing or no SHA-256")


def _check_dialect(dialect: Dialect, parameters: Mapping[str, str]) -> None:
    """Hold the client to the demands of this one provider."""
    odd = [name for name in parameters["scope"].split() if name not in dialect.scopes]
    if dialect.scopes and odd:
        raise OAuthError("invalid_scope", f"there is no scope {odd[0]}")
    missing = [name for name in dialect.required_parameters if name not in parameters]
    if missing:
        raise OAuthError("invalid_request", f"{missing[0]} is missing")


def _check_parameters(request: AuthorizationRequest) -> None:
    """Hold the client to the defined values of optional parameters (OIDC Core §3.1.2.1)."""
    parameters, prompts = request.parameters, request.prompts
    if parameters.get("response_mode", "query") not in {"query", "form_post"}:
        raise OAuthError("invalid_request", "response_mode is neither query nor form_post")
    if not prompts <= _PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise OAuthError("invalid_request", "prompt has an unknown value, or `none` and another")
    if not _SECONDS.fullmatch(parameters.get("max_age", "0")):
        raise OAuthError("invalid_request", "max_age is not a number of seconds")


def _signed_in(
    state: ProviderState,
    request: AuthorizationRequest,
    now: int,
    *,
    user: str,
    session: Session | None,
) -> Session:
    """Return the session to answer from: the browser's if it is good enough, or a new one."""
    parameters = request.parameters
    max_age = parameters.get("max_age")
    good = session is not None and "login" not in request.prompts
    if good and session is not None and max_age is not None:
        good = now - session.auth_time <= int(max_age)
    if not good or session is None:
        if "none" in request.prompts:
            raise OAuthError("login_required", "no user signed in recently")
        session = Session(sub=state.user(user).sub, auth_time=now, sid=state.ledger.fresh("sid"))
    if "id_token_hint" in parameters:
        hinted = state.ledger.id_tokens.get(parameters["id_token_hint"])
        if hinted is None or hinted.sub != session.sub:
            raise OAuthError("login_required", "the end-user is not the one of id_token_hint")
    return session


def _session_state(state: ProviderState, request: AuthorizationRequest, session: Session) -> str:
    return session_state(
        request.client.client_id,
        request.parameters["redirect_uri"],
        browser_state(session.sid),
        state.ledger.fresh("salt"),
    )


def _code(state: ProviderState, request: AuthorizationRequest, session: Session, now: int) -> str:
    """Issue a code for the request."""
    parameters = request.parameters
    wanted = _claims_request(parameters.get("claims", "{}"))
    grant = Grant(
        client_id=request.client.client_id,
        redirect_uri=parameters["redirect_uri"],
        scope=_scope(state, request),
        sub=session.sub,
        sid=session.sid,
        auth_time=session.auth_time,
        acr=_acr(parameters, wanted["id_token"].get("acr")),
        nonce=parameters.get("nonce"),
        code_challenge=parameters.get("code_challenge", ""),
        id_token_claims=tuple(wanted["id_token"]),
        userinfo_claims=tuple(wanted["userinfo"]),
    )
    code = state.ledger.fresh("code")
    issued = IssuedCode(family=Family(grant=grant), expires_at=now + state.code_lifetime)
    state.ledger.keep_code(code, issued)
    return code


def _scope(state: ProviderState, request: AuthorizationRequest) -> tuple[str, ...]:
    """Return what is granted: some providers need consent for offline access (OIDC Core §11)."""
    asked = dict.fromkeys(request.parameters["scope"].split())
    if state.offline_access == "with_consent" and "consent" not in request.prompts:
        asked.pop("offline_access", None)
    offline = request.parameters.get("access_type") == "offline" and "consent" in request.prompts
    if state.offline_access == "access_type" and offline:
        asked["offline_access"] = None
    return tuple(asked)


def _claims_request(text: str) -> dict[str, dict[str, object]]:
    """Take the ``claims`` parameter apart (OIDC Core §5.5)."""
    try:
        members = parsed(text)
    except ValueError:
        raise OAuthError("invalid_request", "claims is not JSON") from None
    if not is_object(members):
        raise OAuthError("invalid_request", "claims is not a JSON object")
    wanted: dict[str, dict[str, object]] = {}
    for place in ("userinfo", "id_token"):
        claims = members.get(place)
        if claims is not None and not is_object(claims):
            raise OAuthError("invalid_request", f"{place} in claims is not a JSON object")
        wanted[place] = {} if claims is None else claims
    return wanted


def _acr(parameters: Mapping[str, str], request: object) -> str:
    """Authenticate as the client asked if the provider can do it, or in the usual way."""
    wanted = parameters.get("acr_values", "").split()
    if is_object(request):
        many = request.get("values")
        values = many if is_array(many) else [request.get("value")]
        wanted = [str(value) for value in values]
    return next((acr for acr in wanted if acr in ACR_VALUES), ACR_VALUES[0])
